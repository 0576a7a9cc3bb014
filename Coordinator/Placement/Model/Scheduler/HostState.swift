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

        /// What is not given away; below 0 on a host that shrank.
        public var left: Int { capacity - used }
        /// What one consumer could still get; 0 or more.
        public var free: Int { max(0, min(left, largest)) }
    }

    /// The fleet's verdict, in the scheduler's own words: this folder knows nothing of sessions.
    public enum Health: String, Sendable, Hashable {
        case up, suspect, down
    }

    /// What many hosts have in common, and what requests ask for first.
    public struct Facts: Sendable, Hashable {
        public var availabilityZone: String
        public var roles: Set<NodeReport.Role>
        public var isEnabled: Bool
        public var disabledReason: String?
        public var health: Health
        public var physicalNetworks: Set<String>
        public var traits: Set<String>
        public var aggregates: Set<String>

        public init(
            availabilityZone: String, roles: Set<NodeReport.Role>, isEnabled: Bool, disabledReason: String?,
            health: Health, physicalNetworks: Set<String>, traits: Set<String>, aggregates: Set<String>
        ) {
            self.availabilityZone = availabilityZone
            self.roles = roles
            self.isEnabled = isEnabled
            self.disabledReason = disabledReason
            self.health = health
            self.physicalNetworks = physicalNetworks
            self.traits = traits
            self.aggregates = aggregates
        }
    }

    public var node: NodeID
    public var hostname: String
    public var facts: Facts
    /// By resource class.
    public var stocks: [String: Stock]
    /// How many consumers have something of the host.
    public var consumers: Int

    public init(node: NodeID, hostname: String, facts: Facts, stocks: [String: Stock], consumers: Int) {
        self.node = node
        self.hostname = hostname
        self.facts = facts
        self.stocks = stocks
        self.consumers = consumers
    }
}
