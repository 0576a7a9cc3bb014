import ArgumentParser
import AgentStore
import ProtocolLink
import ProtocolModel

/// What this host knows of itself, also while its coordinator is away.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows this host's identity and the plan it holds.")

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let configuration = try options.load()
        let folder = StateFolder(root: configuration.stateDirectory)
        guard let identity = try NodeIdentity.load(directory: folder.identity) else {
            throw FileProblem("This host is no node yet: join it with 'skerry-agent join'.")
        }
        print("node         \(identity.node)")
        print("coordinator  \(configuration.coordinator?.description ?? folder.storedEndpoint() ?? "unknown")")
        guard (try? StateFolder.text(of: folder.plan)) != nil else { return print("plan         none yet") }
        let store = try SQLitePlanStore(path: folder.plan)
        let position = try await store.position()
        let entries = try await store.entries()
        print("plan         epoch \(position.epoch), revision \(position.revision)")
        let kinds = ResourceKind.allCases + Set(entries.map(\.key.kind)).filter { !$0.isKnown }.sorted()
        for kind in kinds {
            let wanted = entries.count { $0.key.kind == kind && $0.spec != nil }
            let leaving = entries.count { $0.key.kind == kind && $0.spec == nil }
            print("\(kind)s".padded(to: 16) + "\(wanted)" + (leaving > 0 ? ", \(leaving) to be removed" : ""))
        }
        try store.close()
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
