import AgentCore
import ProtocolModel
import ProtocolSQLite
import ProtocolWire

/// The agent's memory in one SQLite file: the plan, what was reached, and the ledger of operations. Every call is one
/// transaction that is on the disk when the call returns; SQLite's calls block and run on a thread of its own.
public final class SQLitePlanStore: PlanStore {
    private let queue: SQLiteQueue

    /// Opens or makes the file.
    /// - Throws: ``PlanStoreError`` for a file of a later release, or SQLite's error.
    public init(path: String) throws {
        queue = try Self.open(path)
    }

    /// A store that lasts as long as the process, for simulated hosts.
    public init() throws {
        queue = try Self.open(nil)
    }

    private static func open(_ path: String?) throws -> SQLiteQueue {
        // Nothing else opens the file; a backup tool that does is waited for.
        let database = try SQLiteDatabase(path: path, waiting: 5_000, statementMemory: 256 << 10)
        // A plan is small: a few pages do, and the rest of the default 2 MiB would be the agent's largest buffer.
        try database.run("PRAGMA cache_size = -128")
        if path != nil {
            try database.run("PRAGMA journal_mode = WAL")
            // In WAL mode only FULL keeps a commit through a power failure (sqlite.org/pragma.html#pragma_synchronous).
            try database.run("PRAGMA synchronous = FULL")
            try database.run("PRAGMA wal_autocheckpoint = 128")
            try database.run("PRAGMA journal_size_limit = 1048576")
        }
        try PlanSchema.migrate(database)
        return SQLiteQueue(database, label: "plan-store")
    }

    public func close() throws { queue.close() }

    // MARK: Plan

    public func position() async throws -> PlanPosition { try await queue.read(Self.position) }

    public func entries() async throws -> [PlanEntry] {
        try await queue.read { database in
            try database.rows("SELECT kind, id, generation, spec FROM entry ORDER BY kind, id") { row in
                guard let kind = ResourceKind(rawValue: numericCast(row.integer(0))),
                    let id = Identifier<AnyTag>(column: row.blob(1))
                else { throw PlanStoreError.damaged("an entry of the plan has no readable key") }
                let key = ResourceKey(kind: kind, id: id)
                let spec = row.isNull(3) ? nil : row.blob(3)
                return PlanEntry(key: key, generation: row.integer(2), spec: try Self.spec(spec, of: key))
            }
        }
    }

    public func apply(_ update: PlanUpdate) async throws {
        try await queue.write { database in
            guard AgentPlan.accepts(update, at: try Self.position(database)) else { return }
            if update.isSnapshot {
                // What the snapshot names is written over below; all else is to go.
                try database.execute("UPDATE entry SET spec = NULL")
            }
            for entry in update.entries {
                try database.execute(
                    """
                    INSERT INTO entry (kind, id, generation, spec) VALUES (?, ?, ?, ?)
                    ON CONFLICT (kind, id) DO UPDATE SET generation = excluded.generation, spec = excluded.spec
                    """,
                    [
                        .integer(numericCast(entry.key.kind.rawValue)), .blob(entry.key.id.column),
                        .integer(entry.generation), try entry.spec.map { .blob(try $0.bytes) } ?? .null
                    ])
            }
            try database.execute(
                """
                INSERT INTO position (one, epoch, revision) VALUES (1, ?, ?)
                ON CONFLICT (one) DO UPDATE SET epoch = excluded.epoch, revision = excluded.revision
                """, [.integer(update.epoch), .integer(update.revision)])
        }
    }

    public func forget(_ key: ResourceKey, generation: Int64) async throws {
        try await queue.write { database in
            try database.execute(
                "DELETE FROM entry WHERE kind = ? AND id = ? AND generation = ? AND spec IS NULL",
                [.integer(numericCast(key.kind.rawValue)), .blob(key.id.column), .integer(generation)])
        }
    }

    @Sendable private static func position(_ database: SQLiteDatabase) throws -> PlanPosition {
        try database.rows("SELECT epoch, revision FROM position") { row in
            PlanPosition(epoch: row.integer(0), revision: row.integer(1))
        }.first ?? .none
    }

    /// A spec that cannot be read must not pass for none, or the agent would take its server for a stray and end it.
    private static func spec(_ bytes: [UInt8]?, of key: ResourceKey) throws -> ResourceSpec? {
        guard let bytes else { return nil }
        do {
            return try ResourceSpec(wireBytes: bytes)
        } catch {
            throw PlanStoreError.damaged("the spec of \(key) cannot be read: \(error)")
        }
    }

    // MARK: Settled states

    public func settled() async throws -> [ServerID: SettledState] {
        try await queue.read { database in
            var states: [ServerID: SettledState] = [:]
            try database.rows("SELECT server, power, generation, boot FROM settled") { row in
                // An unreadable line means only that the server's state counts as not reached yet.
                guard let server = ServerID(column: row.blob(0)), let power = ServerSpec.Power(rawValue: row.text(1))
                else { return }
                states[server] = SettledState(power: power, generation: row.integer(2), bootID: row.text(3))
            }
            return states
        }
    }

    public func settle(_ server: ServerID, _ state: SettledState?) async throws {
        try await queue.write { database in
            guard let state else {
                return try database.execute("DELETE FROM settled WHERE server = ?", [.blob(server.column)])
            }
            try database.execute(
                """
                INSERT INTO settled (server, power, generation, boot) VALUES (?, ?, ?, ?)
                ON CONFLICT (server) DO UPDATE
                SET power = excluded.power, generation = excluded.generation, boot = excluded.boot
                """,
                [.blob(server.column), .text(state.power.rawValue), .integer(state.generation), .text(state.bootID)])
        }
    }

    // MARK: Ledger

    public func admit(_ operation: Operation) async throws -> OperationAdmission {
        try await queue.write { database in
            let known = try database.rows("SELECT result FROM operation WHERE id = ?", [.blob(operation.id.column)]) {
                $0.isNull(0) ? OperationAdmission.alreadyRunning : .finished(try OperationResult(wireBytes: $0.blob(0)))
            }.first
            if let known { return known }
            try database.execute(
                "INSERT INTO operation (id, deadline) VALUES (?, ?)",
                [.blob(operation.id.column), .integer(operation.deadline)])
            return .run
        }
    }

    public func finish(_ result: OperationResult) async throws {
        try await queue.write { try Self.finish(result, in: $0) }
    }

    private static func finish(_ result: OperationResult, in database: SQLiteDatabase) throws {
        try database.execute(
            "UPDATE operation SET result = ? WHERE id = ?", [.blob(try result.bytes), .blob(result.id.column)])
    }

    public func unacknowledged() async throws -> [OperationResult] {
        try await queue.read { database in
            try database.rows(
                "SELECT result FROM operation WHERE result IS NOT NULL AND acknowledged = 0 ORDER BY deadline, id"
            ) { try OperationResult(wireBytes: $0.blob(0)) }
        }
    }

    /// The id stays known for a while: the coordinator may have sent the operation twice before it had the result.
    public func acknowledge(_ operation: OperationID) async throws {
        try await queue.write { database in
            try database.execute("UPDATE operation SET acknowledged = 1 WHERE id = ?", [.blob(operation.column)])
            // By the deadline nobody sends it any more, so the oldest are the ones to forget.
            try database.execute(
                """
                DELETE FROM operation WHERE acknowledged = 1 AND id NOT IN
                (SELECT id FROM operation WHERE acknowledged = 1 ORDER BY deadline DESC, id LIMIT 256)
                """)
        }
    }

    public func interruptRunning() async throws {
        try await queue.write { database in
            let running = try database.rows("SELECT id FROM operation WHERE result IS NULL") { $0.blob(0) }
            for id in running.compactMap({ OperationID(column: $0) }) {
                try Self.finish(OperationResult(id: id, outcome: .interrupted), in: database)
            }
        }
    }
}

/// Why the stored plan cannot be used.
public enum PlanStoreError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file was written by a later release, which cannot be read safely.
    case laterRelease(version: Int)
    case damaged(String)

    public var description: String {
        switch self {
        case .laterRelease(let version):
            "the stored plan has schema version \(version), this release reads up to \(PlanSchema.version): "
                + "install the agent's newer release again"
        case .damaged(let what):
            "the stored plan is damaged: \(what); stop the agent, move its plan.sqlite away and start it again to get "
                + "the plan anew from the coordinator (guests keep running)"
        }
    }
}
