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
        let types = try await read(call) { try service.metadefs.types(as: $0, in: $1) }
        return .json(["resource_types": .array(types.map(MetadefBody.render))])
    }

    private func listAssociations(_ call: APICall) async throws -> APIResponse {
        let associations = try await read(call) {
            try service.metadefs.associations(of: call.parameter("namespace"), as: $0, in: $1)
        }
        return .json(["resource_type_associations": .array(associations.map(MetadefBody.render))])
    }

    private func createAssociation(_ call: APICall) async throws -> APIResponse {
        let association = try MetadefBody.association(try await call.json(), at: call.now)
        let name = call.parameter("namespace")
        try await write(call, target: { _ in "\(name)/\(association.resourceType)" }) {
            try service.metadefs.associate(association, with: name, as: $0, in: $1)
        }
        return .json(MetadefBody.render(association), status: 201)
    }

    private func deleteAssociation(_ call: APICall) async throws -> APIResponse {
        try await write(call) {
            try service.metadefs.dissociate(
                call.parameter("type"), from: call.parameter("namespace"), as: $0, in: $1)
        }
        return .empty(204)
    }
}
