import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel
import ServiceLifecycle

/// The network slice, put together for the daemon.
public struct NetworkSlice: Slice, FleetParts {
    public static let migrations: [Migration] = NetworkSchema.migrations
    /// Who may do what, before an operator says otherwise.
    public static var policy: Policy { NetworkPolicy.policy }
    /// Rules that are asked for the ports of a new server, beside the rules of the call.
    public static let serverPortRules = [NetworkPolicy.createPort, NetworkPolicy.chooseAddress]

    public let service: NetworkService
    public let providers: [any PlanSpecProvider]
    public let consumers: [any PlanStatusConsumer]
    public let observers: [any NodeObserver]
    public let apis: [ServiceAPI]
    public let holdings: [any ProjectHoldings]
    private let runtime: SliceRuntime?
    private let routers: RouterUpkeep

    /// - Parameter runtime: For ``services``; without it, there are none.
    public init(
        plan: any PlanWriter, directory: any NodeDirectory, settings: NetworkSettings = NetworkSettings(),
        random: RandomWords = .system, runtime: SliceRuntime? = nil
    ) {
        self.runtime = runtime
        service = NetworkService(plan: plan, directory: directory, settings: settings, random: random)
        routers = RouterUpkeep(service, failures: runtime.map { PartFailures(logger: $0.logger) })
        providers = [
            NetworkSpecs(service: service), PortSpecs(service: service), SecurityGroupSpecs(service: service),
            RouterSpecs(service: service)
        ]
        consumers = [
            PortStatuses(service: service), RouterStatuses(service: service),
            // Networks and groups have no status of their own; what fails of them is said by their ports.
            SilentStatuses(kind: .network), SilentStatuses(kind: .securityGroup)
        ]
        observers = [RemovedNodes(service: service)]
        apis = [NetworkAPI(service: service).api]
        holdings = [NetworkHoldings(service: service)]
    }

    public var services: [any Service] {
        guard let runtime else { return [] }
        return [
            PeriodicWork("places for routers", every: .seconds(5), logger: runtime.logger) {
                try await upkeep(on: runtime.database, at: runtime.clock.now())
            }
        ]
    }

    /// Finds nodes for routers that wait for one, and others for those whose node is down. To be called every few seconds;
    /// an idle cloud only reads.
    public func upkeep(on database: any SQLDatabase, at now: Int64) async throws {
        try await routers.run(on: database, at: now)
    }
}
