import CoordinatorPlatform

/// Taking images out of use and back.
extension ImageAPI {
    var actionRoutes: [Route] {
        [
            Route(
                .post, "/v2/images/{image_id}/actions/deactivate", action: "image.image.deactivate",
                handler: deactivate
            ).asking("deactivate", "get_image"),
            Route(
                .post, "/v2/images/{image_id}/actions/reactivate", action: "image.image.reactivate",
                handler: reactivate
            ).asking("reactivate", "get_image")
        ]
    }

    private func deactivate(_ call: APICall) async throws -> APIResponse {
        try await move(call, from: .active, to: .deactivated, for: "deactivate")
    }

    private func reactivate(_ call: APICall) async throws -> APIResponse {
        try await move(call, from: .deactivated, to: .active, for: "reactivate")
    }

    private func move(
        _ call: APICall, from old: Image.Status, to new: Image.Status, for rule: String
    ) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let id = call.parameter("image_id")
        try await call.write { [service] transaction in
            try service.move(id, from: old, to: new, for: rule, as: access, at: call.now, in: transaction)
        }
        return .empty(204)
    }
}
