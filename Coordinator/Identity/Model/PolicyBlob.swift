import CoordinatorPlatform
import ProtocolModel

/// A policy document that somebody keeps here (`/v3/policies`); the identity service does not read it.
public struct PolicyBlob: IdentityRecord, Hashable {
    public var key: String
    /// Any JSON value, a text as a rule.
    public var blob: JSON
    /// Its MIME type.
    public var type: String
    public var extra: [String: JSON] = [:]
    public var generation: Int64 = 1
}

/// What a policy is meant for (`OS-ENDPOINT-POLICY`).
public enum PolicyTarget: Hashable, Sendable {
    case endpoint(String)
    case service(String)
    case serviceInRegion(service: String, region: String)

    /// One text per target, for the unique column.
    var fingerprint: String {
        switch self {
        case .endpoint(let key): "endpoint \(key)"
        case .service(let key): "service \(key)"
        case .serviceInRegion(let service, let region): "service \(service) region \(region)"
        }
    }
}

/// Policies and their targets; a target has at most one policy.
public struct PolicyShelf: Sendable {
    public private(set) var policies: [String: PolicyBlob] = [:]
    public private(set) var policyOfTarget: [PolicyTarget: String] = [:]

    public init() {}

    /// The policy that counts for an endpoint: its own, else that of its service in its region or in one above, else
    /// that of its service.
    public func policy(for endpoint: Endpoint, regions: [String: Region]) -> PolicyBlob? {
        if let key = policyOfTarget[.endpoint(endpoint.key)] { return policies[key] }
        var region = endpoint.region
        var seen = Set<String>()
        while let key = region, seen.insert(key).inserted {
            if let policy = policyOfTarget[.serviceInRegion(service: endpoint.service, region: key)] {
                return policies[policy]
            }
            region = regions[key]?.parent
        }
        return policyOfTarget[.service(endpoint.service)].flatMap { policies[$0] }
    }

    mutating func put(_ policy: PolicyBlob) { policies[policy.key] = policy }
    mutating func remove(_ policy: PolicyBlob) {
        policies[policy.key] = nil
        policyOfTarget = policyOfTarget.filter { $0.value != policy.key }
    }
    mutating func associate(_ policy: String, with target: PolicyTarget) { policyOfTarget[target] = policy }
    mutating func set(_ targets: [PolicyTarget], of policy: String) {
        policyOfTarget = policyOfTarget.filter { $0.value != policy }
        for target in targets { associate(policy, with: target) }
    }

    mutating func forget(endpoint: String) { policyOfTarget[.endpoint(endpoint)] = nil }
    mutating func forget(service: String) {
        policyOfTarget = policyOfTarget.filter { target, _ in
            switch target {
            case .endpoint: true
            case .service(let key), .serviceInRegion(let key, _): key != service
            }
        }
    }
    mutating func forget(region: String) {
        policyOfTarget = policyOfTarget.filter { target, _ in
            if case .serviceInRegion(_, region) = target { false } else { true }
        }
    }
}
