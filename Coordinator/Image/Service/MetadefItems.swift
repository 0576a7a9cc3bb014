import CoordinatorPlatform

/// The rules of what is in a namespace: objects, properties, tags and associations with resource types.
extension MetadefService {
    func items(
        _ kind: MetadefItem.Kind, of name: String, _ query: ListQuery, for rule: String, as access: ImageAccess,
        in reader: any SQLReader
    ) throws -> [MetadefItem] {
        let namespace = try find(name, for: rule, as: access, in: reader)
        return try store.items(kind, of: namespace.row, query, in: reader)
    }

    func show(
        _ kind: MetadefItem.Kind, _ wanted: String, of name: String, for rule: String, as access: ImageAccess,
        in reader: any SQLReader
    ) throws -> MetadefItem {
        let namespace = try find(name, for: rule, as: access, in: reader)
        return try item(kind, wanted, of: namespace, in: reader)
    }

    private func item(
        _ kind: MetadefItem.Kind, _ wanted: String, of namespace: MetadefNamespace, in reader: any SQLReader
    ) throws -> MetadefItem {
        guard let item = try store.item(kind, wanted, of: namespace.row, in: reader) else {
            throw MetadefError.noItem(kind, wanted, namespace.name)
        }
        return item
    }

    func add(
        _ item: MetadefItem, to name: String, for rule: String, as access: ImageAccess,
        in transaction: any SQLTransaction
    ) throws {
        let namespace = try find(name, for: rule, as: access, in: transaction)
        try insert(item, into: namespace.row, called: namespace.name, in: transaction)
    }

    /// - Parameter isAppending: Whether the tags that there are stay.
    func setTags(
        _ tags: [MetadefItem], of name: String, isAppending: Bool, as access: ImageAccess,
        in transaction: any SQLTransaction
    ) throws {
        let namespace = try find(name, for: "add_metadef_tags", as: access, in: transaction)
        if !isAppending { try store.deleteAll(.tag, of: namespace.row, in: transaction) }
        for tag in tags { try insert(tag, into: namespace.row, called: namespace.name, in: transaction) }
    }

    /// - Parameter change: Its date of creation is not looked at.
    func update(
        _ wanted: String, of name: String, to change: MetadefItem, for rule: String, as access: ImageAccess,
        in transaction: any SQLTransaction
    ) throws -> MetadefItem {
        let namespace = try find(name, for: rule, as: access, in: transaction)
        let before = try item(change.kind, wanted, of: namespace, in: transaction)
        var item = change
        item.row = before.row
        item.createdAt = before.createdAt
        do {
            try MetadefItem.table.update(item, in: transaction)
        } catch StoreError.duplicate {
            throw APIError.conflict(
                """
                Invalid update. It would result in a duplicate metadata definition \(item.kind.rawValue) with the same \
                name=\(item.name) in namespace=\(namespace.name).
                """)
        }
        return item
    }

    func delete(
        _ kind: MetadefItem.Kind, _ wanted: String, of name: String, for rule: String, as access: ImageAccess,
        in transaction: any SQLTransaction
    ) throws {
        let namespace = try find(name, for: rule, as: access, in: transaction)
        let found = try item(kind, wanted, of: namespace, in: transaction)
        guard !namespace.isProtected else { throw MetadefError.protected(kind, wanted) }
        try MetadefItem.table.delete(found.row, in: transaction)
    }

    // MARK: - Resource types

    func types(as access: ImageAccess, in reader: any SQLReader) throws -> [MetadefResourceType] {
        try access.require("list_metadef_resource_types")
        return try MetadefResourceType.table.all(in: reader)
    }

    /// A property's own name.
    /// - Parameter wanted: The name that it has on resources of a type.
    /// - Throws: ``APIError`` 404.
    func propertyName(
        _ wanted: String, on type: String, of name: String, as access: ImageAccess, in reader: any SQLReader
    ) throws -> String {
        let all = try associations(of: name, as: access, in: reader)
        guard let association = all.first(where: { $0.resourceType == type }) else {
            throw APIError.notFound(
                """
                The metadata definition resource-type association of resource-type=\(type) to namespace=\(name), was \
                not found.
                """)
        }
        guard let prefix = association.prefix, !prefix.isEmpty, wanted.hasPrefix(prefix) else {
            throw APIError.notFound(
                """
                Property \(wanted) does not start with the expected resource type association prefix of \
                '\(association.prefix ?? "None")'.
                """)
        }
        return String(wanted.dropFirst(prefix.count))
    }

    func associations(
        of name: String, as access: ImageAccess, in reader: any SQLReader
    ) throws -> [MetadefAssociation] {
        let namespace = try find(name, for: "list_metadef_resource_types", as: access, in: reader)
        guard access.allows("get_metadef_resource_type", on: namespace) else { return [] }
        return try store.associations(of: [namespace.row], in: reader)[namespace.row] ?? []
    }

    func associate(
        _ association: MetadefAssociation, with name: String, as access: ImageAccess,
        in transaction: any SQLTransaction
    ) throws {
        let namespace = try find(
            name, for: "add_metadef_resource_type_association", as: access, in: transaction)
        try insert(association, of: namespace.row, called: namespace.name, in: transaction)
    }

    func dissociate(
        _ type: String, from name: String, as access: ImageAccess, in transaction: any SQLTransaction
    ) throws {
        let namespace = try find(
            name, for: "remove_metadef_resource_type_association", as: access, in: transaction)
        guard !namespace.isProtected else {
            throw APIError.forbidden(
                "Metadata definition resource-type-association \(type) is protected and cannot be deleted.")
        }
        guard let association = try store.association(type, of: namespace.row, in: transaction) else {
            throw APIError.notFound("Failed to find resource type \(type) to delete")
        }
        try MetadefAssociation.table.delete(association.row, in: transaction)
    }
}
