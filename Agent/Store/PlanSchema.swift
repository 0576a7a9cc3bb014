import ProtocolSQLite

/// The tables of the plan store, numbered from 1 in `PRAGMA user_version`.
enum PlanSchema {
    static var version: Int { steps.count }

    private static let steps = [
        """
        CREATE TABLE position (one INTEGER PRIMARY KEY CHECK (one = 1), epoch INTEGER NOT NULL, revision INTEGER NOT NULL);
        CREATE TABLE entry (
            kind INTEGER NOT NULL, id BLOB NOT NULL, generation INTEGER NOT NULL, spec BLOB,
            PRIMARY KEY (kind, id)) WITHOUT ROWID;
        CREATE TABLE settled (
            server BLOB NOT NULL PRIMARY KEY, power TEXT NOT NULL, generation INTEGER NOT NULL, boot TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE operation (
            id BLOB NOT NULL PRIMARY KEY, deadline INTEGER NOT NULL, result BLOB,
            acknowledged INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
        """,
        // The last readable specs of entries that are not; and states that are settled for resources of any kind.
        """
        CREATE TABLE previous (
            kind INTEGER NOT NULL, id BLOB NOT NULL, spec BLOB NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
        CREATE TABLE settled_state (
            kind INTEGER NOT NULL, id BLOB NOT NULL, state TEXT NOT NULL, generation INTEGER NOT NULL,
            boot TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
        INSERT INTO settled_state (kind, id, state, generation, boot)
            SELECT 4, server, power, generation, boot FROM settled;
        DROP TABLE settled;
        """,
        // What is kept although the plan does not name it; and of what was reached, what must not be made anew.
        """
        CREATE TABLE set_aside (
            kind INTEGER NOT NULL, id BLOB NOT NULL, since INTEGER NOT NULL, held INTEGER NOT NULL,
            PRIMARY KEY (kind, id)) WITHOUT ROWID;
        ALTER TABLE settled_state ADD COLUMN base TEXT NOT NULL DEFAULT '';
        """,
        // What is set aside is so since a running time, and no longer since a time of the clock: its time begins anew.
        """
        CREATE TABLE running_time (one INTEGER PRIMARY KEY CHECK (one = 1), micros INTEGER NOT NULL);
        UPDATE set_aside SET since = 0;
        """
    ]

    static func migrate(_ database: SQLiteDatabase) throws {
        let found = try database.rows("PRAGMA user_version") { Int($0.integer(0)) }.first ?? 0
        guard found <= version else { throw PlanStoreError.laterRelease(version: found) }
        guard found < version else { return }
        try database.run("BEGIN IMMEDIATE")
        for step in steps[found...] { try database.run(step) }
        try database.run("PRAGMA user_version = \(version)")
        try database.run("COMMIT")
    }
}
