import CoordinatorPlatform

/// The tables of metadata definitions.
struct MetadefStore: Sendable {
    private static let columns = """
        id, namespace, display_name, description, visibility, protected, owner, created_at, updated_at
        """

    // MARK: - Namespaces

    /// - Returns: The row.
    /// - Throws: ``StoreError/duplicate(_:)``
    func insert(_ namespace: MetadefNamespace, in transaction: any SQLTransaction) throws -> Int64 {
        try transaction.query(
            """
            INSERT INTO metadef_namespaces
                (namespace, display_name, description, visibility, protected, owner, created_at, updated_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id
            """,
            [
                namespace.name, namespace.displayName, namespace.description, namespace.visibility.rawValue,
                namespace.isProtected, namespace.owner, namespace.createdAt, namespace.updatedAt
            ]
        ) { $0.integer(0) }.first ?? 0
    }

    /// - Throws: ``StoreError/duplicate(_:)``
    func update(_ namespace: MetadefNamespace, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            UPDATE metadef_namespaces SET namespace = ?, display_name = ?, description = ?, visibility = ?,
                protected = ?, owner = ?, updated_at = ? WHERE id = ?
            """,
            [
                namespace.name, namespace.displayName, namespace.description, namespace.visibility.rawValue,
                namespace.isProtected, namespace.owner, namespace.updatedAt, namespace.row
            ])
    }

    func delete(_ namespace: Int64, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM metadef_items WHERE namespace = ?", [namespace])
        try transaction.execute("DELETE FROM metadef_associations WHERE namespace = ?", [namespace])
        try transaction.execute("DELETE FROM metadef_namespaces WHERE id = ?", [namespace])
    }

    func namespace(_ name: String, in reader: any SQLReader) throws -> MetadefNamespace? {
        try reader.first(
            "SELECT \(Self.columns) FROM metadef_namespaces WHERE namespace = ?", [name], Self.namespace)
    }

    /// - Parameter owner: Sees its own and public ones; `nil` sees all.
    func namespaces(
        _ page: MetadefPage, owner: String??, after marker: MetadefNamespace?, in reader: any SQLReader
    ) throws -> [MetadefNamespace] {
        var clauses = ["1 = 1"]
        var arguments: [any SQLArgument] = []
        if let owner {
            clauses.append("(visibility = 'public' OR owner = ?)")
            arguments.append(owner)
        }
        if let visibility = page.visibility {
            clauses.append("visibility = ?")
            arguments.append(visibility.rawValue)
        }
        if let types = page.resourceTypes {
            clauses.append(
                """
                id IN (SELECT a.namespace FROM metadef_associations a JOIN metadef_resource_types t
                    ON t.id = a.resource_type WHERE t.name IN (\(types.map { _ in "?" }.joined(separator: ", "))))
                """)
            arguments += types
        }
        let column = Self.column(page.sortKey)
        let sign = page.ascending ? ">" : "<"
        if let marker {
            clauses.append("(\(column) \(sign) ? OR (\(column) = ? AND id \(sign) ?))")
            let value = Self.value(page.sortKey, of: marker)
            arguments += [value, value, marker.row]
        }
        let direction = page.ascending ? "ASC" : "DESC"
        return try reader.query(
            """
            SELECT \(Self.columns) FROM metadef_namespaces WHERE \(clauses.joined(separator: " AND "))
            ORDER BY \(column) \(direction), id \(direction) LIMIT \(page.limit ?? 1_000)
            """, arguments, Self.namespace)
    }

    private static func column(_ key: MetadefPage.SortKey) -> String {
        switch key {
        case .namespace, .name: "namespace"
        case .createdAt, .updatedAt, .visibility: key.rawValue
        case .displayName, .owner: "COALESCE(\(key.rawValue), '')"
        }
    }

    private static func value(_ key: MetadefPage.SortKey, of namespace: MetadefNamespace) -> any SQLArgument {
        switch key {
        case .namespace, .name: namespace.name
        case .createdAt: namespace.createdAt
        case .updatedAt: namespace.updatedAt
        case .visibility: namespace.visibility.rawValue
        case .displayName: namespace.displayName ?? ""
        case .owner: namespace.owner ?? ""
        }
    }

    private static func namespace(_ row: any SQLRow) throws -> MetadefNamespace {
        var namespace = MetadefNamespace(name: row.text(1), owner: row.optionalText(6), at: row.integer(7))
        namespace.row = row.integer(0)
        namespace.displayName = row.optionalText(2)
        namespace.description = row.optionalText(3)
        guard let visibility = MetadefNamespace.Visibility(rawValue: row.text(4)) else {
            throw StoreError.corrupt("namespace '\(namespace.name)' has visibility '\(row.text(4))'")
        }
        namespace.visibility = visibility
        namespace.isProtected = row.bool(5)
        namespace.updatedAt = row.integer(8)
        return namespace
    }

    // MARK: - Items

    /// - Throws: ``StoreError/duplicate(_:)``
    func insert(_ item: MetadefItem, into namespace: Int64, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO metadef_items (namespace, kind, name, body, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)
            """,
            [
                namespace, item.kind.rawValue, item.name, JSON.object(item.body).text, item.createdAt, item.updatedAt
            ])
    }

    /// - Parameter name: What it was called so far.
    /// - Throws: ``StoreError/duplicate(_:)``
    func update(
        _ item: MetadefItem, named name: String, of namespace: Int64, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            "UPDATE metadef_items SET name = ?, body = ?, updated_at = ? WHERE namespace = ? AND kind = ? AND name = ?",
            [item.name, JSON.object(item.body).text, item.updatedAt, namespace, item.kind.rawValue, name])
    }

    func delete(_ item: MetadefItem, of namespace: Int64, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "DELETE FROM metadef_items WHERE namespace = ? AND kind = ? AND name = ?",
            [namespace, item.kind.rawValue, item.name])
    }

    func deleteAll(_ kind: MetadefItem.Kind, of namespace: Int64, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "DELETE FROM metadef_items WHERE namespace = ? AND kind = ?", [namespace, kind.rawValue])
    }

    func item(
        _ kind: MetadefItem.Kind, _ name: String, of namespace: Int64, in reader: any SQLReader
    ) throws -> MetadefItem? {
        try reader.first(
            """
            SELECT kind, name, body, created_at, updated_at FROM metadef_items
            WHERE namespace = ? AND kind = ? AND name = ?
            """, [namespace, kind.rawValue, name], Self.item)
    }

    /// - Parameter kind: `nil` is all.
    func items(
        _ kind: MetadefItem.Kind?, of namespace: Int64, page: MetadefPage = MetadefPage(),
        after marker: MetadefItem? = nil, in reader: any SQLReader
    ) throws -> [MetadefItem] {
        var condition = "namespace = ?"
        var arguments: [any SQLArgument] = [namespace]
        if let kind {
            condition += " AND kind = ?"
            arguments.append(kind.rawValue)
        }
        // Names are unique within a namespace and kind, so they make the order total.
        let column = page.sortKey == .createdAt || page.sortKey == .updatedAt ? page.sortKey.rawValue : "name"
        let sign = page.ascending ? ">" : "<"
        if let marker {
            condition += " AND (\(column) \(sign) ? OR (\(column) = ? AND name \(sign) ?))"
            let value: any SQLArgument =
                switch page.sortKey {
                case .createdAt: marker.createdAt
                case .updatedAt: marker.updatedAt
                default: marker.name
                }
            arguments += [value, value, marker.name]
        }
        let direction = page.ascending ? "ASC" : "DESC"
        let limit = page.limit.map { " LIMIT \($0)" } ?? ""
        return try reader.query(
            """
            SELECT kind, name, body, created_at, updated_at FROM metadef_items WHERE \(condition)
            ORDER BY \(column) \(direction), name \(direction)\(limit)
            """, arguments, Self.item)
    }

    private static func item(_ row: any SQLRow) throws -> MetadefItem {
        guard let kind = MetadefItem.Kind(rawValue: row.text(0)), let body = try? JSON.parse(row.text(2)).objectValue
        else { throw StoreError.corrupt("metadata definition '\(row.text(1))' of kind '\(row.text(0))'") }
        var item = MetadefItem(kind, name: row.text(1), body: body, at: row.integer(3))
        item.updatedAt = row.integer(4)
        return item
    }
}
