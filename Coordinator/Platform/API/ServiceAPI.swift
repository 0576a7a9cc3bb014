import HTTPTypes
import NIOCore

/// One service's face: its prefix, routes, versions and the shape of its errors. Slices build these; the HTTP server
/// mounts them. Nothing in a slice knows the HTTP library.
public struct ServiceAPI: Sendable {
    /// The path prefix: `/compute`.
    public var prefix: String
    /// The catalog's word for it, which access rules name; from the prefix where nothing else is said.
    public var serviceType: String
    public var microversions: MicroversionPolicy?
    public var routes: [Route]
    /// The error's body and content type, in the imitated service's form.
    public var renderError: @Sendable (APIError, _ requestID: String) -> (body: JSON, contentType: String)
    /// What the server says in the service's place: unknown paths, bodies that are not JSON, refused rules.
    public var words: ErrorWords
    /// Who may do what; ``APICall/authorize(_:project:domain:)`` looks here.
    public var policy: Policy
    /// `/volumes/` names a volume whose id was forgotten, and so nothing; else it is `/volumes`. The path of a version may
    /// have its slash either way.
    public var refusesEmptyNames = false
    public var earlier: Earlier?

    /// A version of old times that is the current one without its microversions.
    public struct Earlier: Sendable, Hashable {
        /// `/v2`
        public var version: String
        /// `/v2.1`
        public var current: String

        public init(version: String, current: String) {
            self.version = version
            self.current = current
        }

        /// - Parameter path: Below the service's prefix.
        /// - Returns: The current version's; `nil` where it is none of the earlier one's.
        func path(for path: Substring) -> String? {
            path.hasPrefix(version + "/") && path.count > version.count + 1
                ? current + path.dropFirst(version.count) : nil
        }
    }

    public init(
        prefix: String, serviceType: String? = nil, microversions: MicroversionPolicy? = nil, routes: [Route],
        words: ErrorWords? = nil,
        policy: Policy = Policy(rules: [:]),
        renderError: @escaping @Sendable (APIError, _ requestID: String) -> (body: JSON, contentType: String)
    ) {
        self.words = words ?? .standard(forPrefix: prefix)
        self.policy = policy
        self.prefix = prefix
        self.serviceType = serviceType ?? String(prefix.drop { $0 == "/" })
        self.microversions = microversions
        self.routes = routes
        self.renderError = renderError
    }
}

extension ServiceAPI {
    /// Mounts further routes with the rules that they ask.
    public mutating func add(_ routes: [Route], rules: [String: Policy.Rule]) {
        self.routes += routes
        policy = Policy(rules: policy.rules.merging(rules) { own, _ in own }, attributes: policy.attributes)
    }
}

/// One method on one path template.
public struct Route: Sendable {
    public enum Access: Sendable {
        /// Version documents and the like.
        case anybody
        /// A valid token of any scope; the service decides the rest.
        case authenticated
    }

    /// What keeps people out who may not.
    public enum Guarding: Sendable, Equatable {
        /// The handler asks at least one of these, and no other.
        case rules([String])
        /// No rule is asked, for the reason given: whoever has a token may.
        case nothing(because: String)
    }

    public var method: HTTPRequest.Method
    /// Below the service's prefix, `{name}` for parameters: `/v2.1/servers/{server_id}`. A last `{name*}` takes the
    /// rest of the path with its slashes.
    public var path: String
    /// The event log's word for it: `compute.server.create`. Empty for reads.
    public var action: String
    public var access: Access
    /// Which of the policy's rules decide; `nil` where nobody has said so yet.
    public var guarding: Guarding?
    /// The rule that is asked before the handler is, about the caller's own project.
    public var gate: String?
    /// The largest body that is read into memory; streams have their own limits.
    public var bodyLimit: Int
    public var handler: @Sendable (APICall) async throws -> APIResponse
    /// The handler of a route that answers from memory in microseconds: it runs on the connection's event loop, where
    /// nothing may wait or work long.
    public var directHandler: (@Sendable (APICall) throws -> APIResponse)?

    public init(
        _ method: HTTPRequest.Method, _ path: String, action: String = "", access: Access = .authenticated,
        guarding: Guarding? = nil, bodyLimit: Int = 1 << 20,
        handler: @escaping @Sendable (APICall) async throws -> APIResponse
    ) {
        self.method = method
        self.path = path
        self.action = action
        self.access = access
        self.guarding = guarding
        self.bodyLimit = bodyLimit
        self.handler = handler
    }

    /// A route that answers from memory; see ``directHandler``. Not an initializer, so that no handler becomes one just
    /// because it happens not to wait.
    public static func direct(
        _ method: HTTPRequest.Method, _ path: String, access: Access = .authenticated,
        handler: @escaping @Sendable (APICall) throws -> APIResponse
    ) -> Self {
        var route = Self(method, path, access: access, handler: handler)
        route.directHandler = handler
        return route
    }

    /// The route with the rules that its handler asks.
    public func asking(_ rules: String...) -> Self { asking(rules) }
    public func asking(_ rules: [String]) -> Self {
        if case .rules(let others)? = guarding { guarded(.rules(others + rules)) } else { guarded(.rules(rules)) }
    }
    /// The route behind a rule that is asked for it before its handler runs: for lists and for what has no owner.
    public func gated(by rule: String) -> Self {
        var route = asking(rule)
        route.gate = rule
        return route
    }
    /// The route, open to everybody with a token.
    public func open(because reason: String) -> Self { guarded(.nothing(because: reason)) }

    private func guarded(_ guarding: Guarding) -> Self {
        var route = self
        route.guarding = guarding
        return route
    }
}

/// An answer.
public struct APIResponse: Sendable {
    public enum Body: Sendable {
        case none
        case json(JSON)
        case bytes([UInt8])
        /// Chunks, pulled as fast as the client takes them. `length` becomes `Content-Length` where it is known.
        case stream(length: Int64?, AsyncThrowingStream<ByteBuffer, any Error>)
    }

    public var status: Int
    public var headers: [(name: String, value: String)]
    public var body: Body

    public init(status: Int = 200, headers: [(name: String, value: String)] = [], body: Body = .none) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    public static func json(_ value: JSON, status: Int = 200, headers: [(name: String, value: String)] = []) -> Self {
        Self(status: status, headers: headers, body: .json(value))
    }
    public static func empty(_ status: Int, headers: [(name: String, value: String)] = []) -> Self {
        Self(status: status, headers: headers)
    }
}
