import CoordinatorBlockStorage
import CoordinatorCompute
import CoordinatorConsole
import CoordinatorFleet
import CoordinatorIdentity
import CoordinatorImage
import CoordinatorNetwork
import CoordinatorPlacement
import CoordinatorPlatform
import Logging
import ProtocolLink
import ProtocolModel

/// All services put together as the coordinator does it, for what is said of every one of them.
struct PolicyCloud: Sendable {
    let services: [ServiceAPI]
    let policies: PolicyBook
    let harness: APIHarness
    let network: NetworkSlice
    /// The agents' end.
    let link: any LinkService
    let hosts: VolumeHosts
    /// With the folder of its blobs, which goes with it.
    let image: ImageMetadataCloud

    init() async throws {
        let clock = ManualClock()
        let database = try await APIHarness.database(
            migrations: IdentityMigrations.all + FleetSlice.migrations + PlacementSlice.migrations
                + ImageSlice.migrations + NetworkSlice.migrations + BlockStorageSlice.migrations
                + ConsoleSlice.migrations + ComputeSlice.migrations)
        image = try await ImageMetadataCloud(in: (database, clock))
        let identity = try await IdentityService(
            database: database, clock: clock,
            hasher: PasswordHasher(pool: BlockingPool(threads: 1, waiting: 8), logN: 4))
        var logger = Logger(label: "policy")
        logger.logLevel = .error
        let core = FleetCore(clock: clock, logger: logger)
        let placement = PlacementSlice(directory: core.directory)
        network = NetworkSlice(plan: core.plans, directory: core.directory)
        let volumes = BlockStorageSlice(
            image: image.slice.service, placement: placement.service, plans: core.plans, operations: core.operations,
            directory: core.directory)
        let compute = ComputeSlice(
            network: network.service, image: image.slice.service, placement: placement.service,
            volumes: volumes.service,
            plans: core.plans,
            operations: core.operations, directory: core.directory,
            consoles: ConsoleTokens(settings: ConsoleSettings()),
            proxied: network.apis + image.slice.apis + volumes.apis)
        let fleet = FleetSlice(
            core: core, database: database, authority: try CertificateAuthority.create(at: 1_767_225_600),
            participants: FleetParticipants(
                providers: [], consumers: [], observers: [], operationConsumers: [compute.operationConsumer],
                images: image.slice.service),
            explain: { [network] key, reader in
                switch key.kind {
                case .volume: try volumes.explain(key.id.cast(), in: reader)
                case .port: try network.explain(key.id.cast(), in: reader)
                default: try compute.explain(key.id.cast(), in: reader)
                }
            })
        link = fleet.link
        var operatorAPI = fleet.api
        operatorAPI.add(AuditRoutes(CADF(cloud: "https://cloud.test:8700")).routes, rules: AuditRoutes.rules)
        operatorAPI.add([], rules: PolicyRoutes.rules)
        var services =
            [
                IdentityAPI.make(identity), image.slice.api
            ] + network.apis + volumes.apis + [placement.api, compute.api, operatorAPI]
        policies = PolicyBook(services.map(\.policy))
        services[services.count - 1].add(PolicyRoutes(policies, services: services).routes, rules: [:])
        self.services = services
        harness = APIHarness(services: services, database: database, policies: policies, clock: clock)
        hosts = try await VolumeHosts(
            core, at: clock.now(), database: database, parts: [placement, volumes], roles: [.storage], logger: logger)
    }
}
