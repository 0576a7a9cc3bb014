import CoordinatorPlatform
import ProtocolModel

/// What has no record of its own: assignments, memberships, implications, revocations, token keys; and the whole at
/// start.
enum IdentityStore {
    static func load(_ reader: any SQLReader, now: Int64) throws -> IdentityState {
        var state = IdentityState()
        for record in try Domain.all(in: reader) { state.put(record) }
        for record in try Project.all(in: reader) { state.put(record) }
        for record in try User.all(in: reader) { state.put(record) }
        for record in try Group.all(in: reader) { state.put(record) }
        for record in try Role.all(in: reader) { state.put(record) }
        for record in try Region.all(in: reader) { state.put(record) }
        for record in try CatalogService.all(in: reader) { state.put(record) }
        for record in try Endpoint.all(in: reader) { state.put(record) }
        for (group, user) in try reader.query(
            "SELECT group_key, user_key FROM identity_group_members", { ($0.text(0), try $0.id(1) as UserID) })
        { state.addMember(user, to: group) }
        for (prior, implied) in try reader.query(
            "SELECT prior_key, implied_key FROM identity_implied_roles", { ($0.text(0), $0.text(1)) })
        { state.imply(implied, by: prior) }
        for assignment in try assignments(reader) { state.give(assignment) }
        for (audit, revocation) in try reader.query(
            """
            SELECT audit_id, expires_at, revoked_at, user_key, delegation_key, issued_up_to
            FROM identity_revocations WHERE expires_at > ?
            """, [now],
            { row in
                let revocation = Revocation(
                    expiresAt: row.integer(1), revokedAt: row.integer(2), user: try row.optionalID(3),
                    delegation: row.optionalText(4), issuedUpTo: row.optionalInteger(5), knownAt: now)
                return (try row.id(0) as AuditID, revocation)
            })
        { state.revoke(audit, revocation, now: now) }
        for (delegation, bound) in try reader.query(
            "SELECT delegation_key, issued_before, expires_at FROM identity_delegation_bounds WHERE expires_at > ?",
            [now], { ($0.text(0), DelegationBound(issuedBefore: $0.integer(1), expiresAt: $0.integer(2))) })
        { state.bound(delegation, bound) }
        let delegations = try DelegationStore.load(reader)
        state.changeDelegations { $0 = delegations }
        for (user, activity) in try ActivityStore.all(reader) { state.note(activity, of: user) }
        let resources = try ResourceStore.load(reader)
        state.changeResources { $0 = resources }
        return state
    }

    private static func assignments(_ reader: any SQLReader) throws -> [Assignment] {
        try reader.query(
            """
            SELECT user_key, group_key, project_key, domain_key, role_key, inherited, as_project
            FROM identity_assignments
            """
        ) { row in
            let actor: Assignment.Actor = try row.optionalID(0).map { .user($0) } ?? .group(row.text(1))
            let isAsProject = row.bool(6)
            let target: Assignment.Target =
                try row.optionalID(2).map { .project($0) }
                ?? row.optionalText(3).map { isAsProject ? .domainAsProject($0) : .domain($0) } ?? .system
            return Assignment(actor: actor, target: target, role: row.text(4), isInherited: row.bool(5))
        }
    }

    static func give(_ assignment: Assignment, in transaction: any SQLTransaction) throws {
        var user: String?, group: String?, project: String?, domain: String?
        var isAsProject = false
        switch assignment.actor {
        case .user(let id): user = id.compact
        case .group(let key): group = key
        }
        switch assignment.target {
        case .project(let id): project = id.compact
        case .domain(let key): domain = key
        case .domainAsProject(let key): (domain, isAsProject) = (key, true)
        case .system: break
        }
        try transaction.execute(
            """
            INSERT INTO identity_assignments
                (user_key, group_key, project_key, domain_key, role_key, inherited, as_project, fingerprint)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (fingerprint) DO NOTHING
            """,
            [
                user, group, project, domain, assignment.role, assignment.isInherited, isAsProject,
                fingerprint(assignment)
            ])
    }

    static func take(_ assignment: Assignment, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM identity_assignments WHERE fingerprint = ?", [fingerprint(assignment)])
        if case .user(let user) = assignment.actor, case .project(let project) = assignment.target {
            try DelegationStore.deleteApplicationCredentials(of: user, in: project, transaction)
        }
    }

    /// One text per assignment: unique indexes do not see `NULL` columns as equal.
    private static func fingerprint(_ assignment: Assignment) -> String {
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

    static func addMember(_ user: UserID, to group: String, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO identity_group_members (group_key, user_key) VALUES (?, ?)
            ON CONFLICT (group_key, user_key) DO NOTHING
            """, [group, user.compact])
    }

    static func removeMember(_ user: UserID, from group: String, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "DELETE FROM identity_group_members WHERE group_key = ? AND user_key = ?", [group, user.compact])
    }

    /// Policies do not tell `admin` from `ADMIN`, so neither may be made beside the other. A role that has its name
    /// already keeps it.
    /// - Throws: ``StoreError/duplicate(_:)``
    static func requireDistinctName(_ role: Role, in reader: any SQLReader) throws {
        let place: [any SQLArgument] = [role.domain ?? "", role.key]
        let others = try reader.query(
            "SELECT name FROM identity_roles WHERE domain_key = ? AND record_key <> ?", place, { $0.text(0) })
        guard others.contains(where: { Role.folded($0) == role.foldedName }) else { return }
        let isNamedSo = try reader.count(
            "SELECT COUNT(*) FROM identity_roles WHERE record_key = ? AND name = ?", [role.key, role.name])
        guard isNamedSo == 1 else { throw StoreError.duplicate("role \(role.name)") }
    }

    static func imply(_ implied: String, by prior: String, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO identity_implied_roles (prior_key, implied_key) VALUES (?, ?)
            ON CONFLICT (prior_key, implied_key) DO NOTHING
            """, [prior, implied])
    }

    static func removeImplication(of implied: String, by prior: String, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "DELETE FROM identity_implied_roles WHERE prior_key = ? AND implied_key = ?", [prior, implied])
    }

    static func revoke(
        _ audit: AuditID, _ revocation: Revocation, now: Int64, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute("DELETE FROM identity_revocations WHERE expires_at <= ?", [now])
        try transaction.execute("DELETE FROM identity_delegation_bounds WHERE expires_at <= ?", [now])
        try transaction.execute(
            """
            INSERT INTO identity_revocations
                (audit_id, expires_at, revoked_at, user_key, delegation_key, issued_up_to)
            VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (audit_id) DO NOTHING
            """,
            [
                audit, revocation.expiresAt, revocation.revokedAt, revocation.user?.compact, revocation.delegation,
                revocation.issuedUpTo
            ])
    }

    /// - Returns: Whether the user's row was changed: it may say as much already, or be gone.
    static func collapse(
        _ collapse: RevocationPlanner.Collapse, of user: UserID, in transaction: any SQLTransaction
    ) throws -> Bool {
        let changed = try transaction.execute(
            """
            UPDATE identity_users SET tokens_valid_from = ?, generation = generation + 1
            WHERE record_key = ? AND tokens_valid_from < ?
            """, [collapse.issuedBefore, user.compact, collapse.issuedBefore])
        try remove(collapse.tokens, in: transaction)
        return changed == 1
    }

    static func collapse(
        _ collapse: RevocationPlanner.Collapse, of delegation: String, expiresAt: Int64,
        in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO identity_delegation_bounds (delegation_key, issued_before, expires_at) VALUES (?, 0, 0)
            ON CONFLICT (delegation_key) DO NOTHING
            """, [delegation])
        for (column, value) in [("issued_before", collapse.issuedBefore), ("expires_at", expiresAt)] {
            try transaction.execute(
                "UPDATE identity_delegation_bounds SET \(column) = ? WHERE delegation_key = ? AND \(column) < ?",
                [value, delegation, value])
        }
        try remove(collapse.tokens, in: transaction)
    }

    private static func remove(_ tokens: Set<AuditID>, in transaction: any SQLTransaction) throws {
        for token in tokens {
            try transaction.execute("DELETE FROM identity_revocations WHERE audit_id = ?", [token])
        }
    }
}
