import HTTPTypes
import NIOCore
import ProtocolModel

/// One request on its way through a handler.
public struct APICall: Sendable {
    public var method: HTTPRequest.Method
    /// The whole path with the service's prefix, percent-encoded as it came.
    public var path: String
    /// The values of the template's `{name}`s, percent-decoded.
    public var parameters: [String: String]
    /// In order of appearance, percent-decoded; a name may repeat.
    public var query: [(name: String, value: String)]
    public var headers: HTTPFields
    /// `req-` and a UUID, also in the answer's `X-Openstack-Request-Id`.
    public var requestID: String
    /// `scheme://host[:port]` as the client addressed us (or the configured public URL), for links.
    public var baseURL: String
    /// What was negotiated; the service's minimum where the client asked for nothing.
    public var microversion: Microversion
    /// `nil` only on routes for ``Route/Access/anybody``.
    public var caller: Caller?
    /// The token as it came in `X-Auth-Token`.
    public var token: String?
    /// The remote's address, for logs and lock-outs.
    public var remoteAddress: String
    /// Microseconds since 1970-01-01T00:00:00Z at which the request was taken in.
    public var now: Int64
    public var action: String
    /// The body: ``json()`` for most, the stream for uploads.
    public var body: any RequestBodySource
    public var database: any SQLDatabase
    public var policy: Policy
    public var words: ErrorWords
    /// Notes the rules that are asked, for tests.
    public var trace: PolicyTrace?

    public init(
        method: HTTPRequest.Method, path: String, parameters: [String: String], query: [(name: String, value: String)],
        headers: HTTPFields, requestID: String, baseURL: String, microversion: Microversion, caller: Caller?,
        token: String?, remoteAddress: String, now: Int64, action: String, body: any RequestBodySource,
        database: any SQLDatabase, policy: Policy = Policy(rules: [:]), words: ErrorWords = .generic
    ) {
        self.method = method
        self.path = path
        self.parameters = parameters
        self.query = query
        self.headers = headers
        self.requestID = requestID
        self.baseURL = baseURL
        self.microversion = microversion
        self.caller = caller
        self.token = token
        self.remoteAddress = remoteAddress
        self.now = now
        self.action = action
        self.body = body
        self.database = database
        self.policy = policy
        self.words = words
    }

    /// - Throws: ``APIError`` 401 where nobody is logged in.
    public func requireCaller() throws -> Caller {
        guard let caller else {
            throw APIError(status: 401, message: "The request you have made requires authentication.")
        }
        return caller
    }

    /// - Throws: ``APIError`` 400 when the token is not scoped to a project.
    public func requireProject() throws -> (caller: Caller, project: ProjectID) {
        let caller = try requireCaller()
        guard let project = caller.project else {
            throw APIError.badRequest("This request needs a token scoped to a project: authenticate again with one.")
        }
        return (caller, project)
    }

    /// The first value of a query parameter.
    public func query(_ name: String) -> String? { query.first { $0.name == name }?.value }
    public func queryAll(_ name: String) -> [String] { query.filter { $0.name == name }.map(\.value) }
    public func parameter(_ name: String) -> String { parameters[name] ?? "" }

    /// The body as JSON, an object in every API here.
    /// - Throws: ``APIError`` 400 for what is not a JSON object, 413 past the route's limit.
    public func json() async throws -> JSON {
        let value = try await jsonValue()
        guard case .object = value else {
            throw words.malformedJSON(JSONError(reason: "Expecting an object", offset: 0))
        }
        return value
    }

    /// The body as any JSON value (a json-patch is an array).
    /// - Throws: ``APIError`` 400 for what is not JSON, 413 past the route's limit.
    public func jsonValue() async throws -> JSON {
        let bytes = try await body.bytes()
        do { return try JSON.parse(bytes) } catch { throw words.malformedJSON(error) }
    }

    /// One transaction that also writes this request's line of the event log: who, what, when, request id, success.
    /// - Parameters:
    ///   - target: Names the resource in the event log; it may be known only once the body has run.
    ///   - done: What was done where that is not the route's own action; `nil` where it is.
    @discardableResult
    public func write<T: Sendable>(
        target: @escaping @Sendable (T) -> String = { _ in "" },
        action done: @escaping @Sendable (T) -> String? = { _ in nil },
        _ body: @escaping @Sendable (any SQLTransaction) throws -> T
    ) async throws -> T {
        let event = Event(
            time: now, requestID: requestID, action: action, user: caller?.user.compact ?? "",
            userName: caller?.userName ?? "", project: caller?.project?.compact ?? "",
            target: parameters.values.sorted().joined(separator: "/"),
            outcome: "success",
            remoteAddress: remoteAddress)
        return try await database.write { [trace] transaction in
            let result = try body(transaction)
            var event = event
            let named = target(result)
            if !named.isEmpty { event.target = named }
            if let done = done(result) { event.action = done }
            try EventLog.append(event, in: transaction)
            trace?.noteEvent()
            return result
        }
    }
}

/// Bytes that come in pieces, no faster than they are taken.
public protocol ChunkSource: Sendable {
    func forEachChunk(_ body: (ByteBuffer) async throws -> Void) async throws
}

/// Where a handler gets the body from; its pieces are read from the socket.
public protocol RequestBodySource: ChunkSource {
    func json() async throws -> JSON
    /// The raw body, at most the route's limit.
    func bytes() async throws -> [UInt8]
}
