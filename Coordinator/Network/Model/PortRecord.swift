import ProtocolModel

/// A port as it is stored.
struct PortRecord: Sendable, Hashable {
    enum Status: String, Sendable, Hashable {
        case active = "ACTIVE"
        case down = "DOWN"
        /// Of a port that is nothing but an address.
        case notApplicable = "N/A"
    }

    typealias Pair = AddressPair

    var id: PortID
    var network: NetworkID
    var project: ProjectID
    var standard: Standard
    var mac: MACAddress
    var isAdminUp = true
    var status = Status.down
    var deviceID = ""
    var deviceOwner = ""
    var isSecurityEnabled = true
    var pairs: [Pair] = []
    var vnicType = "normal"
    /// `binding:host_id`.
    var host = ""
    /// The node whose plan has the port.
    var node: NodeID?
    /// The server whose interface it is. Compute alone says so; `device_id` is what anybody wrote there.
    var server: ServerID?
    /// Where it stands among its server's interfaces.
    var position = 0
    /// Made for its server, and deleted with it.
    var isServersOwn = false
    /// What DHCP calls the guest.
    var hostname = ""
    /// The network's own port for DHCP, which Skerry makes itself; a `device_owner` of the same name is anybody's.
    var isService = false
    /// Why the agent could not make it, for the operator.
    var lastError: String?
    /// How its traffic is treated; without one, as its network's is.
    var qosPolicy: QoSPolicyID?
    /// What DHCP tells its guest beside what it tells all.
    var dhcpOptions: [PortSpec.DHCPOption] = []
    var fixedIPs: [PortSpec.FixedIP] = []
    var groups: [SecurityGroupID] = []

    /// It has the addresses it is given, and makes none itself.
    var isRouterInterface: Bool { deviceOwner == Self.routerInterfaceOwner }

    static let dhcpOwner = "network:dhcp"
}

/// One of `allowed_address_pairs`, the address in the words of the request.
package struct AddressPair: Sendable, Hashable {
    package var address: String
    package var mac: MACAddress?

    package init(address: String, mac: MACAddress? = nil) {
        self.address = address
        self.mac = mac
    }
}
