import ProtocolModel

/// The state machine of servers. Pure: what a user or an agent says and the state go in, a decision comes out.
public enum ServerLifecycle {
    /// What can be asked for, by the word that stands in refusals.
    public enum Command: String, Sendable, Hashable, CaseIterable {
        case start, stop, pause, unpause, suspend, resume
        case softReboot, hardReboot
        case rebuild, evacuate, resize, migrate, confirmResize, revertResize
        case rescue, unrescue, shelve, shelveOffload, unshelve
        case createImage, createBackup
        case changePassword
        case crashDump = "trigger_crash_dump"
        case liveMigrate = "os-migrateLive"
        case forceComplete = "force_complete"
        case abortMigration = "abort live migration"
        case softDelete = "soft_delete"
        case restore, delete, forceDelete

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
        /// `nil` for what is done at once.
        public var task: TaskState?
        /// The power to put on the plan; `nil` leaves it.
        public var power: ServerSpec.Power?
    }

    private struct Rule {
        /// `nil` for any.
        var from: Set<VMState>?
        var task: TaskState?
        var power: ServerSpec.Power?
        /// Tasks that do not stand in the way; `nil` for any.
        var tasks: Set<TaskState?>? = [nil]
        var needsLaunch = true
    }

    /// States of a server whose disk is whole and at rest on its host, or runs.
    private static let copied: Set<VMState> = [.active, .stopped, .paused, .suspended]
    private static let rebuilt: Set<VMState> = [.active, .stopped, .error]

    private static func rule(_ command: Command) -> Rule {
        switch command {
        case .start: Rule(from: [.stopped], task: .poweringOn, power: .running)
        case .stop: Rule(from: [.active, .error], task: .poweringOff, power: .stopped)
        case .pause: Rule(from: [.active], task: .pausing, power: .paused)
        case .unpause: Rule(from: [.paused], task: .unpausing, power: .running)
        case .suspend: Rule(from: [.active], task: .suspending, power: .suspended)
        case .resume: Rule(from: [.suspended], task: .resuming, power: .running)
        case .softReboot: Rule(from: [.active], task: .rebooting)
        case .hardReboot:
            Rule(
                from: [.active, .stopped, .paused, .suspended, .error], task: .rebootingHard, power: .running,
                tasks: [nil, .rebooting, .rebootingHard, .resuming, .pausing, .unpausing, .suspending])
        case .rebuild: Rule(from: rebuilt, task: .rebuilding)
        case .evacuate: Rule(from: rebuilt, task: .rebuilding, tasks: nil)
        case .resize, .migrate: Rule(from: [.active, .stopped], task: .resizePrep, power: .stopped)
        case .confirmResize: Rule(from: [.resized])
        case .revertResize: Rule(from: [.resized], task: .resizeReverting, power: .stopped)
        case .rescue: Rule(from: rebuilt, task: .rescuing, power: .running)
        case .unrescue: Rule(from: [.rescued], task: .unrescuing, power: .running)
        case .shelve: Rule(from: copied, task: .shelving, power: .stopped)
        case .shelveOffload: Rule(from: [.shelved], task: .shelvingOffloading)
        case .unshelve: Rule(from: [.shelved, .shelvedOffloaded], task: .unshelving, power: .running)
        case .createImage: Rule(from: copied, task: .imageSnapshotPending)
        case .createBackup: Rule(from: copied, task: .imageBackup)
        case .changePassword: Rule(from: [.active])
        case .crashDump: Rule(from: [.active, .paused, .rescued, .resized, .error])
        case .liveMigrate: Rule(from: [.active, .paused])
        // Nothing here is ever in the task of a live migration, the only one that lets these in.
        case .forceComplete: Rule(from: [.active], tasks: [])
        case .abortMigration: Rule(tasks: [])
        case .softDelete: Rule(task: .softDeleting, power: .stopped, tasks: nil)
        case .restore: Rule(from: [.softDeleted], task: .restoring, power: .running)
        case .delete, .forceDelete: Rule(task: .deleting, tasks: nil, needsLaunch: false)
        }
    }

    public static func accept(_ command: Command, in state: ServerState) throws(Refusal) -> Acceptance {
        let rule = rule(command)
        if let from = rule.from, !from.contains(state.vm) {
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
