import CoordinatorPlatform
import ProtocolModel

/// `OS-ENDPOINT-POLICY`: which stored policy is meant for which endpoint.
struct EndpointPolicyRoutes: Sendable {
    let identity: IdentityService

    private static let place = "/v3/policies/{policy}/OS-ENDPOINT-POLICY"

    private struct Kind {
        let path: String
        /// The end of the rules' names.
        let rule: String
    }

    private static let kinds = [
        Kind(path: "endpoints/{endpoint}", rule: "endpoint"),
        Kind(path: "services/{service}", rule: "service"),
        Kind(path: "services/{service}/regions/{region}", rule: "region_and_service")
    ]

    var all: [Route] {
        Self.kinds.flatMap { kind -> [Route] in
            let path = "\(Self.place)/\(kind.path)"
            let rule = kind.rule
            return [
                Route(.get, path) { try await check($0, rule) }.asking("identity:check_policy_association_for_\(rule)"),
                Route(.put, path, action: "identity.policy_association.create") { try await create($0, rule) }.asking(
                    "identity:create_policy_association_for_\(rule)"),
                Route(.delete, path, action: "identity.policy_association.delete") { try await delete($0, rule) }
                    .asking("identity:delete_policy_association_for_\(rule)")
            ]
        } + [
            Route(.get, "\(Self.place)/endpoints", handler: endpoints).asking("identity:list_endpoints_for_policy"),
            Route(.get, "/v3/endpoints/{endpoint}/OS-ENDPOINT-POLICY/policy", handler: policy).asking(
                "identity:get_policy_for_endpoint")
        ]
    }

    private var state: IdentityState { identity.directory.state }

    private func policy(named key: String) throws(APIError) -> PolicyBlob {
        guard let policy = state.resources.policies.policies[key] else { throw IdentityAPI.notFound("policy", key) }
        return policy
    }

    private func subject(_ call: APICall) throws(APIError) -> (policy: PolicyBlob, target: PolicyTarget) {
        let policy = try policy(named: call.parameter("policy"))
        if let key = call.parameters["endpoint"] {
            guard state.endpoints[key] != nil else { throw IdentityAPI.notFound("endpoint", key) }
            return (policy, .endpoint(key))
        }
        let service = call.parameter("service")
        guard state.services[service] != nil else { throw IdentityAPI.notFound("service", service) }
        guard let region = call.parameters["region"] else { return (policy, .service(service)) }
        guard state.regions[region] != nil else { throw IdentityAPI.notFound("region", region) }
        return (policy, .serviceInRegion(service: service, region: region))
    }

    private func check(_ call: APICall, _ rule: String) async throws -> APIResponse {
        try call.authorize("identity:check_policy_association_for_\(rule)")
        let (policy, target) = try subject(call)
        guard state.resources.policies.policyOfTarget[target] == policy.key else {
            throw APIError.notFound("Could not find policy association.")
        }
        return .empty(204)
    }

    private func create(_ call: APICall, _ rule: String) async throws -> APIResponse {
        try call.authorize("identity:create_policy_association_for_\(rule)")
        let (policy, target) = try subject(call)
        try await identity.change(call, target: "\(policy.key)/\(target.fingerprint)") { transaction in
            try ResourceStore.associate(policy.key, with: target, in: transaction)
        } apply: { state in
            state.changeResources { $0.policies.associate(policy.key, with: target) }
        }
        return .empty(204)
    }

    private func delete(_ call: APICall, _ rule: String) async throws -> APIResponse {
        try call.authorize("identity:delete_policy_association_for_\(rule)")
        let (policy, target) = try subject(call)
        // What is not associated is not associated afterwards either, which is all that is asked.
        guard state.resources.policies.policyOfTarget[target] == policy.key else { return .empty(204) }
        try await identity.change(call, target: "\(policy.key)/\(target.fingerprint)") { transaction in
            try ResourceStore.dissociate(target, in: transaction)
        } apply: { state in
            state.changeResources { $0.policies.dissociate(target) }
        }
        return .empty(204)
    }

    private func endpoints(_ call: APICall) async throws -> APIResponse {
        try call.authorize("identity:list_endpoints_for_policy")
        let policy = try policy(named: call.parameter("policy"))
        let targets = state.resources.policies.policyOfTarget.filter { $0.value == policy.key }.keys
        var found = Set<String>()
        for target in targets {
            found.formUnion(state.endpoints.values.filter { isMeant($0, by: target) }.map(\.key))
        }
        let endpoints = found.sorted().compactMap { state.endpoints[$0] }
        return Rendering.collection(
            "endpoints", endpoints.map { IdentityService.endpoints.rendered($0, call) }, call)
    }

    private func isMeant(_ endpoint: Endpoint, by target: PolicyTarget) -> Bool {
        switch target {
        case .endpoint(let key): return endpoint.key == key
        case .service(let key): return endpoint.service == key
        case .serviceInRegion(let service, let region):
            guard endpoint.service == service, let own = endpoint.region else { return false }
            return own == region || RegionTree.below(region, state.regions).contains(own)
        }
    }

    private func policy(_ call: APICall) async throws -> APIResponse {
        try call.authorize("identity:get_policy_for_endpoint")
        let key = call.parameter("endpoint")
        guard let endpoint = state.endpoints[key] else { throw IdentityAPI.notFound("endpoint", key) }
        guard let policy = state.resources.policies.policy(for: endpoint, regions: state.regions) else {
            throw APIError.notFound("No policy is associated with endpoint \(key).")
        }
        return .json(["policy": IdentityService.policies.rendered(policy, call)])
    }
}
