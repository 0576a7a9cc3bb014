import NIOHTTP1

/// What is answered.
package struct ObjectResponse {
    package enum Body {
        case none
        case bytes([UInt8])
        /// Written piece by piece, as fast as the client takes it.
        case stream(length: Int64?, (_ write: ([UInt8]) async throws -> Void) async throws -> Void)
    }

    package var status: Int
    package var headers: HTTPHeaders
    package var body: Body

    package init(_ status: Int, headers: HTTPHeaders = [:], body: Body = .none) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    package init(_ status: Int, text: String, type: String = "text/plain; charset=utf-8") {
        self.init(status, headers: ["Content-Type": type], body: .bytes(Array(text.utf8)))
    }
}

/// A refusal in Swift's words.
package struct SwiftRefusal: Error {
    package var status: Int
    package var message: String
    package var headers: HTTPHeaders

    /// - Parameter message: `nil` for the words that Swift has for the status.
    package init(_ status: Int, _ message: String? = nil, headers: HTTPHeaders = [:]) {
        self.status = status
        self.message = message ?? Self.words[status]?.text ?? ""
        self.headers = headers
    }

    private static let words: [Int: (title: String, text: String)] = [
        400: (
            "Bad Request",
            "The server could not comply with the request since it is either malformed or otherwise incorrect."
        ),
        401: (
            "Unauthorized",
            "This server could not verify that you are authorized to access the document you requested."
        ),
        403: ("Forbidden", "Access was denied to this resource."),
        404: ("Not Found", "The resource could not be found."),
        405: ("Method Not Allowed", "The method is not allowed for this resource."),
        406: ("Not Acceptable", "The resource is not available in a format acceptable to your browser."),
        408: ("Request Timeout", "The server has waited too long for the request to be sent by the client."),
        409: ("Conflict", "There was a conflict when trying to complete your request."),
        411: ("Length Required", "Content-Length header required."),
        412: ("Precondition Failed", "A precondition for this request was not met."),
        413: ("Request Entity Too Large", "The body of your request was too large for this server."),
        416: ("Requested Range Not Satisfiable", "The Range requested is not available."),
        422: ("Unprocessable Entity", "Unable to process the contained instructions"),
        499: ("Client Disconnect", "The client was disconnected during request."),
        500: ("Internal Error", "The server has either erred or is incapable of performing the requested operation."),
        503: ("Service Unavailable", "The server is currently unavailable. Please try again at a later time."),
        507: ("Insufficient Storage", "There was not enough space to save the resource. Drive: objects")
    ]

    package var response: ObjectResponse {
        let title = Self.words[status]?.title ?? "\(status)"
        let isPlain = message != Self.words[status]?.text
        let text = isPlain ? message : "<html><h1>\(title)</h1><p>\(message)</p></html>"
        var response = ObjectResponse(status, text: text, type: isPlain ? "text/plain" : "text/html; charset=UTF-8")
        for (name, value) in headers { response.headers.replaceOrAdd(name: name, value: value) }
        return response
    }
}
