import CoordinatorPlatform

extension MetadefNamespace {
    package static let list: ListSchema = {
        let text = { ListSchema.Column($0, isNullable: $1, isFilter: false) }
        var schema = ListSchema(
            table, identity: "namespace",
            columns: [
                "namespace": text("namespace", false), "display_name": text("display_name", true),
                "owner": text("owner", true), "visibility": .init("visibility"),
                "created_at": .init("created_at", .number, isFilter: false),
                "updated_at": .init("updated_at", .number, isFilter: false),
                "row": .init("id", .number, isFilter: false, isSort: false)
            ])
        schema.special["resource_types"] = { values in
            let types = SQLCondition.in("t.name", values.flatMap { $0.split(separator: ",").map(String.init) })
            return SQLCondition(
                """
                id IN (SELECT a.namespace FROM metadef_associations a JOIN metadef_resource_types t
                    ON t.id = a.resource_type WHERE \(types.sql))
                """, types.arguments)
        }
        return schema
    }()
}

extension MetadefItem {
    /// Of one namespace and kind, in which names are unique.
    package static let list = ListSchema(
        table, identity: "name",
        columns: [
            "name": .init("name", isFilter: false), "created_at": .init("created_at", .number, isFilter: false),
            "updated_at": .init("updated_at", .number, isFilter: false)
        ])

    /// All of them, the newest first.
    static let newestFirst: ListQuery = {
        var query = ListQuery()
        query.sorts = ["created_at", "name"].map { ListQuery.Sort($0, isAscending: false) }
        return query
    }()
}

/// The tables of metadata definitions.
struct MetadefStore: Sendable {
    // MARK: - Namespaces

    func delete(_ namespace: MetadefNamespace, in transaction: any SQLTransaction) throws {
        try MetadefItem.table.delete(where: .equal("namespace", namespace.row), in: transaction)
        try MetadefAssociation.table.delete(where: .equal("namespace", namespace.row), in: transaction)
        try MetadefNamespace.table.delete(namespace.row, in: transaction)
    }

    func namespace(_ name: String, in reader: any SQLReader) throws -> MetadefNamespace? {
        try MetadefNamespace.table.first(where: .equal("namespace", name), in: reader)
    }

    /// - Parameter owner: Sees its own and public ones; `nil` sees all.
    /// - Throws: `UnknownMarker`
    func namespaces(_ query: ListQuery, owner: String??, in reader: any SQLReader) throws -> [MetadefNamespace] {
        let visible = owner.map { SQLCondition("(visibility = 'public' OR owner = ?)", [$0]) } ?? .always
        return try MetadefNamespace.list.records(MetadefNamespace.table, query, visible: visible, in: reader)
    }

    // MARK: - Items

    private static func these(_ kind: MetadefItem.Kind?, of namespace: Int64) -> SQLCondition {
        .all([.equal("namespace", namespace)] + (kind.map { [.equal("kind", $0)] } ?? []))
    }

    func deleteAll(_ kind: MetadefItem.Kind, of namespace: Int64, in transaction: any SQLTransaction) throws {
        try MetadefItem.table.delete(where: Self.these(kind, of: namespace), in: transaction)
    }

    func item(
        _ kind: MetadefItem.Kind, _ name: String, of namespace: Int64, in reader: any SQLReader
    ) throws -> MetadefItem? {
        try MetadefItem.table.first(
            where: .all([Self.these(kind, of: namespace), .equal("name", name)]), in: reader)
    }

    /// - Parameter kind: `nil` is all.
    /// - Throws: `UnknownMarker`
    func items(
        _ kind: MetadefItem.Kind?, of namespace: Int64, _ query: ListQuery = MetadefItem.newestFirst,
        in reader: any SQLReader
    ) throws -> [MetadefItem] {
        try MetadefItem.list.records(MetadefItem.table, query, visible: Self.these(kind, of: namespace), in: reader)
    }

    // MARK: - Resource types

    /// Makes the type where there is none of that name.
    /// - Throws: ``StoreError/duplicate(_:)`` when the namespace has the association.
    func insert(
        _ association: MetadefAssociation, of namespace: Int64, in transaction: any SQLTransaction
    ) throws {
        let (name, now) = (association.resourceType, association.createdAt)
        _ = try MetadefResourceType.table.insert(
            MetadefResourceType(name: name, createdAt: now, updatedAt: now), unlessTaken: "name", in: transaction)
        var association = association
        association.namespace = namespace
        association.typeRow =
            try MetadefResourceType.table.first(where: .equal("name", name), in: transaction)?.row ?? 0
        try MetadefAssociation.table.insert(association, in: transaction)
    }

    func association(
        _ type: String, of namespace: Int64, in reader: any SQLReader
    ) throws -> MetadefAssociation? {
        try MetadefAssociation.table.first(
            where: .all([.equal("a.namespace", namespace), .equal("t.name", type)]), in: reader)
    }

    /// Of several namespaces, by their rows.
    func associations(of namespaces: [Int64], in reader: any SQLReader) throws -> [Int64: [MetadefAssociation]] {
        let all = try reader.inPieces(namespaces) {
            try MetadefAssociation.table.all(where: .in("a.namespace", Array($0)), in: reader)
        }
        return Dictionary(grouping: all, by: \.namespace)
    }

    /// Notes that a default namespace has been loaded once, so that one that was deleted does not come back.
    /// - Returns: Whether that is new.
    func noteDefault(_ namespace: String, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.execute(
            "INSERT INTO metadef_defaults (namespace) VALUES (?) ON CONFLICT (namespace) DO NOTHING", [namespace]) == 1
    }
}
