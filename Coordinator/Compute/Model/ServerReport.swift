import CoordinatorFleet
import ProtocolModel

extension ServerLifecycle {
    public typealias Report = HostedReport<ServerDetails.PowerState>
    public typealias Decision = HostedDecision<ServerState>

    /// What to do about what was heard of a server, or was not heard in time.
    public static func decide(_ report: Report, in state: ServerState) -> Decision {
        HostedLifecycle<ServerState>.decide(report, in: state)
    }
}

extension ServerState: HostedState {
    public var isFailed: Bool { vm == .error }
    public var failed: Self { ended(.error) }
    public var deleted: Self { ended(.deleted) }
    public var offHost: Self {
        var state = self
        state.power = .none
        return state
    }

    public func seeing(_ power: ServerDetails.PowerState?, _ phase: ResourceStatus.Phase) -> Self {
        var next = self
        next.power = power ?? self.power
        if phase != .failed, vm == .building, task?.isBuilding ?? false {
            next.task = phase == .pending ? .networking : .spawning
        }
        return next
    }

    public func settled(_ seen: ServerDetails.PowerState?) -> HostedDecision<Self> {
        let power = seen ?? self.power
        var next = self
        next.power = power
        switch task {
        case nil: return settledIdle(next)
        case .scheduling, .networking, .spawning, .poweringOn, .unpausing, .resuming:
            guard power == .running else { break }
            return .completed(Self(vm: .active, task: nil, power: power, hasLaunched: true))
        case .poweringOff:
            guard power == .shutdown || power == .none || power == .crashed else { break }
            next.power = .shutdown
            return .completed(next.ended(.stopped))
        case .pausing:
            guard power == .paused else { break }
            return .completed(next.ended(.paused))
        case .suspending:
            guard power == .shutdown || power == .suspended || power == .none else { break }
            next.power = .shutdown
            return .completed(next.ended(.suspended))
        case .rebooting, .rebootingHard, .deleting: break
        }
        return HostedLifecycle.moved(next, from: self)
    }

    /// Nothing is under way, yet the agent has news: the guest was powered off from inside, or crashed.
    private func settledIdle(_ next: Self) -> HostedDecision<Self> {
        let isDown = next.power == .shutdown || next.power == .crashed
        guard isDown, vm == .active || vm == .paused else { return HostedLifecycle.moved(next, from: self) }
        return .followed(next.ended(.stopped))
    }

    /// A guest that was only asked nicely still runs; one whose plug was pulled may not.
    public func operationEnded(succeeded: Bool) -> HostedDecision<Self> {
        guard let task, task.purpose == .operating else { return .nothing }
        guard succeeded else { return task == .rebooting ? .reverted(idle) : .failed(failed) }
        var next = ended(.active)
        next.power = .running
        return .completed(next)
    }

    /// The state with its task ended.
    private func ended(_ vm: VMState) -> Self {
        Self(vm: vm, task: nil, power: power, hasLaunched: hasLaunched)
    }
}

extension TaskState: HostedTask {
    public var purpose: HostedPurpose {
        switch self {
        case .scheduling, .networking, .spawning: .building
        case .poweringOff, .poweringOn, .pausing, .unpausing, .suspending, .resuming: .changing
        case .rebooting, .rebootingHard: .operating
        case .deleting: .deleting
        }
    }

    public var isBuilding: Bool { purpose == .building }
}
