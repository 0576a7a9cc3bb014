import CoordinatorPlatform
import ProtocolModel

private let nobody = UserID(high: 0, low: 0)

extension ApplicationCredential: StoredRecord {
    public static let blank = ApplicationCredential(
        key: "", user: nobody, project: ProjectID(high: 0, low: 0), name: "", secretHash: "", isUnrestricted: false,
        roles: [], accessRules: [])
    public static let table = RecordTable<Self>("identity_application_credentials")
    public mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column.standard(&key, &generation, &extra)
        try column.compact("user_key", &user)
        try column.compact("project_key", &project)
        try column("name", &name)
        try column("description", &description)
        try column("secret_hash", &secretHash)
        try column("expires_at", &expiresAt)
        try column("unrestricted", &isUnrestricted)
        try column.words("roles", &roles)
        try column.words("access_rules", &accessRules)
    }
    static func all(in state: IdentityState) -> [Self] { Array(state.delegations.applicationCredentials.values) }
    static func find(_ key: String, in state: IdentityState) -> Self? { state.delegations.applicationCredentials[key] }
    func put(in state: inout IdentityState) { state.changeDelegations { $0.put(self) } }
    func remove(from state: inout IdentityState) { state.changeDelegations { $0.remove(self) } }
}

extension AccessRuleRecord: StoredRecord {
    public static let blank = AccessRuleRecord(
        key: "", user: nobody, rule: AccessRules.Rule(service: "", method: "", path: ""))
    public static let table = RecordTable<Self>("identity_access_rules")
    public mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column.standard(&key, &generation, &extra)
        try column.compact("user_key", &user)
        try column("service", &rule.service)
        try column("method", &rule.method)
        try column("path", &rule.path)
    }
    static func all(in state: IdentityState) -> [Self] { Array(state.delegations.accessRules.values) }
    static func find(_ key: String, in state: IdentityState) -> Self? { state.delegations.accessRules[key] }
    func put(in state: inout IdentityState) { state.changeDelegations { $0.put(self) } }
    func remove(from state: inout IdentityState) { state.changeDelegations { $0.remove(self) } }
}

extension Trust: StoredRecord {
    public static let blank = Trust(
        key: "", trustor: nobody, trustee: nobody, isImpersonating: false, roles: [], redelegationCount: 0)
    public static let table = RecordTable<Self>("identity_trusts")
    public mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column.standard(&key, &generation, &extra)
        try column.compact("trustor_key", &trustor)
        try column.compact("trustee_key", &trustee)
        try column.compact("project_key", &project)
        try column("impersonation", &isImpersonating)
        try column.words("roles", &roles)
        try column("expires_at", &expiresAt)
        try column("remaining_uses", &remainingUses)
        try column("redelegated_key", &redelegatedFrom)
        try column("redelegation_count", &redelegationCount)
    }
    static func all(in state: IdentityState) -> [Self] { Array(state.delegations.trusts.values) }
    static func find(_ key: String, in state: IdentityState) -> Self? { state.delegations.trusts[key] }
    func put(in state: inout IdentityState) { state.changeDelegations { $0.put(self) } }
    func remove(from state: inout IdentityState) { state.changeDelegations { $0.remove(self) } }
}

extension StoredCredential: StoredRecord {
    public static let blank = StoredCredential(key: "", user: nobody, type: "", sealed: [])
    public static let table = RecordTable<Self>("identity_credentials")
    public mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column.standard(&key, &generation, &extra)
        try column.compact("user_key", &user)
        try column.compact("project_key", &project)
        try column("type", &type)
        try column("sealed", &sealed)
    }
    static func all(in state: IdentityState) -> [Self] { Array(state.delegations.credentials.values) }
    static func find(_ key: String, in state: IdentityState) -> Self? { state.delegations.credentials[key] }
    func put(in state: inout IdentityState) { state.changeDelegations { $0.put(self) } }
    func remove(from state: inout IdentityState) { state.changeDelegations { $0.remove(self) } }
}
