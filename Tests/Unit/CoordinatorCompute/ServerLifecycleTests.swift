import CoordinatorCompute
import ProtocolModel
import Testing

@Suite("server lifecycle")
struct ServerLifecycleTests {
    static func state(_ vm: VMState, _ task: TaskState? = nil, launched: Bool = true) -> ServerState {
        ServerState(vm: vm, task: task, power: vm == .active ? .running : .none, hasLaunched: launched)
    }

    /// Which commands an idle server takes.
    static let allowed: [(VMState, Set<ServerLifecycle.Command>)] = [
        (.building, [.delete]),
        (.active, [.stop, .pause, .suspend, .softReboot, .hardReboot, .delete]),
        (.stopped, [.start, .hardReboot, .delete]),
        (.paused, [.unpause, .hardReboot, .delete]),
        (.suspended, [.resume, .hardReboot, .delete]),
        (.error, [.stop, .hardReboot, .delete]),
        (.deleted, [.delete])
    ]

    @Test("commands by state", arguments: allowed)
    func commands(vm: VMState, commands: Set<ServerLifecycle.Command>) {
        for command in ServerLifecycle.Command.allCases {
            let accepted = (try? ServerLifecycle.accept(command, in: Self.state(vm))) != nil
            #expect(accepted == commands.contains(command), "\(command) in \(vm)")
        }
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
        (.suspended, .resuming, .running, .active)
    ]

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
        case (.nothing, .rebooting), (.nothing, .rebootingHard): break  // The operation's result decides.
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
