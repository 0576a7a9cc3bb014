/// What the server itself has to say for a service, in the words of the one imitated.
public struct ErrorWords: Sendable {
    public var malformedJSON: @Sendable (JSONError) -> APIError
    public var unknownPath: APIError
    public var methodNotAllowed: APIError
    public var tooLarge: APIError
    /// Nobody is logged in, or the token is not valid.
    public var unauthorized: APIError
    public var forbidden: @Sendable (_ rule: String) -> APIError

    public init(
        malformedJSON: @escaping @Sendable (JSONError) -> APIError, unknownPath: APIError, methodNotAllowed: APIError,
        tooLarge: APIError, unauthorized: APIError, forbidden: @escaping @Sendable (_ rule: String) -> APIError
    ) {
        self.malformedJSON = malformedJSON
        self.unknownPath = unknownPath
        self.methodNotAllowed = methodNotAllowed
        self.tooLarge = tooLarge
        self.unauthorized = unauthorized
        self.forbidden = forbidden
    }

    /// The words that go with a path prefix of the catalog.
    public static func standard(forPrefix prefix: String) -> Self {
        switch prefix {
        case "/identity": .identity
        case "/compute": .compute
        case "/network": .network
        case "/image": .image
        case "/placement": .placement
        case "/volume": .compute
        default: .generic
        }
    }

    public static let unauthorizedMessage = "The request you have made requires authentication."
    static let unknownPathMessage = "The resource could not be found."
    static let methodMessage = "The method specified is not allowed for this resource."
    static let malformed =
        "The server could not comply with the request since it is either malformed or otherwise incorrect."

    public static let generic = Self(
        malformedJSON: { .badRequest("The request body is not valid JSON: \($0).") },
        unknownPath: .notFound(unknownPathMessage), methodNotAllowed: APIError(status: 405, message: methodMessage),
        tooLarge: APIError(status: 413, message: "Request is too large."),
        unauthorized: APIError(status: 401, message: unauthorizedMessage),
        forbidden: { .forbidden("You are not authorized to perform the requested action: \($0).") })

    /// Keystone.
    public static let identity: Self = {
        var words = generic
        words.malformedJSON = { error in
            let missing = error.reason == "Expecting an object" ? "valid JSON object" : "valid JSON"
            return .badRequest(
                "Expecting to find \(missing) in request body. \(malformed) The client is assumed to be in error.")
        }
        return words
    }()

    /// Nova and Cinder.
    public static let compute: Self = {
        var words = generic
        words.malformedJSON = { _ in .badRequest("Malformed request body") }
        words.forbidden = { .forbidden("Policy doesn't allow \($0) to be performed.") }
        return words
    }()

    /// Neutron.
    public static let network: Self = {
        var words = generic
        words.malformedJSON = { _ in .badRequest(malformed, type: "HTTPBadRequest") }
        words.unknownPath.type = "HTTPNotFound"
        words.methodNotAllowed.type = "HTTPMethodNotAllowed"
        words.forbidden = { .forbidden("rule:\($0) is disallowed by policy", type: "PolicyNotAuthorized") }
        return words
    }()

    /// Glance.
    public static let image: Self = {
        var words = generic
        words.malformedJSON = { _ in .badRequest("Malformed JSON in request body.") }
        words.forbidden = { .forbidden("You are not authorized to complete \($0) action.") }
        return words
    }()

    /// Placement.
    public static let placement: Self = {
        var words = generic
        words.malformedJSON = { .badRequest("Malformed JSON: \($0)") }
        words.forbidden = { .forbidden("Policy does not allow \($0) to be performed.") }
        return words
    }()
}
