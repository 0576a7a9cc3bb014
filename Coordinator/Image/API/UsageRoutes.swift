import CoordinatorPlatform

/// What the caller's project uses of images, and what it may use.
extension ImageAPI {
    var usageRoutes: [Route] {
        [Route(.get, "/v2/info/usage", handler: usage).open(because: "a project's own numbers")]
    }

    private func usage(_ call: APICall) async throws -> APIResponse {
        let usage: [String: JSON] = try await read(call) { access, reader in
            guard let project = access.caller.project else { return [:] }
            return try Dictionary(
                uniqueKeysWithValues: ImageQuota.Resource.allCases.map { resource -> (String, JSON) in
                    let usage = try service.quota.usage(resource, project: project, in: reader)
                    return (resource.rawValue, ["usage": .int(usage.used), "limit": .int(usage.limit ?? -1)])
                })
        }
        return .json(["usage": .object(usage)])
    }
}
