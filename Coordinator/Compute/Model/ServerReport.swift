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
        guard phase != .failed else { return next }
        switch task {
        case .scheduling where vm == .building, .networking where vm == .building, .spawning where vm == .building:
            next.task = phase == .pending ? .networking : .spawning
        case .rebuilding where phase == .applying: next.task = .rebuildSpawning
        default: break
        }
        return next
    }

    public func settled(_ seen: ServerDetails.PowerState?) -> HostedDecision<Self> {
        var next = self
        next.power = seen ?? power
        guard let task else { return settledIdle(next) }
        return next.reached(task) ?? HostedLifecycle.moved(next, from: self)
    }

    /// What follows once the host shows what a task waits for; `nil` while it does not.
    private func reached(_ task: TaskState) -> HostedDecision<Self>? {
        switch task {
        case .scheduling, .networking, .spawning, .poweringOn, .unpausing, .resuming, .unrescuing, .unshelving,
            .restoring:
            return power == .running ? .completed(launched(.active)) : nil
        case .rescuing: return power == .running ? .completed(ended(.rescued)) : nil
        case .pausing: return power == .paused ? .completed(ended(.paused)) : nil
        case .suspending: return isDown || power == .suspended ? .completed(down(.suspended)) : nil
        case .poweringOff: return isDown ? .completed(down(.stopped)) : nil
        case .softDeleting: return isDown ? .completed(down(.softDeleted)) : nil
        case .rebuilding, .rebuildSpawning:
            guard rests else { return nil }
            return .completed(vm == .stopped ? down(.stopped) : launched(.active))
        case .resizePrep:
            var next = self
            next.task = .resizeFinish
            return isDown ? .advanced(next) : nil
        case .resizeMigrated, .resizeFinish: return rests ? .completed(ended(.resized)) : nil
        case .resizeReverting:
            if vm == .resized { return isDown ? .advanced(self) : nil }
            return rests ? .completed(ended(vm)) : nil
        case .shelving: return isDown ? .advanced(self) : nil
        case .blockDeviceMapping, .rebooting, .rebootingHard, .deleting, .imageSnapshotPending, .imageUploading,
            .imageBackup, .shelvingImageUploading, .shelvingOffloading, .resizeMigrating:
            return nil
        }
    }

    /// The guest is as it was before the task: off where the server was stopped, else running.
    private var rests: Bool { vm == .stopped ? isDown : power == .running }

    /// Nothing is under way, yet the agent has news: the guest was powered off from inside, or crashed.
    private func settledIdle(_ next: Self) -> HostedDecision<Self> {
        let hasStopped = next.power == .shutdown || next.power == .crashed
        guard hasStopped, vm == .active || vm == .paused else { return HostedLifecycle.moved(next, from: self) }
        return .followed(next.ended(.stopped))
    }

    /// A guest that was only asked nicely still runs; one whose plug was pulled may not. An image is made of what was
    /// there, and leaves the server as it is.
    public func operationEnded(succeeded: Bool) -> HostedDecision<Self> {
        guard let task, task.purpose == .operating else { return .nothing }
        switch task {
        case .shelvingImageUploading, .resizeMigrating: return succeeded ? .advanced(self) : .reverted(idle)
        // What is left on a host that says nothing goes when it is back: the image holds the disk.
        case .shelvingOffloading: return .completed(down(.shelvedOffloaded))
        case .imageSnapshotPending, .imageUploading, .imageBackup:
            return succeeded ? .completed(afterImage) : .reverted(afterImage)
        default:
            guard succeeded else { return task == .rebooting ? .reverted(idle) : .failed(failed) }
            var next = ended(.active)
            next.power = .running
            return .completed(next)
        }
    }

    public var gone: HostedDecision<Self> {
        guard task == .shelvingOffloading else { return .removed }
        var next = down(.shelvedOffloaded)
        next.power = .none
        return .completed(next)
    }

    /// The guest may have gone down meanwhile.
    private var afterImage: Self {
        let hasStopped = power == .shutdown || power == .crashed
        return ended(hasStopped && (vm == .active || vm == .paused) ? .stopped : vm)
    }

    /// The state with its task ended.
    private func ended(_ vm: VMState) -> Self {
        Self(vm: vm, task: nil, power: power, hasLaunched: hasLaunched)
    }

    private func down(_ vm: VMState) -> Self {
        Self(vm: vm, task: nil, power: .shutdown, hasLaunched: hasLaunched)
    }

    private func launched(_ vm: VMState) -> Self { Self(vm: vm, task: nil, power: power, hasLaunched: true) }
}

extension TaskState: HostedTask {
    public var purpose: HostedPurpose {
        switch self {
        case .scheduling, .networking, .spawning: .building
        case .poweringOff, .poweringOn, .pausing, .unpausing, .suspending, .resuming, .rescuing, .unrescuing,
            .resizePrep, .resizeFinish, .resizeReverting, .shelving, .unshelving,
            .softDeleting, .restoring:
            .changing
        case .rebooting, .rebootingHard, .imageSnapshotPending, .imageUploading, .imageBackup, .shelvingImageUploading,
            .shelvingOffloading, .resizeMigrating:
            .operating
        case .rebuilding, .rebuildSpawning, .resizeMigrated, .blockDeviceMapping: .remaking
        case .deleting: .deleting
        }
    }

    public var isBuilding: Bool { purpose == .building }
}
