import CoordinatorPlatform
import ProtocolModel

/// What hangs on projects, domains and the catalog beside people and roles: a part of ``IdentityState``.
public struct ResourceState: Sendable {
    public internal(set) var filter = CatalogFilter()
    public internal(set) var policies = PolicyShelf()
    public internal(set) var limits = UnifiedLimits()
    public internal(set) var configurations: [String: DomainConfiguration] = [:]

    public init() {}

    mutating func forget(project: ProjectID) {
        filter.forget(project: project)
        limits.forget(.project(project))
    }

    mutating func forget(domain: String) {
        configurations[domain] = nil
        limits.forget(.domain(domain))
    }

    mutating func forget(endpoint: String) {
        filter.forget(endpoint: endpoint)
        policies.forget(endpoint: endpoint)
    }

    mutating func forget(service: String) {
        policies.forget(service: service)
        limits.forget { $0.service == service }
    }

    mutating func forget(region: String) {
        policies.forget(region: region)
        limits.forget { $0.region == region }
    }
}
