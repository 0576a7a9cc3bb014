import CoordinatorPlatform

/// Taking images out of use and back.
extension ImageAPI {
    var actionRoutes: [Route] {
        [
            route("deactivate", from: .active, to: .deactivated), route("reactivate", from: .deactivated, to: .active)
        ]
    }

    private func route(_ rule: String, from old: Image.Status, to new: Image.Status) -> Route {
        Route(.post, "/v2/images/{image_id}/actions/\(rule)", action: "image.image.\(rule)") { call in
            try await write(call) { access, transaction in
                try service.move(
                    call.parameter("image_id"), from: old, to: new, for: rule, as: access, at: call.now,
                    in: transaction)
            }
            return .empty(204)
        }.asking(rule, "get_image")
    }
}
