/// A router on the node that routes for it: a network namespace with a link into each of its networks.
public struct RouterSpec: Hashable, Sendable {
    /// One of the router's own addresses.
    public struct Address: Hashable, Sendable {
        public var subnet: SubnetID
        public var address: IPAddress
        public var prefixLength: Int
        /// The router advertises the subnet in this mode (RFC 4861); `nil` where it does not.
        public var raMode: SubnetSpec.IPv6Mode?
        /// What advertisements name.
        public var dnsServers: [IPAddress]
        /// What the subnet's addresses are unique in; `nil` for none. Between two scopes nothing is routed.
        public var scope: AddressScopeID?

        public init(
            subnet: SubnetID, address: IPAddress, prefixLength: Int, raMode: SubnetSpec.IPv6Mode? = nil,
            dnsServers: [IPAddress] = [], scope: AddressScopeID? = nil
        ) {
            self.subnet = subnet
            self.address = address
            self.prefixLength = prefixLength
            self.raMode = raMode
            self.dnsServers = dnsServers
            self.scope = scope
        }
    }

    /// One of the router's ports.
    public struct Interface: Hashable, Sendable {
        public var port: PortID
        /// It is on the node's plan as well: its bridge is where the link goes.
        public var network: NetworkID
        public var mac: MACAddress
        public var mtuBytes: Int
        public var addresses: [Address]

        public init(port: PortID, network: NetworkID, mac: MACAddress, mtuBytes: Int, addresses: [Address]) {
            self.port = port
            self.network = network
            self.mac = mac
            self.mtuBytes = mtuBytes
            self.addresses = addresses
        }
    }

    /// The way to the outside.
    public struct Gateway: Hashable, Sendable {
        public var interface: Interface
        /// Where default routes lead, one an address family at most.
        public var nextHops: [IPAddress]
        /// Whether IPv4 sources without a floating IP leave with the router's own address.
        public var isSNATEnabled: Bool

        public init(interface: Interface, nextHops: [IPAddress], isSNATEnabled: Bool) {
            self.interface = interface
            self.nextHops = nextHops
            self.isSNATEnabled = isSNATEnabled
        }
    }

    /// An outside address that stands for an inside one, both ways. IPv4.
    public struct FloatingIP: Hashable, Sendable {
        public var id: FloatingIPID
        public var address: IPAddress
        public var fixedAddress: IPAddress

        public init(id: FloatingIPID, address: IPAddress, fixedAddress: IPAddress) {
            self.id = id
            self.address = address
            self.fixedAddress = fixedAddress
        }
    }

    /// Ports of an outside address that lead inside. IPv4.
    public struct PortForwarding: Hashable, Sendable {
        public var id: PortForwardingID
        /// IANA's number: 6, 17, 33, 132 or 136.
        public var protocolNumber: Int
        public var externalAddress: IPAddress
        public var externalPorts: ClosedRange<Int>
        public var internalAddress: IPAddress
        /// As many as ``externalPorts``, beginning with this one.
        public var firstInternalPort: Int

        public init(
            id: PortForwardingID, protocolNumber: Int, externalAddress: IPAddress, externalPorts: ClosedRange<Int>,
            internalAddress: IPAddress, firstInternalPort: Int
        ) {
            self.id = id
            self.protocolNumber = protocolNumber
            self.externalAddress = externalAddress
            self.externalPorts = externalPorts
            self.internalAddress = internalAddress
            self.firstInternalPort = firstInternalPort
        }
    }

    public var id: RouterID
    public var project: ProjectID
    /// With `false` the namespace is there and forwards nothing.
    public var isAdminUp: Bool
    public var interfaces: [Interface]
    public var gateway: Gateway?
    public var floatingIPs: [FloatingIP]
    public var portForwardings: [PortForwarding]
    /// Extra routes (the network API's `routes`).
    public var routes: [HostRoute]

    public init(
        id: RouterID, project: ProjectID, isAdminUp: Bool, interfaces: [Interface], gateway: Gateway?,
        floatingIPs: [FloatingIP] = [], portForwardings: [PortForwarding] = [], routes: [HostRoute] = []
    ) {
        self.id = id
        self.project = project
        self.isAdminUp = isAdminUp
        self.interfaces = interfaces
        self.gateway = gateway
        self.floatingIPs = floatingIPs
        self.portForwardings = portForwardings
        self.routes = routes
    }
}
