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

    public init(
        id: PortID, network: NetworkID, server: ServerID?, mac: MACAddress, fixedIPs: [FixedIP], isAdminUp: Bool,
        isSecurityEnabled: Bool, securityGroups: [SecurityGroupID], allowedPairs: [AllowedPair], hostname: String
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
    }
}
