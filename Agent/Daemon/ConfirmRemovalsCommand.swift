import AgentCore
import AgentStore
import ArgumentParser
import ProtocolModel

/// Ends the keeping of servers that the plan does not name, disks included.
struct ConfirmRemovalsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "confirm-removals",
        abstract: "Has servers removed that are kept although the plan does not name them.",
        discussion: "Without --yes it only shows them. The agent removes them, disks included, within half a minute.")

    @OptionGroup var options: ConfigurationOptions

    @Argument(help: "The servers' ids; without any, all that are kept.")
    var servers: [String] = []

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
        let chosen = try plan.keptServers(named: servers)
        guard !chosen.isEmpty else { return print("Nothing is kept that the plan does not name.") }
        for id in chosen.sorted() { print("server \(id)\(plan.server(id).map { " (\($0.name))" } ?? "")") }
        guard yes else { return print("Add --yes to have the agent remove them, disks included.") }
        try folder.confirmRemovals(chosen)
        print("The agent removes them.")
    }
}

extension AgentPlan {
    /// Those of the servers that are kept that somebody named by their ids; all, when nobody named any.
    package func keptServers(named texts: [String]) throws -> Set<ServerID> {
        let kept = Set(keptServers.map(\.id))
        guard !texts.isEmpty else { return kept }
        return Set(
            try texts.map { text in
                guard let id = ServerID(text), kept.contains(id) else {
                    throw ValidationError("'\(text)' is no server that is kept here: see 'skerry-agent status'.")
                }
                return id
            })
    }
}
