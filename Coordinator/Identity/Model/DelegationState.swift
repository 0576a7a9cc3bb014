import ProtocolModel

/// What users have handed on: application credentials and their access rules, trusts, stored credentials. Pure.
public struct DelegationState: Sendable {
    public private(set) var applicationCredentials: [String: ApplicationCredential] = [:]
    public private(set) var accessRules: [String: AccessRuleRecord] = [:]
    public private(set) var trusts: [String: Trust] = [:]
    public private(set) var credentials: [String: StoredCredential] = [:]

    private var applicationCredentialsOfUser: [UserID: Set<String>] = [:]
    private var accessRulesOfUser: [UserID: Set<String>] = [:]
    private var credentialsOfUser: [UserID: Set<String>] = [:]

    public init() {}

    // MARK: - Looking up

    public func applicationCredentials(of user: UserID) -> [ApplicationCredential] {
        (applicationCredentialsOfUser[user] ?? []).compactMap { applicationCredentials[$0] }.sorted {
            $0.name < $1.name
        }
    }

    public func applicationCredential(named name: String, of user: UserID) -> ApplicationCredential? {
        applicationCredentials(of: user).first { $0.name == name }
    }

    public func accessRules(of user: UserID) -> [AccessRuleRecord] {
        (accessRulesOfUser[user] ?? []).compactMap { accessRules[$0] }.sorted { $0.key < $1.key }
    }

    public func isInUse(accessRule key: String, of user: UserID) -> Bool {
        applicationCredentials(of: user).contains { $0.accessRules.contains(key) }
    }

    public func credentials(of user: UserID) -> [StoredCredential] {
        (credentialsOfUser[user] ?? []).compactMap { credentials[$0] }.sorted { $0.key < $1.key }
    }

    /// The trust and those it was passed on from, the nearest first; `nil` when one of them is gone.
    public func chain(of trust: Trust) -> [Trust]? {
        var chain = [trust]
        while let key = chain[chain.count - 1].redelegatedFrom {
            // Each link was made from an older one, so there is no ring; the bound is for a database that lies.
            guard let next = trusts[key], chain.count <= 64 else { return nil }
            chain.append(next)
        }
        return chain
    }

    // MARK: - Changing

    mutating func put(_ credential: ApplicationCredential) {
        applicationCredentials[credential.key] = credential
        applicationCredentialsOfUser[credential.user, default: []].insert(credential.key)
    }

    mutating func put(_ rule: AccessRuleRecord) {
        accessRules[rule.key] = rule
        accessRulesOfUser[rule.user, default: []].insert(rule.key)
    }

    mutating func put(_ trust: Trust) { trusts[trust.key] = trust }

    mutating func put(_ credential: StoredCredential) {
        credentials[credential.key] = credential
        credentialsOfUser[credential.user, default: []].insert(credential.key)
    }

    mutating func remove(_ credential: ApplicationCredential) {
        applicationCredentials[credential.key] = nil
        applicationCredentialsOfUser[credential.user]?.remove(credential.key)
    }

    mutating func remove(_ rule: AccessRuleRecord) {
        accessRules[rule.key] = nil
        accessRulesOfUser[rule.user]?.remove(rule.key)
    }

    /// With it go all trusts that were made from it.
    mutating func remove(_ trust: Trust) {
        trusts[trust.key] = nil
        for child in trusts.values where child.redelegatedFrom == trust.key { remove(child) }
    }

    mutating func remove(_ credential: StoredCredential) {
        credentials[credential.key] = nil
        credentialsOfUser[credential.user]?.remove(credential.key)
    }

    mutating func forget(user: UserID) {
        for credential in applicationCredentials(of: user) { remove(credential) }
        for rule in accessRules(of: user) { remove(rule) }
        for credential in credentials(of: user) { remove(credential) }
        for trust in trusts.values where trust.trustor == user || trust.trustee == user { remove(trust) }
        applicationCredentialsOfUser[user] = nil
        accessRulesOfUser[user] = nil
        credentialsOfUser[user] = nil
    }

    mutating func forget(project: ProjectID) {
        for credential in applicationCredentials.values where credential.project == project { remove(credential) }
        for trust in trusts.values where trust.project == project { remove(trust) }
        for credential in credentials.values where credential.project == project { remove(credential) }
    }
}
