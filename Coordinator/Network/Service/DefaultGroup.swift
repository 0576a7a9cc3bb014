import CoordinatorPlatform
import ProtocolModel

extension NetworkService {
    /// The project's default group, made with its rules when it is first needed: everything out, and in from the group
    /// itself.
    func defaultGroup(
        of project: ProjectID, at now: Int64, in transaction: any SQLTransaction
    ) throws -> SecurityGroupRecord {
        if let group = try groups.defaultGroup(of: project, in: transaction) { return group }
        let group = SecurityGroupRecord(
            id: newID(), project: project,
            standard: Standard(name: "default", description: "Default security group", createdAt: now), isDefault: true)
        try groups.insert(group, in: transaction)
        try insertEgressRules(of: group, at: now, in: transaction)
        for family in IPAddress.Family.allCases {
            try insertRule(.ingress, family, of: group, remoteGroup: group.id, at: now, in: transaction)
        }
        return group
    }

    func hasDefaultGroup(_ project: ProjectID, in reader: any SQLReader) throws -> Bool {
        try groups.defaultGroup(of: project, in: reader) != nil
    }

    /// Everything out, as each new group allows.
    func insertEgressRules(of group: SecurityGroupRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        for family in IPAddress.Family.allCases {
            try insertRule(.egress, family, of: group, remoteGroup: nil, at: now, in: transaction)
        }
    }

    private func insertRule(
        _ direction: SecurityGroupRuleSpec.Direction, _ family: IPAddress.Family, of group: SecurityGroupRecord,
        remoteGroup: SecurityGroupID?, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        let rule = RuleRecord(
            id: newID(), group: group.id, project: group.project, standard: Standard(createdAt: now),
            direction: direction, family: family, remoteGroup: remoteGroup)
        try rules.insert(rule, in: transaction)
    }
}
