import CoordinatorPlatform
import ProtocolModel

/// One change of what the identity service knows, in its transaction. It begins with the newest state, whoever wrote it,
/// and other changes wait until it ends: what is decided on ``state`` holds when it is written. Each write is noted in the
/// feed of changes, and ``state`` follows the rows in the same way as every other copy will.
package struct IdentityEdit {
    private(set) var state: IdentityState
    let transaction: any SQLTransaction
    let now: Int64
    private var changes: [IdentityChange] = []
    /// The feed's newest number when this began.
    private let claimed: Int64

    var isEmpty: Bool { changes.isEmpty }

    /// - Parameter state: The newest that is known here.
    init(_ state: IdentityState, in transaction: any SQLTransaction, now: Int64) throws {
        self.state = state
        self.transaction = transaction
        self.now = now
        let newest = try ChangeFeed.claim(topic: IdentityFeed.topic, in: transaction)
        claimed = newest
        try IdentityFeed.advance(&self.state, to: newest, in: transaction, now: now)
    }

    /// Tells the feed; nothing is written afterwards.
    /// - Returns: The state that is true once the transaction is committed.
    /// - Throws: ``StoreError/stale(_:)`` where another edit has written since this one began, which only one within it
    ///   can: the state here knows nothing of that.
    consuming func finish() throws -> IdentityState {
        for change in changes {
            try ChangeFeed.append(topic: IdentityFeed.topic, key: change.text, at: now, in: transaction)
        }
        guard !changes.isEmpty else { return state }
        let newest = try IdentityFeed.newest(in: transaction)
        guard newest == claimed + Int64(changes.count) else { throw StoreError.stale("an edit within another") }
        state.feedNumber = newest
        return state
    }

    private mutating func note(_ change: IdentityChange) throws {
        changes.append(change)
        try IdentityFeed.read(change, into: &state, in: transaction, now: now)
    }

    // MARK: - Records

    /// - Throws: ``StoreError/duplicate(_:)``
    mutating func insert<Record: StoredRecord>(_ record: Record) throws {
        try RecordBudget.requireRoom(for: record.extra)
        try Record.table.insert(record, in: transaction)
        try note(.record(record))
    }

    /// - Parameter record: With the generation that was read.
    /// - Returns: The record as stored.
    /// - Throws: ``StoreError/stale(_:)`` when somebody changed it since; ``StoreError/duplicate(_:)``
    @discardableResult
    mutating func update<Record: StoredRecord>(_ record: Record) throws -> Record {
        if record.extra != Record.find(record.key, in: state)?.extra { try RecordBudget.requireRoom(for: record.extra) }
        try Record.table.update(record, in: transaction)
        try note(.record(record))
        return Record.find(record.key, in: state) ?? record
    }

    /// - Throws: ``StoreError/stale(_:)`` when it is gone already.
    mutating func delete<Record: StoredRecord>(_ record: Record) throws {
        guard try Record.table.delete(record.key, in: transaction) else { throw StoreError.stale(record.key) }
        try note(.gone(record))
    }

    // MARK: - People

    package mutating func addMember(_ user: UserID, to group: String) throws {
        let row = MembershipRow(group: group, user: user)
        guard try MembershipRow.table.insert(row, unlessTaken: "group_key, user_key", in: transaction) else { return }
        try note(.member(user, of: group))
    }

    mutating func removeMember(_ user: UserID, from group: String) throws {
        try MembershipRow.table.delete(where: MembershipRow.of(user, in: group), in: transaction)
        try note(.member(user, of: group))
    }

    mutating func give(_ assignment: Assignment) throws {
        let row = AssignmentRow(assignment)
        guard try AssignmentRow.table.insert(row, unlessTaken: "fingerprint", in: transaction) else { return }
        try note(.assignments(of: assignment.actor))
    }

    /// What was made with the role in a project ends.
    mutating func take(_ assignment: Assignment) throws {
        try AssignmentRow.table.delete(AssignmentRow(assignment).fingerprint, in: transaction)
        try note(.assignments(of: assignment.actor))
        if case .user(let user) = assignment.actor, case .project(let project) = assignment.target {
            try deleteApplicationCredentials(of: user, in: project)
        }
    }

    mutating func imply(_ implied: String, by prior: String) throws {
        let row = ImplicationRow(prior: prior, implied: implied)
        _ = try ImplicationRow.table.insert(row, unlessTaken: "prior_key, implied_key", in: transaction)
        try note(IdentityChange(.implications, prior))
    }

    mutating func removeImplication(of implied: String, by prior: String) throws {
        let row = SQLCondition.all([ImplicationRow.of(prior), .equal("implied_key", implied)])
        try ImplicationRow.table.delete(where: row, in: transaction)
        try note(IdentityChange(.implications, prior))
    }

    mutating func deleteApplicationCredentials(of user: UserID, in project: ProjectID? = nil) throws {
        for credential in state.delegations.applicationCredentials(of: user)
        where project == nil || credential.project == project {
            try delete(credential)
        }
    }

    /// Uses a trust once.
    /// - Returns: Whether it had a use left.
    mutating func use(_ trust: String) throws -> Bool {
        guard var found = state.delegations.trusts[trust], let left = found.remainingUses, left > 0 else {
            return false
        }
        found.remainingUses = left - 1
        try update(found)
        return true
    }

    /// Users no longer log in to a project that is gone.
    mutating func clearDefaultProject(_ project: Project) throws {
        for var user in state.users.values where user.defaultProject == project.key {
            user.defaultProject = nil
            try update(user)
        }
    }

    // MARK: - Log-ins

    /// Counts a wrong password.
    /// - Parameter limit: Failures whose last came before this start a new count.
    mutating func noteFailure(of user: UserID, at now: Int64, forgottenBefore limit: Int64) throws {
        var activity = state.activity[user] ?? UserActivity()
        activity.failures = activity.failedAt < limit ? 1 : activity.failures + 1
        activity.failedAt = now
        try store(activity, of: user)
    }

    /// Forgets the wrong passwords.
    /// - Parameter day: The day to note as the last one with a log-in; `nil` notes nothing.
    mutating func noteSuccess(of user: UserID, on day: Int64?) throws {
        try store(UserActivity(activeAt: day ?? state.activity[user]?.activeAt), of: user)
    }

    private mutating func store(_ activity: UserActivity, of user: UserID) throws {
        let row = ActivityRow(user: user, activity: activity)
        if try !ActivityRow.table.insert(row, unlessTaken: "user_key", in: transaction) {
            try ActivityRow.table.update(row, in: transaction)
        }
        try note(IdentityChange(.activity, user.compact))
    }

    // MARK: - Tokens

    mutating func revoke(_ audit: AuditID, _ revocation: Revocation) throws {
        let ended = SQLCondition("expires_at <= ?", [now])
        try RevocationRow.table.delete(where: ended, in: transaction)
        try DelegationBoundRow.table.delete(where: ended, in: transaction)
        let row = RevocationRow(audit: audit, revocation: revocation)
        _ = try RevocationRow.table.insert(row, unlessTaken: "audit_id", in: transaction)
        try note(IdentityChange(.revocation, audit.text))
    }

    /// Ends all tokens of a user from before a moment, in place of some that were ended singly.
    mutating func collapse(_ collapse: RevocationPlanner.Collapse, of user: UserID) throws {
        if var found = state.users[user], found.tokensValidFrom < collapse.issuedBefore {
            found.tokensValidFrom = collapse.issuedBefore
            try update(found)
        }
        try remove(collapse.tokens)
    }

    /// The same for a delegation.
    mutating func collapse(
        _ collapse: RevocationPlanner.Collapse, of delegation: String, expiresAt: Int64
    ) throws {
        let old = state.delegationBounds[delegation]
        let bound = DelegationBound(
            issuedBefore: max(old?.issuedBefore ?? 0, collapse.issuedBefore),
            expiresAt: max(old?.expiresAt ?? 0, expiresAt))
        try DelegationBoundRow.table.delete(delegation, in: transaction)
        try DelegationBoundRow.table.insert(
            DelegationBoundRow(delegation: delegation, bound: bound), in: transaction)
        try note(IdentityChange(.bound, delegation))
        try remove(collapse.tokens)
    }

    private mutating func remove(_ tokens: Set<AuditID>) throws {
        for token in tokens {
            try RevocationRow.table.delete(token, in: transaction)
            try note(IdentityChange(.revocation, token.text))
        }
    }

    /// - Parameters:
    ///   - key: As it is to lie in the database.
    ///   - number: The keys up to this one go.
    mutating func add(_ key: TokenKey, to ring: KeyRing, upTo number: Int64) throws {
        try ring.table.insert(key, in: transaction)
        try ring.table.delete(where: SQLCondition("number <= ?", [number]), in: transaction)
        try note(IdentityChange(.keys, ring.rawValue))
    }

    // MARK: - Catalog and domains

    /// - Throws: ``StoreError/duplicate(_:)``
    mutating func associate(_ choice: CatalogFilter.Choice, with project: ProjectID) throws {
        let place = choice.kind.place
        try transaction.execute(
            "INSERT INTO \(place.table) (project_key, \(place.column)) VALUES (?, ?)", [project.compact, choice.key])
        try note(IdentityChange(.choices, project.compact))
    }

    mutating func dissociate(_ choice: CatalogFilter.Choice, from project: ProjectID) throws {
        let place = choice.kind.place
        try transaction.execute(
            "DELETE FROM \(place.table) WHERE project_key = ? AND \(place.column) = ?", [project.compact, choice.key])
        try note(IdentityChange(.choices, project.compact))
    }

    mutating func associate(_ policy: String, with target: PolicyTarget) throws {
        try PolicyTargetRow.table.delete(target.fingerprint, in: transaction)
        try PolicyTargetRow.table.insert(PolicyTargetRow(policy: policy, target: target), in: transaction)
        try note(IdentityChange(.targets, policy))
    }

    mutating func dissociate(_ policy: String, from target: PolicyTarget) throws {
        try PolicyTargetRow.table.delete(target.fingerprint, in: transaction)
        try note(IdentityChange(.targets, policy))
    }

    mutating func set(_ configuration: DomainConfiguration, of domain: String) throws {
        try DomainOptionRow.table.delete(where: DomainOptionRow.of(domain), in: transaction)
        for (group, options) in configuration.groups {
            for (option, value) in options {
                try DomainOptionRow.table.insert(
                    DomainOptionRow(domain: domain, group: group, option: option, value: value), in: transaction)
            }
        }
        try note(IdentityChange(.configuration, domain))
    }
}
