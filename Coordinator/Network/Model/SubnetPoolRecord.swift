import ProtocolModel

/// Prefixes that subnets are cut from, as they are stored.
struct SubnetPoolRecord: Sendable, Hashable {
    var id: SubnetPoolID
    var project: ProjectID
    var standard: Standard
    var family = IPAddress.Family.ipv4
    /// In ascending order, none of them joined to another.
    var prefixes: [IPPrefix] = []
    var bounds = SubnetPoolBounds(.ipv4)
    /// What one project may have of it: addresses, or with IPv6 networks of 64 bits. `nil` for any amount.
    var quota: Int?
    var isDefault = false
    var isShared = false
    var scope: AddressScopeID?

    var space: PrefixSet { PrefixSet(prefixes, family) }
}

/// How long the prefixes of subnets from a pool may be.
struct SubnetPoolBounds: Sendable, Hashable {
    var least: Int
    var most: Int
    /// Where a subnet does not say.
    var standard: Int

    /// Neutron's defaults.
    init(_ family: IPAddress.Family) {
        least = family == .ipv4 ? 8 : 64
        most = family.bitCount
        standard = least
    }
}

/// What the addresses of several pools are unique in, as it is stored.
struct AddressScopeRecord: Sendable, Hashable {
    var id: AddressScopeID
    var project: ProjectID
    /// Scopes have a name, and nothing of what else is standard.
    var standard: Standard
    var family: IPAddress.Family
    var isShared = false
}
