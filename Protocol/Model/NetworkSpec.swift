/// One network as a host that has ports on it must provide it.
public struct NetworkSpec: Hashable, Sendable {
    /// How the network's frames leave the host.
    public enum Attachment: Hashable, Sendable {
        /// They do not: the bridge joins this host's ports only.
        case local
        /// Untagged on the interface that the agent's configuration maps `physicalNetwork` to.
        case flat(physicalNetwork: String)
        /// With an 802.1Q tag, 1 to 4094, on that interface.
        case vlan(physicalNetwork: String, tag: Int)
        /// Inside UDP between hosts (RFC 7348), with this network identifier, 1 to 16,777,215.
        case vxlan(vni: Int)
    }

    /// A port of the network on another host.
    public struct RemotePort: Hashable, Sendable {
        public var mac: MACAddress
        public var addresses: [IPAddress]
        /// The other host's tunnel address.
        public var tunnel: IPAddress

        public init(mac: MACAddress, addresses: [IPAddress], tunnel: IPAddress) {
            self.mac = mac
            self.addresses = addresses
            self.tunnel = tunnel
        }
    }

    public var id: NetworkID
    public var project: ProjectID
    public var attachment: Attachment
    /// 68 to 65535 octets (RFC 791 gives the minimum; 1280 where a subnet is IPv6, RFC 8200).
    public var mtuBytes: Int
    public var subnets: [SubnetSpec]
    /// The domain that DHCP hands out, without a dot at the end; empty for none.
    public var dnsDomain: String
    /// With ``Attachment/vxlan(vni:)``: where the ports on other hosts are, sorted by MAC address. Hosts learn nothing
    /// by themselves.
    public var remotePorts: [RemotePort]

    public init(
        id: NetworkID, project: ProjectID, attachment: Attachment, mtuBytes: Int, subnets: [SubnetSpec],
        dnsDomain: String, remotePorts: [RemotePort] = []
    ) {
        self.id = id
        self.project = project
        self.attachment = attachment
        self.mtuBytes = mtuBytes
        self.subnets = subnets
        self.dnsDomain = dnsDomain
        self.remotePorts = remotePorts
    }
}

/// One subnet of a ``NetworkSpec``.
public struct SubnetSpec: Hashable, Sendable {
    /// How guests of an IPv6 subnet come to their addresses (the network API's `ipv6_address_mode` and `ipv6_ra_mode`).
    public enum IPv6Mode: String, Hashable, Sendable, CaseIterable {
        case slaac
        case dhcpv6Stateful = "dhcpv6-stateful"
        case dhcpv6Stateless = "dhcpv6-stateless"
    }

    public var id: SubnetID
    public var prefix: IPPrefix
    public var gateway: IPAddress?
    public var dnsServers: [IPAddress]
    public var hostRoutes: [HostRoute]
    public var isDHCPEnabled: Bool
    /// `nil` for IPv4, and for IPv6 without address configuration.
    public var ipv6AddressMode: IPv6Mode?
    /// Who sends router advertisements: `nil` means a router of the tenant's own does.
    public var ipv6RAMode: IPv6Mode?
    /// The address DHCP, DNS and metadata answer on, on every host alike; `nil` where DHCP is off.
    public var serviceAddress: IPAddress?

    public init(
        id: SubnetID, prefix: IPPrefix, gateway: IPAddress?, dnsServers: [IPAddress], hostRoutes: [HostRoute],
        isDHCPEnabled: Bool, ipv6AddressMode: IPv6Mode?, ipv6RAMode: IPv6Mode?, serviceAddress: IPAddress?
    ) {
        self.id = id
        self.prefix = prefix
        self.gateway = gateway
        self.dnsServers = dnsServers
        self.hostRoutes = hostRoutes
        self.isDHCPEnabled = isDHCPEnabled
        self.ipv6AddressMode = ipv6AddressMode
        self.ipv6RAMode = ipv6RAMode
        self.serviceAddress = serviceAddress
    }
}

/// A route that DHCP gives to guests.
public struct HostRoute: Hashable, Sendable {
    public var destination: IPPrefix
    public var nextHop: IPAddress

    public init(destination: IPPrefix, nextHop: IPAddress) {
        self.destination = destination
        self.nextHop = nextHop
    }
}
