import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// The network slice, put together for the daemon.
public struct NetworkSlice: Slice {
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

    public init(
        plan: any PlanWriter, directory: any NodeDirectory, settings: NetworkSettings = NetworkSettings(),
        random: RandomWords = .system
    ) {
        service = NetworkService(plan: plan, directory: directory, settings: settings, random: random)
        providers = [
            NetworkSpecs(service: service), PortSpecs(service: service), SecurityGroupSpecs(service: service)
        ]
        consumers = [
            PortStatuses(service: service), SilentStatuses(kind: .network), SilentStatuses(kind: .securityGroup)
        ]
        observers = [RemovedNodes(service: service)]
        apis = [NetworkAPI(service: service).api]
        holdings = [NetworkHoldings(service: service)]
    }
}
