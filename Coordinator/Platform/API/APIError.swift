/// A refusal in the words of the imitated service. Each service's ``ServiceAPI/renderError`` gives it its body.
public struct APIError: Error, Sendable, Equatable {
    /// The HTTP status.
    public var status: Int
    /// What happened, to what, what to do: shown to the person who asked.
    public var message: String
    /// The exception's name where the service shows one (`NeutronError.type`), else empty.
    public var type: String
    /// For the operator's log only.
    public var detail: String
    /// Further response headers (`Retry-After`, `WWW-Authenticate`).
    public var headers: [(name: String, value: String)]
    /// The policy rule that refused it, for the event log.
    public var rule = ""
    /// The id of the user that somebody claimed to be without proving it, for the event log. Only of users that exist:
    /// what was typed instead of a name may be a password.
    public var claimedUser = ""

    public init(
        status: Int, message: String, type: String = "", detail: String = "",
        headers: [(name: String, value: String)] = []
    ) {
        self.status = status
        self.message = message
        self.type = type
        self.detail = detail
        self.headers = headers
    }

    public static func == (left: Self, right: Self) -> Bool {
        left.status == right.status && left.message == right.message && left.type == right.type
    }

    public static func badRequest(_ message: String, type: String = "") -> Self {
        Self(status: 400, message: message, type: type)
    }
    public static func forbidden(_ message: String, type: String = "") -> Self {
        Self(status: 403, message: message, type: type)
    }
    public static func notFound(_ message: String, type: String = "") -> Self {
        Self(status: 404, message: message, type: type)
    }
    public static func conflict(_ message: String, type: String = "") -> Self {
        Self(status: 409, message: message, type: type)
    }
}
