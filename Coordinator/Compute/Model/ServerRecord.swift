import CoordinatorPlatform
import ProtocolModel

/// A row of `servers`.
public struct ServerRecord: Sendable, Hashable {
    /// In order of insertion; guests' domain names come from it. 0 before it is inserted.
    public var number: Int64
    public var id: ServerID
    /// Rises with each change of the row.
    public var generation: Int64
    public var project: ProjectID
    public var user: UserID
    public var name: String
    public var description: String?
    public var hostname: String
    public var state: ServerState
    /// The current task is given up at this moment, microseconds since 1970.
    public var taskDeadline: Int64?
    public var host: ServerHost?
    /// The generation of its entry on the host's plan; statuses of older ones are history.
    public var planGeneration: Int64
    public var power: ServerSpec.Power
    /// The zone the user asked for.
    public var pinnedZone: String?
    /// The host the user asked for.
    public var pinnedHost: String?
    public var flavor: FlavorSnapshot
    public var image: ImageSnapshot
    public var keyName: String?
    public var publicKey: String?
    /// Base64 as it came.
    public var userData: String?
    public var hasConfigDrive: Bool
    public var metadata: [String: String]
    public var adminPassword: String
    public var accessIPv4: String
    public var accessIPv6: String
    public var diskConfig: String
    public var launchIndex: Int
    public var reservationID: String
    /// `owner`, `admin` or `nil` when it is not locked.
    public var lockedBy: String?
    public var lockedReason: String?
    public var schedulerHints: String
    public var createdAt: Int64
    public var updatedAt: Int64
    public var launchedAt: Int64?
    public var terminatedAt: Int64?
    public var deletedAt: Int64?
    public var fault: ServerFault?
    /// How many hosts were tried.
    public var attempts: Int
    /// Hosts already tried, and why each failed.
    public var excluded: [NodeID: String]
    /// The instance action under way.
    public var actionID: Int64?
    /// The reboot under way.
    public var operation: OperationID?

    public var isDeleted: Bool { deletedAt != nil }
}

/// Where a server lives.
public struct ServerHost: Sendable, Hashable {
    public var node: NodeID
    public var hostname: String
    public var zone: String

    public init(node: NodeID, hostname: String, zone: String) {
        self.node = node
        self.hostname = hostname
        self.zone = zone
    }
}

/// Why a server is in ERROR.
public struct ServerFault: Sendable, Hashable {
    public var code: Int
    public var message: String
    /// For administrators.
    public var details: String
    public var createdAt: Int64

    public init(code: Int = 500, message: String, details: String, createdAt: Int64) {
        self.code = code
        self.message = message
        self.details = details
        self.createdAt = createdAt
    }
}

/// The flavor as it was when the server was made: flavors may be deleted while their servers live.
public struct FlavorSnapshot: Sendable, Hashable {
    public var id: String
    public var name: String
    public var vcpus: Int
    public var memoryMiB: Int
    public var rootGiB: Int
    public var ephemeralGiB: Int
    public var swapMiB: Int
    public var extraSpecs: [String: String]

    public init(
        id: String, name: String, vcpus: Int, memoryMiB: Int, rootGiB: Int, ephemeralGiB: Int, swapMiB: Int,
        extraSpecs: [String: String]
    ) {
        self.id = id
        self.name = name
        self.vcpus = vcpus
        self.memoryMiB = memoryMiB
        self.rootGiB = rootGiB
        self.ephemeralGiB = ephemeralGiB
        self.swapMiB = swapMiB
        self.extraSpecs = extraSpecs
    }
}

/// The image as it was when the server was made: images may be deleted while their servers live.
public struct ImageSnapshot: Sendable, Hashable {
    public var spec: ImageSpec
    public var name: String
    /// The size a guest sees, bytes.
    public var virtualSizeBytes: Int64
    public var properties: [String: String]

    public init(spec: ImageSpec, name: String, virtualSizeBytes: Int64, properties: [String: String]) {
        self.spec = spec
        self.name = name
        self.virtualSizeBytes = virtualSizeBytes
        self.properties = properties
    }
}
