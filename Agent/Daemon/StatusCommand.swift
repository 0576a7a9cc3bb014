import AgentCore
import AgentStore
import ArgumentParser
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
        let plan = AgentPlan(position: position, entries: entries, setAside: try await store.setAside())
        let ran = max(try await store.runningTime(), plan.keptData.map(\.kept.since).max() ?? 0)
        for line in plan.keptLines(at: ran, keepSeconds: configuration.keepSeconds) { print(line) }
        try store.close()
    }
}

extension AgentPlan {
    /// What is kept although the plan does not name it, one a line.
    package func keptLines(at now: Int64, keepSeconds: Int64) -> [String] {
        keptData.map { key, kept in
            "kept            \(title(of: key)), not in the plan: \(kept.fate(at: now, keepSeconds: keepSeconds))"
        }
    }

    /// What is kept that a tenant's data would be lost with, sorted.
    var keptData: [(key: ResourceKey, kept: SetAside)] {
        setAside.filter(\.key.kind.holdsData).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// The resource with its name, where it has one.
    func title(of key: ResourceKey) -> String {
        let name = key.kind == .server ? server(key.id.cast()).map { " (\($0.name))" } : nil
        return "\(key)\(name ?? "")"
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
