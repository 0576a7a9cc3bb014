import CoordinatorPlatform
import Crypto
import ProtocolModel

/// Lets people in to consoles: each token opens one server's console of one kind, once, for a while.
public struct ConsoleTokens: Sendable {
    let settings: ConsoleSettings
    private let store = ConsoleTicketStore()

    public init(settings: ConsoleSettings) { self.settings = settings }

    /// Whether consoles are served at all.
    public var isServed: Bool { settings.listen != nil }

    /// - Returns: Where to go with a new token.
    public func open(
        _ server: ServerID, _ kind: ConsoleKindName, at now: Int64, in transaction: any SQLTransaction
    ) throws -> String {
        let token = ConsoleTokenText.random()
        let ticket = ConsoleTicket(
            hash: ConsoleTokenText.hash(token), server: server, kind: kind.kind,
            expiresAt: now + settings.tokenSeconds * 1_000_000)
        try store.insert(ticket, most: settings.tokensPerServer, in: transaction)
        return settings.url(kind, token: token)
    }

    /// Whose console a token opens; it is as good afterwards as before.
    public func server(of token: String, at now: Int64, in reader: any SQLReader) throws -> ServerID? {
        try store.find(hash: ConsoleTokenText.hash(token), at: now, in: reader)?.server
    }

    /// Of a server that goes.
    public func revokeAll(of server: ServerID, in transaction: any SQLTransaction) throws {
        try store.removeAll(of: server, in: transaction)
    }

    /// Uses a token up.
    /// - Returns: `nil` for one that is none, or none any more.
    package func use(
        _ token: String, at now: Int64, in transaction: any SQLTransaction
    ) throws -> ConsoleTicket? {
        try store.take(hash: ConsoleTokenText.hash(token), at: now, in: transaction)
    }

    func sweep(_ database: any SQLDatabase, at now: Int64) async throws {
        let store = store
        guard try await database.read({ try store.hasExpired(at: now, in: $0) }) else { return }
        try await database.write { try store.removeExpired(at: now, in: $0) }
    }
}

/// 256 random bits: too many to guess, so a plain hash of it keeps it secret.
enum ConsoleTokenText {
    static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        return hex((0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) })
    }

    static func hash(_ token: String) -> String { hex(Array(SHA256.hash(data: Array(token.utf8)))) }

    private static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}

extension ConsoleKindName {
    public var kind: ConsoleKind {
        switch self {
        case .novnc: .vnc
        case .serial: .serial
        }
    }
}
