import CoordinatorPlatform
import ProtocolModel

extension Domain: StoredRecord {
    public static let blank = Domain(key: "", name: "")
    public static let table = RecordTable<Self>("identity_domains")
    public mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column.standard(&key, &generation, &extra)
        try column("name", &name)
        try column("description", &description)
        try column("enabled", &isEnabled)
        try column.words("tags", &tags)
    }
    static func all(in state: IdentityState) -> [Self] { Array(state.domains.values) }
    static func find(_ key: String, in state: IdentityState) -> Self? { state.domains[key] }
    func put(in state: inout IdentityState) { state.put(self) }
    func remove(from state: inout IdentityState) { state.remove(self) }
}

extension Project: StoredRecord {
    public static let blank = Project(id: ProjectID(high: 0, low: 0), domain: "", parent: nil, name: "")
    public static let table = RecordTable<Self>("identity_projects")
    public mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column.standard(&id, &generation, &extra)
        try column("domain_key", &domain)
        try column.compact("parent_key", &parent)
        try column("name", &name)
        try column("description", &description)
        try column("enabled", &isEnabled)
        try column.words("tags", &tags)
    }
    static func all(in state: IdentityState) -> [Self] { Array(state.projects.values) }
    static func find(_ key: String, in state: IdentityState) -> Self? { ProjectID(key).flatMap { state.projects[$0] } }
    func put(in state: inout IdentityState) { state.put(self) }
    func remove(from state: inout IdentityState) { state.remove(self) }
}

extension User: StoredRecord {
    public static let blank = User(id: UserID(high: 0, low: 0), domain: "", name: "")
    public static let table = RecordTable<Self>("identity_users")
    public mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column.standard(&id, &generation, &extra)
        try column("domain_key", &domain)
        try column("name", &name)
        try column("description", &description)
        try column("enabled", &isEnabled)
        try column("default_project", &defaultProject)
        try column("password_hash", &passwordHash)
        try column("tokens_valid_from", &tokensValidFrom)
        try column("created_at", &createdAt)
        try column("password_created_at", &passwordState.createdAt)
        try column("password_expires_at", &passwordState.expiresAt)
        try column("password_self_service", &passwordState.isSelfService)
        try column.words("password_history", &passwordState.history)
    }
    static func all(in state: IdentityState) -> [Self] { Array(state.users.values) }
    static func find(_ key: String, in state: IdentityState) -> Self? { UserID(key).flatMap { state.users[$0] } }
    func put(in state: inout IdentityState) { state.put(self) }
    func remove(from state: inout IdentityState) { state.remove(self) }
}

extension Group: StoredRecord {
    public static let blank = Group(key: "", domain: "", name: "")
    public static let table = RecordTable<Self>("identity_groups")
    public mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column.standard(&key, &generation, &extra)
        try column("domain_key", &domain)
        try column("name", &name)
        try column("description", &description)
    }
    static func all(in state: IdentityState) -> [Self] { Array(state.groups.values) }
    static func find(_ key: String, in state: IdentityState) -> Self? { state.groups[key] }
    func put(in state: inout IdentityState) { state.put(self) }
    func remove(from state: inout IdentityState) { state.remove(self) }
}

extension Role: StoredRecord {
    public static let blank = Role(key: "", name: "")
    public static let table = RecordTable<Self>("identity_roles")
    public mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column.standard(&key, &generation, &extra)
        try column("name", &name)
        // A role of the whole cloud has the empty domain, since `NULL`s do not exclude each other in a unique index.
        var place = domain ?? ""
        try column("domain_key", &place)
        if column.isReading { domain = place.isEmpty ? nil : place }
        try column("description", &description)
    }
    static func all(in state: IdentityState) -> [Self] { Array(state.roles.values) }
    static func find(_ key: String, in state: IdentityState) -> Self? { state.roles[key] }
    func put(in state: inout IdentityState) { state.put(self) }
    func remove(from state: inout IdentityState) { state.remove(self) }
}
