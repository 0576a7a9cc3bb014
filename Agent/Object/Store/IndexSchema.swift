import ProtocolSQLite

/// The tables of the index. Names are kept as octets, so that they are ordered as the listings are.
enum IndexSchema {
    static let version: Int64 = 2

    static let tables = """
        CREATE TABLE accounts (
            id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, containers INTEGER NOT NULL DEFAULT 0,
            objects INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0, metadata TEXT NOT NULL,
            created INTEGER NOT NULL);
        CREATE TABLE containers (
            id INTEGER PRIMARY KEY, account INTEGER NOT NULL REFERENCES accounts(id), name BLOB NOT NULL,
            objects INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0, metadata TEXT NOT NULL,
            created INTEGER NOT NULL, changed INTEGER NOT NULL, UNIQUE (account, name));
        CREATE TABLE objects (
            container INTEGER NOT NULL REFERENCES containers(id), name BLOB NOT NULL, content INTEGER NOT NULL,
            size INTEGER NOT NULL, etag TEXT NOT NULL, type TEXT NOT NULL, metadata TEXT NOT NULL, expires INTEGER,
            changed INTEGER NOT NULL, PRIMARY KEY (container, name)) WITHOUT ROWID;
        CREATE INDEX objects_by_expiry ON objects (expires) WHERE expires IS NOT NULL;
        CREATE TABLE contents (
            id INTEGER PRIMARY KEY, size INTEGER NOT NULL, segment INTEGER, place INTEGER, digest BLOB,
            uses INTEGER NOT NULL);
        CREATE INDEX contents_by_segment ON contents (segment) WHERE segment IS NOT NULL;
        CREATE TABLE segments (id INTEGER PRIMARY KEY, live INTEGER NOT NULL);
        CREATE TABLE garbage (id INTEGER PRIMARY KEY);
        PRAGMA user_version = 1;
        """

    /// Contents that are made of others, and the uploads in parts that make them.
    static let multipart = """
        ALTER TABLE contents ADD COLUMN pieces INTEGER NOT NULL DEFAULT 0;
        CREATE TABLE pieces (
            content INTEGER NOT NULL, number INTEGER NOT NULL, piece INTEGER NOT NULL, size INTEGER NOT NULL,
            PRIMARY KEY (content, number)) WITHOUT ROWID;
        CREATE TABLE uploads (
            id TEXT PRIMARY KEY, container INTEGER NOT NULL REFERENCES containers(id), name BLOB NOT NULL,
            type TEXT NOT NULL, metadata TEXT NOT NULL, created INTEGER NOT NULL) WITHOUT ROWID;
        CREATE INDEX uploads_by_name ON uploads (container, name, id);
        CREATE INDEX uploads_by_age ON uploads (created);
        CREATE TABLE parts (
            upload TEXT NOT NULL REFERENCES uploads(id), number INTEGER NOT NULL, content INTEGER NOT NULL,
            size INTEGER NOT NULL, etag TEXT NOT NULL, checksum TEXT NOT NULL, changed INTEGER NOT NULL,
            PRIMARY KEY (upload, number)) WITHOUT ROWID;
        PRAGMA user_version = 2;
        """

    /// Opens a connection to the index; the first one makes it.
    /// - Parameter mayBegin: Whether an index may be made where there is none.
    static func open(_ path: String, readOnly: Bool, mayBegin: Bool = false) throws -> sending SQLiteDatabase {
        let database = try SQLiteDatabase(path: path, readOnly: readOnly, waiting: 10_000, statementMemory: 256 << 10)
        try database.run("PRAGMA cache_size = -1024")
        guard !readOnly else { return database }
        // What is acknowledged is on the disk: the log is synced at each commit.
        try database.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000")
        let version = try database.rows("PRAGMA user_version") { $0.integer(0) }.first ?? 0
        guard version <= Self.version else {
            throw StoreFailure.failed("the object store was written by a newer release of Skerry (form \(version))")
        }
        if version == 0 {
            guard mayBegin else {
                throw StoreFailure.failed(
                    """
                    '\(path)' is missing or empty, but there are objects beside it: it was lost. Restore it from a \
                    backup, or move 'segments' and 'large' away to begin anew.
                    """)
            }
        }
        if version < Self.version {
            try database.run("BEGIN IMMEDIATE")
            if version < 1 { try database.run(tables) }
            try database.run(multipart)
            try database.run("COMMIT")
        }
        return database
    }
}
