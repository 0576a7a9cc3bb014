import CoordinatorPlatform

/// Metadata definitions: a namespace's objects and properties.
extension ImageAPI {
    var metadefItemRoutes: [Route] { objectRoutes + propertyRoutes }

    private var objectRoutes: [Route] {
        let list = Self.namespacePath + "/objects"
        let one = Self.namespacePath + "/objects/{object}"
        return [
            Route(.get, list, handler: listObjects).asking("get_metadef_objects", "get_metadef_namespace"),
            Route(.post, list, action: "image.metadef_object.create") { try await createItem($0, .object) }
                .asking("add_metadef_object", "get_metadef_namespace"),
            Route(.delete, list, action: "image.metadef_object.delete_all") { try await deleteItems($0, .object) }
                .asking("delete_metadef_namespace", "get_metadef_namespace"),
            Route(.get, one) { try await showItem($0, .object) }
                .asking("get_metadef_object", "get_metadef_namespace"),
            Route(.put, one, action: "image.metadef_object.update") { try await updateItem($0, .object) }
                .asking("modify_metadef_object", "get_metadef_namespace"),
            Route(.delete, one, action: "image.metadef_object.delete") {
                try await deleteItem($0, .object, for: "delete_metadef_object")
            }.asking("delete_metadef_object", "get_metadef_namespace")
        ]
    }

    private var propertyRoutes: [Route] {
        let list = Self.namespacePath + "/properties"
        let one = Self.namespacePath + "/properties/{property}"
        return [
            Route(.get, list, handler: listProperties).asking("get_metadef_properties", "get_metadef_namespace"),
            Route(.post, list, action: "image.metadef_property.create") { try await createItem($0, .property) }
                .asking("add_metadef_property", "get_metadef_namespace"),
            Route(.delete, list, action: "image.metadef_property.delete_all") { try await deleteItems($0, .property) }
                .asking("delete_metadef_namespace", "get_metadef_namespace"),
            Route(.get, one, handler: showProperty)
                .asking(
                    "get_metadef_property", "get_metadef_namespace", "list_metadef_resource_types",
                    "get_metadef_resource_type"),
            Route(.put, one, action: "image.metadef_property.update") { try await updateItem($0, .property) }
                .asking("modify_metadef_property", "get_metadef_namespace"),
            Route(.delete, one, action: "image.metadef_property.delete") {
                try await deleteItem($0, .property, for: "remove_metadef_property")
            }.asking("remove_metadef_property", "get_metadef_namespace")
        ]
    }

    private func listObjects(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let name = call.parameter("namespace")
        let page = try MetadefRequest.page(
            call, limitDefault: nil, limitMaximum: service.metadata.listLimitMaximum,
            sortKeys: [.createdAt, .updatedAt, .name])
        let objects = try await call.database.read { [service] in
            try service.metadefs.items(.object, of: name, page: page, for: "get_metadef_objects", as: access, in: $0)
        }
        return .json([
            "objects": .array(objects.map { MetadefBody.render(object: $0, of: name) }),
            "schema": "v2/schemas/metadefs/objects"
        ])
    }

    private func listProperties(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let name = call.parameter("namespace")
        let properties = try await call.database.read { [service] in
            try service.metadefs.items(
                .property, of: name, page: MetadefPage(), for: "get_metadef_properties", as: access, in: $0)
        }
        return .json(["properties": MetadefBody.render(properties: properties)])
    }

    /// With `resource_type`, the name in the path is the one that the property has on such resources.
    private func showProperty(_ call: APICall) async throws -> APIResponse {
        guard let type = call.query("resource_type"), !type.isEmpty else { return try await showItem(call, .property) }
        let access = try ImageAccess(call)
        let name = call.parameter("namespace")
        let associations = try await call.database.read { [service] in
            try service.metadefs.associations(of: name, as: access, in: $0)
        }
        let wanted = call.parameter("property")
        guard let association = associations.first(where: { $0.resourceType == type }) else {
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
        return try await showItem(call, .property, named: String(wanted.dropFirst(prefix.count)))
    }

    // MARK: - Both

    private func createItem(_ call: APICall, _ kind: MetadefItem.Kind) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let item = try read(try await call.json(), kind, at: call.now)
        let name = call.parameter("namespace")
        try await call.write(target: { _ in "\(name)/\(item.name)" }) { [service] in
            try service.metadefs.add(item, to: name, for: "add_metadef_\(kind.rawValue)", as: access, in: $0)
        }
        return .json(render(item, of: name), status: 201)
    }

    private func showItem(
        _ call: APICall, _ kind: MetadefItem.Kind, named wanted: String? = nil
    ) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let name = call.parameter("namespace")
        let wanted = wanted ?? call.parameter(kind.rawValue)
        let item = try await call.database.read { [service] in
            try service.metadefs.show(
                kind, wanted, of: name, for: "get_metadef_\(kind.rawValue)", as: access, in: $0)
        }
        return .json(render(item, of: name))
    }

    private func updateItem(_ call: APICall, _ kind: MetadefItem.Kind) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let change = try read(try await call.json(), kind, at: call.now)
        let (name, wanted) = (call.parameter("namespace"), call.parameter(kind.rawValue))
        let item = try await call.write { [service] in
            try service.metadefs.update(
                wanted, of: name, to: change, for: "modify_metadef_\(kind.rawValue)", as: access, in: $0)
        }
        return .json(render(item, of: name))
    }

    func deleteItem(_ call: APICall, _ kind: MetadefItem.Kind, for rule: String) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let (name, wanted) = (call.parameter("namespace"), call.parameter(kind.rawValue))
        try await call.write { [service] in
            try service.metadefs.delete(kind, wanted, of: name, for: rule, as: access, in: $0)
        }
        return .empty(204)
    }

    func deleteItems(_ call: APICall, _ kind: MetadefItem.Kind) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let name = call.parameter("namespace")
        try await call.write { [service] in try service.metadefs.deleteAll(kind, of: name, as: access, in: $0) }
        return .empty(204)
    }

    private func read(_ body: JSON, _ kind: MetadefItem.Kind, at now: Int64) throws -> MetadefItem {
        switch kind {
        case .object: try MetadefBody.object(body, at: now)
        case .property: try MetadefBody.property(body, at: now)
        case .tag: try MetadefBody.tag(body, at: now)
        }
    }

    private func render(_ item: MetadefItem, of namespace: String) -> JSON {
        switch item.kind {
        case .object: MetadefBody.render(object: item, of: namespace)
        case .property: MetadefBody.render(property: item)
        case .tag: MetadefBody.render(tag: item)
        }
    }
}
