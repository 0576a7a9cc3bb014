import CoordinatorPlatform

/// Metadata definitions: resource types, and which namespaces are meant for which.
extension ImageAPI {
    var metadefTypeRoutes: [Route] {
        let list = Self.namespacePath + "/resource_types"
        return [
            Route(.get, "/v2/metadefs/resource_types", handler: listTypes).asking("list_metadef_resource_types"),
            Route(.get, list, handler: listAssociations)
                .asking("list_metadef_resource_types", "get_metadef_resource_type", "get_metadef_namespace"),
            Route(.post, list, action: "image.metadef_association.create", handler: createAssociation)
                .asking("add_metadef_resource_type_association", "get_metadef_namespace"),
            Route(.delete, list + "/{type}", action: "image.metadef_association.delete", handler: deleteAssociation)
                .asking("remove_metadef_resource_type_association", "get_metadef_namespace")
        ]
    }

    private func listTypes(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        try access.require("list_metadef_resource_types")
        let types = try await call.database.read { [service] in try service.metadefs.types.types(in: $0) }
        let shown = types.map { type -> JSON in
            [
                "name": .string(type.name), "created_at": .string(Timestamp.seconds(type.createdAt)),
                "updated_at": .string(Timestamp.seconds(type.updatedAt))
            ]
        }
        return .json(["resource_types": .array(shown)])
    }

    private func listAssociations(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let name = call.parameter("namespace")
        let associations = try await call.database.read { [service] in
            try service.metadefs.associations(of: name, as: access, in: $0)
        }
        return .json(["resource_type_associations": .array(associations.map(MetadefBody.render))])
    }

    private func createAssociation(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let association = try MetadefBody.association(try await call.json(), at: call.now)
        let name = call.parameter("namespace")
        try await call.write(target: { _ in "\(name)/\(association.resourceType)" }) { [service] in
            try service.metadefs.associate(association, with: name, as: access, in: $0)
        }
        return .json(MetadefBody.render(association), status: 201)
    }

    private func deleteAssociation(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let (name, type) = (call.parameter("namespace"), call.parameter("type"))
        try await call.write { [service] in
            try service.metadefs.dissociate(type, from: name, as: access, in: $0)
        }
        return .empty(204)
    }
}
