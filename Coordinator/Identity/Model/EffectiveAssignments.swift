import ProtocolModel

/// An assignment as lists show it: as it was given, or as it takes effect, with what it came from.
public struct ShownAssignment: Hashable, Sendable {
    public var assignment: Assignment
    /// The group whose member the actor is.
    public var group: String?
    /// The project or domain that it was inherited from.
    public var source: Assignment.Target?
    /// The role that implied this one.
    public var prior: String?

    public init(
        _ assignment: Assignment, group: String? = nil, source: Assignment.Target? = nil, prior: String? = nil
    ) {
        self.assignment = assignment
        self.group = group
        self.source = source
        self.prior = prior
    }
}

/// What a list of assignments is to hold.
public struct AssignmentQuery: Sendable {
    public var user: UserID?
    public var group: String?
    public var role: String?
    public var domain: String?
    /// The projects of interest; `nil` for all.
    public var projects: Set<ProjectID>?
    /// With ``projects``, or alone: the project that acts as this domain.
    public var domainAsProject: String?
    public var isSystem = false
    /// Only inherited ones, or only others.
    public var isInherited: Bool?

    public init() {}
}

extension IdentityState {
    /// The domains on whose projects a user has a role as on any other project.
    func domainsAsProjects(of user: UserID) -> [Domain] {
        let keys = assignments(of: user).compactMap { assignment -> String? in
            guard case .domainAsProject(let key) = assignment.target, !assignment.isInherited else { return nil }
            return key
        }
        return Set(keys).compactMap { domains[$0] }
    }

    /// The assignments as they were given.
    public func given(_ query: AssignmentQuery) -> [ShownAssignment] {
        candidates(query).filter {
            matches($0.role, query) && matches($0.target, query) && matchesInheritance($0, query)
        }
        .map { ShownAssignment($0) }
    }

    /// The assignments as they take effect: groups become their members, inherited ones count in each project below,
    /// implied roles are added, roles of domains vanish behind what they imply. Those for the system are in it only
    /// when asked for.
    public func effective(_ query: AssignmentQuery) -> [ShownAssignment] {
        var found = Set<ShownAssignment>()
        for assignment in candidates(query) where matchesInheritance(assignment, query) {
            for placed in placed(assignment, query) {
                for acted in acted(placed, query) { implied(acted, into: &found) }
            }
        }
        return found.filter { roles[$0.assignment.role]?.domain == nil && matches($0.assignment.role, query) }
    }

    private func candidates(_ query: AssignmentQuery) -> [Assignment] {
        if let user = query.user { return Array(assignments(of: user)).filter { isOf(user, $0, query) } }
        if let group = query.group { return Array(assignments[.group(group)] ?? []) }
        return assignments.values.flatMap { $0 }
    }

    private func isOf(_ user: UserID, _ assignment: Assignment, _ query: AssignmentQuery) -> Bool {
        query.group == nil || assignment.actor == query.group.map { .group($0) }
    }

    private func matches(_ role: String, _ query: AssignmentQuery) -> Bool { query.role == nil || query.role == role }

    private func matches(_ target: Assignment.Target, _ query: AssignmentQuery) -> Bool {
        if query.isSystem { return target == .system }
        if let domain = query.domain { return target == .domain(domain) }
        guard query.projects != nil || query.domainAsProject != nil else { return true }
        return switch target {
        case .project(let id): query.projects?.contains(id) == true
        case .domainAsProject(let key): key == query.domainAsProject
        case .domain, .system: false
        }
    }

    private func matchesInheritance(_ assignment: Assignment, _ query: AssignmentQuery) -> Bool {
        query.isInherited == nil || query.isInherited == assignment.isInherited
    }

    /// Where an assignment counts.
    private func placed(_ assignment: Assignment, _ query: AssignmentQuery) -> [ShownAssignment] {
        guard assignment.isInherited else {
            if assignment.target == .system, !query.isSystem { return [] }
            return matches(assignment.target, query) ? [ShownAssignment(assignment)] : []
        }
        let places = query.projects.map { $0.compactMap { projects[$0] } } ?? Array(projects.values)
        return places.filter { matches(.project($0.id), query) && counts(assignment, at: .project($0.id)) }
            .map { project in
                let here = Assignment(actor: assignment.actor, target: .project(project.id), role: assignment.role)
                return ShownAssignment(here, source: assignment.target)
            }
    }

    /// Whom it concerns.
    private func acted(_ shown: ShownAssignment, _ query: AssignmentQuery) -> [ShownAssignment] {
        guard case .group(let group) = shown.assignment.actor else { return [shown] }
        let members = membersOfGroup[group] ?? []
        return members.filter { query.user == nil || query.user == $0 }.map { user in
            var member = shown
            member.assignment.actor = .user(user)
            member.group = group
            return member
        }
    }

    private func implied(_ shown: ShownAssignment, into found: inout Set<ShownAssignment>) {
        guard found.insert(shown).inserted else { return }
        for role in implications[shown.assignment.role] ?? [] {
            var next = shown
            next.prior = shown.assignment.role
            next.assignment.role = role
            implied(next, into: &found)
        }
    }
}
