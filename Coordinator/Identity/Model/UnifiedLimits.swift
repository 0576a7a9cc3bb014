import CoordinatorPlatform
import ProtocolModel

/// What every project may use of a service's resource, unless a ``ResourceLimit`` says otherwise.
public struct RegisteredLimit: IdentityRecord, Hashable {
    public var key: String
    public var service: String
    public var region: String?
    public var resource: String
    /// -1 for no bound.
    public var defaultLimit: Int64
    public var description: String?
    public var extra: [String: JSON] = [:]
    public var generation: Int64 = 1

    /// Nothing is registered twice.
    public func isRival(of other: RegisteredLimit) -> Bool {
        key != other.key && service == other.service && region == other.region && resource == other.resource
    }
}

/// What one project or domain may use, in place of the registered limit.
public struct ResourceLimit: IdentityRecord, Hashable {
    public enum Owner: Hashable, Sendable {
        case project(ProjectID)
        case domain(String)
    }

    public var key: String
    public var owner: Owner
    /// The ``RegisteredLimit`` that this one overrides; it says which service, region and resource.
    public var registered: String
    /// -1 for no bound.
    public var limit: Int64
    public var description: String?
    public var extra: [String: JSON] = [:]
    public var generation: Int64 = 1
}

/// The unified limits, in the flat model: a project's limit does not depend on those above or below it.
public struct UnifiedLimits: Sendable {
    public private(set) var registered: [String: RegisteredLimit] = [:]
    public private(set) var limits: [String: ResourceLimit] = [:]
    /// The keys of ``limits``: they are looked up by projects for each upload.
    private var overrides: [Override: String] = [:]

    private struct Override: Hashable {
        var owner: ResourceLimit.Owner
        var registered: String

        init(owner: ResourceLimit.Owner, registered: String) {
            self.owner = owner
            self.registered = registered
        }

        init(_ limit: ResourceLimit) { self.init(owner: limit.owner, registered: limit.registered) }
    }

    public init() {}

    public func registered(service: String, region: String?, resource: String) -> RegisteredLimit? {
        registered.values.first { $0.service == service && $0.region == region && $0.resource == resource }
    }

    public func isOverridden(_ limit: RegisteredLimit) -> Bool {
        limits.values.contains { $0.registered == limit.key }
    }

    /// What a project may use of a resource.
    /// - Parameter services: The keys of the services that have the resource.
    /// - Returns: `nil` for no bound.
    public func bound(on resource: String, services: Set<String>, region: String, project: ProjectID) -> Int64? {
        let candidates = registered.values.filter { limit in
            limit.resource == resource && services.contains(limit.service)
                && (limit.region == nil || limit.region == region)
        }
        // Two services of one type may both have it: the first by key, so that the answer is always the same.
        let nearest = candidates.min { ($0.region == nil ? 1 : 0, $0.key) < ($1.region == nil ? 1 : 0, $1.key) }
        guard let nearest else { return nil }
        let own = overrides[Override(owner: .project(project), registered: nearest.key)]
        let bound = own.flatMap { limits[$0] }?.limit ?? nearest.defaultLimit
        return bound < 0 ? nil : bound
    }

    mutating func put(_ limit: RegisteredLimit) { registered[limit.key] = limit }
    mutating func remove(_ limit: RegisteredLimit) { registered[limit.key] = nil }
    mutating func put(_ limit: ResourceLimit) {
        limits[limit.key] = limit
        overrides[Override(limit)] = limit.key
    }
    mutating func remove(_ limit: ResourceLimit) {
        limits[limit.key] = nil
        overrides[Override(limit)] = nil
    }

    mutating func forget(_ owner: ResourceLimit.Owner) { keep { $0.owner != owner } }
    /// A service or a region takes its registered limits with it, and they theirs.
    mutating func forget(where isGone: (RegisteredLimit) -> Bool) {
        registered = registered.filter { !isGone($0.value) }
        let left = registered
        keep { left[$0.registered] != nil }
    }

    private mutating func keep(where stays: (ResourceLimit) -> Bool) {
        for limit in limits.values where !stays(limit) { remove(limit) }
    }
}
