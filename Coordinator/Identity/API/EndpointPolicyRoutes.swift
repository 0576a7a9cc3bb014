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
                Route(.get, path, handler: check).gated(by: "identity:check_policy_association_for_\(rule)"),
                Route(.put, path, action: "identity.policy_association.create", handler: create).gated(
                    by: "identity:create_policy_association_for_\(rule)"),
                Route(.delete, path, action: "identity.policy_association.delete", handler: delete).gated(
                    by: "identity:delete_policy_association_for_\(rule)")
            ]
        } + [
            Route(.get, "\(Self.place)/endpoints", handler: endpoints).gated(by: "identity:list_endpoints_for_policy"),
            Route(.get, "/v3/endpoints/{endpoint}/OS-ENDPOINT-POLICY/policy", handler: policy).gated(
                by:
                    "identity:get_policy_for_endpoint")
        ]
    }

    private var state: IdentityState { identity.directory.state }

    private static func policy(_ key: String, _ state: IdentityState) throws(APIError) -> PolicyBlob {
        guard let policy = state.resources.policies.policies[key] else { throw IdentityAPI.notFound("policy", key) }
        return policy
    }

    private static func subject(
        _ call: APICall, _ state: IdentityState
    ) throws(APIError) -> (policy: PolicyBlob, target: PolicyTarget) {
        let policy = try policy(call.parameter("policy"), state)
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

    @Sendable private func check(_ call: APICall) async throws -> APIResponse {
        let (policy, target) = try Self.subject(call, state)
        guard state.resources.policies.policyOfTarget[target] == policy.key else {
            throw APIError.notFound("Could not find policy association.")
        }
        return .empty(204)
    }

    @Sendable private func create(_ call: APICall) async throws -> APIResponse {
        try await call.change(
            identity, { try Self.subject(call, $0) }, target: { "\($0.policy.key)/\($0.target.fingerprint)" },
            { try $1.associate($0.policy.key, with: $0.target) })
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        let (known, place) = try Self.subject(call, state)
        // What is not associated is not associated afterwards either, which is all that is asked.
        guard state.resources.policies.policyOfTarget[place] == known.key else { return .empty(204) }
        return try await call.change(
            identity, { try Self.subject(call, $0) }, target: { "\($0.policy.key)/\($0.target.fingerprint)" },
            { found, edit in
                guard edit.state.resources.policies.policyOfTarget[found.target] == found.policy.key else { return }
                try edit.dissociate(found.policy.key, from: found.target)
            })
    }

    private func endpoints(_ call: APICall) async throws -> APIResponse {
        let policy = try Self.policy(call.parameter("policy"), state)
        let targets = state.resources.policies.policyOfTarget.filter { $0.value == policy.key }.keys
        var found = Set<String>()
        for target in targets {
            found.formUnion(state.endpoints.values.filter { isMeant($0, by: target) }.map(\.key))
        }
        let endpoints = found.sorted().compactMap { state.endpoints[$0] }
        return Keystone.collection(
            "endpoints", endpoints.map { IdentityKinds.endpoints.rendered($0, call) }, call)
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
        let key = call.parameter("endpoint")
        guard let endpoint = state.endpoints[key] else { throw IdentityAPI.notFound("endpoint", key) }
        guard let policy = state.resources.policies.policy(for: endpoint, regions: state.regions) else {
            throw APIError.notFound("No policy is associated with endpoint \(key).")
        }
        return .json(["policy": IdentityKinds.policies.rendered(policy, call)])
    }
}
