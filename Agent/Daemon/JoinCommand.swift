import AgentHost
import AgentStore
import ArgumentParser
import Logging
import ProtocolLink

/// Makes this host, or the simulated ones, nodes of a cloud.
struct JoinCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "join", abstract: "Makes this host a node of a cloud.",
        discussion: "The token comes from 'skerry node token' on the coordinator's host.")

    @OptionGroup var options: ConfigurationOptions

    @Option(help: "Where the coordinator listens for agents, HOST or HOST:PORT.")
    var coordinator: String?

    @Option(help: "What 'skerry node token' printed. Other users of this host can see it: --token-file hides it.")
    var token: String?

    @Option(help: "A file with what 'skerry node token' printed; '-' is the standard input.")
    var tokenFile: String?

    @Flag(help: "Join once more, as another node, although this host has joined before.")
    var again = false

    func validate() throws {
        guard (token == nil) != (tokenFile == nil) else {
            throw ValidationError("Give the join token as --token-file FILE (or '-'), or as --token TOKEN.")
        }
    }

    func run() async throws {
        let configuration = try options.load()
        let folder = StateFolder(root: configuration.stateDirectory)
        try folder.make()
        guard let token = try JoinToken(given: token, orIn: tokenFile) else {
            throw ValidationError("This is no join token: copy the whole line that 'skerry node token' prints.")
        }
        guard let text = coordinator ?? configuration.coordinator?.description ?? folder.storedEndpoint(),
            let endpoint = LinkEndpoint(text)
        else {
            throw ValidationError("Say where the coordinator is, as --coordinator HOST:PORT or in the configuration.")
        }
        if let configured = configuration.coordinator, configured != endpoint {
            print("Note: \(options.config) says 'coordinator: \(configured)', and 'run' goes by that.")
        }
        let hostname = try configuration.name ?? HostProbe().hostname()
        // An agent that runs would go on as the node that it was, on a plan that is no longer its own.
        if again { try await folder.takeLock() }
        guard configuration.driver == .simulated, configuration.simulated.nodes > 1 else {
            return try await join(folder, hostname, endpoint, token)
        }
        try await joinAll(configuration.simulated.nodes, folder, hostname, endpoint, token)
    }

    private func joinAll(
        _ count: Int, _ folder: StateFolder, _ hostname: String, _ endpoint: LinkEndpoint, _ token: JoinToken
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...count {
                if number > 8 { try await group.next() }
                group.addTask { try await join(folder.node(number), "\(hostname)-\(number)", endpoint, token) }
            }
            try await group.waitForAll()
        }
    }

    private func join(
        _ folder: StateFolder, _ hostname: String, _ endpoint: LinkEndpoint, _ token: JoinToken
    ) async throws {
        try StateFolder.makeFolder(folder.root, mode: 0o711)
        if !again, let identity = try NodeIdentity.load(directory: folder.identity) {
            print("\(hostname) is node \(identity.node) already; --again joins it as another one.")
            return
        }
        let identity: NodeIdentity
        do {
            identity = try await LinkClient.join(
                endpoint, token: token, hostname: hostname, request: try CertificateRequest())
        } catch let refusal as LinkRefusal {
            throw FileProblem("The coordinator at \(endpoint) refused: \(refusal.message)")
        } catch let error as LinkError {
            throw FileProblem("Cannot join the cloud at \(endpoint): \(error.detail)")
        }
        try identity.store(directory: folder.identity)
        try folder.store(endpoint: endpoint.description)
        try await tellWhatIsKept(folder)
        print("\(hostname) is now node \(identity.node). Start it with 'skerry-agent run'.")
    }

    /// A host that joins once more keeps its guests: the new plan may name them again, and what it does not is set aside.
    private func tellWhatIsKept(_ folder: StateFolder) async throws {
        guard again, (try? StateFolder.text(of: folder.plan)) != nil else { return }
        let store = try SQLitePlanStore(path: folder.plan)
        try await store.forgetPosition()
        let servers = try await store.entries().count { $0.key.kind == .server && $0.spec != nil }
        try store.close()
        guard servers > 0 else { return }
        print(
            "Its \(servers) servers are kept as they are until the cloud names them again: see 'skerry-agent status'.")
    }
}

extension JoinToken {
    /// A token as it was given.
    /// - Parameter file: `-` for the standard input.
    package init?(given text: String?, orIn file: String?) throws {
        let text = try file.map { $0 == "-" ? readLine() ?? "" : try StateFolder.text(of: $0) } ?? text ?? ""
        self.init(text.prefix { !$0.isWhitespace })
    }
}
