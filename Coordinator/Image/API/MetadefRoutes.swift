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
        return namespaces + metadefItemRoutes + metadefTypeRoutes
    }

    private func listNamespaces(_ call: APICall) async throws -> APIResponse {
        let dialect = ListDialect.glance(
            path: "/v2/metadefs/namespaces", schema: "metadefs/namespaces",
            limitDefault: service.metadata.listLimitDefault, limitMaximum: service.metadata.listLimitMaximum,
            ending: ["row"],
            sortKeys: ["created_at", "updated_at", "namespace", "display_name", "visibility", "owner"],
            unknownMarker: MetadefError.noNamespace)
        let query = try dialect.read(call.givenQuery, MetadefNamespace.list)
        for text in query.filters.first(where: { $0.name == "visibility" })?.values ?? []
        where MetadefNamespace.Visibility(rawValue: text) == nil {
            throw APIError.badRequest("Invalid visibility value: \(text)")
        }
        let (contents, count) = try await read(call) { access, reader in
            try dialect.found { try service.metadefs.list(query, as: access, in: reader) }
        }
        var page = ListPage(collection: "namespaces", identities: contents.map(\.namespace.name), query: query)
        page.count = count
        return dialect.answer(page, contents.map(MetadefBody.render), call)
    }

    private func createNamespace(_ call: APICall) async throws -> APIResponse {
        let content = try await content(call)
        let name = content.namespace.name
        try await write(call, target: { _ in name }) { try service.metadefs.create(content, as: $0, in: $1) }
        return .json(
            MetadefBody.render(content), status: 201,
            headers: [("Location", "\(call.baseURL)/image/v2/metadefs/namespaces/\(PercentCoding.encode(name))")])
    }

    private func content(_ call: APICall) async throws -> MetadefContent {
        try MetadefBody.content(try await call.json(), owner: call.caller?.project?.compact, at: call.now)
    }

    private func showNamespace(_ call: APICall) async throws -> APIResponse {
        var content = try await read(call) {
            try service.metadefs.show(call.parameter("namespace"), as: $0, in: $1)
        }
        let association = content.associations.first { $0.resourceType == call.query("resource_type") }
        if let prefix = association?.prefix { content = content.prefixed(prefix) }
        return .json(MetadefBody.render(content))
    }

    private func updateNamespace(_ call: APICall) async throws -> APIResponse {
        let change = try await content(call)
        let namespace = try await write(call) {
            try service.metadefs.update(
                call.parameter("namespace"), to: change.namespace, as: $0, at: call.now, in: $1)
        }
        return .json(MetadefBody.render(MetadefContent(namespace)))
    }

    private func deleteNamespace(_ call: APICall) async throws -> APIResponse {
        try await write(call) { try service.metadefs.delete(call.parameter("namespace"), as: $0, in: $1) }
        return .empty(204)
    }
}
