import CoordinatorCompute
import CoordinatorFleet
import CoordinatorIdentity
import CoordinatorImage
import CoordinatorNetwork
import CoordinatorPlacement
import CoordinatorPlatform
import Logging
import ProtocolLink
import ProtocolModel

/// All slices, put together over one database. The order is the order of dependence.
package struct Cloud: Sendable {
    let identity: IdentitySlice
    package let image: ImageSlice
    package let network: NetworkSlice
    package let compute: ComputeSlice
    package let fleet: FleetSlice
    let registry: SessionRegistry
    package let services: [ServiceAPI]
    /// The rules in force, of all of them.
    package let policies: PolicyBook

    package static var migrations: [Migration] {
        PlatformMigrations.all + IdentitySlice.migrations + FleetSlice.migrations + PlacementSlice.migrations
            + ImageSlice.migrations
            + NetworkSlice.migrations + ComputeSlice.migrations
    }

    package init(
        database: any SQLDatabase, identity: IdentityService, files: StateFiles, authority: CertificateAuthority,
        configuration: Configuration, clock: any WallClock,
        revision: @escaping @Sendable () -> Int, logger: Logger
    ) throws {
        let core = FleetCore(clock: clock, logger: logger)
        registry = core.registry
        let placement = PlacementSlice(directory: core.directory)
        image = ImageSlice(
            blobs: try BlobStore(directory: files.images), database: database, clock: clock,
            settings: configuration.images.data,
            metadata: configuration.images.metadata,
            limits: UnifiedImageLimits(directory: identity.directory, region: configuration.region), logger: logger)
        let network = NetworkSlice(
            plan: core.plans, directory: core.directory, settings: configuration.network)
        self.network = network
        let compute = ComputeSlice(
            network: network.service, image: image.service, placement: placement.service, plans: core.plans,
            operations: core.operations, directory: core.directory, revision: revision)
        self.compute = compute
        self.identity = IdentitySlice(
            identity, holdings: image.holdings + network.holdings + compute.holdings, logger: logger)
        fleet = FleetSlice(
            core: core, database: database, authority: authority,
            participants: FleetParticipants(
                providers: network.providers + [compute.provider], consumers: network.consumers + [compute.consumer],
                observers: placement.observers + network.observers + [compute.nodeObserver],
                operationConsumers: [compute.operationConsumer],
                images: image.service),
            explain: { try compute.explain($0, in: $1) })
        var operatorAPI = fleet.api
        operatorAPI.add(AuditRoutes(CADF(cloud: configuration.publicURL)).routes, rules: AuditRoutes.rules)
        operatorAPI.add([], rules: PolicyRoutes.rules)
        var services =
            self.identity.apis + [image.api] + network.apis + [placement.api, compute.api, operatorAPI]
        policies = PolicyBook(services.map(\.policy))
        services[services.count - 1].add(PolicyRoutes(policies, services: services).routes, rules: [:])
        self.services = services
    }
}
