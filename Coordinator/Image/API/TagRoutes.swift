import CoordinatorPlatform

/// Tags, one at a time.
extension ImageAPI {
    var tagRoutes: [Route] {
        let path = "/v2/images/{image_id}/tags/{tag}"
        return [
            Route(.put, path, action: "image.tag.add", handler: addTag).asking("modify_image", "get_image"),
            Route(.delete, path, action: "image.tag.remove", handler: removeTag).asking("modify_image", "get_image")
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
        try await write(call) { access, transaction in
            _ = try service.update(call.parameter("image_id"), as: access, at: call.now, in: transaction) {
                try change(&$0.tags)
            }
        }
        return .empty(204)
    }
}
