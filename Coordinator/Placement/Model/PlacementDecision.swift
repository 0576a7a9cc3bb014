import ProtocolModel

/// Which host was chosen, and why: what hosts have in common is told once, with some of them by name, so that a decision
/// among thousands is as short as one among ten.
public struct PlacementDecision: Sendable, Hashable {
    /// One host of a group.
    public struct Sample: Sendable, Hashable {
        public var hostname: String
        /// "short of memory (need 4096 MiB, has 3100)", "weight 0.83: ..."
        public var reason: String

        public init(hostname: String, reason: String) {
            self.hostname = hostname
            self.reason = reason
        }
    }

    /// Hosts that were kept, or dropped for the same reason.
    public struct Group: Sendable, Hashable {
        public var isKept: Bool
        /// For all of them: "2 short of memory (need 4096 MiB, best has 3100)".
        public var summary: String
        public var count: Int
        /// Of those kept the best ones, the best first; of others the first by name.
        public var samples: [Sample]

        public init(isKept: Bool, summary: String, count: Int, samples: [Sample]) {
            self.isKept = isKept
            self.summary = summary
            self.count = count
            self.samples = samples
        }

        /// Its hosts a line each, and a line for those that are not named.
        public var lines: [String] {
            let more = count - samples.count
            return samples.map { "\($0.hostname): \($0.reason)" }
                + (more > 0 ? ["\(more) more \(more == 1 ? "host" : "hosts"), of: \(summary)"] : [])
        }
    }

    public struct Host: Sendable, Hashable {
        public var node: NodeID
        public var hostname: String
        public var availabilityZone: String

        public init(node: NodeID, hostname: String, availabilityZone: String) {
            self.node = node
            self.hostname = hostname
            self.availabilityZone = availabilityZone
        }
    }

    /// Hosts named in a group at most.
    public static let samples = 3
    /// Kept hosts named at most.
    public static let candidates = 5
    /// Groups at most; what is beyond them is told as one.
    public static let groups = 12

    /// `nil` when no host will do.
    public var host: Host?
    /// The kept ones first.
    public var groups: [Group]
    /// For the fault: "3 hosts: 2 short of memory (need 4096 MiB, best has 3100), 1 disabled: ..."
    public var summary: String

    public init(host: Host?, groups: [Group], summary: String) {
        self.host = host
        self.groups = groups
        self.summary = summary
    }
}
