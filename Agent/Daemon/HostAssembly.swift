import AgentCompute
import AgentCore
import AgentHost
import AgentNetlink
import AgentNetwork
import AgentStorage
import AgentStore
import Logging
import NIOCore
import ProtocolLink
import ProtocolModel

/// Puts the agent of a real host together.
struct HostAssembly {
    let configuration: Configuration
    let folder: StateFolder
    let group: any EventLoopGroup
    /// For what guests ask of the host: none of them delays the link.
    let guestGroup: any EventLoopGroup
    let wallClock: any WallClock
    let metrics: Metrics
    let logger: Logger

    func agent(identity: NodeIdentity, endpoint: LinkEndpoint) throws -> (NodeAgent, HostDrivers) {
        let probe = HostProbe()
        let bootID = try probe.bootID()
        let network = try network(endpoint)
        // The image cache is one, whoever makes disks of what is in it.
        let storage = FileServerStorage(
            .init(folder: folder.root, imageCacheLimitBytes: Int64(configuration.imageCacheGiB) << 30),
            clock: wallClock)
        let hypervisor = hypervisor()
        let volumes = volumes(storage, hypervisor)
        let drivers = HostDrivers(
            compute: hypervisor.map { ComputeDrivers(hypervisor: $0, storage: storage) }, network: network,
            routers: configuration.roles.contains(.network) ? network?.routerOwner : nil, volumes: volumes)
        let inventory = NodeInventory(
            .init(
                hostname: try configuration.name ?? probe.hostname(), roles: configuration.roles,
                agentVersion: AgentVersion.text, availabilityZone: configuration.availabilityZone,
                reservedMemoryMiB: configuration.reservedMemoryMiB, reservedDiskGiB: configuration.reservedDiskGiB))
        let engine = try ReconcileEngine(
            store: try SQLitePlanStore(path: folder.plan), drivers: drivers, clock: ContinuousClock(),
            wallClock: wallClock, bootID: bootID, settings: EngineSettings(keepSeconds: configuration.keepSeconds),
            figures: metrics.figures(), logger: logger)
        let agent = NodeAgent(
            engine: engine, describer: HostDescriber(probe: probe, inventory: inventory, drivers: drivers),
            folder: folder, endpoint: endpoint, identity: identity, bootID: bootID, healthEvery: .seconds(10),
            group: group, workers: BlockingWorkers(label: "skerry.files", count: 1), clock: ContinuousClock(),
            wallClock: wallClock, logger: logger)
        return (agent, drivers)
    }

    private func hypervisor() -> LibvirtDriver? {
        guard configuration.roles.contains(.compute) else { return nil }
        let verdict = VirtTypeProbe.probe(configuration.libvirt.virtType)
        if let warning = verdict.warning { logger.warning("\(warning)") }
        return LibvirtDriver(
            uri: configuration.libvirt.uri, settings: HypervisorSettings(virtType: verdict.virtType), logger: logger)
    }

    private func volumes(_ images: FileServerStorage, _ hypervisor: LibvirtDriver?) -> VolumeDrivers? {
        guard configuration.roles.contains(.storage) else { return nil }
        let pools = configuration.pools.mapValues { pool in
            FilePool(
                FilePool.Settings(
                    folder: pool.path, reservedGiB: pool.reservedGiB, overcommitPercent: pool.overcommitPercent),
                images: images, attached: hypervisor, logger: logger)
        }
        return VolumeDrivers(pools: pools, attached: hypervisor, images: images)
    }

    private func network(_ coordinator: LinkEndpoint) throws -> HostNetworkDriver? {
        // A host that runs guests needs the network under them, whatever else the network role means.
        guard configuration.roles.contains(.network) || configuration.roles.contains(.compute) else { return nil }
        return try HostNetworkDriver(
            configuration: HostNetworkConfiguration(
                physicalNetworks: configuration.physicalNetworks, stateDirectory: folder.root,
                tunnel: TunnelSource(configured: configuration.tunnel, coordinator: coordinator.host)),
            group: guestGroup, logger: logger)
    }
}
