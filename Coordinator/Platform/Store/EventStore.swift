/// The event log of every mutation.
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

    /// Adds a line within the transaction it speaks of.
    public static func append(_ event: Event, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO events (time, request_id, action, user_id, project_id, target, outcome, remote_address)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                event.time, event.requestID, event.action, event.user, event.project, event.target, event.outcome,
                event.remoteAddress
            ])
    }
}
