import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// What a create call says of a rule, in its own words.
package struct RuleDraft: Sendable {
    package var project: ProjectID
    package var group: SecurityGroupID
    package var direction: SecurityGroupRuleSpec.Direction
    package var family = IPAddress.Family.ipv4
    package var protocolText: String?
    package var portMin: Int?
    package var portMax: Int?
    package var remoteGroup: SecurityGroupID?
    package var remotePrefix: String?
    package var description = ""

    package init(project: ProjectID, group: SecurityGroupID, direction: SecurityGroupRuleSpec.Direction) {
        self.project = project
        self.group = group
        self.direction = direction
    }
}

extension NetworkService {
    package func createGroup(
        project: ProjectID, name: String, description: String, at now: Int64, in transaction: any SQLTransaction
    ) throws -> SecurityGroupID {
        _ = try defaultGroup(of: project, at: now, in: transaction)
        if name.lowercased() == "default" { throw APIError.defaultGroupExists }
        try checkQuota(.securityGroup, project: project, in: transaction)
        let group = SecurityGroupRecord(
            id: newID(), project: project, standard: Standard(name: name, description: description, createdAt: now))
        try groups.insert(group, in: transaction)
        try insertEgressRules(of: group, at: now, in: transaction)
        return group.id
    }

    package func updateGroup(
        _ id: SecurityGroupID, name: String?, description: String?, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard var group = try groups.find(id, in: transaction) else { throw APIError.groupNotFound(id.text) }
        if group.isDefault, let name, name != group.standard.name {
            throw APIError.conflict(
                "Updating default security group not allowed.", type: "SecurityGroupCannotUpdateDefault")
        }
        if !group.isDefault, name?.lowercased() == "default" { throw APIError.defaultGroupExists }
        group.standard.name = name ?? group.standard.name
        group.standard.description = description ?? group.standard.description
        try groups.update(group, at: now, in: transaction)
    }

    package func deleteGroup(_ id: SecurityGroupID, viewer: Viewer, in transaction: any SQLTransaction) throws {
        guard let group = try groups.find(id, in: transaction) else { throw APIError.groupNotFound(id.text) }
        if try groups.isUsed(id, in: transaction) {
            throw APIError.conflict("Security Group \(id) in use.", type: "SecurityGroupInUse")
        }
        if group.isDefault, !viewer.isAdmin {
            throw APIError.conflict(
                "Insufficient rights for removing default security group.", type: "SecurityGroupCannotRemoveDefault")
        }
        // Rules of other groups that refer to it go with it, by the foreign key.
        let referrers = try rules.referrers(to: id, in: transaction)
        for node in try plan.nodes(holding: .securityGroup(id), in: transaction) {
            try plan.remove(.securityGroup(id), from: node, in: transaction)
        }
        try groups.delete(id, in: transaction)
        for referrer in referrers { try plan.touch(.securityGroup(referrer), in: transaction) }
    }

    package func createRule(
        _ draft: RuleDraft, viewer: Viewer, at now: Int64, in transaction: any SQLTransaction
    ) throws -> SecurityGroupRuleID {
        guard let group = try groups.find(draft.group, in: transaction), viewer.owns(group.project) else {
            throw APIError.groupNotFound(draft.group.text)
        }
        var rule = RuleRecord(
            id: newID(), group: draft.group, project: draft.project,
            standard: Standard(description: draft.description, createdAt: now), direction: draft.direction,
            family: draft.family, protocolText: draft.protocolText, portMin: draft.portMin, portMax: draft.portMax,
            remoteGroup: draft.remoteGroup, remotePrefix: draft.remotePrefix)
        try RuleChecks.canonicalize(&rule)
        try RuleChecks.check(rule)
        if let remote = rule.remoteGroup {
            guard let known = try groups.find(remote, in: transaction), viewer.isAdmin || known.project == group.project
            else { throw APIError.groupNotFound(remote.text) }
        }
        try checkQuota(.securityGroupRule, project: draft.project, in: transaction)
        try checkSize(of: group.id, adding: rule, in: transaction)
        let carriers = try carriers(of: group.id, in: transaction)
        let newcomers = try rule.remoteGroup.map { remote in
            try carriers.filter { try !isNeeded(remote, on: $0, in: transaction) }
        }
        guard try rules.insert(rule, in: transaction) else {
            let id = try rules.duplicate(of: rule, in: transaction)?.text ?? ""
            throw APIError.conflict(
                "Security group rule already exists. Rule id is \(id).", type: "SecurityGroupRuleExists")
        }
        try groups.touch(group.id, at: now, in: transaction)
        if let remote = rule.remoteGroup {
            for node in newcomers ?? [] { try plan.put(.securityGroup(remote), on: node, in: transaction) }
            // Where it was already, its members may count only from now on.
            if remote != group.id { try plan.touch(.securityGroup(remote), in: transaction) }
        }
        try plan.touch(.securityGroup(group.id), in: transaction)
        return rule.id
    }

    /// A host is told all rules of a group at once.
    private func checkSize(
        of group: SecurityGroupID, adding rule: RuleRecord, in reader: any SQLReader
    ) throws {
        let all = (try rules.rules(of: [group], in: reader)[group] ?? []) + [rule]
        do {
            try PlanBudget.admit(
                .securityGroup(SecurityGroupSpec(id: group, rules: all.map(\.spec), members: [])))
        } catch FleetError.entryTooLarge(let message) {
            throw APIError.badRequest(message)
        }
    }

    package func deleteRule(_ id: SecurityGroupRuleID, at now: Int64, in transaction: any SQLTransaction) throws {
        guard let rule = try rules.find(id, in: transaction) else { throw APIError.ruleNotFound(id.text) }
        try rules.delete(id, in: transaction)
        try groups.touch(rule.group, at: now, in: transaction)
        try plan.touch(.securityGroup(rule.group), in: transaction)
        guard let remote = rule.remoteGroup, remote != rule.group else { return }
        for node in try plan.nodes(holding: .securityGroup(remote), in: transaction)
        where try !isNeeded(remote, on: node, in: transaction) {
            try plan.remove(.securityGroup(remote), from: node, in: transaction)
        }
    }

    /// Nodes with ports in the group.
    private func carriers(of group: SecurityGroupID, in reader: any SQLReader) throws -> [NodeID] {
        try plan.nodes(holding: .securityGroup(group), in: reader).filter {
            try groups.hasMember(group, on: $0, in: reader)
        }
    }
}
