import CoordinatorBlockStorage
import CoordinatorConsole
import CoordinatorFleet
import CoordinatorIdentity
import CoordinatorImage
import CoordinatorNetwork
import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel
import ServiceLifecycle

/// The compute service, put together: what the coordinator mounts, registers and runs.
public struct ComputeSlice: Slice, FleetParts {
    public static let migrations = ComputeSchema.migrations

    /// `/compute`.
    public let api: ServiceAPI
    /// Specs of servers for nodes' plans.
    public let provider: any PlanSpecProvider
    public let consumer: any PlanStatusConsumer
    public let operationConsumer: any OperationConsumer
    public let nodeObserver: any NodeObserver
    public let watchdog: any HostedWatchdog
    /// What projects and users own here.
    public let holdings: [any ProjectHoldings]
    private let explanation: ServerExplanation
    private let commands: ServerCommands
    private let servers: ServerStore
    private let settings: ComputeSettings
    private let runtime: SliceRuntime?

    public var apis: [ServiceAPI] { [api] }
    public var providers: [any PlanSpecProvider] { [provider] }
    public var consumers: [any PlanStatusConsumer] { [consumer] }
    public var observers: [any NodeObserver] { [nodeObserver] }
    public var operationConsumers: [any OperationConsumer] { [operationConsumer] }

    /// - Parameters:
    ///   - proxied: The services whose calls the compute API has from old times: network and image.
    ///   - revision: A number that rises with every change of the store; asked before a read begins. With it, lists of
    ///     servers need not look at ports while nothing changed.
    ///   - runtime: For ``services``; without it, there are none.
    public init(
        settings: ComputeSettings = ComputeSettings(), network: any NetworkForCompute, image: any ImageForCompute,
        placement: any Placement, volumes: any VolumesForCompute, plans: any PlanWriter,
        operations: any OperationDispatcher,
        directory: any NodeDirectory, consoles: ConsoleTokens? = nil, proxied: [ServiceAPI] = [],
        revision: (@Sendable () -> Int)? = nil,
        runtime: SliceRuntime? = nil
    ) {
        let parts = ComputeParts(
            settings: settings, network: network, image: image, placement: placement, volumes: volumes, plans: plans,
            operations: operations, directory: directory, consoles: consoles)
        volumes.listeners.add(VolumeWaiting(parts: parts))
        let reader = ServerReader(
            parts: parts, rendered: RenderedServers(limit: settings.renderedServers), revision: revision)
        self.settings = settings
        self.runtime = runtime
        api = ComputeAPI(parts: parts, reader: reader, proxies: ProxyCalls(proxied)).service
        provider = ServerSpecProvider(parts: parts)
        let reports = HostedReports(
            parts.workflow, directory: directory, failures: runtime.map { PartFailures(logger: $0.logger) })
        let whole = ServerReports(devices: DeviceChanges(parts: parts), servers: reports)
        consumer = whole
        operationConsumer = reports
        nodeObserver = ServerNodes(servers: reports, aggregates: Aggregates(parts: parts))
        watchdog = whole
        holdings = [ComputeHoldings(parts: parts)]
        explanation = ServerExplanation(parts: parts)
        commands = ServerCommands(parts: parts)
        servers = parts.servers
    }

    /// Why a server is where and as it is, for the operator; `nil` for an unknown one.
    public func explain(_ server: ServerID, in reader: any SQLReader) throws -> JSON? {
        try explanation.explain(server, in: reader)
    }

    /// Where a server's consoles are; `nil` for one that is on no host, or is gone.
    public func host(of server: ServerID, in reader: any SQLReader) throws -> NodeID? {
        guard let server = try servers.find(server, in: reader), !server.isDeleted else { return nil }
        return server.host?.node
    }

    /// Work that repeats; each is one transaction and safe at any moment.
    public var periodics: [Periodic] {
        let watchdog = watchdog
        let kept = settings.deletedServerDays * 86_400_000_000
        let commands = commands
        return [
            Periodic(name: "compute.watchdog", everySeconds: 5) { try watchdog.expire(at: $0, in: $1) },
            Periodic(name: "compute.confirm", everySeconds: 10) { try commands.confirmOverdue(at: $0, in: $1) },
            Periodic(name: "compute.offload", everySeconds: 60) { try commands.offloadOverdue(at: $0, in: $1) },
            Periodic(name: "compute.reclaim", everySeconds: 60) { try commands.reclaim(at: $0, in: $1) },
            Periodic(name: "compute.forget", everySeconds: 3600) {
                try watchdog.forget(deletedBefore: $0 - kept, in: $1)
            }
        ]
    }

    public var services: [any Service] {
        guard let runtime else { return [] }
        return periodics.map { periodic in
            PeriodicWork(periodic.name, every: .seconds(periodic.everySeconds), logger: runtime.logger) {
                let now = runtime.clock.now()
                try await runtime.database.write { try periodic.run(now, $0) }
            }
        }
    }

    public struct Periodic: Sendable {
        public let name: String
        public let everySeconds: Int
        public let run: @Sendable (_ now: Int64, _ transaction: any SQLTransaction) throws -> Void
    }
}
