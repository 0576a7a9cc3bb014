import CoordinatorCompute
import CoordinatorFleet
import ProtocolModel
import Testing

@Suite("server lifecycle")
struct ServerLifecycleTests {
    static func state(_ vm: VMState, _ task: TaskState? = nil, launched: Bool = true) -> ServerState {
        ServerState(vm: vm, task: task, power: vm == .active ? .running : .none, hasLaunched: launched)
    }

    @Test("refusals name what stands in the way")
    func refusals() throws {
        let id = ServerID(high: 0, low: 0)
        func message(_ command: ServerLifecycle.Command, _ state: ServerState) -> String? {
            do {
                _ = try ServerLifecycle.accept(command, in: state)
                return nil
            } catch { return error.message(server: id) }
        }
        #expect(
            message(.pause, Self.state(.stopped)) == "Cannot 'pause' instance \(id) while it is in vm_state stopped")
        #expect(
            message(.stop, Self.state(.active, .suspending))
                == "Cannot 'stop' instance \(id) while it is in task_state suspending")
        #expect(
            message(.hardReboot, Self.state(.error, launched: false))
                == "Instance \(id) is in an invalid state for 'reboot'")
    }

    /// Task, what the agent sees once the plan is carried out, and what the server is then.
    static let completions: [(VMState, TaskState, ServerDetails.PowerState, VMState)] = [
        (.building, .networking, .running, .active), (.building, .spawning, .running, .active),
        (.active, .poweringOff, .shutdown, .stopped), (.error, .poweringOff, .none, .stopped),
        (.stopped, .poweringOn, .running, .active), (.active, .pausing, .paused, .paused),
        (.paused, .unpausing, .running, .active), (.active, .suspending, .shutdown, .suspended),
        (.suspended, .resuming, .running, .active), (.active, .rebuildSpawning, .running, .active),
        (.stopped, .rebuilding, .shutdown, .stopped), (.error, .rebuilding, .running, .active),
        (.active, .resizeFinish, .running, .resized), (.stopped, .resizeMigrated, .shutdown, .resized),
        (.active, .resizeReverting, .running, .active), (.stopped, .resizeReverting, .shutdown, .stopped),
        (.active, .rescuing, .running, .rescued), (.rescued, .unrescuing, .running, .active),
        (.active, .softDeleting, .shutdown, .softDeleted), (.softDeleted, .restoring, .running, .active),
        (.shelved, .unshelving, .running, .active)
    ]

    /// Task, what the agent sees, and the task of the step that follows.
    static let steps: [(VMState, TaskState, ServerDetails.PowerState, TaskState)] = [
        (.active, .resizePrep, .shutdown, .resizeFinish), (.stopped, .resizePrep, .none, .resizeFinish),
        (.resized, .resizeReverting, .shutdown, .resizeReverting), (.active, .shelving, .shutdown, .shelving)
    ]

    @Test("tasks of several steps go on when the host shows what the first waits for", arguments: steps)
    func advances(vm: VMState, task: TaskState, power: ServerDetails.PowerState, next: TaskState) {
        let decision = ServerLifecycle.decide(.status(.ready, power), in: Self.state(vm, task))
        guard case .advanced(let state) = decision else {
            Issue.record("\(task) with \(power): \(decision)")
            return
        }
        #expect(state.vm == vm && state.task == next && state.power == power)
        #expect(ServerLifecycle.decide(.status(.ready, .running), in: Self.state(vm, task)).isNothing)
    }

    @Test("tasks end when the host shows what was asked for", arguments: completions)
    func completes(vm: VMState, task: TaskState, power: ServerDetails.PowerState, end: VMState) {
        let decision = ServerLifecycle.decide(
            .status(.ready, power), in: Self.state(vm, task, launched: vm != .building))
        guard case .completed(let state) = decision else {
            Issue.record("\(task) with \(power): \(decision)")
            return
        }
        #expect(state.vm == end)
        #expect(state.task == nil)
    }

    @Test("every task has a way out when nothing is heard", arguments: TaskState.allCases)
    func overdue(task: TaskState) {
        let vm: VMState = task.isBuilding ? .building : .active
        let decision = ServerLifecycle.decide(.overdue, in: Self.state(vm, task))
        switch decision {
        case .reschedule: #expect(task.isBuilding)
        case .hidden: #expect(task == .deleting)
        case .completed(let state): #expect(task == .shelvingOffloading && state.vm == .shelvedOffloaded)
        case .reverted(let state), .failed(let state): #expect(state.task == nil)
        default: Issue.record("\(task) goes on for ever: \(decision)")
        }
    }

    @Test("every task has a way out when the host fails", arguments: TaskState.allCases)
    func failure(task: TaskState) {
        let vm: VMState = task.isBuilding ? .building : .active
        let decision = ServerLifecycle.decide(.status(.failed, nil), in: Self.state(vm, task))
        switch (decision, task) {
        case (.reschedule, _): #expect(task.isBuilding)
        case (.nothing, _): #expect(task.purpose == .operating, "the operation's result decides")
        case (.reverted(let state), _), (.failed(let state), _): #expect(state.task == nil)
        default: Issue.record("\(task): \(decision)")
        }
    }

    @Test("a guest that goes down by itself is followed, others are only noted")
    func guestShutdown() {
        guard case .followed(let state) = ServerLifecycle.decide(.status(.ready, .shutdown), in: Self.state(.active))
        else {
            Issue.record("not followed")
            return
        }
        #expect(state.vm == .stopped)
        #expect(ServerLifecycle.decide(.status(.ready, .running), in: Self.state(.active)) == .nothing)
        #expect(
            ServerLifecycle.decide(.status(.ready, .shutdown), in: Self.state(.active, .rebooting))
                == .progress(ServerState(vm: .active, task: .rebooting, power: .shutdown, hasLaunched: true)))
    }

    @Test("reboots end with their operation")
    func reboots() {
        #expect(
            ServerLifecycle.decide(.operationEnded(succeeded: true), in: Self.state(.stopped, .rebootingHard))
                == .completed(ServerState(vm: .active, task: nil, power: .running, hasLaunched: true)))
        #expect(
            ServerLifecycle.decide(.operationEnded(succeeded: false), in: Self.state(.active, .rebooting))
                == .reverted(Self.state(.active)))
        guard
            case .failed(let state) = ServerLifecycle.decide(
                .operationEnded(succeeded: false), in: Self.state(.active, .rebootingHard))
        else {
            Issue.record("not failed")
            return
        }
        #expect(state.vm == .error)
        #expect(ServerLifecycle.decide(.operationEnded(succeeded: true), in: Self.state(.active)) == .nothing)
    }
}

extension ServerLifecycle.Decision {
    fileprivate var isNothing: Bool { if case .nothing = self { true } else { progressed } }
    private var progressed: Bool { if case .progress = self { true } else { false } }
}
