import ProtocolModel

/// The jobs under way. Ended ones leave: what they did is told by the resources and the event log.
enum JobStore {
    static let migrations = [
        Migration(
            slice: "platform", number: 2, name: "jobs",
            sql: """
                CREATE TABLE jobs (
                    id INTEGER PRIMARY KEY,
                    job_id TEXT NOT NULL UNIQUE,
                    generation BIGINT NOT NULL,
                    kind TEXT NOT NULL,
                    input TEXT NOT NULL,
                    direction TEXT NOT NULL,
                    step INTEGER NOT NULL,
                    failures INTEGER NOT NULL,
                    reason TEXT NOT NULL,
                    stuck INTEGER NOT NULL,
                    not_before BIGINT NOT NULL,
                    created_at BIGINT NOT NULL,
                    updated_at BIGINT NOT NULL
                );
                CREATE INDEX jobs_by_time ON jobs (stuck, not_before);
                """)
    ]

    struct Row: Sendable {
        var id: JobID
        var generation: Int64
        var kind: String
        var input: JSON
        var progress: JobProgress
    }

    static func insert(_ id: JobID, kind: String, input: JSON, at now: Int64, in transaction: any SQLTransaction) throws
    {
        try transaction.execute(
            """
            INSERT INTO jobs (job_id, generation, kind, input, direction, step, failures, reason, stuck, not_before,
                created_at, updated_at)
            VALUES (?, 1, ?, ?, 'forward', 0, 0, '', 0, ?, ?, ?)
            """, [id, kind, input.text, now, now, now])
    }

    /// The jobs of a kind that may run now, oldest first.
    static func due(_ kind: String, at now: Int64, limit: Int, in reader: any SQLReader) throws -> [Row] {
        try reader.query(
            """
            SELECT job_id, generation, kind, input, direction, step, failures, reason FROM jobs
            WHERE kind = ? AND stuck = 0 AND not_before <= ? ORDER BY id LIMIT ?
            """, [kind, now, limit]
        ) { row in
            var progress = JobProgress()
            progress.direction = JobProgress.Direction(rawValue: row.text(4)) ?? .backward
            progress.step = row.int(5)
            progress.failures = row.int(6)
            progress.reason = row.text(7)
            return Row(
                id: try row.id(0), generation: row.integer(1), kind: row.text(2),
                // One that is damaged fails as a job, and keeps no other from its turn.
                input: (try? JSON.parse(row.text(3))) ?? .null, progress: progress)
        }
    }

    /// The kinds of the jobs that there are.
    static func kinds(in reader: any SQLReader) throws -> [String] {
        try reader.query("SELECT DISTINCT kind FROM jobs ORDER BY kind") { $0.text(0) }
    }

    /// When the next waiting job is due.
    static func nextDue(in reader: any SQLReader) throws -> Int64? {
        try reader.first("SELECT MIN(not_before) FROM jobs WHERE stuck = 0") { $0.optionalInteger(0) } ?? nil
    }

    /// - Throws: ``StoreError/stale(_:)`` when somebody else moved the job.
    static func save(_ row: Row, notBefore: Int64, at now: Int64, in transaction: any SQLTransaction) throws {
        let changed = try transaction.execute(
            """
            UPDATE jobs SET generation = generation + 1, direction = ?, step = ?, failures = ?, reason = ?, stuck = ?,
                not_before = ?, updated_at = ?
            WHERE job_id = ? AND generation = ?
            """,
            [
                row.progress.direction.rawValue, row.progress.step, row.progress.failures, row.progress.reason,
                row.progress.isStuck, notBefore, now, row.id, row.generation
            ])
        guard changed == 1 else { throw StoreError.stale("job \(row.id)") }
    }

    static func remove(_ row: Row, in transaction: any SQLTransaction) throws {
        guard
            try transaction.execute("DELETE FROM jobs WHERE job_id = ? AND generation = ?", [row.id, row.generation])
                == 1
        else { throw StoreError.stale("job \(row.id)") }
    }
}

/// The platform's own tables, before all slices'.
public enum PlatformMigrations {
    public static let all =
        EventLog.migrations + JobStore.migrations + EventLog.auditMigrations + QuotaStore.migrations
        + ChangeFeed.migrations
}
