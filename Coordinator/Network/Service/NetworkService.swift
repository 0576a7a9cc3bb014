import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// What an operator can set for this slice.
public struct NetworkSettings: Sendable, Hashable {
    /// What DHCP tells guests their domain is; empty for none.
    public var dnsDomain: String
    /// The MTU of networks that ask for none, octets.
    public var defaultMTUBytes: Int
    /// What networks that do not say are made of: the first that has anything left.
    public var tenantNetworkTypes: [TenantNetworkType]
    /// What overlay networks are numbered with.
    public var vniRanges: OverlayRanges
    /// The MTU of what tunnels between nodes go through, octets, and its IP version.
    public var underlayMTUBytes: Int
    public var underlayFamily: IPAddress.Family

    public enum TenantNetworkType: String, Sendable, Hashable, CaseIterable {
        /// Across nodes, in tunnels.
        case vxlan
        /// On one node alone.
        case local
    }

    public init(
        dnsDomain: String = "openstacklocal", defaultMTUBytes: Int = 1500,
        tenantNetworkTypes: [TenantNetworkType] = [.vxlan, .local], vniRanges: OverlayRanges = OverlayRanges(),
        underlayMTUBytes: Int = 1500, underlayFamily: IPAddress.Family = .ipv4
    ) {
        self.dnsDomain = dnsDomain
        self.defaultMTUBytes = defaultMTUBytes
        self.tenantNetworkTypes = tenantNetworkTypes
        self.vniRanges = vniRanges
        self.underlayMTUBytes = underlayMTUBytes
        self.underlayFamily = underlayFamily
    }

    /// What fits into a frame in a tunnel: IP, UDP, VXLAN and the inner Ethernet header go off (RFC 7348 section 5).
    var overlayMTUBytes: Int { underlayMTUBytes - (underlayFamily == .ipv4 ? 50 : 70) }

    /// The MTU of a network that asks for none.
    package func mtuBytes(of attachment: NetworkSpec.Attachment) -> Int {
        if case .vxlan = attachment { min(defaultMTUBytes, overlayMTUBytes) } else { defaultMTUBytes }
    }

    /// The most that a network can be given.
    func mostMTUBytes(of attachment: NetworkSpec.Attachment) -> Int {
        if case .vxlan = attachment { overlayMTUBytes } else { 65_535 }
    }
}

/// The source of identifiers and MAC addresses: an argument, so that a run can be replayed.
public struct RandomWords: RandomNumberGenerator, Sendable {
    private let word: @Sendable () -> UInt64

    public init(_ word: @escaping @Sendable () -> UInt64) { self.word = word }

    public static let system = Self {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }

    public mutating func next() -> UInt64 { word() }
}

/// The rules of networks, subnets, ports and security groups. Every function works inside its caller's transaction.
public struct NetworkService: Sendable {
    let plan: any PlanWriter
    let directory: any NodeDirectory
    let settings: NetworkSettings
    let random: RandomWords

    let networks = NetworkRecord.table
    let subnets = SubnetStore()
    let addresses = AddressStore()
    let ports = PortStore()
    let groups = SecurityGroupRecord.table
    let members = MembershipStore()
    let rules = RuleRecord.table
    let routers = RouterStore()
    let floatingIPs = FloatingIPStore()
    let forwardings = PortForwardingStore()
    let overlays = OverlayStore()
    let pools = SubnetPoolStore()
    let addressGroups = AddressGroupStore()
    let rbac = RBACStore()
    let qos = QoSStore()
    let tags = TagSet.network
    let quotas = NetworkQuotas.ledger

    public init(
        plan: any PlanWriter, directory: any NodeDirectory, settings: NetworkSettings = NetworkSettings(),
        random: RandomWords = .system
    ) {
        self.plan = plan
        self.directory = directory
        self.settings = settings
        self.random = random
    }

    func newID<Resource>() -> Identifier<Resource> {
        var generator = random
        return .random(using: &generator)
    }

    func newMAC() -> MACAddress {
        var generator = random
        return .random(using: &generator)
    }
}
