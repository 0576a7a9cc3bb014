import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// What a call says of a policy; `nil` where it says nothing.
package struct QoSPolicyDraft: Sendable {
    package var project: ProjectID
    package var name: String?
    package var description: String?
    package var isShared: Bool?
    package var isDefault: Bool?

    package init(project: ProjectID) { self.project = project }
}

/// What a call says of a rule; `nil` where it says nothing.
package struct QoSRuleDraft: Sendable {
    package var direction: QoSRuleRecord.Direction?
    package var maxKbps: Int?
    package var maxBurstKbps: Int?
    package var dscp: Int?

    package init() {}

    fileprivate func apply(to rule: inout QoSRuleRecord) {
        rule.direction = direction ?? rule.direction
        rule.maxKbps = maxKbps ?? rule.maxKbps
        rule.maxBurstKbps = maxBurstKbps ?? rule.maxBurstKbps
        rule.dscp = dscp ?? rule.dscp
    }
}

/// Policies and their rules.
extension NetworkService {
    var qosListing: Listing<QoSPolicyRecord> {
        Listing(
            schema: .qosPolicies, visible: { $0.visibleQoSPolicies },
            complete: { found, reader in
                try withTargets(try tagged(try qos.complete(found, in: reader), \.id, in: reader), \.id, in: reader)
            },
            missing: APIError.qosPolicyNotFound, shared: { $0.sharedQoSPolicies })
    }

    package func createQoSPolicy(
        _ draft: QoSPolicyDraft, at now: Int64, in transaction: any SQLTransaction
    ) throws -> QoSPolicyID {
        let standard = Standard(name: draft.name ?? "", description: draft.description ?? "", createdAt: now)
        let policy = QoSPolicyRecord(
            id: newID(), project: draft.project, standard: standard, isDefault: draft.isDefault ?? false)
        if policy.isDefault { try checkDefault(policy, in: transaction) }
        try qos.table.insert(policy, in: transaction)
        if draft.isShared == true {
            try share(policy.id, .qosPolicy, .shared, true, of: policy.project, at: now, in: transaction)
        }
        return policy.id
    }

    package func updateQoSPolicy(
        _ id: QoSPolicyID, _ change: QoSPolicyDraft, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        var policy = try policy(id, in: transaction)
        policy.standard.name = change.name ?? policy.standard.name
        policy.standard.description = change.description ?? policy.standard.description
        policy.isDefault = change.isDefault ?? policy.isDefault
        if policy.isDefault { try checkDefault(policy, in: transaction) }
        if let isShared = change.isShared {
            if !isShared { try checkUnshared(policy, in: transaction) }
            try share(id, .qosPolicy, .shared, isShared, of: policy.project, at: now, in: transaction)
        }
        try qos.table.update(policy, at: now, in: transaction)
    }

    package func deleteQoSPolicy(_ id: QoSPolicyID, in transaction: any SQLTransaction) throws {
        if let port = try qos.port(with: id, in: transaction) { throw APIError.qosPolicyInUse(id, "port", port.text) }
        if let network = try qos.network(with: id, in: transaction) {
            throw APIError.qosPolicyInUse(id, "network", network.text)
        }
        try qos.table.remove(id, in: transaction)
    }

    private func policy(_ id: QoSPolicyID, in reader: any SQLReader) throws -> QoSPolicyRecord {
        guard let policy = try qos.table.find(id, in: reader) else { throw APIError.qosPolicyNotFound(id.text) }
        return policy
    }

    private func checkDefault(_ policy: QoSPolicyRecord, in reader: any SQLReader) throws {
        guard let present = try qos.defaultPolicy(of: policy.project, in: reader), present.id != policy.id else {
            return
        }
        throw APIError.conflict(
            "A default QoS policy exists for project \(policy.project.compact).",
            type: "QoSPolicyDefaultAlreadyExists")
    }

    /// It is shared with everybody no more, unless others could then not use what they use.
    private func checkUnshared(_ policy: QoSPolicyRecord, in reader: any SQLReader) throws {
        let sharing = RBACRecord(
            id: .blank, project: policy.project, standard: .blank, kind: .qosPolicy, object: policy.id.cast(),
            target: .everybody, action: .shared)
        guard try !dependents(on: sharing, in: reader).isEmpty else { return }
        throw APIError.rbacInUse(sharing, "project_id=*")
    }

    // MARK: Rules

    /// - Throws: ``APIError`` 404 also where it is one of another kind.
    func qosRule(
        _ id: String, _ kind: QoSRuleRecord.Kind, of policy: QoSPolicyID, in reader: any SQLReader
    ) throws -> QoSRuleRecord {
        guard let known = QoSRuleID(id), let rule = try qos.ruleTable.find(known, in: reader), rule.kind == kind,
            rule.policy == policy
        else { throw APIError.qosRuleNotFound(id, policy.text) }
        return rule
    }

    /// The policy of a rule that is named alone.
    func policy(ofRule id: String, in reader: any SQLReader) throws -> QoSPolicyID {
        guard let known = QoSRuleID(id), let rule = try qos.ruleTable.find(known, in: reader) else {
            throw APIError.qosRuleNotFound(id, "None")
        }
        return rule.policy
    }

    package func createQoSRule(
        _ kind: QoSRuleRecord.Kind, _ draft: QoSRuleDraft, of policy: QoSPolicyID, at now: Int64,
        in transaction: any SQLTransaction
    ) throws -> QoSRuleRecord {
        var rule = QoSRuleRecord(id: newID(), policy: policy, kind: kind)
        draft.apply(to: &rule)
        if let port = try qos.routerPort(with: policy, in: transaction) { throw APIError.qosUnsupported(kind, port) }
        guard try qos.insert(rule, in: transaction) else { throw try conflict(of: rule, in: transaction) }
        try qosChanged(policy, at: now, in: transaction)
        return rule
    }

    package func updateQoSRule(
        _ old: QoSRuleRecord, _ draft: QoSRuleDraft, at now: Int64, in transaction: any SQLTransaction
    ) throws -> QoSRuleRecord {
        var rule = old
        draft.apply(to: &rule)
        if rule.direction != old.direction, try other(like: rule, in: transaction) != nil {
            throw try conflict(of: rule, in: transaction)
        }
        try qos.ruleTable.update(rule, in: transaction)
        try qosChanged(rule.policy, at: now, in: transaction)
        return rule
    }

    package func deleteQoSRule(_ rule: QoSRuleRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        try qos.ruleTable.delete(rule.id, in: transaction)
        try qosChanged(rule.policy, at: now, in: transaction)
    }

    private func other(like rule: QoSRuleRecord, in reader: any SQLReader) throws -> QoSRuleRecord? {
        try qos.rules(of: [rule.policy], in: reader)[rule.policy]?.first {
            $0.id != rule.id && $0.kind == rule.kind && $0.direction == rule.direction
        }
    }

    private func conflict(of rule: QoSRuleRecord, in reader: any SQLReader) throws -> APIError {
        let present = try other(like: rule, in: reader)?.id.text ?? ""
        return .conflict(
            "Rule \(rule.kind.rawValue) conflicts with rule \(present) which already exists in QoS Policy \(rule.policy).",
            type: "QoSRulesConflict")
    }

    /// The policy is another now, and so is what its ports' hosts are to do.
    private func qosChanged(_ id: QoSPolicyID, at now: Int64, in transaction: any SQLTransaction) throws {
        try qos.table.update(try policy(id, in: transaction), at: now, in: transaction)
        for port in try qos.boundPorts(with: id, in: transaction) { try plan.touch(.port(port), in: transaction) }
    }
}

/// Neutron's refusals (neutron-lib `exceptions/qos.py`).
extension APIError {
    static func qosPolicyNotFound(_ id: String) -> Self {
        .notFound("QoS policy \(id) could not be found.", type: "QosPolicyNotFound")
    }
    static func qosRuleNotFound(_ id: String, _ policy: String) -> Self {
        .notFound("QoS rule \(id) for policy \(policy) could not be found.", type: "QosRuleNotFound")
    }
    static func qosPolicyInUse(_ id: QoSPolicyID, _ kind: String, _ user: String) -> Self {
        .conflict("QoS Policy \(id) is used by \(kind) \(user).", type: "QosPolicyInUse")
    }
    static func qosUnsupported(_ kind: QoSRuleRecord.Kind, _ port: PortID) -> Self {
        .conflict("Rule \(kind.rawValue) is not supported by port \(port)", type: "QosRuleNotSupported")
    }
    static func qosPolicyHeld(_ id: QoSPolicyID) -> Self {
        .forbidden(
            "Failed to remove provided policy \(id) because you are not authorized.",
            type: "PolicyRemoveAuthorizationError")
    }
}
