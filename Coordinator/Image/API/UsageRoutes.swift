import CoordinatorPlatform

/// What the caller's project uses of images, and what it may use.
extension ImageAPI {
    var usageRoutes: [Route] {
        [Route(.get, "/v2/info/usage", handler: usage).open(because: "a project's own numbers")]
    }

    private func usage(_ call: APICall) async throws -> APIResponse {
        guard let project = try call.requireCaller().project else { return .json(["usage": [:]]) }
        let quota = service.quota
        let usage = try await call.database.read { reader in
            try ImageQuota.Resource.allCases.map { ($0.rawValue, try quota.usage($0, project: project, in: reader)) }
        }
        let shown = usage.map { name, usage -> (String, JSON) in
            (name, ["usage": .int(usage.used), "limit": .int(usage.limit ?? -1)])
        }
        return .json(["usage": .object(Dictionary(uniqueKeysWithValues: shown))])
    }
}
