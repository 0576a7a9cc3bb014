import CoordinatorCompute
import ProtocolModel
import Testing

/// Every command in every state, under every task, of servers that ran and that never did. What Nova lets in is written
/// down here; whatever is not is refused in its words.
@Suite("what a server's state lets in")
struct ServerCommandTests {
    /// The states that a command is taken in: `nil` for all; the tasks, `nil` for any and `[nil]` for none under way.
    struct Line: Sendable, CustomStringConvertible {
        var command: ServerLifecycle.Command
        var word: String
        var states: Set<VMState>?
        var tasks: Set<TaskState?>? = [nil]
        var needsLaunch = true
        var description: String { word }
    }

    static let table: [Line] = [
        Line(command: .start, word: "start", states: [.stopped]),
        Line(command: .stop, word: "stop", states: [.active, .error]),
        Line(command: .pause, word: "pause", states: [.active]),
        Line(command: .unpause, word: "unpause", states: [.paused]),
        Line(command: .suspend, word: "suspend", states: [.active]),
        Line(command: .resume, word: "resume", states: [.suspended]),
        Line(command: .softReboot, word: "reboot", states: [.active]),
        Line(
            command: .hardReboot, word: "reboot", states: [.active, .stopped, .paused, .suspended, .error],
            tasks: [nil, .rebooting, .rebootingHard, .resuming, .pausing, .unpausing, .suspending]),
        Line(command: .rebuild, word: "rebuild", states: [.active, .stopped, .error]),
        Line(command: .evacuate, word: "evacuate", states: [.active, .stopped, .error], tasks: nil),
        Line(command: .resize, word: "resize", states: [.active, .stopped]),
        Line(command: .migrate, word: "migrate", states: [.active, .stopped]),
        Line(command: .confirmResize, word: "confirmResize", states: [.resized]),
        Line(command: .revertResize, word: "revertResize", states: [.resized]),
        Line(command: .rescue, word: "rescue", states: [.active, .stopped, .error]),
        Line(command: .unrescue, word: "unrescue", states: [.rescued]),
        Line(command: .shelve, word: "shelve", states: [.active, .stopped, .paused, .suspended]),
        Line(command: .shelveOffload, word: "shelveOffload", states: [.shelved]),
        Line(command: .unshelve, word: "unshelve", states: [.shelved, .shelvedOffloaded]),
        Line(command: .createImage, word: "createImage", states: [.active, .stopped, .paused, .suspended]),
        Line(command: .createBackup, word: "createBackup", states: [.active, .stopped, .paused, .suspended]),
        Line(command: .changePassword, word: "changePassword", states: [.active]),
        Line(
            command: .crashDump, word: "trigger_crash_dump", states: [.active, .paused, .rescued, .resized, .error]),
        Line(command: .liveMigrate, word: "os-migrateLive", states: [.active, .paused]),
        Line(command: .forceComplete, word: "force_complete", states: [.active], tasks: []),
        Line(command: .abortMigration, word: "abort live migration", states: nil, tasks: []),
        Line(command: .softDelete, word: "soft_delete", states: nil, tasks: nil),
        Line(command: .restore, word: "restore", states: [.softDeleted]),
        Line(command: .delete, word: "delete", states: nil, tasks: nil, needsLaunch: false),
        Line(command: .forceDelete, word: "forceDelete", states: nil, tasks: nil, needsLaunch: false)
    ]

    @Test("no command is missing in the table")
    func whole() { #expect(Set(Self.table.map(\.command)) == Set(ServerLifecycle.Command.allCases)) }

    @Test("every command in every state under every task", arguments: table)
    func matrix(line: Line) {
        let id = ServerID(high: 1, low: 2)
        for vm in VMState.allCases {
            for task in [nil] + TaskState.allCases {
                for launched in [true, false] {
                    let state = ServerState(vm: vm, task: task, power: .running, hasLaunched: launched)
                    #expect(
                        Self.refusal(line.command, state, id) == Self.expected(line, state, id),
                        "\(line.word) in \(vm), \(task.map(\.rawValue) ?? "idle"), launched \(launched)")
                }
            }
        }
    }

    private static func refusal(_ command: ServerLifecycle.Command, _ state: ServerState, _ id: ServerID) -> String? {
        do {
            _ = try ServerLifecycle.accept(command, in: state)
            return nil
        } catch { return error.message(server: id) }
    }

    /// State first, then task, then whether it ever ran.
    private static func expected(_ line: Line, _ state: ServerState, _ id: ServerID) -> String? {
        if let states = line.states, !states.contains(state.vm) {
            return "Cannot '\(line.word)' instance \(id) while it is in vm_state \(state.vm.rawValue)"
        }
        let vague = "Instance \(id) is in an invalid state for '\(line.word)'"
        if let tasks = line.tasks, !tasks.contains(state.task) {
            guard let task = state.task else { return vague }
            return "Cannot '\(line.word)' instance \(id) while it is in task_state \(task.rawValue)"
        }
        return line.needsLaunch && !state.hasLaunched ? vague : nil
    }

    /// Statuses by state and task, as Nova tells them.
    static let statuses: [(VMState, TaskState?, String)] = [
        (.building, .spawning, "BUILD"), (.active, nil, "ACTIVE"), (.active, .rebooting, "REBOOT"),
        (.active, .rebootingHard, "HARD_REBOOT"), (.active, .rebuilding, "REBUILD"),
        (.stopped, .rebuildSpawning, "REBUILD"), (.error, .rebuilding, "REBUILD"), (.stopped, .resizePrep, "RESIZE"),
        (.active, .resizeFinish, "RESIZE"), (.resized, nil, "VERIFY_RESIZE"),
        (.resized, .resizeReverting, "REVERT_RESIZE"), (.stopped, nil, "SHUTOFF"), (.paused, nil, "PAUSED"),
        (.suspended, nil, "SUSPENDED"), (.rescued, nil, "RESCUE"), (.rescued, .unrescuing, "RESCUE"),
        (.shelved, nil, "SHELVED"), (.shelvedOffloaded, nil, "SHELVED_OFFLOADED"),
        (.softDeleted, nil, "SOFT_DELETED"), (.error, nil, "ERROR"), (.deleted, nil, "DELETED")
    ]

    @Test("statuses", arguments: statuses)
    func status(vm: VMState, task: TaskState?, status: String) {
        #expect(ServerState(vm: vm, task: task, power: .none, hasLaunched: true).status == status)
    }
}
