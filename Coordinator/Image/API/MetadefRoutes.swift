import CoordinatorPlatform

/// Metadata definitions: namespaces. What is in them: ``metadefItemRoutes``.
extension ImageAPI {
    static let namespacePath = "/v2/metadefs/namespaces/{namespace}"

    var metadefRoutes: [Route] {
        let list = "/v2/metadefs/namespaces"
        let one = Self.namespacePath
        let namespaces = [
            Route(.get, list, handler: listNamespaces).asking("get_metadef_namespaces", "get_metadef_namespace"),
            Route(.post, list, action: "image.metadef_namespace.create", handler: createNamespace)
                .asking(
                    "add_metadef_namespace", "add_metadef_resource_type_association", "add_metadef_object",
                    "add_metadef_property", "add_metadef_tag"),
            Route(.get, one, handler: showNamespace).asking("get_metadef_namespace"),
            Route(.put, one, action: "image.metadef_namespace.update", handler: updateNamespace)
                .asking("modify_metadef_namespace", "get_metadef_namespace"),
            Route(.delete, one, action: "image.metadef_namespace.delete", handler: deleteNamespace)
                .asking("delete_metadef_namespace", "get_metadef_namespace")
        ]
        return namespaces + metadefItemRoutes + metadefTagRoutes + metadefTypeRoutes
    }

    private func listNamespaces(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let page = try MetadefRequest.page(
            call, limitDefault: service.metadata.listLimitDefault, limitMaximum: service.metadata.listLimitMaximum,
            sortKeys: [.createdAt, .updatedAt, .namespace, .displayName, .visibility, .owner])
        let (contents, isFull) = try await call.database.read { [service] in
            try service.metadefs.list(page, as: access, in: $0)
        }
        let path = "/v2/metadefs/namespaces"
        var body: [String: JSON] = [
            "namespaces": .array(contents.map(MetadefBody.render)), "schema": "/v2/schemas/metadefs/namespaces",
            "first": .string(Self.link(path, call.query, marker: nil))
        ]
        if let last = contents.last, isFull {
            body["next"] = .string(Self.link(path, call.query, marker: last.namespace.name))
        }
        return .json(.object(body))
    }

    private func createNamespace(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let content = try MetadefBody.content(
            try await call.json(), owner: access.caller.project?.compact, at: call.now)
        let name = content.namespace.name
        try await call.write(target: { _ in name }) { [service] in
            try service.metadefs.create(content, as: access, in: $0)
        }
        return .json(
            MetadefBody.render(content), status: 201,
            headers: [("Location", "\(call.baseURL)/image/v2/metadefs/namespaces/\(PercentCoding.encode(name))")])
    }

    private func showNamespace(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let name = call.parameter("namespace")
        var content = try await call.database.read { [service] in
            try service.metadefs.show(name, as: access, in: $0)
        }
        let association = content.associations.first { $0.resourceType == call.query("resource_type") }
        if let prefix = association?.prefix { content = content.prefixed(prefix) }
        return .json(MetadefBody.render(content))
    }

    private func updateNamespace(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let change = try MetadefBody.content(
            try await call.json(), owner: access.caller.project?.compact, at: call.now)
        let name = call.parameter("namespace")
        let namespace = try await call.write { [service] in
            try service.metadefs.update(name, to: change.namespace, as: access, at: call.now, in: $0)
        }
        return .json(MetadefBody.render(MetadefContent(namespace)))
    }

    private func deleteNamespace(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let name = call.parameter("namespace")
        try await call.write { [service] in try service.metadefs.delete(name, as: access, in: $0) }
        return .empty(204)
    }
}
