import CoordinatorPlatform
import ProtocolModel

/// Everything the identity service knows, in memory: a cloud of this size has few enough of each, and a token must be
/// judged without a database. Pure; ``IdentityDirectory`` keeps the current one.
public struct IdentityState: Sendable {
    public private(set) var domains: [String: Domain] = [:]
    public private(set) var projects: [ProjectID: Project] = [:]
    public private(set) var users: [UserID: User] = [:]
    public private(set) var groups: [String: Group] = [:]
    public private(set) var roles: [String: Role] = [:]
    public private(set) var regions: [String: Region] = [:]
    public private(set) var services: [String: CatalogService] = [:]
    public private(set) var endpoints: [String: Endpoint] = [:]
    /// Role to the roles it implies directly.
    public private(set) var implications: [String: Set<String>] = [:]
    public private(set) var assignments: [Assignment.Actor: Set<Assignment>] = [:]
    public private(set) var membersOfGroup: [String: Set<UserID>] = [:]
    public private(set) var groupsOfUser: [UserID: Set<String>] = [:]
    /// Tokens that were revoked one by one.
    public private(set) var revoked: [AuditID: Revocation] = [:]
    /// Which tokens of a delegation are void by their age; by ``TokenPayload/delegation``.
    public private(set) var delegationBounds: [String: DelegationBound] = [:]
    /// Application credentials, trusts, stored credentials.
    public private(set) var delegations = DelegationState()
    /// Failed and last log-ins, of those who have any worth knowing.
    public private(set) var activity: [UserID: UserActivity] = [:]
    /// Endpoint filters, policies, limits, domain configurations.
    public private(set) var resources = ResourceState()
    /// The number of the feed of changes up to which this is what the rows say.
    var feedNumber: Int64 = 0
    /// Tokens whose revocation is not in force yet: it is once this state is the directory's.
    private var unpublished: Set<AuditID> = []
    /// Counts changes, so that what was derived from an older state is known to be old.
    public private(set) var generation: UInt64 = 0

    private var userNames: [NameKey: UserID] = [:]
    private var projectNames: [NameKey: ProjectID] = [:]
    private var domainNames: [String: String] = [:]

    private struct NameKey: Hashable, Sendable {
        var domain: String
        var name: String
    }

    public init() {}

    /// Takes another one's place, as one change.
    mutating func replace(by other: IdentityState) {
        let next = max(generation, other.generation) + 1
        self = other
        generation = next
    }

    /// Takes the place of the directory's state.
    /// - Parameters:
    ///   - generation: The new one.
    ///   - moment: From now on nothing is made from a token whose revocation this state is the first to know.
    mutating func publish(generation: UInt64, at moment: Int64) {
        self.generation = generation
        for token in unpublished { revoked[token]?.knownAt = moment }
        unpublished = []
    }

    // MARK: - Looking up

    public func user(named name: String, in domain: String) -> User? {
        userNames[NameKey(domain: domain, name: name)].flatMap { users[$0] }
    }
    public func project(named name: String, in domain: String) -> Project? {
        projectNames[NameKey(domain: domain, name: name)].flatMap { projects[$0] }
    }
    public func domain(named name: String) -> Domain? { domainNames[name].flatMap { domains[$0] } }
    public func role(named name: String) -> Role? { roles.values.first { $0.name == name && $0.domain == nil } }

    /// All projects below, each after the one it stands in.
    public func descendants(of project: ProjectID) -> [Project] {
        let children = Dictionary(grouping: projects.values.filter { $0.parent != nil }, by: { $0.parent ?? $0.id })
        var found: [Project] = []
        var open = [project]
        while let next = open.popLast(), found.count <= projects.count {
            let below = (children[next] ?? []).sorted { ($0.name, $0.key) < ($1.name, $1.key) }
            found += below
            open += below.map(\.id)
        }
        return found
    }

    /// The projects above, nearest first. A ring, which the service never makes, ends it.
    public func ancestors(of project: Project) -> [Project] {
        var above: [Project] = []
        var next = project.parent
        while let id = next, let parent = projects[id], above.count < 32 {
            above.append(parent)
            next = parent.parent
        }
        return above
    }

    /// Whether the project and all that it stands in are enabled.
    public func isUsable(_ project: Project) -> Bool {
        project.isEnabled && domains[project.domain]?.isEnabled == true
            && (project.parent == nil || ancestors(of: project).allSatisfy(\.isEnabled))
    }

    public func isUsable(_ user: User) -> Bool { user.isEnabled && domains[user.domain]?.isEnabled == true }

    // MARK: - Roles

    /// All that is given to the user, directly or through groups.
    public func assignments(of user: UserID) -> Set<Assignment> {
        var found = assignments[.user(user)] ?? []
        for group in groupsOfUser[user] ?? [] { found.formUnion(assignments[.group(group)] ?? []) }
        return found
    }

    /// Whether an assignment counts at a place.
    public func counts(_ assignment: Assignment, at target: Assignment.Target) -> Bool {
        if !assignment.isInherited { return assignment.target == target }
        guard case .project(let id) = target, let project = projects[id] else { return false }
        switch assignment.target {
        case .domain(let domain), .domainAsProject(let domain): return project.domain == domain
        case .project(let above): return ancestors(of: project).contains { $0.id == above }
        case .system: return false
        }
    }

    /// The roles a user has at a place, with the implied ones, by name. Roles of a domain count only by what they
    /// imply.
    public func roles(of user: UserID, at target: Assignment.Target) -> [Role] {
        var keys = Set<String>()
        for assignment in assignments(of: user) where counts(assignment, at: target) { keys.insert(assignment.role) }
        return expanded(keys).compactMap { roles[$0] }.filter { $0.domain == nil }
            .sorted { ($0.name, $0.key) < ($1.name, $1.key) }
    }

    /// Whether one of the roles, or what they imply, makes administrators. Policies compare names without regard to
    /// case, so `ADMIN` does.
    public func makesAdministrators(roles keys: Set<String>) -> Bool {
        expanded(keys).contains { roles[$0]?.foldedName == "admin" }
    }

    /// Whether one of the roles, or what they imply, reaches beyond every domain: administrators', that of services,
    /// which act for everybody, and that of the object store's resellers, who have all accounts.
    public func reachesEverywhere(roles keys: Set<String>) -> Bool {
        expanded(keys).contains { ["admin", "service", "reselleradmin"].contains(roles[$0]?.foldedName) }
    }

    public func reachesEverywhere(_ assignments: Set<Assignment>) -> Bool {
        reachesEverywhere(roles: Set(assignments.map(\.role)))
    }

    /// The roles and all they imply.
    public func expanded(_ keys: Set<String>) -> Set<String> {
        var found = keys
        var open = Array(keys)
        while let key = open.popLast() {
            for implied in implications[key] ?? [] where found.insert(implied).inserted { open.append(implied) }
        }
        return found
    }

    // MARK: - Changing

    public mutating func put(_ domain: Domain) {
        if let old = domains[domain.key] { domainNames[old.name] = nil }
        domains[domain.key] = domain
        domainNames[domain.name] = domain.key
        generation += 1
    }

    public mutating func put(_ project: Project) {
        if let old = projects[project.id] { projectNames[NameKey(domain: old.domain, name: old.name)] = nil }
        projects[project.id] = project
        projectNames[NameKey(domain: project.domain, name: project.name)] = project.id
        generation += 1
    }

    public mutating func put(_ user: User) {
        if let old = users[user.id] { userNames[NameKey(domain: old.domain, name: old.name)] = nil }
        users[user.id] = user
        userNames[NameKey(domain: user.domain, name: user.name)] = user.id
        generation += 1
    }

    public mutating func put(_ group: Group) {
        groups[group.key] = group
        generation += 1
    }

    public mutating func put(_ role: Role) {
        roles[role.key] = role
        generation += 1
    }

    public mutating func put(_ region: Region) {
        regions[region.key] = region
        generation += 1
    }

    public mutating func put(_ service: CatalogService) {
        services[service.key] = service
        generation += 1
    }

    public mutating func put(_ endpoint: Endpoint) {
        endpoints[endpoint.key] = endpoint
        generation += 1
    }

    // What is removed may have been renamed since the caller read it: the name that is freed is the one known here.

    public mutating func remove(_ domain: Domain) {
        let old = domains.removeValue(forKey: domain.key) ?? domain
        domainNames[old.name] = nil
        dropAssignments { $0.target == .domain(domain.key) || $0.target == .domainAsProject(domain.key) }
        for user in users.values where user.domain == domain.key { remove(user) }
        for project in projects.values where project.domain == domain.key { remove(project) }
        for group in groups.values where group.domain == domain.key { remove(group) }
        for role in roles.values where role.domain == domain.key { remove(role) }
        resources.forget(domain: domain.key)
    }

    public mutating func remove(_ project: Project) {
        let old = projects.removeValue(forKey: project.id) ?? project
        projectNames[NameKey(domain: old.domain, name: old.name)] = nil
        dropAssignments { $0.target == .project(project.id) }
        delegations.forget(project: project.id)
        resources.forget(project: project.id)
    }

    public mutating func remove(_ user: User) {
        let old = users.removeValue(forKey: user.id) ?? user
        userNames[NameKey(domain: old.domain, name: old.name)] = nil
        assignments[.user(user.id)] = nil
        delegations.forget(user: user.id)
        activity[user.id] = nil
        for group in groupsOfUser.removeValue(forKey: user.id) ?? [] { membersOfGroup[group]?.remove(user.id) }
        generation += 1
    }

    public mutating func remove(_ group: Group) {
        groups[group.key] = nil
        assignments[.group(group.key)] = nil
        for user in membersOfGroup.removeValue(forKey: group.key) ?? [] { groupsOfUser[user]?.remove(group.key) }
        generation += 1
    }

    public mutating func remove(_ role: Role) {
        roles[role.key] = nil
        implications[role.key] = nil
        for key in implications.keys { implications[key]?.remove(role.key) }
        dropAssignments { $0.role == role.key }
    }

    public mutating func remove(_ region: Region) {
        regions[region.key] = nil
        resources.forget(region: region.key)
        generation += 1
    }

    public mutating func remove(_ service: CatalogService) {
        services[service.key] = nil
        for endpoint in endpoints.values where endpoint.service == service.key { remove(endpoint) }
        resources.forget(service: service.key)
        generation += 1
    }

    public mutating func remove(_ endpoint: Endpoint) {
        endpoints[endpoint.key] = nil
        resources.forget(endpoint: endpoint.key)
        generation += 1
    }

    mutating func changeDelegations(_ change: (inout DelegationState) -> Void) {
        change(&delegations)
        generation += 1
    }

    /// Changes what no token depends on.
    mutating func note(_ news: UserActivity, of user: UserID) {
        if users[user] != nil { activity[user] = news.isWorthKnowing ? news : nil }
    }

    /// Changes what hangs on projects, domains and the catalog.
    mutating func changeResources(_ change: (inout ResourceState) -> Void) {
        change(&resources)
        generation += 1
    }

    private mutating func dropAssignments(where isDropped: (Assignment) -> Bool) {
        assignments = assignments.mapValues { $0.filter { !isDropped($0) } }
        generation += 1
    }

    public mutating func give(_ assignment: Assignment) {
        assignments[assignment.actor, default: []].insert(assignment)
        generation += 1
    }

    mutating func setAssignments(_ new: Set<Assignment>, of actor: Assignment.Actor) {
        assignments[actor] = new.isEmpty ? nil : new
        generation += 1
    }

    public mutating func imply(_ implied: String, by prior: String) {
        implications[prior, default: []].insert(implied)
        generation += 1
    }

    mutating func setImplications(_ implied: Set<String>, of prior: String) {
        implications[prior] = implied.isEmpty ? nil : implied
        generation += 1
    }

    public mutating func addMember(_ user: UserID, to group: String) {
        membersOfGroup[group, default: []].insert(user)
        groupsOfUser[user, default: []].insert(group)
        generation += 1
    }

    mutating func set(_ user: UserID, isMember: Bool, of group: String) {
        guard !isMember else { return addMember(user, to: group) }
        groupsOfUser[user]?.remove(group)
        membersOfGroup[group]?.remove(user)
        if membersOfGroup[group]?.isEmpty == true { membersOfGroup[group] = nil }
        generation += 1
    }

    public mutating func setMembers(_ users: Set<UserID>, of group: String) {
        for user in (membersOfGroup[group] ?? []).subtracting(users) { groupsOfUser[user]?.remove(group) }
        for user in users { groupsOfUser[user, default: []].insert(group) }
        membersOfGroup[group] = users.isEmpty ? nil : users
        generation += 1
    }

    /// Those of one user.
    func revocations(of user: UserID) -> [AuditID: Revocation] { revoked.filter { $0.value.user == user } }

    /// Which tokens of a delegation are void by their age; `nil` for none.
    mutating func bound(_ delegation: String, _ bound: DelegationBound?) {
        delegationBounds[delegation] = bound
        generation += 1
    }

    mutating func forgetRevocation(of token: AuditID) {
        revoked[token] = nil
        generation += 1
    }

    /// What a domain sets for itself.
    mutating func configure(_ domain: String, _ configuration: DomainConfiguration) {
        changeResources { $0.configurations[domain] = configuration.isEmpty ? nil : configuration }
    }

    /// - Parameter now: Revocations of tokens that have expired by then are forgotten.
    public mutating func revoke(_ token: AuditID, _ revocation: Revocation, now: Int64) {
        if revoked.count > 1024 { revoked = revoked.filter { $0.value.expiresAt > now } }
        if delegationBounds.count > 1024 { delegationBounds = delegationBounds.filter { $0.value.expiresAt > now } }
        revoked[token] = revocation
        if revocation.knownAt == Revocation.unpublished { unpublished.insert(token) }
        generation += 1
    }
}
