import AgentCore
import AgentHost
import ArgumentParser
import Logging
import NIOCore
import NIOPosix
import ProtocolLink
import ProtocolModel
import ProtocolTelemetry
import ServiceLifecycle

/// Keeps the host as the plan wants it until it is told to stop; guests, bridges and DHCP go on without the agent.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "run", abstract: "Runs the agent.")

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        HeapTuning.apply()
        let configuration = try options.load()
        Telemetry.bootstrap(
            logLevel: configuration.common.logLevel, format: configuration.common.logsJSON ? .json : .text)
        let logger = Logger(label: "agent")
        let folder = StateFolder(root: configuration.stateDirectory)
        try folder.make()
        try await folder.takeLock()
        let isSimulated = configuration.driver == .simulated
        // One thread carries a session and its keep-alive with ease; each more would cost memory at rest.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: isSimulated ? System.coreCount : 1)
        let guestGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let metrics = Metrics()
        let agents: [NodeAgent]
        var network: (any NetworkDriver)?
        var objects: ObjectFace?
        if isSimulated {
            let assembly = SimulatedAssembly(
                configuration: configuration, folder: folder, group: group, wallClock: SystemClock(),
                metrics: metrics, logger: logger)
            let hostname = try configuration.name ?? HostProbe().hostname()
            agents = try assembly.agents(hostname: hostname, endpoint: configuration.coordinator)
        } else {
            let (identity, endpoint) = try folder.membership(configured: configuration.coordinator)
            let assembly = HostAssembly(
                configuration: configuration, folder: folder, group: group, guestGroup: guestGroup,
                wallClock: SystemClock(), metrics: metrics, logger: logger)
            let (agent, drivers) = try assembly.agent(identity: identity, endpoint: endpoint)
            agents = [agent]
            network = drivers.network
            objects = try ObjectFace(configuration, folder: folder, line: agent.line, logger: logger)
        }
        logger.notice(
            "agent started", metadata: ["driver": "\(configuration.driver)", "nodes": "\(agents.count)"])
        metrics.show(agents.map(\.engine.figures))
        try await serve(agents, objects, metrics, configuration, group, logger)
        await network?.stop()
        try await objects?.stop()
        try await guestGroup.shutdownGracefully()
        try await group.shutdownGracefully()
        logger.notice("agent stopped")
        Telemetry.flush()
    }

    private func serve(
        _ agents: [NodeAgent], _ objects: ObjectFace?, _ metrics: Metrics, _ configuration: Configuration,
        _ group: any EventLoopGroup, _ logger: Logger
    ) async throws {
        var services: [any Service] = [AgentsService(agents: agents), SmallMemory()]
        if let objects { services.append(objects) }
        if let endpoint = configuration.common.metricsListen {
            services.append(
                MetricsService(
                    endpoint: endpoint, registry: metrics.registry, group: group, logger: logger))
        }
        var quiet = logger
        quiet.logLevel = .error
        try await ServiceGroup(
            configuration: .init(
                services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint],
                logger: quiet)
        ).run()
    }
}

/// Lets go of what only the start needed.
private struct SmallMemory: Service {
    func run() async throws { await cancelWhenGracefulShutdown { await ProgramPages.keepFew() } }
}

/// All nodes of this process.
private struct AgentsService: Service {
    let agents: [NodeAgent]

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await withThrowingDiscardingTaskGroup { group in
                for agent in agents { group.addTask { try await agent.run() } }
            }
        }
    }
}
