import HTTPTypes
import Logging
import NIOHTTP1
import ProtocolModel
import ProtocolTelemetry

/// From a request to an answer: finds the service and route, negotiates the version, knows the caller, runs the handler
/// and puts every refusal into the service's words. Knows no sockets, so tests call it directly.
public struct RequestPipeline: Sendable {
    public struct Settings: Sendable {
        /// For links in answers; `nil` takes what the client addressed.
        public var publicURL: String?
        public var clock: any WallClock = SystemClock()
        /// Hears of every answer of a route and of what was asked and written for it. For tests.
        public var onAnswer: (@Sendable (ServiceAPI, Route, _ status: Int, _ trace: PolicyTrace) -> Void)?
        public init() {}
    }

    /// An object, since every request passes one around.
    private final class Mount: Sendable {
        let service: ServiceAPI
        let tree: RouteTree
        /// For metrics: the prefix without its slash.
        let name: String

        init(_ service: ServiceAPI) {
            self.service = service
            tree = RouteTree(service.routes)
            name = service.prefix.isEmpty ? "root" : String(service.prefix.dropFirst())
        }

        func find(_ method: HTTPRequest.Method, _ path: Substring) -> RouteTree.Match {
            let isBare = !path.dropFirst().dropLast().contains("/")
            guard service.refusesEmptyNames, path.last == "/", !isBare else { return tree.find(method, path) }
            return .unknownPath
        }
    }

    /// Longest prefix first.
    private let mounts: [Mount]
    private let authenticator: any Authenticator
    private let database: any SQLDatabase
    private let settings: Settings
    private let logger: Logger
    /// Refused changes and failed log-ins, on their way to the event log.
    public let refusals: RefusalLog
    /// The rules in force, of all services.
    public let policies: PolicyBook
    private let metrics: RequestMetrics
    private let date: DateLine
    private let requestIDs = RequestIDs()

    public init(
        services: [ServiceAPI], authenticator: any Authenticator, database: any SQLDatabase,
        policies: PolicyBook? = nil, settings: Settings = Settings(), metrics: MetricsRegistry = MetricsRegistry(),
        logger: Logger
    ) {
        mounts = services.sorted { $0.prefix.utf8.count > $1.prefix.utf8.count }.map { Mount($0) }
        self.policies = policies ?? PolicyBook(services.map(\.policy))
        self.authenticator = authenticator
        self.database = database
        self.settings = settings
        self.logger = logger
        refusals = RefusalLog(database: database, clock: settings.clock, logger: logger)
        self.metrics = RequestMetrics(metrics)
        date = DateLine(clock: settings.clock)
    }

    /// What has become of a request by the time that its head was looked at.
    public enum Beginning: Sendable {
        case answered(OutgoingResponse)
        /// The handler has yet to run, and may take its time.
        case later(@Sendable () async -> OutgoingResponse)
    }

    public func respond(to request: IncomingRequest) async -> OutgoingResponse {
        switch begin(request) {
        case .answered(let response): response
        case .later(let answer): await answer()
        }
    }

    /// Does all that needs no waiting: finds the route, knows the caller, asks the route's rule, and answers where
    /// that refuses or the route has a ``Route/directHandler``. For a connection's event loop.
    public func begin(_ request: IncomingRequest) -> Beginning {
        let started = ContinuousClock.now
        let requestID = requestIDs.next()
        var (path, query) = Self.split(request.target)
        guard let mount = mounts.first(where: { Self.isPrefix($0.service.prefix, of: path) }) else {
            var response = refuse(ErrorWords.generic.unknownPath, service: nil, requestID: requestID, headers: [:])
            if request.method == .head { response.body = .none }
            return .answered(response)
        }
        let prefix = mount.service.prefix
        let earlier = mount.service.earlier?.path(for: path.dropFirst(prefix.count))
        if let earlier { path = Substring(prefix + earlier) }
        var visit = Visit(
            request: request, mount: mount, path: String(path), query: query, requestID: requestID,
            now: settings.clock.now(), started: started,
            isEarlier: earlier != nil)
        switch mount.find(request.method, path.dropFirst(prefix.count)) {
        case .unknownPath:
            let response = refuse(
                mount.service.words.unknownPath, service: mount.service, requestID: requestID, headers: [:])
            return .answered(conclude(response, visit))
        case .methodNotAllowed(let methods):
            let response = refuse(
                mount.service.words.methodNotAllowed, service: mount.service, requestID: requestID,
                headers: [.allow: methods.joined(separator: ", ")])
            return .answered(conclude(response, visit))
        case .route(let route, let parameters):
            visit.parameters = parameters
            return begin(visit, route)
        }
    }

    private struct Visit: Sendable {
        let request: IncomingRequest
        let mount: Mount
        let path: String
        let query: Substring
        let requestID: String
        let now: Int64
        let started: ContinuousClock.Instant
        /// Asked of a version without microversions.
        let isEarlier: Bool
        var parameters: [String: String] = [:]
        var service: ServiceAPI { mount.service }
    }

    private func begin(_ visit: Visit, _ route: Route) -> Beginning {
        var headers = HTTPFields()
        var caller: Caller?
        do {
            let version = try negotiate(visit, route, &headers)
            let token = visit.request.headers.value(.authToken)
            caller = try self.caller(of: visit, route, token: token)
            let call = call(visit, route, version, caller, token)
            if let gate = route.gate { try call.authorize(gate) }
            guard let direct = route.directHandler else {
                return .later { [self, headers, caller] in
                    do { return answered(try await route.handler(call), headers, visit, route, call) } catch {
                        return refused(error, headers, visit, route, caller)
                    }
                }
            }
            return .answered(answered(try direct(call), headers, visit, route, call))
        } catch { return .answered(refused(error, headers, visit, route, caller)) }
    }

    private func call(
        _ visit: Visit, _ route: Route, _ version: Microversion, _ caller: Caller?, _ token: String?
    ) -> APICall {
        let request = visit.request
        var call = APICall(
            method: request.method, path: visit.path, parameters: visit.parameters,
            query: visit.query.isEmpty ? [] : PercentCoding.query(visit.query), headers: request.headers,
            requestID: visit.requestID, baseURL: baseURL(request), microversion: version, caller: caller,
            token: token, remoteAddress: request.remoteAddress, now: visit.now, action: route.action,
            body: LimitedBody(
                body: request.body, limit: route.bodyLimit,
                announced: request.headers.value(.contentLength).flatMap { Int64($0) }, words: visit.service.words),
            database: database, policy: policies.policy, words: visit.service.words)
        if settings.onAnswer != nil { call.trace = PolicyTrace() }
        return call
    }

    private func answered(
        _ answer: APIResponse, _ headers: HTTPFields, _ visit: Visit, _ route: Route, _ call: APICall
    ) -> OutgoingResponse {
        if let trace = call.trace { settings.onAnswer?(visit.service, route, answer.status, trace) }
        return conclude(finish(answer, headers, visit), visit)
    }

    private func refused(
        _ error: any Error, _ headers: HTTPFields, _ visit: Visit, _ route: Route, _ caller: Caller?
    ) -> OutgoingResponse {
        let refusal = explain(error, visit)
        noteRefusal(refusal, visit, route, caller)
        return conclude(refuse(refusal, service: visit.service, requestID: visit.requestID, headers: headers), visit)
    }

    private func conclude(_ response: OutgoingResponse, _ visit: Visit) -> OutgoingResponse {
        metrics.record(service: visit.mount.name, status: response.status, since: visit.started)
        guard visit.request.method == .head else { return response }
        var response = response
        response.body = .none
        return response
    }

    private func negotiate(_ visit: Visit, _ route: Route, _ headers: inout HTTPFields) throws -> Microversion {
        guard let policy = visit.service.microversions else { return Microversion(0, 0) }
        if visit.isEarlier { return policy.minimum }
        let version: Microversion
        do { version = try policy.negotiate(visit.request.headers) } catch {
            policy.describe(policy.minimum, in: &headers)
            // Version documents answer everybody, or a client could never learn what is offered.
            guard case .anybody = route.access else { throw error }
            return policy.minimum
        }
        policy.describe(version, in: &headers)
        return version
    }

    private func caller(of visit: Visit, _ route: Route, token: String?) throws -> Caller? {
        if let token,
            let caller = try authenticator.authenticate(
                token: token, serviceToken: visit.request.headers.value(.serviceToken))
        {
            guard Self.accessRulesAllow(caller, visit) else { throw visit.service.words.unauthorized }
            return caller
        }
        if token == nil, visit.request.isTrusted { return Self.operatorCaller }
        guard case .authenticated = route.access else { return nil }
        throw visit.service.words.unauthorized
    }

    private static func accessRulesAllow(_ caller: Caller, _ visit: Visit) -> Bool {
        guard let rules = caller.accessRules else { return true }
        return rules.allow(
            service: visit.service.serviceType, method: visit.request.method.rawValue, path: visit.path,
            prefix: visit.service.prefix)
    }

    private func baseURL(_ request: IncomingRequest) -> String {
        settings.publicURL ?? "\(request.scheme)://\(request.authority)"
    }

    private func finish(_ answer: APIResponse, _ headers: HTTPFields, _ visit: Visit) -> OutgoingResponse {
        var headers = headers
        for (name, value) in answer.headers {
            guard let name = HTTPField.Name(name) else { continue }
            if name == .vary { headers.append(HTTPField(name: name, value: value)) } else { headers[name] = value }
        }
        let body: OutgoingResponse.Body
        switch answer.body {
        case .none:
            body = .none
            if answer.status != 204, headers[.contentLength] == nil { headers[.contentLength] = "0" }
        case .json(let value):
            let bytes = value.serialize()
            if headers[.contentType] == nil { headers[.contentType] = "application/json" }
            headers[.contentLength] = String(bytes.count)
            body = .bytes(bytes)
        case .bytes(let bytes):
            headers[.contentLength] = String(bytes.count)
            body = .bytes(bytes)
        case .stream(let length, let stream):
            if let length { headers[.contentLength] = String(length) }
            body = .stream(stream)
        }
        stamp(&headers, service: visit.service, requestID: visit.requestID)
        return OutgoingResponse(status: answer.status, headers: headers, body: body)
    }

    private func refuse(_ error: APIError, service: ServiceAPI?, requestID: String, headers: HTTPFields)
        -> OutgoingResponse
    {
        var headers = headers
        var (body, contentType) = service?.renderError(error, requestID) ?? Self.genericBody(error)
        if error.status == 406, let policy = service?.microversions { body = policy.addRange(to: body) }
        for (name, value) in error.headers {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        if error.status == 401, headers[.wwwAuthenticate] == nil {
            headers[.wwwAuthenticate] = "Keystone uri=\"\(settings.publicURL ?? "")/identity\""
        }
        let bytes = body.serialize()
        headers[.contentType] = contentType
        headers[.contentLength] = String(bytes.count)
        stamp(&headers, service: service, requestID: requestID)
        return OutgoingResponse(status: error.status, headers: headers, body: .bytes(bytes))
    }

    private func stamp(_ headers: inout HTTPFields, service: ServiceAPI?, requestID: String) {
        headers[.requestID] = requestID
        headers[.date] = date.text
        if service?.microversions?.service == "compute" { headers[.computeRequestID] = requestID }
    }

    /// Turns whatever a handler threw into a refusal, and tells the operator what the person who asked must not see.
    private func explain(_ error: any Error, _ visit: Visit) -> APIError {
        switch error {
        case let error as APIError: return error
        case StoreError.stale(let what):
            return .conflict(
                "The resource was changed by another request at the same time: read it again and retry. (\(what))")
        case StoreError.duplicate(let what):
            return .conflict("A resource with this identity exists already. (\(what))")
        case StoreError.overloaded:
            return APIError(
                status: 503, message: "Too many changes are waiting: try again in a moment.",
                headers: [("Retry-After", "1")])
        case StoreError.unavailable(let reason):
            logger.error("store unavailable", metadata: ["reason": "\(reason)", "request": "\(visit.requestID)"])
            return APIError(
                status: 503, message: "The cloud's database cannot be used at the moment: tell the operator.",
                headers: [("Retry-After", "10")])
        case _ where Disconnection.explains(error):
            // Nobody reads the answer.
            return APIError(status: 400, message: "The request was cut off.")
        case is HTTPParserError:
            return APIError(status: 400, message: "The request's body is not framed as HTTP has it.")
        default:
            logger.error(
                "request failed",
                metadata: [
                    "request": "\(visit.requestID)", "method": "\(visit.request.method)", "path": "\(visit.path)",
                    "error": "\(error)"
                ])
            return APIError(
                status: 500,
                message: "An unexpected error prevented the server from fulfilling your request (\(visit.requestID)).")
        }
    }

    private func noteRefusal(_ error: APIError, _ visit: Visit, _ route: Route, _ caller: Caller?) {
        guard !route.action.isEmpty || error.status == 401 else { return }
        let action = route.action.isEmpty ? "authenticate" : route.action
        let reason = error.detail.isEmpty ? "" : " (\(error.detail.prefix(200)))"
        refusals.note(
            Event(
                time: visit.now, requestID: visit.requestID, action: action,
                user: caller?.user.compact ?? error.claimedUser,
                userName: caller?.userName ?? "", project: caller?.project?.compact ?? "",
                target: String(visit.parameters.values.sorted().joined(separator: "/").prefix(400)),
                outcome: "\(error.status) \(error.message.prefix(400))\(reason)", rule: error.rule,
                remoteAddress: visit.request.remoteAddress))
    }

    private static func genericBody(_ error: APIError) -> (body: JSON, contentType: String) {
        let details: JSON = ["code": JSON(error.status), "message": JSON(error.message)]
        return (["error": details], "application/json")
    }

    private static func split(_ target: String) -> (path: Substring, query: Substring) {
        guard let mark = target.firstIndex(of: "?") else { return (target[...], "") }
        return (target[..<mark], target[target.index(after: mark)...])
    }

    private static func isPrefix(_ prefix: String, of path: Substring) -> Bool {
        guard path.utf8.starts(with: prefix.utf8) else { return false }
        let next = path.utf8.dropFirst(prefix.utf8.count).first
        return prefix.isEmpty || next == nil || next == UInt8(ascii: "/")
    }

    /// Who asks over the operator's socket.
    public static let operatorCaller = Caller(
        user: UserID(high: 0, low: 0), userName: "operator", userDomain: "default", scope: .system, projectName: "",
        roles: ["admin", "manager", "member", "reader"])
}
