import CoordinatorPlatform
import ProtocolModel

/// What the compute slice asks of placement, inside its own transaction.
public protocol PlacementForCompute: Sendable {
    /// Chooses a host and claims the resources for the consumer, all in the caller's transaction.
    /// - Returns: The host, and for every host why it was kept (with its weight) or dropped.
    func claim(_ request: PlacementRequest, at now: Int64, in transaction: any SQLTransaction) throws
        -> PlacementDecision
    /// Gives the consumer's claims back; nothing happens without any.
    func release(_ consumer: ServerID, in transaction: any SQLTransaction) throws
}

public struct PlacementRequest: Sendable, Hashable {
    public var consumer: ServerID
    public var project: ProjectID
    public var user: UserID
    public var vcpus: Int
    public var memoryMiB: Int
    public var diskGiB: Int
    public var availabilityZone: String?
    /// Only this host (`availability_zone` ZONE:HOST, or microversion 2.74 `host`).
    public var host: String?
    /// Each must be mapped on the host.
    public var physicalNetworks: Set<String>
    public var needsUEFI: Bool
    /// Hosts already tried, with the reason each failed.
    public var excluded: [NodeID: String]

    public init(
        consumer: ServerID, project: ProjectID, user: UserID, vcpus: Int, memoryMiB: Int, diskGiB: Int,
        availabilityZone: String?, host: String?, physicalNetworks: Set<String>, needsUEFI: Bool,
        excluded: [NodeID: String]
    ) {
        self.consumer = consumer
        self.project = project
        self.user = user
        self.vcpus = vcpus
        self.memoryMiB = memoryMiB
        self.diskGiB = diskGiB
        self.availabilityZone = availabilityZone
        self.host = host
        self.physicalNetworks = physicalNetworks
        self.needsUEFI = needsUEFI
        self.excluded = excluded
    }
}

public struct PlacementDecision: Sendable, Hashable {
    public struct Verdict: Sendable, Hashable {
        public var node: NodeID
        public var hostname: String
        public var isKept: Bool
        /// "short of memory (need 4096 MiB, has 3100)", "weight 0.83: ..."
        public var reason: String

        public init(node: NodeID, hostname: String, isKept: Bool, reason: String) {
            self.node = node
            self.hostname = hostname
            self.isKept = isKept
            self.reason = reason
        }
    }

    /// `nil` when no host will do.
    public var host: NodeID?
    public var hostname: String?
    public var verdicts: [Verdict]
    /// For the fault: "3 hosts: 2 short of memory (need 4096 MiB, best has 3100), 1 disabled: ..."
    public var summary: String

    public init(host: NodeID?, hostname: String?, verdicts: [Verdict], summary: String) {
        self.host = host
        self.hostname = hostname
        self.verdicts = verdicts
        self.summary = summary
    }
}
