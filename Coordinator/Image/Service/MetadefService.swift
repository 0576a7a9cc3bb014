import CoordinatorPlatform
import ProtocolModel

/// The rules of metadata definitions: namespaces.
struct MetadefService: Sendable {
    let store = MetadefStore()

    /// The namespace, if the caller sees it and may do that with it.
    /// - Throws: ``APIError`` 404 or 403.
    func find(
        _ name: String, for rule: String, as access: ImageAccess, in reader: any SQLReader
    ) throws -> MetadefNamespace {
        guard let namespace = try store.namespace(name, in: reader), Self.canSee(namespace, caller: access.caller)
        else { throw MetadefError.noNamespace(name) }
        if access.allows(rule, on: namespace) { return namespace }
        guard rule != "get_metadef_namespace", access.allows("get_metadef_namespace", on: namespace) else {
            throw MetadefError.noNamespace(name)
        }
        throw ImageError.notAllowed(rule)
    }

    /// What is above every rule.
    private static func canSee(_ namespace: MetadefNamespace, caller: Caller) -> Bool {
        caller.isAdmin || namespace.owner == nil || namespace.visibility == .public
            || namespace.owner == caller.project?.compact
    }

    /// - Returns: What the caller sees of a page, and how much there is of it.
    /// - Throws: `UnknownMarker`, ``APIError`` 403.
    func list(
        _ query: ListQuery, as access: ImageAccess, in reader: any SQLReader
    ) throws -> (namespaces: [MetadefContent], count: Int) {
        try access.require("get_metadef_namespaces")
        let caller = access.caller
        let all = try store.namespaces(query, owner: caller.isAdmin ? nil : .some(caller.project?.compact), in: reader)
        let seen = all.filter { access.allows("get_metadef_namespace", on: $0) }
        let associations = try store.associations(of: seen.map(\.row), in: reader)
        let contents = seen.map { namespace in
            var content = MetadefContent(namespace)
            content.associations = associations[namespace.row] ?? []
            return content
        }
        return (contents, all.count)
    }

    func show(_ name: String, as access: ImageAccess, in reader: any SQLReader) throws -> MetadefContent {
        let namespace = try find(name, for: "get_metadef_namespace", as: access, in: reader)
        var content = MetadefContent(namespace)
        content.associations = try store.associations(of: [namespace.row], in: reader)[namespace.row] ?? []
        content.items = try store.items(nil, of: namespace.row, in: reader)
        return content
    }

    /// - Throws: ``APIError`` 403 without all the rights that the content needs, 409 for a name that there is.
    func create(_ content: MetadefContent, as access: ImageAccess, in transaction: any SQLTransaction) throws {
        var rules = ["add_metadef_namespace"]
        if !content.associations.isEmpty { rules.append("add_metadef_resource_type_association") }
        for kind in Set(content.items.map(\.kind)) { rules.append("add_metadef_\(kind.rawValue)") }
        for rule in rules { try access.require(rule) }
        try insert(content, in: transaction)
    }

    func insert(_ content: MetadefContent, in transaction: any SQLTransaction) throws {
        let name = content.namespace.name
        let row: Int64
        do {
            row = try MetadefNamespace.table.insert(content.namespace, in: transaction)
        } catch StoreError.duplicate {
            throw APIError.conflict("The metadata definition namespace=\(name) already exists.")
        }
        for item in content.items { try insert(item, into: row, called: name, in: transaction) }
        for association in content.associations {
            try insert(association, of: row, called: name, in: transaction)
        }
    }

    func insert(
        _ item: MetadefItem, into row: Int64, called namespace: String, in transaction: any SQLTransaction
    ) throws {
        var item = item
        item.namespace = row
        do {
            try MetadefItem.table.insert(item, in: transaction)
        } catch StoreError.duplicate {
            throw MetadefError.duplicate(item.kind, item.name, namespace)
        }
    }

    func insert(
        _ association: MetadefAssociation, of row: Int64, called namespace: String,
        in transaction: any SQLTransaction
    ) throws {
        do {
            try store.insert(association, of: row, in: transaction)
        } catch StoreError.duplicate {
            throw APIError.conflict(
                """
                The metadata definition resource-type association of resource-type=\(association.resourceType) to \
                namespace=\(namespace) already exists.
                """)
        }
    }

    /// - Parameter change: What the caller wants; its row and dates are not looked at.
    func update(
        _ name: String, to change: MetadefNamespace, as access: ImageAccess, at now: Int64,
        in transaction: any SQLTransaction
    ) throws -> MetadefNamespace {
        let before = try find(name, for: "modify_metadef_namespace", as: access, in: transaction)
        var namespace = change
        namespace.row = before.row
        namespace.createdAt = before.createdAt
        namespace.updatedAt = now
        do {
            try MetadefNamespace.table.update(namespace, in: transaction)
        } catch StoreError.duplicate {
            throw APIError.conflict(
                """
                Invalid update. It would result in a duplicate metadata definition namespace with the same name of \
                \(namespace.name)
                """)
        }
        return namespace
    }

    func delete(_ name: String, as access: ImageAccess, in transaction: any SQLTransaction) throws {
        let namespace = try find(name, for: "delete_metadef_namespace", as: access, in: transaction)
        try requireUnprotected(namespace)
        try store.delete(namespace, in: transaction)
    }

    /// All of a namespace's objects, properties or tags.
    func deleteAll(
        _ kind: MetadefItem.Kind, of name: String, as access: ImageAccess, in transaction: any SQLTransaction
    ) throws {
        let namespace = try find(name, for: "delete_metadef_namespace", as: access, in: transaction)
        if kind == .tag { _ = try find(name, for: "delete_metadef_tags", as: access, in: transaction) }
        try requireUnprotected(namespace)
        try store.deleteAll(kind, of: namespace.row, in: transaction)
    }

    private func requireUnprotected(_ namespace: MetadefNamespace) throws {
        guard !namespace.isProtected else {
            throw APIError.forbidden(
                "Metadata definition namespace \(namespace.name) is protected and cannot be deleted.")
        }
    }
}

extension ImageAccess {
    func allows(_ rule: String, on namespace: MetadefNamespace) -> Bool {
        allows(rule, owner: namespace.owner, visibility: namespace.visibility.rawValue)
    }
}

/// What is said of definitions that are not there, or there already.
enum MetadefError {
    static func noNamespace(_ name: String) -> APIError {
        .notFound("Metadata definition namespace=\(name) was not found.")
    }

    static func noItem(_ kind: MetadefItem.Kind, _ name: String, _ namespace: String) -> APIError {
        .notFound(
            "The metadata definition \(kind.rawValue) with name=\(name) was not found in namespace=\(namespace).")
    }

    static func duplicate(_ kind: MetadefItem.Kind, _ name: String, _ namespace: String) -> APIError {
        .conflict(
            "A metadata definition \(kind.rawValue) with name=\(name) already exists in namespace=\(namespace).")
    }

    static func protected(_ kind: MetadefItem.Kind, _ name: String) -> APIError {
        .forbidden("Metadata definition \(kind.rawValue) \(name) is protected and cannot be deleted.")
    }
}
