/// One port bound to the host.
public struct PortSpec: Hashable, Sendable {
    public struct FixedIP: Hashable, Sendable {
        public var subnet: SubnetID
        public var address: IPAddress

        public init(subnet: SubnetID, address: IPAddress) {
            self.subnet = subnet
            self.address = address
        }
    }

    /// A further source that anti-spoofing lets pass.
    public struct AllowedPair: Hashable, Sendable {
        public var prefix: IPPrefix
        /// `nil` stands for the port's own address.
        public var mac: MACAddress?

        public init(prefix: IPPrefix, mac: MACAddress?) {
            self.prefix = prefix
            self.mac = mac
        }
    }

    /// What traffic of one direction is held to.
    public struct RateLimit: Hashable, Sendable {
        public var bitsPerSecond: Int
        /// Octets that may come at once.
        public var burstBytes: Int

        public init(bitsPerSecond: Int, burstBytes: Int) {
            self.bitsPerSecond = bitsPerSecond
            self.burstBytes = burstBytes
        }
    }

    /// How the port's traffic is treated; `nil` where it is like all other.
    public struct Quality: Hashable, Sendable {
        public var toGuest: RateLimit?
        public var fromGuest: RateLimit?
        /// What the guest's packets are marked with, 0 to 63 (RFC 2474).
        public var dscp: Int?

        public init(toGuest: RateLimit? = nil, fromGuest: RateLimit? = nil, dscp: Int? = nil) {
            self.toGuest = toGuest
            self.fromGuest = fromGuest
            self.dscp = dscp
        }
    }

    /// What DHCP tells this guest beside what it tells all, by dnsmasq's name for it.
    public struct DHCPOption: Hashable, Sendable {
        public var family: IPAddress.Family
        public var name: String
        public var value: String

        public init(family: IPAddress.Family, name: String, value: String) {
            self.family = family
            self.name = name
            self.value = value
        }
    }

    public var id: PortID
    public var network: NetworkID
    public var server: ServerID?
    public var mac: MACAddress
    public var fixedIPs: [FixedIP]
    /// With `false` the link is down and no frame passes.
    public var isAdminUp: Bool
    /// With `false` neither security groups nor anti-spoofing apply (`port_security_enabled`).
    public var isSecurityEnabled: Bool
    public var securityGroups: [SecurityGroupID]
    public var allowedPairs: [AllowedPair]
    /// What DHCP calls the guest; a valid DNS label or empty.
    public var hostname: String
    public var quality: Quality
    public var dhcpOptions: [DHCPOption]

    public init(
        id: PortID, network: NetworkID, server: ServerID?, mac: MACAddress, fixedIPs: [FixedIP], isAdminUp: Bool,
        isSecurityEnabled: Bool, securityGroups: [SecurityGroupID], allowedPairs: [AllowedPair], hostname: String,
        quality: Quality = Quality(), dhcpOptions: [DHCPOption] = []
    ) {
        self.id = id
        self.network = network
        self.server = server
        self.mac = mac
        self.fixedIPs = fixedIPs
        self.isAdminUp = isAdminUp
        self.isSecurityEnabled = isSecurityEnabled
        self.securityGroups = securityGroups
        self.allowedPairs = allowedPairs
        self.hostname = hostname
        self.quality = quality
        self.dhcpOptions = dhcpOptions
    }
}
