import CoordinatorPlatform
import ProtocolModel

/// Endpoints that share service, region or interface, to be shown to single projects (`OS-EP-FILTER`).
public struct EndpointGroup: IdentityRecord, Hashable {
    public var key: String
    public var name: String
    public var description: String?
    /// `service_id`, `region_id`, `interface`: an endpoint that has all of these belongs to the group.
    public var filters: [String: JSON]
    public var extra: [String: JSON] = [:]
    public var generation: Int64 = 1

    public func contains(_ endpoint: Endpoint) -> Bool {
        filters.allSatisfy { name, value in
            switch name {
            case "service_id": value == .string(endpoint.service)
            case "region_id": value == JSON(endpoint.region)
            case "interface": value == .string(endpoint.interface)
            default: false
            }
        }
    }
}

/// Which endpoints a project sees. One without any association sees all.
public struct CatalogFilter: Sendable {
    public private(set) var groups: [String: EndpointGroup] = [:]
    public private(set) var endpointsOfProject: [ProjectID: Set<String>] = [:]
    public private(set) var groupsOfProject: [ProjectID: Set<String>] = [:]

    public init() {}

    /// What a project can be given: an endpoint or a group of them.
    struct Choice: Sendable, Hashable {
        enum Kind: Sendable { case endpoint, group }
        var kind: Kind
        var key: String

        static func endpoint(_ key: String) -> Self { Self(kind: .endpoint, key: key) }
        static func group(_ key: String) -> Self { Self(kind: .group, key: key) }
    }

    /// The endpoints that a project was given, singly or by groups; `nil` where nothing was said of it.
    public func visible(to project: ProjectID, of endpoints: some Collection<Endpoint>) -> Set<String>? {
        let single = endpointsOfProject[project] ?? []
        let shared = (groupsOfProject[project] ?? []).compactMap { self.groups[$0] }
        guard !single.isEmpty || !shared.isEmpty else { return nil }
        let found = endpoints.filter { endpoint in
            single.contains(endpoint.key) || shared.contains { $0.contains(endpoint) }
        }
        // A group without endpoints filters nothing, as it does in Keystone.
        return found.isEmpty ? nil : Set(found.map(\.key))
    }

    mutating func put(_ group: EndpointGroup) { groups[group.key] = group }
    mutating func remove(_ group: EndpointGroup) {
        groups[group.key] = nil
        for project in groupsOfProject.keys { groupsOfProject[project]?.remove(group.key) }
    }
    mutating func associate(_ choice: Choice, with project: ProjectID) {
        self[choice.kind][project, default: []].insert(choice.key)
    }
    mutating func set(_ choices: [Choice], of project: ProjectID) {
        forget(project: project)
        for choice in choices { associate(choice, with: project) }
    }
    func isAssociated(_ choice: Choice, with project: ProjectID) -> Bool {
        self[choice.kind][project]?.contains(choice.key) == true
    }

    private subscript(kind: Choice.Kind) -> [ProjectID: Set<String>] {
        get { kind == .endpoint ? endpointsOfProject : groupsOfProject }
        set { if kind == .endpoint { endpointsOfProject = newValue } else { groupsOfProject = newValue } }
    }

    mutating func forget(project: ProjectID) {
        endpointsOfProject[project] = nil
        groupsOfProject[project] = nil
    }
    mutating func forget(endpoint: String) {
        for project in endpointsOfProject.keys { endpointsOfProject[project]?.remove(endpoint) }
    }
}
