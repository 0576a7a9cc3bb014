import AgentCore
import FoundationEssentials
import GRDB
import ProtocolModel
import ProtocolWire

/// The agent's memory in one SQLite file: the plan, what was reached, and the ledger of operations. Every call is one
/// transaction that is on the disk when the call returns; SQLite's calls block and run on a thread of its own.
public final class SQLitePlanStore: PlanStore {
    private let queue: DatabaseQueue

    /// Opens or makes the file.
    /// - Throws: ``PlanStoreError`` for a file of a later release, or SQLite's error.
    public init(path: String) throws {
        queue = try DatabaseQueue(path: path, configuration: Self.configuration(isFile: true))
        try PlanSchema.migrate(queue)
    }

    /// A store that lasts as long as the process, for simulated hosts.
    public init() throws {
        queue = try DatabaseQueue(configuration: Self.configuration(isFile: false))
        try PlanSchema.migrate(queue)
    }

    private static func configuration(isFile: Bool) -> Configuration {
        var configuration = Configuration()
        configuration.label = "plan-store"
        // Nothing else opens the file; a backup tool that does is waited for.
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in
            // A plan is small: a few pages do, and the rest of the default 2 MiB would be the agent's largest buffer.
            try db.execute(sql: "PRAGMA cache_size = -128")
            guard isFile else { return }
            try db.execute(sql: "PRAGMA journal_mode = WAL")
            // In WAL mode only FULL keeps a commit through a power failure (sqlite.org/pragma.html#pragma_synchronous).
            try db.execute(sql: "PRAGMA synchronous = FULL")
            try db.execute(sql: "PRAGMA wal_autocheckpoint = 128")
            try db.execute(sql: "PRAGMA journal_size_limit = 1048576")
        }
        return configuration
    }

    public func close() throws { try queue.close() }

    // MARK: Plan

    public func position() async throws -> PlanPosition { try await queue.read(Self.position) }

    public func entries() async throws -> [PlanEntry] {
        try await queue.read { db in
            var entries: [PlanEntry] = []
            let rows = try Row.fetchCursor(db, sql: Self.entries)
            while let row = try rows.next() { entries.append(try Self.entry(row)) }
            // What is stored by number is told in the order of making.
            return entries.sorted { $0.key < $1.key }
        }
    }

    public func apply(_ update: PlanUpdate) async throws {
        try await queue.write { db in
            guard AgentPlan.accepts(update, at: try Self.position(db)) else { return }
            try Self.keepPrevious(update, db)
            if update.isSnapshot {
                // What the snapshot names is written over below; all else is to go.
                let kinds = ResourceKind.allCases.map { "\($0.rawValue)" }.joined(separator: ", ")
                try db.execute(sql: "UPDATE entry SET spec = NULL WHERE kind IN (\(kinds))")
            }
            let upsert = try db.cachedStatement(
                sql: """
                    INSERT INTO entry (kind, id, generation, spec) VALUES (?, ?, ?, ?)
                    ON CONFLICT (kind, id) DO UPDATE SET generation = excluded.generation, spec = excluded.spec
                    """)
            for entry in update.entries {
                let spec = try entry.spec.map { Data(try $0.bytes) }
                try upsert.execute(arguments: [entry.key.kind.rawValue, entry.key.id.column, entry.generation, spec])
            }
            try db.execute(
                sql: """
                    INSERT INTO position (one, epoch, revision) VALUES (1, ?, ?)
                    ON CONFLICT (one) DO UPDATE SET epoch = excluded.epoch, revision = excluded.revision
                    """, arguments: [update.epoch, update.revision])
        }
    }

    public func forget(_ key: ResourceKey, generation: Int64) async throws {
        try await queue.write { db in
            try db.execute(
                sql: "DELETE FROM entry WHERE kind = ? AND id = ? AND generation = ? AND spec IS NULL",
                arguments: [key.kind.rawValue, key.id.column, generation])
            try db.execute(
                sql: """
                    DELETE FROM previous WHERE kind = ? AND id = ?
                    AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.kind = previous.kind AND entry.id = previous.id)
                    """, arguments: [key.kind.rawValue, key.id.column])
        }
    }

    private static let entries = """
        SELECT kind, id, generation, entry.spec AS spec, previous.spec AS previous
        FROM entry LEFT JOIN previous USING (kind, id)
        """

    /// A spec that cannot be read is kept as it came, beside the last one that could. One that is damaged must not pass
    /// for none, or the agent would take its server for a stray and end it.
    private static func entry(_ row: Row) throws -> PlanEntry {
        guard let id = Identifier<AnyTag>(column: row["id"]) else {
            throw PlanStoreError.damaged("an entry of the plan has no readable key")
        }
        let key = ResourceKey(kind: ResourceKind(rawValue: row["kind"]), id: id)
        do {
            var spec = try (row["spec"] as Data?).map { try ResourceSpec(wireBytes: [UInt8]($0), of: key) }
            if case .opaque(var opaque)? = spec {
                opaque.previous = try (row["previous"] as Data?).map { try ResourceSpec(wireBytes: [UInt8]($0)) }
                spec = .opaque(opaque)
            }
            return PlanEntry(key: key, generation: row["generation"], spec: spec)
        } catch {
            throw PlanStoreError.damaged("the spec of \(key) cannot be read: \(error)")
        }
    }

    /// Keeps what is in force of entries whose new spec this release cannot read.
    private static func keepPrevious(_ update: PlanUpdate, _ db: Database) throws {
        let kept = try Int.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM previous)") == 1
        for entry in update.entries {
            let arguments: StatementArguments = [entry.key.kind.rawValue, entry.key.id.column]
            guard case .opaque? = entry.spec else {
                if kept { try db.execute(sql: "DELETE FROM previous WHERE kind = ? AND id = ?", arguments: arguments) }
                continue
            }
            let old = try Row.fetchOne(db, sql: entries + " WHERE kind = ? AND id = ?", arguments: arguments)
            guard let spec = try old.map(Self.entry)?.spec?.inForce else { continue }
            try db.execute(
                sql: """
                    INSERT INTO previous (kind, id, spec) VALUES (?, ?, ?)
                    ON CONFLICT (kind, id) DO UPDATE SET spec = excluded.spec
                    """, arguments: arguments + [Data(try spec.bytes)])
        }
    }

    @Sendable private static func position(_ db: Database) throws -> PlanPosition {
        guard let row = try Row.fetchOne(db, sql: "SELECT epoch, revision FROM position") else { return .none }
        return PlanPosition(epoch: row["epoch"], revision: row["revision"])
    }

    // MARK: Settled states

    public func settled() async throws -> [ResourceKey: SettledState] {
        try await queue.read { db in
            var states: [ResourceKey: SettledState] = [:]
            let rows = try Row.fetchCursor(db, sql: "SELECT kind, id, state, generation, boot FROM settled_state")
            while let row = try rows.next() {
                // An unreadable line means only that the resource's state counts as not reached yet.
                guard let id = AnyID(column: row["id"]) else { continue }
                states[ResourceKey(kind: ResourceKind(rawValue: row["kind"]), id: id)] = SettledState(
                    state: row["state"], generation: row["generation"], bootID: row["boot"])
            }
            return states
        }
    }

    public func settle(_ key: ResourceKey, _ state: SettledState?) async throws {
        try await queue.write { db in
            guard let state else {
                return try db.execute(
                    sql: "DELETE FROM settled_state WHERE kind = ? AND id = ?",
                    arguments: [key.kind.rawValue, key.id.column])
            }
            let statement = try db.cachedStatement(
                sql: """
                    INSERT INTO settled_state (kind, id, state, generation, boot) VALUES (?, ?, ?, ?, ?)
                    ON CONFLICT (kind, id) DO UPDATE
                    SET state = excluded.state, generation = excluded.generation, boot = excluded.boot
                    """)
            try statement.execute(
                arguments: [key.kind.rawValue, key.id.column, state.state, state.generation, state.bootID])
        }
    }

    // MARK: Ledger

    public func admit(_ operation: Operation) async throws -> OperationAdmission {
        try await queue.write { db in
            if let row = try Row.fetchOne(
                db, sql: "SELECT result FROM operation WHERE id = ?", arguments: [operation.id.column])
            {
                guard let bytes: Data = row["result"] else { return .alreadyRunning }
                return .finished(try OperationResult(wireBytes: [UInt8](bytes)))
            }
            try db.execute(
                sql: "INSERT INTO operation (id, deadline) VALUES (?, ?)",
                arguments: [operation.id.column, operation.deadline])
            return .run
        }
    }

    public func finish(_ result: OperationResult) async throws {
        try await queue.write { db in
            try db.execute(
                sql: "UPDATE operation SET result = ? WHERE id = ?",
                arguments: [Data(try result.bytes), result.id.column])
        }
    }

    public func unacknowledged() async throws -> [OperationResult] {
        try await queue.read { db in
            try Data.fetchAll(
                db,
                sql: "SELECT result FROM operation WHERE result IS NOT NULL AND acknowledged = 0 ORDER BY deadline, id"
            ).map { try OperationResult(wireBytes: [UInt8]($0)) }
        }
    }

    /// The id stays known for a while: the coordinator may have sent the operation twice before it had the result.
    public func acknowledge(_ operation: OperationID) async throws {
        try await queue.write { db in
            try db.execute(
                sql: "UPDATE operation SET acknowledged = 1 WHERE id = ?", arguments: [operation.column])
            // By the deadline nobody sends it any more, so the oldest are the ones to forget.
            try db.execute(
                sql: """
                    DELETE FROM operation WHERE acknowledged = 1 AND id NOT IN
                    (SELECT id FROM operation WHERE acknowledged = 1 ORDER BY deadline DESC, id LIMIT 256)
                    """)
        }
    }

    public func interruptRunning() async throws {
        try await queue.write { db in
            for column in try Data.fetchAll(db, sql: "SELECT id FROM operation WHERE result IS NULL") {
                guard let id = OperationID(column: column) else { continue }
                try db.execute(
                    sql: "UPDATE operation SET result = ? WHERE id = ?",
                    arguments: [Data(try OperationResult(id: id, outcome: .interrupted).bytes), column])
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
