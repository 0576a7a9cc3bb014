import ProtocolModel

/// The state machine of servers. Pure: what a user or an agent says and the state go in, a decision comes out.
public enum ServerLifecycle {
    /// What can be asked for.
    public enum Command: String, Sendable, Hashable, CaseIterable {
        case start, stop, pause, unpause, suspend, resume
        case softReboot, hardReboot
        case delete

        /// The word in refusals.
        var name: String {
            switch self {
            case .softReboot, .hardReboot: "reboot"
            default: rawValue
            }
        }
    }

    /// A refusal names the attribute that stands in the way and its value.
    public struct Refusal: Error, Sendable, Hashable {
        public var command: String
        public var attribute: String
        /// `nil` where the attribute has none (`launched_at` of a server that never ran).
        public var value: String?

        /// The compute API's sentence for it.
        public func message(server: ServerID) -> String {
            guard let value else { return "Instance \(server) is in an invalid state for '\(command)'" }
            return "Cannot '\(command)' instance \(server) while it is in \(attribute) \(value)"
        }
    }

    /// What an accepted command leads to.
    public struct Acceptance: Sendable, Hashable {
        public var task: TaskState
        /// The power to put on the plan; `nil` leaves it.
        public var power: ServerSpec.Power?
    }

    private struct Rule {
        var from: Set<VMState>
        var task: TaskState
        var power: ServerSpec.Power?
        /// Tasks that do not stand in the way; `nil` for any.
        var tasks: Set<TaskState?>?
        var needsLaunch = true
    }

    private static let idle: Set<TaskState?> = [nil]

    private static func rule(_ command: Command) -> Rule {
        switch command {
        case .start: Rule(from: [.stopped], task: .poweringOn, power: .running, tasks: idle)
        case .stop: Rule(from: [.active, .error], task: .poweringOff, power: .stopped, tasks: idle)
        case .pause: Rule(from: [.active], task: .pausing, power: .paused, tasks: idle)
        case .unpause: Rule(from: [.paused], task: .unpausing, power: .running, tasks: idle)
        case .suspend: Rule(from: [.active], task: .suspending, power: .suspended, tasks: idle)
        case .resume: Rule(from: [.suspended], task: .resuming, power: .running, tasks: idle)
        case .softReboot: Rule(from: [.active], task: .rebooting, power: nil, tasks: idle)
        case .hardReboot:
            Rule(
                from: [.active, .stopped, .paused, .suspended, .error], task: .rebootingHard, power: .running,
                tasks: [nil, .rebooting, .rebootingHard, .resuming, .pausing, .unpausing, .suspending])
        case .delete:
            Rule(from: Set(VMState.allCases), task: .deleting, power: nil, tasks: nil, needsLaunch: false)
        }
    }

    public static func accept(_ command: Command, in state: ServerState) throws(Refusal) -> Acceptance {
        let rule = rule(command)
        guard rule.from.contains(state.vm) else {
            throw Refusal(command: command.name, attribute: "vm_state", value: state.vm.rawValue)
        }
        if let tasks = rule.tasks, !tasks.contains(state.task) {
            throw Refusal(command: command.name, attribute: "task_state", value: state.task?.rawValue)
        }
        guard state.hasLaunched || !rule.needsLaunch else {
            throw Refusal(command: command.name, attribute: "launched_at", value: nil)
        }
        return Acceptance(task: rule.task, power: rule.power)
    }
}
