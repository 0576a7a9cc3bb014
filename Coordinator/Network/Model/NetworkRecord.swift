import ProtocolModel

/// What every resource of this slice has beside its own attributes.
struct Standard: Sendable, Hashable {
    var name: String
    var description: String
    /// Counts changes; 0 when new, as Neutron begins.
    var revision: Int
    /// Microseconds since 1970-01-01T00:00:00Z.
    var createdAt: Int64
    var updatedAt: Int64

    init(name: String = "", description: String = "", revision: Int = 0, createdAt: Int64, updatedAt: Int64? = nil) {
        self.name = name
        self.description = description
        self.revision = revision
        self.createdAt = createdAt
        self.updatedAt = updatedAt ?? createdAt
    }
}

/// A network as it is stored.
struct NetworkRecord: Sendable, Hashable {
    var id: NetworkID
    var project: ProjectID
    var standard: Standard
    var isAdminUp = true
    var isShared = false
    var isExternal = false
    var isDefault = false
    var isPortSecurityEnabled = true
    var mtuBytes: Int
    /// How traffic of its ports is treated that have no policy of their own.
    var qosPolicy: QoSPolicyID?
    var attachment: NetworkSpec.Attachment

    /// `provider:network_type`.
    var networkType: String {
        switch attachment {
        case .local: "local"
        case .flat: "flat"
        case .vlan: "vlan"
        case .vxlan: "vxlan"
        }
    }

    var physicalNetwork: String? {
        switch attachment {
        case .local, .vxlan: nil
        case .flat(let name), .vlan(let name, _): name
        }
    }

    var segmentationID: Int? {
        switch attachment {
        case .local, .flat: nil
        case .vlan(_, let tag): tag
        case .vxlan(let vni): vni
        }
    }
}

/// First and last address of an allocation pool.
package struct AddressRange: Sendable, Hashable {
    package var first: IPAddress
    package var last: IPAddress

    package init(first: IPAddress, last: IPAddress) {
        self.first = first
        self.last = last
    }

    func contains(_ address: IPAddress) -> Bool {
        address.family == first.family && first <= address && address <= last
    }

    func overlaps(_ other: Self) -> Bool { first <= other.last && other.first <= last }

    var count: UInt128 { last.bits - first.bits + 1 }

    /// As Neutron's messages write it.
    var text: String { "\(first)-\(last)" }
}

/// A subnet as it is stored.
struct SubnetRecord: Sendable, Hashable {
    var id: SubnetID
    var network: NetworkID
    var project: ProjectID
    var standard: Standard
    var prefix: IPPrefix
    var gateway: IPAddress?
    var isDHCPEnabled = true
    var addressMode: SubnetSpec.IPv6Mode?
    var raMode: SubnetSpec.IPv6Mode?
    var dnsServers: [IPAddress] = []
    var hostRoutes: [HostRoute] = []
    /// What its prefix was cut from.
    var subnetPool: SubnetPoolID?
    /// Its network's, for those who may not see the network.
    var isNetworkExternal = false
    var pools: [AddressRange] = []

    /// Guests make their own addresses here, from their MAC addresses.
    var isAutoAddressed: Bool {
        let modes: [SubnetSpec.IPv6Mode] = [.slaac, .dhcpv6Stateless]
        return [addressMode, raMode].contains { mode in mode.map(modes.contains) ?? false }
    }

    /// The address SLAAC gives to this MAC (RFC 4291 appendix A).
    func autoAddress(for mac: MACAddress) -> IPAddress? {
        prefix.address(at: UInt128(mac.modifiedEUI64))
    }
}
