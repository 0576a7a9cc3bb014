import ProtocolSQLite

/// The tables of the plan store, numbered from 1 in `PRAGMA user_version`.
enum PlanSchema {
    static let version = 1

    private static let tables = """
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
        PRAGMA user_version = 1;
        """

    static func migrate(_ database: SQLiteDatabase) throws {
        let found = try database.with("PRAGMA user_version") { statement in
            try statement.step() ? Int(statement.integer(0)) : 0
        }
        guard found <= version else { throw PlanStoreError.laterRelease(version: found) }
        guard found == 0 else { return }
        try database.run("BEGIN IMMEDIATE")
        try database.run(tables)
        try database.run("COMMIT")
    }
}
