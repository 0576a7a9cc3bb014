import AgentCore
import AgentStore
import ArgumentParser
import ProtocolModel

/// Ends the keeping of servers, volumes and snapshots that the plan does not name.
struct ConfirmRemovalsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "confirm-removals",
        abstract: "Has servers, volumes and snapshots removed that are kept although the plan does not name them.",
        discussion: "Without --yes it only shows them. The agent removes them, disks included, within half a minute.")

    @OptionGroup var options: ConfigurationOptions

    @Argument(help: "The ids of servers, volumes and snapshots; without any, all that are kept.")
    var ids: [String] = []

    @Flag(help: "Remove them for good.")
    var yes = false

    func run() async throws {
        let configuration = try options.load()
        let folder = StateFolder(root: configuration.stateDirectory)
        guard (try? StateFolder.text(of: folder.plan)) != nil else {
            throw FileProblem("This host has no plan yet: nothing is kept.")
        }
        let store = try SQLitePlanStore(path: folder.plan)
        let plan = AgentPlan(
            position: try await store.position(), entries: try await store.entries(),
            setAside: try await store.setAside())
        try store.close()
        let chosen = try plan.kept(named: ids)
        guard !chosen.isEmpty else { return print("Nothing is kept that the plan does not name.") }
        for key in chosen { print("\(plan.title(of: key))") }
        guard yes else { return print("Add --yes to have the agent remove them, disks included.") }
        try folder.confirmRemovals(Set(chosen.map(\.id)))
        print("The agent removes them.")
    }
}

extension AgentPlan {
    /// What is kept that somebody named by its id; all of it, when nobody named any.
    package func kept(named texts: [String]) throws -> [ResourceKey] {
        let kept = keptData.map(\.key)
        guard !texts.isEmpty else { return kept }
        let named = Set(
            try texts.map { text in
                guard let id = AnyID(text), kept.contains(where: { $0.id == id }) else {
                    throw ValidationError("'\(text)' is nothing that is kept here: see 'skerry-agent status'.")
                }
                return id
            })
        return kept.filter { named.contains($0.id) }
    }
}
