import ProtocolModel

/// A router as it is stored. Where it is: ``RouterPlace``.
struct RouterRecord: Sendable, Hashable {
    var id: RouterID
    var project: ProjectID
    var standard: Standard
    var isAdminUp = true
    /// The port into the external network, and that network.
    var gatewayPort: PortID?
    var gatewayNetwork: NetworkID?
    var isSNATEnabled = true
    var routes: [HostRoute] = []
    /// Availability zones of the node that it may be on; any without one.
    var zoneHints: [String] = []
    /// The gateway port's addresses.
    var gatewayIPs: [PortSpec.FixedIP] = []
    /// The availability zone of the node that it is on.
    var zone: String?
}

/// The one node that routes for a router.
struct RouterPlace: Sendable, Hashable {
    var router: RouterID
    var node: NodeID
    /// The plan entry's generation that carries all there is to it.
    var planned: Int64 = 0
    /// What the node said of that generation.
    var isReady = false
    /// Why the agent could not make it, for the operator.
    var lastError: String?
    /// Counts the changes: one conditional write decides where the router is.
    var generation = 0
}

/// A port that is a router's.
struct RouterPortRecord: Sendable, Hashable {
    enum Kind: String, Sendable, Hashable {
        case interface, gateway
    }

    var port: PortID
    var router: RouterID
    var kind: Kind
}

extension PortRecord {
    static let routerInterfaceOwner = "network:router_interface"
    static let routerGatewayOwner = "network:router_gateway"
    static let floatingIPOwner = "network:floatingip"

    /// Ports that belong to nobody: the cloud itself keeps an external network's address with them.
    static let noProject = ProjectID.blank
}
