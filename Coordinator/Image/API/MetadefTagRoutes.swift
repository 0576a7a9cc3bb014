import CoordinatorPlatform

/// Metadata definitions: a namespace's tags.
extension ImageAPI {
    var metadefTagRoutes: [Route] {
        let list = Self.namespacePath + "/tags"
        let one = Self.namespacePath + "/tags/{tag}"
        return [
            Route(.get, list, handler: listTags).asking("get_metadef_tags", "get_metadef_namespace"),
            Route(.post, list, action: "image.metadef_tag.set", handler: setTags)
                .asking("add_metadef_tags", "get_metadef_namespace"),
            Route(.delete, list, action: "image.metadef_tag.delete_all") { try await deleteItems($0, .tag) }
                .asking("delete_metadef_namespace", "delete_metadef_tags", "get_metadef_namespace"),
            Route(.get, one, handler: showTag).asking("get_metadef_tag", "get_metadef_namespace"),
            Route(.post, one, action: "image.metadef_tag.create", handler: createTag)
                .asking("add_metadef_tag", "get_metadef_namespace"),
            Route(.put, one, action: "image.metadef_tag.update", handler: updateTag)
                .asking("modify_metadef_tag", "get_metadef_namespace"),
            Route(.delete, one, action: "image.metadef_tag.delete") {
                try await deleteItem($0, .tag, for: "delete_metadef_tag")
            }.asking("delete_metadef_tag", "get_metadef_namespace")
        ]
    }

    private static func names(_ tags: [MetadefItem]) -> JSON {
        ["tags": .array(tags.map { ["name": .string($0.name)] })]
    }

    private func listTags(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let name = call.parameter("namespace")
        let page = try MetadefRequest.page(
            call, limitDefault: nil, limitMaximum: service.metadata.listLimitMaximum,
            sortKeys: [.createdAt, .updatedAt, .name])
        let tags = try await call.database.read { [service] in
            try service.metadefs.items(.tag, of: name, page: page, for: "get_metadef_tags", as: access, in: $0)
        }
        return .json(Self.names(tags))
    }

    private func setTags(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let tags = try MetadefBody.tags(try await call.json(), at: call.now)
        let name = call.parameter("namespace")
        let append = call.headers.first { $0.name.canonicalName == "x-openstack-append" }?.value.lowercased()
        let isAppending = ["1", "t", "true", "on", "y", "yes"].contains(append)
        try await call.write { [service] in
            try service.metadefs.setTags(tags, of: name, isAppending: isAppending, as: access, in: $0)
        }
        return .json(Self.names(tags), status: 201)
    }

    private func showTag(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let (name, wanted) = (call.parameter("namespace"), call.parameter("tag"))
        let tag = try await call.database.read { [service] in
            try service.metadefs.show(.tag, wanted, of: name, for: "get_metadef_tag", as: access, in: $0)
        }
        return .json(MetadefBody.render(tag: tag))
    }

    /// The name is in the path; there is no body.
    private func createTag(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let tag = try MetadefBody.tag(["name": .string(call.parameter("tag"))], at: call.now)
        let name = call.parameter("namespace")
        try await call.write { [service] in
            try service.metadefs.add(tag, to: name, for: "add_metadef_tag", as: access, in: $0)
        }
        return .json(MetadefBody.render(tag: tag), status: 201)
    }

    private func updateTag(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let change = try MetadefBody.tag(try await call.json(), at: call.now)
        let (name, wanted) = (call.parameter("namespace"), call.parameter("tag"))
        let tag = try await call.write { [service] in
            try service.metadefs.update(
                wanted, of: name, to: change, for: "modify_metadef_tag", as: access, in: $0)
        }
        return .json(MetadefBody.render(tag: tag))
    }
}
