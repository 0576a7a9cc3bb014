import Logging
import NIOHTTP1
import ProtocolModel

/// The Swift API, version 1, over an ``ObjectStore``.
package struct SwiftService: ObjectResponder {
    package struct Settings: Sendable, Hashable {
        /// Where the identity service is, for those who have no token.
        package var identityURL = ""

        package init() {}
    }

    let store: any ObjectStore
    let gate: TokenGate
    let settings: Settings
    let clock: any WallClock
    let logger: Logger

    package init(
        store: any ObjectStore, gate: TokenGate, settings: Settings = Settings(), clock: any WallClock, logger: Logger
    ) {
        self.store = store
        self.gate = gate
        self.settings = settings
        self.clock = clock
        self.logger = logger
    }

    package func respond(to request: ObjectRequest) async -> ObjectResponse {
        let now = clock.now()
        let transaction = Self.transactionID(at: now)
        var response: ObjectResponse
        do {
            response = try await answer(request, at: now, transaction)
        } catch {
            response = refusal(error, transaction).response
        }
        response.headers.replaceOrAdd(name: "X-Trans-Id", value: transaction)
        response.headers.replaceOrAdd(name: "X-Openstack-Request-Id", value: transaction)
        response.headers.replaceOrAdd(name: "Date", value: HTTPDate.http(seconds: now / 1_000_000))
        if !response.headers.contains(name: "content-type") {
            response.headers.add(name: "Content-Type", value: "text/html; charset=UTF-8")
        }
        return response
    }

    /// `tx`, 21 digits of chance, and the time: what Swift's clients expect to see.
    static func transactionID(at now: Int64) -> String {
        let chance = (0..<2).map { _ in String(UInt64.random(in: 0...UInt64.max), radix: 16) }.joined()
        let seconds = String(now / 1_000_000, radix: 16)
        let digits = String((String(repeating: "0", count: 21) + chance).suffix(21))
        return "tx\(digits)-\(String(repeating: "0", count: max(0, 10 - seconds.count)))\(seconds)"
    }

    private func answer(_ request: ObjectRequest, at now: Int64, _ transaction: String) async throws -> ObjectResponse {
        switch request.path {
        case "/healthcheck" where ["GET", "HEAD"].contains(request.method): return ObjectResponse(200, text: "OK")
        case "/info" where ["GET", "HEAD", "OPTIONS"].contains(request.method): return SwiftInfo.response
        case "/crossdomain.xml" where request.method == "GET": return SwiftInfo.crossDomain
        default: break
        }
        let target = try SwiftTarget(request.path)
        let call = SwiftCall(service: self, request: request, target: target, now: now)
        if request.method == "OPTIONS" { return try await call.preflight() }
        try await call.identify()
        let response = try await call.route()
        return try await call.withCORS(response)
    }

    /// What is told of an error: what is ours to know goes to the log.
    private func refusal(_ error: any Error, _ transaction: String) -> SwiftRefusal {
        switch error {
        case let refusal as SwiftRefusal: return refusal
        case StoreFailure.noSuchContainer, StoreFailure.noSuchObject, StoreFailure.gone: return SwiftRefusal(404)
        case StoreFailure.notEmpty: return SwiftRefusal(409)
        case StoreFailure.exists: return SwiftRefusal(412)
        case StoreFailure.accountQuota, StoreFailure.containerQuota: return SwiftRefusal(413, "Upload exceeds quota.")
        case StoreFailure.diskFull: return SwiftRefusal(507)
        case TokenGate.Unavailable.coordinator:
            return SwiftRefusal(503, headers: ["Retry-After": "5"])
        case is CancellationError: return SwiftRefusal(503)
        case let malformed as AccessList.Malformed: return SwiftRefusal(400, malformed.message)
        case let error as StoreFailure:
            logger.error("the object store failed", metadata: ["error": "\(error)", "transaction": "\(transaction)"])
            if case .damaged = error { return SwiftRefusal(503) }
            return SwiftRefusal(500)
        default:
            logger.debug("a request was cut off", metadata: ["error": "\(error)", "transaction": "\(transaction)"])
            return SwiftRefusal(499)
        }
    }
}

/// What a path names.
package struct SwiftTarget: Hashable, Sendable {
    package var account: String
    package var container: String?
    package var object: String?
    /// As it was written, without percent coding.
    package var path: String

    static let versions: Set<String> = ["v1", "v1.0"]

    package init(_ path: String) throws {
        guard let decoded = PercentText.decode(path) else { throw SwiftRefusal(412, "Invalid UTF8 or contains NULL") }
        self.path = decoded
        let parts = decoded.pathParts(atMost: 5)
        guard parts.count >= 2, parts[0].isEmpty else { throw SwiftRefusal(404) }
        guard Self.versions.contains(parts[1]) else {
            throw parts[1].hasPrefix("v") ? SwiftRefusal(400, "Bad path") : SwiftRefusal(404)
        }
        guard parts.count >= 3, !parts[2].isEmpty else { throw SwiftRefusal(404) }
        account = parts[2]
        container = parts.count > 3 && !parts[3].isEmpty ? parts[3] : nil
        object = parts.count > 4 && !parts[4].isEmpty ? parts[4] : nil
        guard container != nil || object == nil else { throw SwiftRefusal(404) }
        guard account.utf8.count <= SwiftLimits.accountName else { throw SwiftRefusal(404) }
        if let container { try SwiftLimits.check(container: container) }
        if let object { try SwiftLimits.check(object: object) }
    }

    package init(account: String, container: String, object: String) {
        self.account = account
        self.container = container
        self.object = object
        path = "/v1/\(account)/\(container)/\(object)"
    }

    var containerName: ContainerName? { container.map { ContainerName(account: account, name: $0) } }
    var objectName: ObjectName? {
        guard let containerName, let object else { return nil }
        return ObjectName(container: containerName, name: object)
    }
}

/// Swift's constraints, and ours where Swift leaves them open.
enum SwiftLimits {
    static let accountName = 256
    static let containerName = 256
    static let objectName = 1024
    static let metaName = 128
    static let metaValue = 256
    static let metaCount = 90
    static let metaOverall = 4096
    static let fileSize: Int64 = 5_368_709_122
    static let listing = 10_000
    static let manifestSegments = 1000
    static let manifestSize = 8 << 20
    /// Octets of a static large object: so few that those of fifty ranges of it can be added.
    static let manifestTotal: Int64 = 1 << 56
    static let bulkDeletes = 10_000
    static let bulkPathBytes = 2 << 20
    static let archiveFiles = 10_000
    /// What a report on a request of many parts says of those that failed.
    static let bulkErrors = 1000
    static let bulkErrorPath = 1 << 10
    /// Objects that a large object may be made of, of whichever kind.
    static let dynamicSegments = 100_000

    static func check(container: String) throws {
        let count = container.utf8.count
        guard count <= containerName else {
            throw SwiftRefusal(400, "Container name length of \(count) longer than \(containerName)")
        }
    }

    static func check(object: String) throws {
        let count = object.utf8.count
        guard count <= objectName else {
            throw SwiftRefusal(400, "Object name length of \(count) longer than \(objectName)")
        }
    }
}
