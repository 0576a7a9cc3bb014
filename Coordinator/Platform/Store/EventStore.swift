/// The event log of every mutation and refusal.
public enum EventLog {
    public static let migrations = [
        Migration(
            slice: "platform", number: 1, name: "events",
            sql: """
                CREATE TABLE events (
                    id INTEGER PRIMARY KEY,
                    time BIGINT NOT NULL,
                    request_id TEXT NOT NULL,
                    action TEXT NOT NULL,
                    user_id TEXT NOT NULL,
                    project_id TEXT NOT NULL,
                    target TEXT NOT NULL,
                    outcome TEXT NOT NULL,
                    remote_address TEXT NOT NULL
                );
                CREATE INDEX events_by_target ON events (target, id);
                """)
    ]

    static let auditMigrations = [
        Migration(
            slice: "platform", number: 3, name: "audit",
            sql: """
                ALTER TABLE events ADD COLUMN user_name TEXT NOT NULL DEFAULT '';
                ALTER TABLE events ADD COLUMN rule TEXT NOT NULL DEFAULT '';
                ALTER TABLE events ADD COLUMN count BIGINT NOT NULL DEFAULT 1;
                CREATE INDEX events_by_time ON events (time);
                CREATE TABLE event_cursors (
                    name TEXT PRIMARY KEY,
                    position BIGINT NOT NULL
                );
                """)
    ]

    /// Adds a line within the transaction it speaks of.
    public static func append(_ event: Event, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO events (
                time, request_id, action, user_id, user_name, project_id, target, outcome, rule, remote_address, count
            ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                event.time, event.requestID, event.action, event.user, event.userName, event.project,
                indexable(event.target), event.outcome, event.rule, event.remoteAddress, event.count
            ])
    }

    /// A target that names very many things names the first of them: PostgreSQL indexes no text beyond some 2,700 octets.
    package static func indexable(_ target: String) -> String {
        guard target.utf8.count > 2_000 else { return target }
        let first = target.utf8.prefix(2_000)
        let end = first.lastIndex(of: UInt8(ascii: ",")) ?? first.endIndex
        return String(decoding: first[..<end], as: UTF8.self) + ",..."
    }

    /// - Returns: What comes after that place, oldest first.
    public static func events(after number: Int64, limit: Int, in reader: any SQLReader) throws -> [StoredEvent] {
        try reader.query(
            """
            SELECT id, time, request_id, action, user_id, user_name, project_id, target, outcome, rule, remote_address,
                count
            FROM events WHERE id > ? ORDER BY id LIMIT ?
            """, [number, limit]
        ) { row in
            StoredEvent(
                number: row.integer(0),
                event: Event(
                    time: row.integer(1), requestID: row.text(2), action: row.text(3), user: row.text(4),
                    userName: row.text(5), project: row.text(6), target: row.text(7), outcome: row.text(8),
                    rule: row.text(9), remoteAddress: row.text(10), count: row.int(11)))
        }
    }

    /// - Returns: The place right before the first line of that time or later.
    public static func place(before time: Int64, in reader: any SQLReader) throws -> Int64 {
        // Lines of refusals come a moment late, so places and times are in the same order only roughly.
        let first = try reader.first("SELECT id FROM events WHERE time >= ? ORDER BY time, id LIMIT 1", [time - slack])
        {
            $0.integer(0)
        }
        guard let first else { return try newest(in: reader) }
        let exact = try reader.first(
            "SELECT id FROM events WHERE id >= ? AND time >= ? ORDER BY id LIMIT 1", [first, time]
        ) { $0.integer(0) }
        return try exact.map { $0 - 1 } ?? newest(in: reader)
    }

    /// How late a line may be, microseconds.
    private static let slack: Int64 = 10_000_000

    /// The place of the last line, 0 before the first.
    public static func newest(in reader: any SQLReader) throws -> Int64 {
        try reader.first("SELECT id FROM events ORDER BY id DESC LIMIT 1") { $0.integer(0) } ?? 0
    }

    /// Removes lines that are older, but never the newest: places must not begin anew.
    /// - Parameter limit: At most so many at once, so that no other write waits for long.
    /// - Returns: How many were removed.
    static func remove(before time: Int64, limit: Int, in transaction: any SQLTransaction) throws -> Int {
        try transaction.execute(
            """
            DELETE FROM events WHERE id < ?
                AND id IN (SELECT id FROM events WHERE time < ? ORDER BY time LIMIT ?)
            """, [try newest(in: transaction), time, limit])
    }

    /// How far somebody has read; `nil` for who has not begun.
    static func cursor(_ name: String, in reader: any SQLReader) throws -> Int64? {
        try reader.first("SELECT position FROM event_cursors WHERE name = ?", [name]) { $0.integer(0) }
    }

    /// Moves a reader on, unless another one of that name did so meanwhile.
    /// - Throws: ``StoreError/stale(_:)`` then.
    static func move(_ name: String, from old: Int64, to new: Int64, in transaction: any SQLTransaction) throws {
        let changed = try transaction.execute(
            "UPDATE event_cursors SET position = ? WHERE name = ? AND position = ?", [new, name, old])
        guard changed == 1 else { throw StoreError.stale("event cursor \(name)") }
    }

    /// Begins at that place, unless there is a cursor already.
    static func begin(_ name: String, at number: Int64, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "INSERT INTO event_cursors (name, position) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", [name, number])
    }
}
