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
            // What is stored by number is told in the order of making.
            try database.rows(Self.entries, [], Self.entry).sorted { $0.key < $1.key }
        }
    }

    public func apply(_ update: PlanUpdate, at now: Int64) async throws {
        try await queue.write { database in
            guard AgentPlan.accepts(update, at: try Self.position(database)) else { return }
            if update.isSnapshot {
                try Self.rewrite(database) {
                    $0.merge(update, at: now)
                } before: {
                    try Self.keepPrevious(update, database)
                }
            } else {
                // As the plan in memory does it, without reading all of it for each change.
                try Self.keepPrevious(update, database)
                let isKept = try !database.rows("SELECT 1 FROM set_aside LIMIT 1") { _ in true }.isEmpty
                for entry in update.entries {
                    try Self.write(entry, database)
                    guard isKept else { continue }
                    try database.execute("DELETE FROM set_aside WHERE kind = ? AND id = ?", entry.key.values)
                }
            }
            try database.execute(
                """
                INSERT INTO position (one, epoch, revision) VALUES (1, ?, ?)
                ON CONFLICT (one) DO UPDATE SET epoch = excluded.epoch, revision = excluded.revision
                """, [.integer(update.epoch), .integer(update.revision)])
        }
    }

    public func runningTime() async throws -> Int64 {
        try await queue.read { try $0.rows("SELECT micros FROM running_time") { $0.integer(0) }.first ?? 0 }
    }

    public func note(runningTime: Int64) async throws {
        try await queue.write { database in
            try database.execute(
                """
                INSERT INTO running_time (one, micros) VALUES (1, ?)
                ON CONFLICT (one) DO UPDATE SET micros = excluded.micros WHERE excluded.micros > running_time.micros
                """, [.integer(runningTime)])
        }
    }

    public func setAside() async throws -> [ResourceKey: SetAside] { try await queue.read(Self.setAside) }

    public func keep(strays: [ResourceKey], of total: Int, at now: Int64) async throws {
        try await queue.write { try Self.rewrite($0) { $0.keep(strays: strays, of: total, at: now) } }
    }

    public func release(_ keys: Set<ResourceKey>) async throws {
        try await queue.write { try Self.rewrite($0) { _ = $0.release(keys) } }
    }

    /// For a host that joins once more: what it holds is of another history, so only a snapshot continues it.
    public func forgetPosition() async throws {
        try await queue.write { try $0.execute("DELETE FROM position") }
    }

    /// Has the rules of the plan in memory decide, and writes down what they change.
    private static func rewrite(
        _ database: SQLiteDatabase, _ change: (inout AgentPlan) -> Void, before prepare: () throws -> Void = {}
    ) throws {
        let old = AgentPlan(
            position: try position(database), entries: try database.rows(entries, [], entry),
            setAside: try setAside(database))
        try prepare()
        var plan = old
        change(&plan)
        for (key, entry) in plan.entries where old.entries[key] != entry { try write(entry, database) }
        guard plan.setAside != old.setAside else { return }
        try database.execute("DELETE FROM set_aside")
        for (key, kept) in plan.setAside {
            try database.execute(
                "INSERT INTO set_aside (kind, id, since, held) VALUES (?, ?, ?, ?)",
                key.values + [.integer(kept.since), .integer(kept.isHeld ? 1 : 0)])
        }
    }

    private static func write(_ entry: PlanEntry, _ database: SQLiteDatabase) throws {
        try database.execute(
            """
            INSERT INTO entry (kind, id, generation, spec) VALUES (?, ?, ?, ?)
            ON CONFLICT (kind, id) DO UPDATE SET generation = excluded.generation, spec = excluded.spec
            """,
            entry.key.values + [.integer(entry.generation), try entry.spec.map { .blob(try $0.bytes) } ?? .null])
    }

    @Sendable private static func setAside(_ database: SQLiteDatabase) throws -> [ResourceKey: SetAside] {
        var kept: [ResourceKey: SetAside] = [:]
        try database.rows("SELECT kind, id, since, held FROM set_aside") { row in
            guard let id = AnyID(column: row.blob(1)) else {
                throw PlanStoreError.damaged("what is set aside has no readable key")
            }
            let key = ResourceKey(kind: ResourceKind(rawValue: numericCast(row.integer(0))), id: id)
            kept[key] = SetAside(since: row.integer(2), isHeld: row.integer(3) != 0)
        }
        return kept
    }

    public func forget(_ key: ResourceKey, generation: Int64) async throws {
        try await queue.write { database in
            try database.execute(
                "DELETE FROM entry WHERE kind = ? AND id = ? AND generation = ? AND spec IS NULL",
                key.values + [.integer(generation)])
            try database.execute(
                """
                DELETE FROM previous WHERE kind = ? AND id = ?
                AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.kind = previous.kind AND entry.id = previous.id)
                """, key.values)
        }
    }

    private static let entries = """
        SELECT kind, id, generation, entry.spec, previous.spec FROM entry LEFT JOIN previous USING (kind, id)
        """

    /// A spec that cannot be read is kept as it came, beside the last one that could. One that is damaged must not pass
    /// for none, or the agent would take its server for a stray and end it.
    @Sendable private static func entry(_ row: SQLiteStatement) throws -> PlanEntry {
        guard let id = AnyID(column: row.blob(1)) else {
            throw PlanStoreError.damaged("an entry of the plan has no readable key")
        }
        let key = ResourceKey(kind: ResourceKind(rawValue: numericCast(row.integer(0))), id: id)
        do {
            var spec = row.isNull(3) ? nil : try ResourceSpec(wireBytes: row.blob(3), of: key)
            if case .opaque(var opaque)? = spec {
                opaque.previous = row.isNull(4) ? nil : try ResourceSpec(wireBytes: row.blob(4))
                spec = .opaque(opaque)
            }
            return PlanEntry(key: key, generation: row.integer(2), spec: spec)
        } catch {
            throw PlanStoreError.damaged("the spec of \(key) cannot be read: \(error)")
        }
    }

    /// Keeps what is in force of entries whose new spec this release cannot read.
    private static func keepPrevious(_ update: PlanUpdate, _ database: SQLiteDatabase) throws {
        let isKept = try !database.rows("SELECT 1 FROM previous LIMIT 1") { _ in true }.isEmpty
        for entry in update.entries {
            let key = entry.key.values
            guard case .opaque? = entry.spec else {
                if isKept { try database.execute("DELETE FROM previous WHERE kind = ? AND id = ?", key) }
                continue
            }
            let old = try database.rows(entries + " WHERE kind = ? AND id = ?", key, Self.entry).first
            guard let spec = old?.spec?.inForce else {
                // Not the one before a removal.
                if isKept { try database.execute("DELETE FROM previous WHERE kind = ? AND id = ?", key) }
                continue
            }
            try database.execute(
                """
                INSERT INTO previous (kind, id, spec) VALUES (?, ?, ?)
                ON CONFLICT (kind, id) DO UPDATE SET spec = excluded.spec
                """, key + [.blob(try spec.bytes)])
        }
    }

    @Sendable private static func position(_ database: SQLiteDatabase) throws -> PlanPosition {
        try database.rows("SELECT epoch, revision FROM position") { row in
            PlanPosition(epoch: row.integer(0), revision: row.integer(1))
        }.first ?? .none
    }

    // MARK: Settled states

    public func settled() async throws -> [ResourceKey: SettledState] {
        try await queue.read { database in
            var states: [ResourceKey: SettledState] = [:]
            try database.rows("SELECT kind, id, state, generation, boot, base FROM settled_state") { row in
                // An unreadable line means only that the resource's state counts as not reached yet.
                guard let id = AnyID(column: row.blob(1)) else { return }
                let key = ResourceKey(kind: ResourceKind(rawValue: numericCast(row.integer(0))), id: id)
                states[key] = SettledState(
                    state: row.text(2), generation: row.integer(3), bootID: row.text(4), base: row.text(5))
            }
            return states
        }
    }

    public func settle(_ key: ResourceKey, _ state: SettledState?) async throws {
        try await queue.write { database in
            guard let state else {
                return try database.execute("DELETE FROM settled_state WHERE kind = ? AND id = ?", key.values)
            }
            try database.execute(
                """
                INSERT INTO settled_state (kind, id, state, generation, boot, base) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (kind, id) DO UPDATE SET state = excluded.state, generation = excluded.generation,
                boot = excluded.boot, base = excluded.base
                """,
                key.values + [.text(state.state), .integer(state.generation), .text(state.bootID), .text(state.base)])
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

extension ResourceKey {
    /// As `kind` and `id`.
    fileprivate var values: [SQLiteValue] { [.integer(numericCast(kind.rawValue)), .blob(id.column)] }
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
