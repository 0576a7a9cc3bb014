import CoordinatorPlatform

/// Tags, one at a time.
extension ImageAPI {
    var tagRoutes: [Route] {
        [
            Route(.put, "/v2/images/{image_id}/tags/{tag}", action: "image.tag.add", handler: addTag)
                .asking("modify_image", "get_image"),
            Route(.delete, "/v2/images/{image_id}/tags/{tag}", action: "image.tag.remove", handler: removeTag)
                .asking("modify_image", "get_image")
        ]
    }

    private func addTag(_ call: APICall) async throws -> APIResponse {
        let tag = call.parameter("tag")
        try ImageFields.validate(["tags": [.string(tag)]])
        return try await changeTags(call) { tags in
            if !tags.contains(tag) { tags = (tags + [tag]).sorted() }
        }
    }

    private func removeTag(_ call: APICall) async throws -> APIResponse {
        let tag = call.parameter("tag")
        return try await changeTags(call) { tags in
            guard tags.contains(tag) else { throw APIError.notFound("The resource could not be found.") }
            tags.removeAll { $0 == tag }
        }
    }

    private func changeTags(
        _ call: APICall, _ change: @escaping @Sendable (inout [String]) throws -> Void
    ) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let id = call.parameter("image_id")
        try await call.write { [service] transaction in
            _ = try service.update(id, as: access, at: call.now, in: transaction) { try change(&$0.tags) }
        }
        return .empty(204)
    }
}
