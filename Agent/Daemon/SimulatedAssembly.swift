import AgentCore
import AgentSimulated
import AgentStore
import Logging
import NIOCore
import ProtocolLink
import ProtocolModel

/// Puts the agents of simulated hosts together: the real engine, store and session, on drivers that only remember.
struct SimulatedAssembly {
    let configuration: Configuration
    let folder: StateFolder
    let group: any EventLoopGroup
    let wallClock: any WallClock
    let metrics: Metrics
    let logger: Logger

    func agents(hostname: String, endpoint: LinkEndpoint?) throws -> [NodeAgent] {
        let count = configuration.simulated.nodes
        guard count > 1 else { return [try agent(folder, hostname, endpoint, tunnel(0))] }
        return try (1...count).map {
            try agent(folder.node($0), "\(hostname)-\($0)", endpoint, tunnel($0 - 1))
        }
    }

    /// The hosts have addresses in a row from the configured one on. An interface's name means nothing here.
    private func tunnel(_ number: Int) -> IPAddress? {
        guard case .address(let first)? = configuration.tunnel else { return nil }
        return first.advanced(by: number)
    }

    private func agent(
        _ folder: StateFolder, _ hostname: String, _ endpoint: LinkEndpoint?, _ tunnelAddress: IPAddress?
    ) throws -> NodeAgent {
        let (identity, endpoint) = try folder.membership(configured: endpoint)
        let clock = ContinuousClock()
        let host = SimulatedHost(
            capacity: SimulatedCapacity(
                vcpus: configuration.simulated.vcpus, memoryMiB: configuration.simulated.memoryMiB,
                diskGiB: configuration.simulated.diskGiB),
            clock: clock)
        // The hosts live in this process: its start is their boot, and a plan that outlived them would be no help.
        var generator = SystemRandomNumberGenerator()
        let bootID = Identifier<NodeTag>.random(using: &generator).text
        var logger = logger
        logger[metadataKey: "host"] = "\(hostname)"
        let engine = try ReconcileEngine(
            store: try SQLitePlanStore(),
            drivers: HostDrivers(
                compute: host.drivers.compute,
                network: SimulatedNetwork(
                    host, physicalNetworks: configuration.physicalNetworks.keys.sorted()),
                routers: configuration.roles.contains(.network) ? host.routerOwner : nil,
                volumes: configuration.roles.contains(.storage) ? host.volumeDrivers : nil),
            clock: clock, wallClock: wallClock, bootID: bootID,
            settings: EngineSettings(serversAtOnce: 64, keepSeconds: configuration.keepSeconds),
            figures: metrics.figures(), logger: logger)
        return NodeAgent(
            engine: engine,
            describer: SimulatedDescriber(
                hostname: hostname, configuration: configuration, host: host,
                tunnelAddress: tunnelAddress),
            folder: folder, endpoint: endpoint, identity: identity, bootID: bootID,
            healthEvery: configuration.simulated.nodes > 16 ? .seconds(30) : .seconds(10), group: group,
            workers: Self.workers, clock: clock, wallClock: wallClock, logger: logger)
    }

    private static let workers = BlockingWorkers(label: "skerry.files", count: 1)
}

extension StateFolder {
    /// What joining left here.
    func membership(configured: LinkEndpoint?) throws -> (NodeIdentity, LinkEndpoint) {
        guard let identity = try NodeIdentity.load(directory: identity) else {
            throw FileProblem(
                "'\(root)' holds no identity: join the cloud first with 'skerry-agent join --coordinator HOST:PORT "
                    + "--token TOKEN' (the token comes from 'skerry node token').")
        }
        guard let endpoint = configured ?? storedEndpoint().flatMap({ LinkEndpoint($0) }) else {
            throw FileProblem("Say where the coordinator is: 'coordinator: HOST:PORT' in the configuration.")
        }
        return (identity, endpoint)
    }
}
