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
    package var remoteAddresses: AddressGroupID?
    package var remotePrefix: String?
    package var description = ""

    package init(project: ProjectID, group: SecurityGroupID, direction: SecurityGroupRuleSpec.Direction) {
        self.project = project
        self.group = group
        self.direction = direction
    }
}

/// What a call says of a group; `nil` where it says nothing.
package struct SecurityGroupDraft: Sendable {
    package var project: ProjectID
    package var name: String?
    package var description: String?

    package init(project: ProjectID, name: String? = nil, description: String? = nil) {
        self.project = project
        self.name = name
        self.description = description
    }
}

extension NetworkService {
    package func createGroup(
        _ draft: SecurityGroupDraft, at now: Int64, in transaction: any SQLTransaction
    ) throws -> SecurityGroupID {
        let project = draft.project
        let name = draft.name ?? ""
        _ = try defaultGroup(of: project, at: now, in: transaction)
        if name.lowercased() == "default" { throw APIError.defaultGroupExists }
        try quotas.claim("security_group", for: project, in: transaction)
        let group = SecurityGroupRecord(
            id: newID(), project: project,
            standard: Standard(name: name, description: draft.description ?? "", createdAt: now))
        try groups.insert(group, in: transaction)
        try insertEgressRules(of: group, at: now, in: transaction)
        return group.id
    }

    package func updateGroup(
        _ id: SecurityGroupID, _ change: SecurityGroupDraft, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        let name = change.name
        guard var group = try groups.find(id, in: transaction) else { throw APIError.groupNotFound(id.text) }
        if group.isDefault, let name, name != group.standard.name {
            throw APIError.conflict(
                "Updating default security group not allowed.", type: "SecurityGroupCannotUpdateDefault")
        }
        if !group.isDefault, name?.lowercased() == "default" { throw APIError.defaultGroupExists }
        let isRenamed = name.map { $0 != group.standard.name } ?? false
        group.standard.name = name ?? group.standard.name
        group.standard.description = change.description ?? group.standard.description
        try groups.update(group, at: now, in: transaction)
        // Guests are told the name.
        if isRenamed { try plan.touch(.securityGroup(id), in: transaction) }
    }

    package func deleteGroup(_ id: SecurityGroupID, viewer: Viewer, in transaction: any SQLTransaction) throws {
        guard let group = try groups.find(id, in: transaction) else { throw APIError.groupNotFound(id.text) }
        if try members.isUsed(id, in: transaction) {
            throw APIError.conflict("Security Group \(id) in use.", type: "SecurityGroupInUse")
        }
        if group.isDefault, !viewer.isAdmin {
            throw APIError.conflict(
                "Insufficient rights for removing default security group.", type: "SecurityGroupCannotRemoveDefault")
        }
        // Rules of other groups that refer to it go with it, by the foreign key.
        let referrers = try rules.referrers(to: id, in: transaction).filter { $0 != id }
        for node in try plan.nodes(holding: .securityGroup(id), in: transaction) {
            try plan.remove(.securityGroup(id), from: node, in: transaction)
        }
        try groups.remove(id, in: transaction)
        for referrer in referrers { try plan.touch(.securityGroup(referrer), in: transaction) }
    }

    package func createRule(
        _ draft: RuleDraft, viewer: Viewer, at now: Int64, in transaction: any SQLTransaction
    ) throws -> SecurityGroupRuleID {
        let group = try groupListing.record(draft.group.text, viewer: viewer, in: transaction)
        var rule = RuleRecord(
            id: newID(), group: draft.group, project: draft.project,
            standard: Standard(description: draft.description, createdAt: now), direction: draft.direction,
            family: draft.family, protocolText: draft.protocolText, portMin: draft.portMin, portMax: draft.portMax,
            remoteGroup: draft.remoteGroup, remoteAddresses: draft.remoteAddresses, remotePrefix: draft.remotePrefix)
        try RuleChecks.canonicalize(&rule)
        try RuleChecks.check(rule)
        if let remote = rule.remoteGroup {
            _ = try groupListing.record(remote.text, viewer: viewer, in: transaction)
        }
        if let remote = rule.remoteAddresses {
            _ = try addressGroupListing.record(remote.text, viewer: viewer, in: transaction)
        }
        try quotas.claim("security_group_rule", for: draft.project, in: transaction)
        try checkSize(of: group.id, adding: rule, in: transaction)
        let carriers = try carriers(of: group.id, in: transaction)
        let newcomers = try rule.remoteGroup.map { remote in
            try carriers.filter { try !isNeeded(remote, on: $0, in: transaction) }
        }
        guard try rules.insertUnique(rule, in: transaction) else {
            let id = try rules.duplicate(of: rule, in: transaction)?.id.text ?? ""
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
    func checkSize(
        of group: SecurityGroupID, adding rule: RuleRecord? = nil, in reader: any SQLReader
    ) throws {
        let all = (try rules.rules(of: [group], in: reader)[group] ?? []) + [rule].compactMap(\.self)
        let addresses = try addressGroups(of: all, in: reader)
        do {
            try PlanBudget.admit(
                .securityGroup(
                    SecurityGroupSpec(id: group, rules: all.map(\.spec), members: [], addressGroups: addresses)))
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
            try members.hasMember(group, on: $0, in: reader)
        }
    }
}
