import CoordinatorPlatform
import ProtocolModel

/// Rows that are no records of their own but tie records together. They are written once and removed, never changed.

/// A role given to somebody somewhere.
struct AssignmentRow: TableRecord {
    static let blank = Self(Assignment(actor: .group(""), target: .system, role: ""))
    static let table = RecordTable<Self>("identity_assignments")

    var assignment: Assignment
    init(_ assignment: Assignment) { self.assignment = assignment }

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        var user: UserID?, group: String?, project: ProjectID?, domain: String?
        var isAsProject = false
        switch assignment.actor {
        case .user(let id): user = id
        case .group(let key): group = key
        }
        switch assignment.target {
        case .project(let id): project = id
        case .domain(let key): domain = key
        case .domainAsProject(let key): (domain, isAsProject) = (key, true)
        case .system: break
        }
        var fingerprint = fingerprint
        try column("fingerprint", &fingerprint, .key)
        try column.compact("user_key", &user, .fixed)
        try column("group_key", &group, .fixed)
        try column.compact("project_key", &project, .fixed)
        try column("domain_key", &domain, .fixed)
        try column("as_project", &isAsProject, .fixed)
        try column("role_key", &assignment.role, .fixed)
        try column("inherited", &assignment.isInherited, .fixed)
        guard column.isReading else { return }
        assignment.actor = user.map { .user($0) } ?? .group(group ?? "")
        assignment.target =
            project.map { .project($0) } ?? domain.map { isAsProject ? .domainAsProject($0) : .domain($0) } ?? .system
    }

    /// One text per assignment: unique indexes do not see `NULL` columns as equal.
    var fingerprint: String {
        let actor =
            switch assignment.actor {
            case .user(let id): "user:\(id.compact)"
            case .group(let key): "group:\(key)"
            }
        let target =
            switch assignment.target {
            case .project(let id): "project:\(id.compact)"
            case .domain(let key): "domain:\(key)"
            case .domainAsProject(let key): "project:\(key)"
            case .system: "system"
            }
        return "\(actor) \(target) \(assignment.role)\(assignment.isInherited ? " inherited" : "")"
    }

    static func of(_ actor: Assignment.Actor) -> SQLCondition {
        switch actor {
        case .user(let id): .equal("user_key", id.compact)
        case .group(let key): .equal("group_key", key)
        }
    }
}

struct MembershipRow: TableRecord {
    static let blank = Self(group: "", user: UserID(high: 0, low: 0))
    static let table = RecordTable<Self>("identity_group_members")

    var group: String
    var user: UserID

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("group_key", &group, .fixed)
        try column.compact("user_key", &user, .fixed)
    }

    static func of(_ group: String) -> SQLCondition { .equal("group_key", group) }
    static func of(_ user: UserID, in group: String) -> SQLCondition {
        .all([of(group), .equal("user_key", user.compact)])
    }
}

struct ImplicationRow: TableRecord {
    static let blank = Self(prior: "", implied: "")
    static let table = RecordTable<Self>("identity_implied_roles")

    var prior: String
    var implied: String

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("prior_key", &prior, .fixed)
        try column("implied_key", &implied, .fixed)
    }

    static func of(_ prior: String) -> SQLCondition { .equal("prior_key", prior) }
}

/// Which policy is meant for what; each target has one at most.
struct PolicyTargetRow: TableRecord {
    static let blank = Self(policy: "", target: .service(""))
    static let table = RecordTable<Self>("identity_policy_associations")

    var policy: String
    var target: PolicyTarget

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        var endpoint: String?, service: String?, region: String?
        switch target {
        case .endpoint(let key): endpoint = key
        case .service(let key): service = key
        case .serviceInRegion(let key, let place): (service, region) = (key, place)
        }
        var fingerprint = target.fingerprint
        try column("fingerprint", &fingerprint, .key)
        try column("policy_key", &policy)
        try column("endpoint_key", &endpoint, .fixed)
        try column("service_key", &service, .fixed)
        try column("region_key", &region, .fixed)
        guard column.isReading else { return }
        target =
            endpoint.map { .endpoint($0) } ?? region.map { .serviceInRegion(service: service ?? "", region: $0) }
            ?? .service(service ?? "")
    }

    static func of(_ policy: String) -> SQLCondition { .equal("policy_key", policy) }
}

/// An option that a domain sets for itself: a JSON value in the open, or sealed.
struct DomainOptionRow: TableRecord {
    static let blank = Self(domain: "", group: "", option: "", value: .open(.null))
    static let table = RecordTable<Self>("identity_domain_options")

    var domain: String
    var group: String
    var option: String
    var value: DomainConfiguration.Value

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("domain_key", &domain, .fixed)
        try column("option_group", &group, .fixed)
        try column("option_name", &option, .fixed)
        var plain: [JSON] = [], sealed: [UInt8]?
        switch value {
        case .open(let json): plain = [json]
        case .sealed(let bytes): sealed = bytes
        }
        var list = JSON.array(plain)
        try column("value", &list, .fixed)
        try column("sealed", &sealed, .fixed)
        if column.isReading { value = sealed.map { .sealed($0) } ?? .open(list.arrayValue?.first ?? .null) }
    }

    static func of(_ domain: String) -> SQLCondition { .equal("domain_key", domain) }
}

extension CatalogFilter.Choice.Kind {
    /// Where it stands what a project was given.
    var place: (table: String, column: String) {
        switch self {
        case .endpoint: ("identity_project_endpoints", "endpoint_key")
        case .group: ("identity_project_endpoint_groups", "group_key")
        }
    }
}
