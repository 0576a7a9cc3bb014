/// A security group with what its remote references stand for at the moment.
public struct SecurityGroupSpec: Hashable, Sendable {
    public var id: SecurityGroupID
    /// What guests are told that they are in; empty when the coordinator does not tell it.
    public var name: String
    public var rules: [SecurityGroupRuleSpec]
    /// The addresses of every port in this group, in the whole cloud, sorted; empty when no rule refers to the group.
    public var members: [IPAddress]
    /// What rules of this group mean by groups of addresses. An agent that does not know of them takes such a rule for one
    /// of a security group without members, which lets nothing through.
    public var addressGroups: [AddressGroup]

    /// Addresses that a rule names together.
    public struct AddressGroup: Hashable, Sendable {
        public var id: AddressGroupID
        /// Of both families, sorted.
        public var prefixes: [IPPrefix]

        public init(id: AddressGroupID, prefixes: [IPPrefix]) {
            self.id = id
            self.prefixes = prefixes
        }
    }

    public init(
        id: SecurityGroupID, name: String = "", rules: [SecurityGroupRuleSpec], members: [IPAddress],
        addressGroups: [AddressGroup] = []
    ) {
        self.id = id
        self.name = name
        self.rules = rules
        self.members = members
        self.addressGroups = addressGroups
    }
}

/// One rule: what it describes is let through, in both directions of the connection.
public struct SecurityGroupRuleSpec: Hashable, Sendable {
    public enum Direction: String, Hashable, Sendable {
        case ingress, egress
    }

    public enum Remote: Hashable, Sendable {
        case anywhere
        case prefix(IPPrefix)
        /// The members of a security group; or the addresses of an address group with that identifier, where the group
        /// that the rule is of carries it.
        case group(SecurityGroupID)
    }

    public var id: SecurityGroupRuleID
    public var direction: Direction
    public var family: IPAddress.Family
    /// An IANA protocol number, `nil` for any.
    public var protocolNumber: Int?
    /// TCP, UDP, SCTP, DCCP, UDP-Lite: the lowest port. ICMP: the type.
    public var portRangeMin: Int?
    /// TCP, UDP, SCTP, DCCP, UDP-Lite: the highest port. ICMP: the code.
    public var portRangeMax: Int?
    public var remote: Remote

    public init(
        id: SecurityGroupRuleID, direction: Direction, family: IPAddress.Family, protocolNumber: Int?,
        portRangeMin: Int?, portRangeMax: Int?, remote: Remote
    ) {
        self.id = id
        self.direction = direction
        self.family = family
        self.protocolNumber = protocolNumber
        self.portRangeMin = portRangeMin
        self.portRangeMax = portRangeMax
        self.remote = remote
    }
}
