import CoordinatorPlatform

/// Resource types, which namespaces are for which, and which defaults have been loaded.
struct MetadefTypeStore: Sendable {
    func types(in reader: any SQLReader) throws -> [MetadefResourceType] {
        try reader.query("SELECT name, created_at, updated_at FROM metadef_resource_types ORDER BY id") { row in
            MetadefResourceType(name: row.text(0), createdAt: row.integer(1), updatedAt: row.integer(2))
        }
    }

    /// Makes the type where there is none of that name.
    /// - Throws: ``StoreError/duplicate(_:)`` when the namespace has the association.
    func insert(
        _ association: MetadefAssociation, of namespace: Int64, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO metadef_resource_types (name, created_at, updated_at) VALUES (?, ?, ?)
            ON CONFLICT (name) DO NOTHING
            """, [association.resourceType, association.createdAt, association.createdAt])
        try transaction.execute(
            """
            INSERT INTO metadef_associations
                (namespace, resource_type, prefix, properties_target, created_at, updated_at)
            SELECT ?, id, ?, ?, ?, ? FROM metadef_resource_types WHERE name = ?
            """,
            [
                namespace, association.prefix, association.target, association.createdAt, association.updatedAt,
                association.resourceType
            ])
    }

    /// - Returns: Whether there was one.
    func delete(_ type: String, of namespace: Int64, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.execute(
            """
            DELETE FROM metadef_associations WHERE namespace = ?
                AND resource_type IN (SELECT id FROM metadef_resource_types WHERE name = ?)
            """, [namespace, type]) > 0
    }

    /// Of several namespaces, by their rows.
    func associations(of namespaces: [Int64], in reader: any SQLReader) throws -> [Int64: [MetadefAssociation]] {
        guard !namespaces.isEmpty else { return [:] }
        var found: [Int64: [MetadefAssociation]] = [:]
        let marks = namespaces.map { _ in "?" }.joined(separator: ", ")
        _ = try reader.query(
            """
            SELECT a.namespace, t.name, a.prefix, a.properties_target, a.created_at, a.updated_at
            FROM metadef_associations a JOIN metadef_resource_types t ON t.id = a.resource_type
            WHERE a.namespace IN (\(marks)) ORDER BY a.id
            """, namespaces
        ) { row in
            var association = MetadefAssociation(
                row.text(1), prefix: row.optionalText(2), target: row.optionalText(3), at: row.integer(4))
            association.updatedAt = row.integer(5)
            found[row.integer(0), default: []].append(association)
        }
        return found
    }

    /// Notes that a default namespace has been loaded once, so that one that was deleted does not come back.
    /// - Returns: Whether that is new.
    func noteDefault(_ namespace: String, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.execute(
            "INSERT INTO metadef_defaults (namespace) VALUES (?) ON CONFLICT (namespace) DO NOTHING", [namespace]) == 1
    }
}
