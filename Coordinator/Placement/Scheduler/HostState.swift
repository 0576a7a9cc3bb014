import ProtocolModel

/// What the scheduler knows of one host. A value, so that a decision can be replayed.
public struct HostState: Sendable, Hashable {
    /// One resource of a host, in the resource's unit.
    public struct Stock: Sendable, Hashable {
        /// What may be given away: (total - reserved) * allocation ratio, rounded down.
        public var capacity: Int
        public var used: Int
        /// The most that one consumer may have: there is no guest larger than its host.
        public var largest: Int

        public init(capacity: Int, used: Int, largest: Int) {
            self.capacity = capacity
            self.used = used
            self.largest = largest
        }

        /// What one consumer could still get; 0 or more.
        public var free: Int { max(0, min(capacity - used, largest)) }
    }

    /// The fleet's verdict, in the scheduler's own words: this folder knows nothing of sessions.
    public enum Health: String, Sendable, Hashable {
        case up, suspect, down
    }

    public var node: NodeID
    public var hostname: String
    public var availabilityZone: String
    public var isCompute: Bool
    public var isEnabled: Bool
    public var disabledReason: String?
    public var health: Health
    public var physicalNetworks: Set<String>
    public var hasUEFI: Bool
    public var vcpus: Stock
    public var memoryMiB: Stock
    public var diskGiB: Stock
    /// How many consumers have something of the host.
    public var consumers: Int

    public init(
        node: NodeID, hostname: String, availabilityZone: String, isCompute: Bool, isEnabled: Bool,
        disabledReason: String?, health: Health, physicalNetworks: Set<String>, hasUEFI: Bool, vcpus: Stock,
        memoryMiB: Stock, diskGiB: Stock, consumers: Int
    ) {
        self.node = node
        self.hostname = hostname
        self.availabilityZone = availabilityZone
        self.isCompute = isCompute
        self.isEnabled = isEnabled
        self.disabledReason = disabledReason
        self.health = health
        self.physicalNetworks = physicalNetworks
        self.hasUEFI = hasUEFI
        self.vcpus = vcpus
        self.memoryMiB = memoryMiB
        self.diskGiB = diskGiB
        self.consumers = consumers
    }
}
