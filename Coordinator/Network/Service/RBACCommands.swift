import CoordinatorPlatform
import ProtocolModel

/// What a create call says of a policy, in its own words.
package struct RBACDraft: Sendable {
    package var project: ProjectID
    package var kind: String
    package var object: AnyID
    package var action: String
    package var target: RBACTarget

    package init(project: ProjectID, kind: String, object: AnyID, action: String, target: RBACTarget) {
        self.project = project
        self.kind = kind
        self.object = object
        self.action = action
        self.target = target
    }
}

extension NetworkService {
    var rbacListing: Listing<RBACRecord> {
        Listing(
            schema: .rbacPolicies, visible: { $0.visibleRBACPolicies },
            complete: { found, _ in found.map { Listed(record: $0) } }, missing: APIError.rbacNotFound)
    }

    package func createRBAC(
        _ draft: RBACDraft, viewer: Viewer, at now: Int64, in transaction: any SQLTransaction
    ) throws -> RBACPolicyID {
        guard let kind = RBACRecord.Kind(rawValue: draft.kind) else {
            throw APIError.invalidInput("'\(draft.kind)' is not a valid RBAC object type")
        }
        guard let action = RBACRecord.Action(rawValue: draft.action), kind.actions.contains(action) else {
            let valid = kind.actions.map { "'\($0.rawValue)'" }.joined(separator: ", ")
            throw APIError.invalidInput(
                "Invalid action '\(draft.action)' for object type '\(kind.rawValue)'. Valid actions: (\(valid))")
        }
        let owner = try owner(of: draft.object, kind, viewer: viewer, in: transaction)
        guard viewer.isAdmin || owner == viewer.project else { throw APIError.notOwned(kind) }
        try quotas.claim("rbac_policy", for: draft.project, in: transaction)
        let policy = RBACRecord(
            id: newID(), project: draft.project, standard: Standard(createdAt: now), kind: kind,
            object: draft.object, target: draft.target, action: action)
        guard try rbac.insert(policy, in: transaction) else { throw APIError.rbacExists }
        try showShared(policy, at: now, in: transaction)
        return policy.id
    }

    package func updateRBAC(
        _ id: RBACPolicyID, target: RBACTarget, viewer: Viewer, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard var policy = try rbac.table.find(id, in: transaction) else { throw APIError.rbacNotFound(id.text) }
        let owner = try owner(of: policy.object, policy.kind, viewer: viewer, in: transaction)
        guard viewer.isAdmin || owner == viewer.project else { throw APIError.notOwned(policy.kind) }
        guard policy.target != target else { return }
        if target != .everybody { try checkUnused(policy, replacedBy: target, in: transaction) }
        if try rbac.targets(of: policy.object, policy.action, in: transaction).contains(target) {
            throw APIError.rbacExists
        }
        policy.target = target
        try rbac.table.update(policy, at: now, in: transaction)
        try showShared(policy, at: now, in: transaction)
    }

    package func deleteRBAC(_ id: RBACPolicyID, at now: Int64, in transaction: any SQLTransaction) throws {
        guard let policy = try rbac.table.find(id, in: transaction) else { throw APIError.rbacNotFound(id.text) }
        try checkUnused(policy, in: transaction)
        try rbac.table.delete(id, in: transaction)
        try showShared(policy, at: now, in: transaction)
    }

    /// Shares a thing with everybody, or with them no more, as its own attribute asks.
    func share<Resource>(
        _ object: Identifier<Resource>, _ kind: RBACRecord.Kind, _ action: RBACRecord.Action = .shared, _ isOn: Bool,
        of project: ProjectID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard isOn else {
            // Nothing leads outside any more, for whomever it did.
            return try rbac.remove(object, action, for: action == .external ? nil : .everybody, in: transaction)
        }
        let policy = RBACRecord(
            id: newID(), project: project, standard: Standard(createdAt: now), kind: kind, object: object.cast(),
            target: .everybody, action: action)
        _ = try rbac.insert(policy, in: transaction)
    }

    /// - Throws: ``APIError`` 404 also for what the viewer may not see.
    private func owner(
        of object: AnyID, _ kind: RBACRecord.Kind, viewer: Viewer, in reader: any SQLReader
    ) throws -> ProjectID {
        switch kind {
        case .network: try networkListing.record(object.text, viewer: viewer, in: reader).project
        case .subnetpool: try poolListing.record(object.text, viewer: viewer, in: reader).project
        case .securityGroup: try groupListing.record(object.text, viewer: viewer, in: reader).project
        case .addressScope: try scopeListing.record(object.text, viewer: viewer, in: reader).project
        case .addressGroup: try addressGroupListing.record(object.text, viewer: viewer, in: reader).project
        case .qosPolicy: try qosListing.record(object.text, viewer: viewer, in: reader).project
        }
    }

    /// Projects that use the thing and could not without the policy.
    func dependents(
        on policy: RBACRecord, replacedBy target: RBACTarget? = nil, in reader: any SQLReader
    ) throws -> Set<ProjectID> {
        var others = try rbac.targets(of: policy.object, policy.action, in: reader).filter { $0 != policy.target }
        if let target { others.append(target) }
        guard !others.contains(.everybody) else { return [] }
        let owner = try owner(of: policy.object, policy.kind, viewer: .everything, in: reader)
        return try rbac.users(of: policy, in: reader).filter { user in
            user != owner && user != PortRecord.noProject && !others.contains(.project(user))
                && (policy.target == .everybody || policy.target == .project(user))
        }
    }

    private func checkUnused(
        _ policy: RBACRecord, replacedBy target: RBACTarget? = nil, in reader: any SQLReader
    ) throws {
        if policy.action == .external, policy.target == .everybody,
            try networks.find(policy.object, in: reader)?.isDefault == true
        {
            throw APIError.rbacInUse(policy, "Default external networks must be shared to everyone.")
        }
        guard try !dependents(on: policy, replacedBy: target, in: reader).isEmpty else { return }
        throw APIError.rbacInUse(
            policy,
            policy.action == .external
                ? "There are routers attached to this network that depend on this policy for access."
                : "project_id=\(policy.target.text)")
    }

    /// A project that is no more shares nothing, and nothing is shared with it.
    func forgetSharing(of project: ProjectID, in transaction: any SQLTransaction) throws {
        for policy in try rbac.policies(of: project, in: transaction) {
            try rbac.table.delete(policy.id, in: transaction)
            try showShared(policy, at: nil, in: transaction)
        }
    }

    /// Has the thing itself say what its policies say of everybody.
    private func showShared(_ policy: RBACRecord, at now: Int64?, in transaction: any SQLTransaction) throws {
        let targets = try rbac.targets(of: policy.object, policy.action, in: transaction)
        let isShared = targets.contains(.everybody)
        switch policy.kind {
        case .network:
            guard var network = try networks.find(policy.object, in: transaction) else { return }
            if policy.action == .external {
                if network.isExternal, targets.isEmpty {
                    try dropIdleFloatingIPs(of: network.id, in: transaction)
                }
                network.isExternal = !targets.isEmpty
            } else {
                network.isShared = isShared
            }
            try networks.update(network, at: now ?? network.standard.updatedAt, in: transaction)
        case .subnetpool:
            guard var pool = try pools.table.find(policy.object, in: transaction) else { return }
            pool.isShared = isShared
            try pools.table.update(pool, at: now ?? pool.standard.updatedAt, in: transaction)
        case .addressScope:
            guard var scope = try pools.scopes.find(policy.object, in: transaction) else { return }
            scope.isShared = isShared
            try pools.scopes.update(scope, at: now ?? scope.standard.updatedAt, in: transaction)
        case .securityGroup, .addressGroup, .qosPolicy: break
        }
    }

    /// Adds whom each thing is shared with.
    func withTargets<Record: Sendable, Resource>(
        _ items: [Listed<Record>], _ id: KeyPath<Record, Identifier<Resource>>, in reader: any SQLReader
    ) throws -> [Listed<Record>] {
        let targets = try rbac.targets(of: items.map { $0.record[keyPath: id] }, in: reader)
        guard !targets.isEmpty else { return items }
        return items.map { item in
            var item = item
            item.targets = targets[item.record[keyPath: id]] ?? []
            return item
        }
    }
}

extension APIError {
    static func rbacNotFound(_ id: String) -> Self {
        .notFound("RBAC policy of type unknown with ID \(id) not found", type: "RbacPolicyNotFound")
    }
    static let rbacExists = Self.conflict(
        "An RBAC policy already exists with those values.", type: "DuplicateRbacPolicy")
    static func rbacInUse(_ policy: RBACRecord, _ details: String) -> Self {
        .conflict(
            "RBAC policy on object \(policy.object) cannot be removed because other objects depend on it.\nDetails: "
                + details, type: "RbacPolicyInUse")
    }
    static func notOwned(_ kind: RBACRecord.Kind) -> Self {
        .invalidInput(
            "Only admins can manipulate policies on \(kind == .network ? "networks" : "objects") they do not own")
    }
}
