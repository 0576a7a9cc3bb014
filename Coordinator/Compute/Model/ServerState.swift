import ProtocolModel

/// The lasting state of a server (`OS-EXT-STS:vm_state`), in the compute API's words.
public enum VMState: String, Sendable, Hashable, CaseIterable {
    case building, active, stopped, paused, suspended, error, deleted
}

/// What is being done with a server (`OS-EXT-STS:task_state`). Each has an owner and a deadline.
public enum TaskState: String, Sendable, Hashable, CaseIterable {
    case scheduling, networking, spawning
    case poweringOff = "powering-off"
    case poweringOn = "powering-on"
    case rebooting
    case rebootingHard = "rebooting_hard"
    case pausing, unpausing, suspending, resuming, deleting

    /// How long the host may take before the watchdog decides, in seconds. Building includes fetching the image;
    /// powering off includes the guest's own shutdown.
    public var allowedSeconds: Int64 {
        switch self {
        case .scheduling, .networking, .spawning: 600
        case .poweringOff, .poweringOn, .rebooting, .rebootingHard: 180
        case .pausing, .unpausing: 60
        case .suspending, .resuming: 300
        case .deleting: 120
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
    public var status: String {
        switch (vm, task) {
        case (.building, _): "BUILD"
        case (.active, .rebooting): "REBOOT"
        case (.active, .rebootingHard): "HARD_REBOOT"
        case (.active, _): "ACTIVE"
        case (.stopped, _): "SHUTOFF"
        case (.paused, _): "PAUSED"
        case (.suspended, _): "SUSPENDED"
        case (.error, _): "ERROR"
        case (.deleted, _): "DELETED"
        }
    }

    /// The power the plan asks for while nothing is under way.
    public var lastingPower: ServerSpec.Power {
        switch vm {
        case .stopped: .stopped
        case .paused: .paused
        case .suspended: .suspended
        case .building, .active, .error, .deleted: .running
        }
    }
}
