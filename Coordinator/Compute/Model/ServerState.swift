import ProtocolModel

/// The lasting state of a server (`OS-EXT-STS:vm_state`), in the compute API's words.
public enum VMState: String, Sendable, Hashable, CaseIterable {
    case building, active, stopped, paused, suspended, rescued, resized, shelved, error, deleted
    case shelvedOffloaded = "shelved_offloaded"
    case softDeleted = "soft-delete"
}

/// What is being done with a server (`OS-EXT-STS:task_state`). Each has an owner and a deadline.
public enum TaskState: String, Sendable, Hashable, CaseIterable {
    case scheduling, networking, spawning
    /// Volumes are made that the server is to start with.
    case blockDeviceMapping = "block_device_mapping"
    case poweringOff = "powering-off"
    case poweringOn = "powering-on"
    case rebooting
    case rebootingHard = "rebooting_hard"
    case pausing, unpausing, suspending, resuming, rescuing, unrescuing
    case rebuilding
    case rebuildSpawning = "rebuild_spawning"
    /// The guest goes down, to be another size or elsewhere.
    case resizePrep = "resize_prep"
    /// Its disk goes to where another host finds it.
    case resizeMigrating = "resize_migrating"
    /// Another host makes it from that.
    case resizeMigrated = "resize_migrated"
    /// Its host makes it another size.
    case resizeFinish = "resize_finish"
    case resizeReverting = "resize_reverting"
    case shelving
    case shelvingImageUploading = "shelving_image_uploading"
    case shelvingOffloading = "shelving_offloading"
    case unshelving
    case imageSnapshotPending = "image_snapshot_pending"
    case imageUploading = "image_uploading"
    case imageBackup = "image_backup"
    case softDeleting = "soft-deleting"
    case restoring
    case deleting

    /// How long the host may take before the watchdog decides, in seconds. Building includes fetching the image;
    /// powering off includes the guest's own shutdown; an image is as large as a disk.
    public var allowedSeconds: Int64 {
        switch self {
        case .scheduling, .networking, .spawning, .rebuilding, .rebuildSpawning, .unshelving: 600
        // Longer than a volume may take: what became of that is heard first.
        case .blockDeviceMapping: 1860
        case .resizePrep, .shelving, .softDeleting: 180
        case .resizeFinish: 300
        case .rescuing, .unrescuing, .resizeMigrated, .resizeReverting: 600
        case .poweringOff, .poweringOn, .rebooting, .rebootingHard, .restoring: 180
        case .pausing, .unpausing: 60
        case .suspending, .resuming: 300
        case .imageSnapshotPending, .imageUploading, .imageBackup, .shelvingImageUploading, .resizeMigrating: 3600
        case .shelvingOffloading, .deleting: 120
        }
    }
}

/// Everything that decides what may happen to a server next.
public struct ServerState: Sendable, Hashable {
    public var vm: VMState
    public var task: TaskState?
    public var power: ServerDetails.PowerState
    /// It was ACTIVE at least once.
    public var hasLaunched: Bool

    public init(vm: VMState, task: TaskState?, power: ServerDetails.PowerState, hasLaunched: Bool) {
        self.vm = vm
        self.task = task
        self.power = power
        self.hasLaunched = hasLaunched
    }

    /// Accepted and on its way to a host.
    public static let new = Self(vm: .building, task: .scheduling, power: .none, hasLaunched: false)

    /// The API's `status`.
    public var status: String { Self.status(vm, task) }

    static func status(_ vm: VMState, _ task: TaskState?) -> String {
        switch (vm, task) {
        case (.building, _): "BUILD"
        case (.active, .rebooting): "REBOOT"
        case (.active, .rebootingHard): "HARD_REBOOT"
        case (.active, .rebuilding), (.active, .rebuildSpawning), (.stopped, .rebuilding),
            (.stopped, .rebuildSpawning), (.error, .rebuilding), (.error, .rebuildSpawning):
            "REBUILD"
        case (.active, .some(let task)) where task.isResizing: "RESIZE"
        case (.stopped, .some(let task)) where task.isResizing: "RESIZE"
        case (_, .resizeReverting): "REVERT_RESIZE"
        case (.active, _): "ACTIVE"
        case (.stopped, _): "SHUTOFF"
        case (.paused, _): "PAUSED"
        case (.suspended, _): "SUSPENDED"
        case (.rescued, _): "RESCUE"
        case (.resized, _): "VERIFY_RESIZE"
        case (.shelved, _): "SHELVED"
        case (.shelvedOffloaded, _): "SHELVED_OFFLOADED"
        case (.softDeleted, _): "SOFT_DELETED"
        case (.error, _): "ERROR"
        case (.deleted, _): "DELETED"
        }
    }

    /// The power the plan asks for while nothing is under way.
    public var lastingPower: ServerSpec.Power {
        switch vm {
        case .stopped, .shelved, .shelvedOffloaded, .softDeleted: .stopped
        case .paused: .paused
        case .suspended: .suspended
        case .resized: isDown ? .stopped : .running
        case .building, .active, .rescued, .error, .deleted: .running
        }
    }

    /// No guest runs, as far as its host says.
    public var isDown: Bool { power == .shutdown || power == .none || power == .crashed }

    /// The guest is started from its rescue image.
    var isInRescue: Bool { task == .rescuing || (vm == .rescued && task != .unrescuing) }
}

extension TaskState {
    /// On the way to another size.
    public var isResizing: Bool {
        switch self {
        case .resizePrep, .resizeMigrating, .resizeMigrated, .resizeFinish: true
        default: false
        }
    }
}
