import AgentObject
import Glibc
import Logging
import NIOCore
import NIOHTTP1
import ProtocolModel
import Synchronization

/// A store in a folder of its own with the Swift API over it, and people with tokens.
final class ObjectCloud: Sendable {
    let folder: String
    let store: LocalObjectStore
    let service: SwiftService
    let s3: S3Service
    let keys = FakeKeys()
    let judge: FakeJudge
    let clock = StoppedClock()
    private let removesFolder: Bool

    init(folder: String? = nil, faults: StoreFaults = StoreFaults()) throws {
        removesFolder = folder == nil
        self.folder = folder ?? "/tmp/skerry-objects-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        var logger = Logger(label: "objects")
        logger.logLevel = .critical
        store = try LocalObjectStore(folder: self.folder, logger: logger, faults: faults)
        judge = FakeJudge()
        service = SwiftService(
            store: store, gate: TokenGate(judge, clock: clock), clock: clock, logger: logger)
        s3 = S3Service(swift: service, parts: store, gate: SigningKeyGate(keys, clock: clock))
    }

    deinit {
        store.close()
        if removesFolder { Folder.remove(folder) }
    }

    struct Answer {
        let status: Int
        let headers: HTTPHeaders
        let bytes: [UInt8]
        var text: String { String(decoding: bytes, as: UTF8.self) }
        subscript(_ name: String) -> String? { headers.first(name: name) }
    }

    /// - Parameter path: Below `/v1/AUTH_…` of the first project, unless it begins with a slash.
    func call(
        _ method: String, _ path: String = "", _ headers: HTTPHeaders = [:], _ body: [UInt8] = [],
        as who: Person? = .owner, pieces: Int = 64 << 10, isChunked: Bool = false, remote: String = "192.0.2.9"
    ) async throws -> Answer {
        var headers = headers
        if let who { headers.replaceOrAdd(name: "X-Auth-Token", value: who.rawValue) }
        if isChunked {
            headers.replaceOrAdd(name: "Transfer-Encoding", value: "chunked")
        } else if !headers.contains(name: "content-length") {
            headers.add(name: "Content-Length", value: String(body.count))
        }
        headers.replaceOrAdd(name: "Host", value: "objects.example:8704")
        var sent = 0
        let request = ObjectRequest(
            method: method, target: path.hasPrefix("/") ? path : Self.account + (path.isEmpty ? "" : "/" + path),
            headers: headers,
            body: RequestBody {
                guard sent < body.count else { return nil }
                defer { sent += pieces }
                return ByteBuffer(bytes: body[sent..<min(sent + pieces, body.count)])
            }, remoteAddress: remote)
        return try await Self.collect(await service.respond(to: request), method)
    }

    static func collect(_ response: ObjectResponse, _ method: String) async throws -> Answer {
        var bytes: [UInt8] = []
        switch response.body {
        case .none: break
        case .bytes(let all): bytes = method == "HEAD" ? [] : all
        case .stream(let length, let write):
            if method != "HEAD" {
                try await write { bytes += $0 }
                if let length, Int(length) != bytes.count { throw LengthWrong(announced: length, sent: bytes.count) }
            }
        }
        return Answer(status: response.status, headers: response.headers, bytes: bytes)
    }

    struct LengthWrong: Error { let announced: Int64, sent: Int }

    func put(_ path: String, _ text: String, _ headers: HTTPHeaders = [:]) async throws -> Answer {
        try await call("PUT", path, headers, Array(text.utf8))
    }

    static let account = "/v1/AUTH_" + Person.project.compact
    static let otherAccount = "/v1/AUTH_" + Person.otherProject.compact

    /// Counters that the index keeps, against what is there.
    func counters() async throws -> (objects: Int64, bytes: Int64, listed: Int64, listedBytes: Int64) {
        let name = "AUTH_" + Person.project.compact
        guard let account = try await store.account(name) else { return (0, 0, 0, 0) }
        var listed: Int64 = 0, bytes: Int64 = 0
        for container in try await store.containers(of: name, ListingQuery()) {
            for object in try await store.objects(
                in: ContainerName(account: name, name: container.name), ListingQuery())
            {
                listed += 1
                bytes += object.record?.content.size ?? 0
            }
        }
        return (account.objects, account.bytes, listed, bytes)
    }
}

enum Person: String, CaseIterable {
    case owner, reader, stranger, otherOwner, reseller, roleless, guest

    static let project = ProjectID(high: 1, low: 1)
    static let otherProject = ProjectID(high: 2, low: 2)

    var verdict: TokenVerdict {
        let isOther = self == .otherOwner || self == .stranger || self == .guest
        return TokenVerdict(
            user: UserID(high: 9, low: UInt64(rawValue.utf8.count) << 8 | UInt64(rawValue.utf8.first ?? 0)),
            userName: rawValue, userDomain: "default", project: isOther ? Self.otherProject : Self.project,
            projectName: isOther ? "other" : "first", projectDomain: "default", roles: roles,
            expiresAt: .max)
    }

    private var roles: Set<String> {
        switch self {
        case .owner, .otherOwner: ["member", "reader"]
        case .reader, .stranger: ["reader"]
        case .reseller: ["ResellerAdmin"]
        case .roleless: []
        case .guest: ["visitor"]
        }
    }
}

final class FakeJudge: TokenJudge {
    struct Away: Error {}
    private struct State {
        var asked = 0
        var isAway = false
        var revoked: Set<String> = []
    }
    private let state = Mutex(State())

    var asked: Int { state.withLock { $0.asked } }
    func leave() { state.withLock { $0.isAway = true } }
    func comeBack() { state.withLock { $0.isAway = false } }
    func revoke(_ person: Person) { state.withLock { _ = $0.revoked.insert(person.rawValue) } }

    func judge(_ token: String) async throws -> TokenVerdict? {
        let isRevoked = try state.withLock { state in
            state.asked += 1
            if state.isAway { throw Away() }
            return state.revoked.contains(token)
        }
        return isRevoked ? nil : Person(rawValue: token)?.verdict
    }
}

final class StoppedClock: WallClock {
    private let time = Mutex<Int64>(1_700_000_000_000_000)
    func now() -> Int64 {
        time.withLock {
            $0 += 1; return $0
        }
    }
    func advance(seconds: Int64) { time.withLock { $0 += seconds * 1_000_000 } }
}

enum Folder {
    static func remove(_ path: String) {
        for name in names(path) {
            let inner = path + "/" + name
            if unlink(inner) != 0 { remove(inner) }
        }
        rmdir(path)
    }

    static func names(_ path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// What a kill would leave: the files as they are at this moment.
    static func copy(_ from: String, to: String) {
        mkdir(to, 0o700)
        for name in names(from) {
            let source = from + "/" + name, target = to + "/" + name
            if let bytes = read(source) { write(bytes, to: target) } else { copy(source, to: target) }
        }
    }

    static func read(_ path: String) -> [UInt8]? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress?.advanced(by: filled), $0.count - filled)
            }
            guard count > 0 else { break }
            filled += count
        }
        return bytes
    }

    static func write(_ bytes: [UInt8], to path: String) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        defer { close(descriptor) }
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress?.advanced(by: done), $0.count - done)
            }
            guard count > 0 else { return }
            done += count
        }
    }
}
