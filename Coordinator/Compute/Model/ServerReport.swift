import ProtocolModel

extension ServerLifecycle {
    /// What was heard of a server, or was not heard in time.
    public enum Report: Sendable, Hashable {
        /// An agent's word on the generation in force.
        case status(ResourceStatus.Phase, ServerDetails.PowerState?)
        /// A reboot ended.
        case operationEnded(succeeded: Bool)
        /// The task's deadline has passed.
        case overdue
        /// The server's host is down.
        case hostDown
    }

    /// What to do about it.
    public enum Decision: Sendable, Hashable {
        case nothing
        /// The new state; the task, if there was one, goes on.
        case progress(ServerState)
        /// The task came to its end.
        case completed(ServerState)
        /// The task failed and the server is what it was before; the plan is set back to it.
        case reverted(ServerState)
        /// The guest went down by itself; the plan follows it.
        case followGuest(ServerState)
        /// Building failed here: try another host.
        case reschedule
        /// ERROR, with a fault.
        case failed(ServerState)
        /// Nothing of it is left on its host.
        case removed
        /// The user is rid of it; what it holds is given back once its host confirms.
        case hidden
    }

    public static func decide(_ report: Report, in state: ServerState) -> Decision {
        switch report {
        case .status(let phase, let power): decide(phase: phase, power: power, in: state)
        case .operationEnded(let succeeded): decideReboot(succeeded, in: state)
        case .overdue: decideOverdue(in: state)
        case .hostDown: decideHostDown(in: state)
        }
    }

    private static func decide(
        phase: ResourceStatus.Phase, power: ServerDetails.PowerState?, in state: ServerState
    ) -> Decision {
        switch phase {
        case .gone: .removed
        case .failed: decideFailed(power: power, in: state)
        case .pending, .applying: decideUnderWay(phase: phase, power: power, in: state)
        case .ready: decideReady(power: power ?? state.power, in: state)
        }
    }

    private static func decideUnderWay(
        phase: ResourceStatus.Phase, power: ServerDetails.PowerState?, in state: ServerState
    ) -> Decision {
        var next = state
        next.power = power ?? state.power
        if state.vm == .building, let task = state.task, task.isBuilding {
            next.task = phase == .pending ? .networking : .spawning
        }
        return next == state ? .nothing : .progress(next)
    }

    private static func decideReady(power: ServerDetails.PowerState, in state: ServerState) -> Decision {
        var next = state
        next.power = power
        switch state.task {
        case nil: return decideIdle(power: power, in: state)
        case .scheduling, .networking, .spawning, .poweringOn, .unpausing, .resuming:
            guard power == .running else { break }
            return .completed(ServerState(vm: .active, task: nil, power: power, hasLaunched: true))
        case .poweringOff:
            guard power == .shutdown || power == .none || power == .crashed else { break }
            next.power = .shutdown
            return .completed(with(next, vm: .stopped))
        case .pausing:
            guard power == .paused else { break }
            return .completed(with(next, vm: .paused))
        case .suspending:
            guard power == .shutdown || power == .suspended || power == .none else { break }
            next.power = .shutdown
            return .completed(with(next, vm: .suspended))
        case .rebooting, .rebootingHard, .deleting: break
        }
        return next == state ? .nothing : .progress(next)
    }

    /// Nothing is under way, yet the agent has news: the guest was powered off from inside, or crashed.
    private static func decideIdle(power: ServerDetails.PowerState, in state: ServerState) -> Decision {
        var next = state
        next.power = power
        let isDown = power == .shutdown || power == .crashed
        if isDown, state.vm == .active || state.vm == .paused {
            next.vm = .stopped
            return .followGuest(next)
        }
        return next == state ? .nothing : .progress(next)
    }

    private static func decideFailed(power: ServerDetails.PowerState?, in state: ServerState) -> Decision {
        var next = state
        next.power = power ?? state.power
        next.task = nil
        switch state.task {
        case .scheduling, .networking, .spawning: return .reschedule
        case .poweringOff, .poweringOn, .pausing, .unpausing, .suspending, .resuming: return .reverted(next)
        case .rebooting, .rebootingHard: return .nothing  // The operation's own result decides.
        case .deleting: return .failed(with(next, vm: .error))
        case nil: return state.vm == .error ? .nothing : .failed(with(next, vm: .error))
        }
    }

    private static func decideReboot(_ succeeded: Bool, in state: ServerState) -> Decision {
        guard state.task == .rebooting || state.task == .rebootingHard else { return .nothing }
        guard succeeded else { return decideRebootFailed(in: state) }
        var next = with(state, vm: .active)
        next.power = .running
        return .completed(next)
    }

    /// A guest that was only asked nicely still runs; one whose plug was pulled may not.
    private static func decideRebootFailed(in state: ServerState) -> Decision {
        state.task == .rebooting ? .reverted(with(state, vm: state.vm)) : .failed(with(state, vm: .error))
    }

    private static func decideOverdue(in state: ServerState) -> Decision {
        switch state.task {
        case nil: .nothing
        case .scheduling, .networking, .spawning: .reschedule
        case .deleting: .hidden
        case .rebooting, .rebootingHard: decideRebootFailed(in: state)
        case .poweringOff, .poweringOn, .pausing, .unpausing, .suspending, .resuming:
            .reverted(with(state, vm: state.vm))
        }
    }

    private static func decideHostDown(in state: ServerState) -> Decision {
        switch state.task {
        case .scheduling, .networking, .spawning: .reschedule
        case .deleting: .hidden
        default: .nothing
        }
    }

    /// The state with its task ended.
    private static func with(_ state: ServerState, vm: VMState) -> ServerState {
        ServerState(vm: vm, task: nil, power: state.power, hasLaunched: state.hasLaunched)
    }
}
