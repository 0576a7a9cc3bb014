import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// What an operator can set for this slice.
public struct NetworkSettings: Sendable, Hashable {
    /// What DHCP tells guests their domain is; empty for none.
    public var dnsDomain: String
    /// The MTU of networks that ask for none, octets.
    public var defaultMTUBytes: Int

    public init(dnsDomain: String = "openstacklocal", defaultMTUBytes: Int = 1500) {
        self.dnsDomain = dnsDomain
        self.defaultMTUBytes = defaultMTUBytes
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
