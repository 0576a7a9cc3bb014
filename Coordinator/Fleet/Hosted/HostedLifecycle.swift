import ProtocolModel

/// What was heard of a resource, or was not heard in time.
public enum HostedReport<Sight: Sendable & Hashable>: Sendable, Hashable {
    /// An agent's word on the generation in force.
    case status(ResourceStatus.Phase, Sight?)
    case operationEnded(succeeded: Bool)
    /// The task's deadline has passed.
    case overdue
    /// The resource's host is down.
    case hostDown
    /// The resource's host was taken out of the cloud for good.
    case hostRemoved
}

/// What to do about it.
public enum HostedDecision<State: Sendable & Hashable>: Sendable, Hashable {
    case nothing
    /// The new state; the task, if there was one, goes on.
    case progress(State)
    /// A step of the task came to its end, and another follows: ``HostedKind/advance(_:at:in:)``.
    case advanced(State)
    /// The task came to its end.
    case completed(State)
    /// The task failed and the resource is what it was before; the plan is set back to it.
    case reverted(State)
    /// It changed by itself on its host; the plan follows it.
    case followed(State)
    /// Building failed here: try another host.
    case reschedule
    /// ERROR, with a fault.
    case failed(State)
    /// Nothing of it is left on its host.
    case removed
    /// The owner is rid of it; what it holds is given back once its host confirms.
    case hidden
}

/// The ways out of every task. Pure: a report and the state go in, a decision comes out.
public enum HostedLifecycle<State: HostedState> {
    public static func decide(_ report: HostedReport<State.Sight>, in state: State) -> HostedDecision<State> {
        switch report {
        case .status(.gone, _): state.gone
        case .status(.failed, let sight): decideFailed(state.seeing(sight, .failed), before: state)
        case .status(.ready, let sight): state.settled(sight)
        case .status(let phase, let sight): moved(state.seeing(sight, phase), from: state)
        case .operationEnded(let succeeded): state.operationEnded(succeeded: succeeded)
        case .overdue: decideOverdue(in: state)
        case .hostDown: decideHostDown(in: state)
        case .hostRemoved: state.isLeaving ? .hidden : .failed(state.offHost.failed)
        }
    }

    /// Progress, where there is any.
    public static func moved(_ next: State, from state: State) -> HostedDecision<State> {
        next == state ? .nothing : .progress(next)
    }

    private static func decideFailed(_ next: State, before state: State) -> HostedDecision<State> {
        switch state.task?.purpose {
        case .building: .reschedule
        case .changing: .reverted(next.idle)
        case .operating: .nothing  // The operation's own result decides.
        case .remaking, .deleting: .failed(next.failed)
        case nil: state.isFailed ? .nothing : .failed(next.failed)
        }
    }

    private static func decideOverdue(in state: State) -> HostedDecision<State> {
        switch state.task?.purpose {
        case nil: .nothing
        case .building: .reschedule
        case .changing: .reverted(state.idle)
        case .operating: state.operationEnded(succeeded: false)
        case .remaking: .failed(state.failed)
        case .deleting: state.staysUntilGone ? .failed(state.failed) : .hidden
        }
    }

    /// What only waits for the host waits on: the host may come back, and the deadline runs.
    private static func decideHostDown(in state: State) -> HostedDecision<State> {
        switch state.task?.purpose {
        case .building: .reschedule
        case .deleting: state.staysUntilGone ? .nothing : .hidden
        case .changing, .operating, .remaking, nil: .nothing
        }
    }
}
