import CoordinatorPlatform
import ProtocolModel

extension ConsoleKind: SQLWord {}

extension ConsoleTicket: TableRecord {
    package static let table = RecordTable<Self>("console_tokens")
    package static let blank = Self(hash: "", server: .init(high: 0, low: 0), kind: .vnc, expiresAt: 0)

    package mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &number, .number)
        try column("hash", &hash, .fixed)
        try column("server_uuid", &server, .fixed)
        try column("kind", &kind, .fixed)
        try column("expires_at", &expiresAt, .fixed)
    }
}

/// Tokens that were given out and not used.
struct ConsoleTicketStore: Sendable {
    private let table = ConsoleTicket.table

    /// - Parameter most: Of the server's, this one included.
    func insert(_ ticket: ConsoleTicket, most: Int, in transaction: any SQLTransaction) throws {
        let others = try table.all(where: .equal("server_uuid", ticket.server), in: transaction)
        for old in others.dropLast(max(0, most - 1)) { try table.delete(old.number, in: transaction) }
        try table.insert(ticket, in: transaction)
    }

    func find(hash: String, at now: Int64, in reader: any SQLReader) throws -> ConsoleTicket? {
        try table.first(
            where: .all([.equal("hash", hash), SQLCondition("expires_at > ?", [now])]), order: nil, in: reader)
    }

    /// - Returns: `nil` when somebody else was faster.
    func take(hash: String, at now: Int64, in transaction: any SQLTransaction) throws -> ConsoleTicket? {
        guard let ticket = try find(hash: hash, at: now, in: transaction),
            try table.delete(ticket.number, in: transaction)
        else { return nil }
        return ticket
    }

    func removeAll(of server: ServerID, in transaction: any SQLTransaction) throws {
        try table.delete(where: .equal("server_uuid", server), in: transaction)
    }

    func hasExpired(at now: Int64, in reader: any SQLReader) throws -> Bool {
        try table.exists(where: SQLCondition("expires_at <= ?", [now]), in: reader)
    }

    func removeExpired(at now: Int64, in transaction: any SQLTransaction) throws {
        try table.delete(where: SQLCondition("expires_at <= ?", [now]), in: transaction)
    }
}
