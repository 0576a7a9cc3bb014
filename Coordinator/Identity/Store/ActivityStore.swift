import CoordinatorPlatform
import ProtocolModel

/// Failed and last log-ins.
enum ActivityStore {
    static func all(_ reader: any SQLReader) throws -> [(UserID, UserActivity)] {
        try reader.query("SELECT user_key, failures, failed_at, active_at FROM identity_user_activity") {
            (try $0.id(0), Self.activity($0))
        }
    }

    private static func activity(_ row: any SQLRow) -> UserActivity {
        UserActivity(failures: row.integer(1), failedAt: row.integer(2), activeAt: row.optionalInteger(3))
    }

    /// Counts a wrong password, atomically: many may come at once.
    /// - Parameter forgottenBefore: Failures whose last came before this start a new count.
    static func fail(
        _ user: UserID, at now: Int64, forgottenBefore limit: Int64, in transaction: any SQLTransaction
    ) throws -> UserActivity {
        try transaction.execute(
            """
            INSERT INTO identity_user_activity (user_key, failures, failed_at) VALUES (?, 1, ?)
            ON CONFLICT (user_key) DO UPDATE SET
                failures = CASE WHEN identity_user_activity.failed_at < ? THEN 1
                    ELSE identity_user_activity.failures + 1 END,
                failed_at = excluded.failed_at
            """, [user.compact, now, limit])
        return try activity(of: user, transaction)
    }

    /// Forgets the wrong passwords.
    /// - Parameter day: The day to note as the last one with a log-in; `nil` notes nothing.
    static func succeed(_ user: UserID, on day: Int64?, in transaction: any SQLTransaction) throws -> UserActivity {
        try transaction.execute(
            """
            INSERT INTO identity_user_activity (user_key, failures, failed_at, active_at) VALUES (?, 0, 0, ?)
            ON CONFLICT (user_key) DO UPDATE SET
                failures = 0, failed_at = 0, active_at = COALESCE(excluded.active_at, identity_user_activity.active_at)
            """, [user.compact, day])
        return try activity(of: user, transaction)
    }

    private static func activity(of user: UserID, _ reader: any SQLReader) throws -> UserActivity {
        try reader.first(
            "SELECT user_key, failures, failed_at, active_at FROM identity_user_activity WHERE user_key = ?",
            [user.compact], activity) ?? UserActivity()
    }
}
