import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// A row of `servers`.
package struct ServerRecord: HostedRecord, Hashable {
    /// In order of insertion; guests' domain names come from it. 0 before it is inserted.
    package var number: Int64 = 0
    package var id: ServerID
    /// Rises with each change of the row.
    package var generation: Int64 = 1
    package var project: ProjectID
    package var user: UserID
    package var name: String
    package var description: String?
    package var hostname = ""
    package var state = ServerState.new
    /// The current task is given up at this moment, microseconds since 1970.
    package var taskDeadline: Int64?
    package var host: ServerHost?
    /// The generation of its entry on the host's plan; statuses of older ones are history.
    package var planGeneration: Int64 = 0
    package var power = ServerSpec.Power.running
    /// The zone the user asked for.
    package var pinnedZone: String?
    /// The host the user asked for.
    package var pinnedHost: String?
    package var flavor: FlavorSnapshot
    package var image: ImageSnapshot
    /// The guest starts from a volume: it has no root disk of its own.
    package var isVolumeBacked = false
    package var keyName: String?
    package var publicKey: String?
    /// Base64 as it came.
    package var userData: String?
    package var hasConfigDrive = false
    package var metadata: [String: String] = [:]
    package var adminPassword = ""
    package var accessIPv4 = ""
    package var accessIPv6 = ""
    package var diskConfig = "MANUAL"
    package var launchIndex = 0
    package var reservationID = ""
    /// `owner`, `admin` or `nil` when it is not locked.
    package var lockedBy: String?
    package var lockedReason: String?
    /// A JSON object.
    package var schedulerHints = "{}"
    package var createdAt: Int64
    package var updatedAt: Int64
    package var launchedAt: Int64?
    package var terminatedAt: Int64?
    package var deletedAt: Int64?
    package var fault: ServerFault?
    /// How many hosts were tried.
    package var attempts = 0
    /// Hosts already tried, and why each failed.
    package var excluded: [NodeID: String] = [:]
    /// The instance action under way.
    package var actionID: Int64?
    /// The reboot, or the making of an image, under way.
    package var operation: OperationID?
    /// Rises with each fresh root disk.
    package var rootDiskVersion = 0
    /// What the root disk is made from where that is not the image: the image of the shelved disk.
    package var diskImage: ImageSpec?
    /// The last rescue: in force by the state.
    package var rescue: ServerSpec.Rescue?
    /// Rises with each rescue.
    package var rescueVersion = 0
    /// The image that is being made of the server.
    package var upload: ImageUpload?
    /// The image that a shelved server's disk is kept in.
    package var shelvedImage: ImageID?
    package var shelvedAt: Int64?
    package var softDeletedAt: Int64?

    /// An image that a server's host is making.
    package struct ImageUpload: Sendable, Hashable {
        package var image: ImageID
        /// `daily`, `weekly`, ... for a backup.
        package var backupType: String?
        /// How many backups of the type stay.
        package var rotation: Int?

        package init(image: ImageID, backupType: String? = nil, rotation: Int? = nil) {
            self.image = image
            self.backupType = backupType
            self.rotation = rotation
        }
    }

    package init(
        id: ServerID, project: ProjectID, user: UserID, name: String, flavor: FlavorSnapshot, image: ImageSnapshot,
        createdAt: Int64
    ) {
        self.id = id
        self.project = project
        self.user = user
        self.name = name
        self.flavor = flavor
        self.image = image
        self.createdAt = createdAt
        updatedAt = createdAt
    }

    package var key: ResourceKey { .server(id) }

    package mutating func completed(at now: Int64) {
        if state.vm == .active, launchedAt == nil { launchedAt = now }
    }

    package mutating func hide(at now: Int64) {
        state = state.deleted
        deletedAt = now
        terminatedAt = now
    }
}

package typealias ServerHost = HostPlace
package typealias ServerFault = HostedFault

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

    /// What a server is made from that starts from a volume, and was given no image.
    public static func none(properties: [String: String]) -> Self {
        Self(
            spec: ImageSpec(id: ImageID(high: 0, low: 0), sha512: "", sizeBytes: 0, format: .raw), name: "",
            virtualSizeBytes: 0, properties: properties)
    }

    public var isAbsent: Bool { spec.id == ImageID(high: 0, low: 0) }
}
