import ProtocolSQLite

/// The statements on the index: what is where, and how much of it there is. Each runs within the caller's transaction.
struct ObjectIndex {
    let database: SQLiteDatabase

    struct Row<Record> {
        let id: Int64
        var record: Record
    }

    // MARK: Accounts

    func account(_ name: String) throws -> Row<AccountRecord>? {
        try database.rows(
            "SELECT id, containers, objects, bytes, metadata, created FROM accounts WHERE name = ?", [.name(name)]
        ) { row in
            Row(
                id: row.integer(0),
                record: AccountRecord(
                    containers: row.integer(1), objects: row.integer(2), bytes: row.integer(3),
                    metadata: MetadataText.decode(row.text(4)), created: row.integer(5)))
        }.first
    }

    func makeAccount(_ name: String, at now: Int64) throws -> Row<AccountRecord> {
        if let row = try account(name) { return row }
        try database.execute(
            "INSERT INTO accounts (name, metadata, created) VALUES (?, '', ?)", [.name(name), .integer(now)])
        guard let row = try account(name) else { throw StoreFailure.failed("an account vanished while it was made") }
        return row
    }

    func setAccountMetadata(_ id: Int64, _ metadata: Metadata) throws {
        try database.execute(
            "UPDATE accounts SET metadata = ? WHERE id = ?", [.text(MetadataText.encode(metadata)), .integer(id)])
    }

    /// With all that is in it.
    func deleteAccount(_ id: Int64) throws {
        let contents = try database.rows(
            "SELECT content, size FROM objects WHERE container IN (SELECT id FROM containers WHERE account = ?)",
            [.integer(id)]
        ) { ContentReference(id: $0.integer(0), size: $0.integer(1)) }
        for content in contents { try release(content) }
        let containers = try database.rows("SELECT id FROM containers WHERE account = ?", [.integer(id)]) {
            $0.integer(0)
        }
        for container in containers { try dropUploads(of: container) }
        for statement in [
            "DELETE FROM objects WHERE container IN (SELECT id FROM containers WHERE account = ?)",
            "DELETE FROM containers WHERE account = ?", "DELETE FROM accounts WHERE id = ?"
        ] { try database.execute(statement, [.integer(id)]) }
    }

    func count(account: Int64, containers: Int64) throws {
        try database.execute(
            "UPDATE accounts SET containers = containers + ? WHERE id = ?", [.integer(containers), .integer(account)])
    }

    // MARK: Containers

    /// With its account's number.
    func container(_ name: ContainerName) throws -> (row: Row<ContainerRecord>, account: Int64)? {
        try database.rows(
            """
            SELECT c.id, c.objects, c.bytes, c.metadata, c.created, c.changed, c.account
            FROM containers c JOIN accounts a ON a.id = c.account WHERE a.name = ? AND c.name = ?
            """, [.name(name.account), .name(name.name)]
        ) { row in
            (Row(id: row.integer(0), record: Self.container(row, from: 1)), row.integer(6))
        }.first
    }

    static func container(_ row: SQLiteStatement, from first: Int) -> ContainerRecord {
        ContainerRecord(
            objects: row.integer(first), bytes: row.integer(first + 1),
            metadata: MetadataText.decode(row.text(first + 2)), created: row.integer(first + 3),
            changed: row.integer(first + 4))
    }

    func insertContainer(_ name: String, account: Int64, _ metadata: Metadata, at now: Int64) throws {
        try database.execute(
            "INSERT INTO containers (account, name, metadata, created, changed) VALUES (?, ?, ?, ?, ?)",
            [
                .integer(account), .name(name), .text(MetadataText.encode(metadata)), .integer(now), .integer(now)
            ])
    }

    func setContainerMetadata(_ id: Int64, _ metadata: Metadata, at now: Int64) throws {
        try database.execute(
            "UPDATE containers SET metadata = ?, changed = ? WHERE id = ?",
            [.text(MetadataText.encode(metadata)), .integer(now), .integer(id)])
    }

    func deleteContainer(_ id: Int64) throws {
        try database.execute("DELETE FROM containers WHERE id = ?", [.integer(id)])
    }

    // MARK: Objects

    func object(_ name: String, in container: Int64) throws -> ObjectRecord? {
        try database.rows(
            """
            SELECT content, size, etag, type, metadata, expires, changed FROM objects
            WHERE container = ? AND name = ?
            """, [.integer(container), .name(name)]
        ) { Self.object($0, from: 0) }.first
    }

    static func object(_ row: SQLiteStatement, from first: Int) -> ObjectRecord {
        ObjectRecord(
            content: ContentReference(id: row.integer(first), size: row.integer(first + 1)), etag: row.text(first + 2),
            attributes: ObjectAttributes(
                contentType: row.text(first + 3), metadata: MetadataText.decode(row.text(first + 4)),
                expires: row.isNull(first + 5) ? nil : row.integer(first + 5), changed: row.integer(first + 6)))
    }

    func insertObject(_ name: String, in container: Int64, _ record: ObjectRecord) throws {
        let attributes = record.attributes
        try database.execute(
            """
            INSERT INTO objects (container, name, content, size, etag, type, metadata, expires, changed)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .integer(container), .name(name), .integer(record.content.id), .integer(record.content.size),
                .text(record.etag), .text(attributes.contentType), .text(MetadataText.encode(attributes.metadata)),
                attributes.expires.map { .integer($0) } ?? .null, .integer(attributes.changed)
            ])
    }

    func deleteObject(_ name: String, in container: Int64) throws {
        try database.execute(
            "DELETE FROM objects WHERE container = ? AND name = ?", [.integer(container), .name(name)])
    }

    /// Counters change with what they count, in one transaction.
    func count(container: Int64, account: Int64, objects: Int64, bytes: Int64) throws {
        guard objects != 0 || bytes != 0 else { return }
        for (table, id) in [("containers", container), ("accounts", account)] {
            try database.execute(
                "UPDATE \(table) SET objects = objects + ?, bytes = bytes + ? WHERE id = ?",
                [.integer(objects), .integer(bytes), .integer(id)])
        }
    }

    func expired(at seconds: Int64, limit: Int) throws -> [(ObjectName, ObjectRecord)] {
        try database.rows(
            """
            SELECT a.name, c.name, o.name, o.content, o.size, o.etag, o.type, o.metadata, o.expires, o.changed
            FROM objects o JOIN containers c ON c.id = o.container JOIN accounts a ON a.id = c.account
            WHERE o.expires IS NOT NULL AND o.expires <= ? ORDER BY o.expires LIMIT ?
            """, [.integer(seconds), .integer(Int64(limit))]
        ) { row in
            let name = ObjectName(account: row.name(0), container: row.name(1), name: row.name(2))
            return (name, Self.object(row, from: 3))
        }
    }
}

extension SQLiteValue {
    static func name(_ text: String) -> Self { .blob(Array(text.utf8)) }
}

extension SQLiteStatement {
    func name(_ column: Int) -> String { String(decoding: blob(column), as: UTF8.self) }
}
