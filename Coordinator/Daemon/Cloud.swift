import CoordinatorBlockStorage
import CoordinatorCompute
import CoordinatorConsole
import CoordinatorFleet
import CoordinatorIdentity
import CoordinatorImage
import CoordinatorNetwork
import CoordinatorObjectStorage
import CoordinatorPlacement
import CoordinatorPlatform
import Logging
import ProtocolLink
import ProtocolModel
import ServiceLifecycle

/// All slices, put together over one database. The order is the order of dependence.
package struct Cloud: Sendable {
    package let image: ImageSlice
    package let network: NetworkSlice
    package let blockStorage: BlockStorageSlice
    package let compute: ComputeSlice
    let console: ConsoleSlice
    package let fleet: FleetSlice
    let registry: SessionRegistry
    package let services: [ServiceAPI]
    /// The rules in force, of all of them.
    package let policies: PolicyBook

    /// What the slices do by themselves.
    let work: [any Service]

    private static let slices: [any Slice.Type] = [
        IdentitySlice.self, FleetSlice.self, PlacementSlice.self, ImageSlice.self, NetworkSlice.self,
        BlockStorageSlice.self, ConsoleSlice.self, ComputeSlice.self
    ]

    package static var migrations: [Migration] { PlatformMigrations.all + slices.flatMap { $0.migrations } }

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
        let runtime = SliceRuntime(database: database, clock: clock, logger: logger)
        let network = NetworkSlice(
            plan: core.plans, directory: core.directory, settings: configuration.network, runtime: runtime)
        self.network = network
        let blockStorage = BlockStorageSlice(
            image: image.service, placement: placement.service, plans: core.plans, operations: core.operations,
            directory: core.directory, runtime: runtime)
        self.blockStorage = blockStorage
        let compute = ComputeSlice(
            settings: configuration.compute, network: network.service, image: image.service,
            placement: placement.service, volumes: blockStorage.service, plans: core.plans, operations: core.operations,
            directory: core.directory, consoles: ConsoleTokens(settings: configuration.consoleSettings),
            proxied: network.apis + image.apis + blockStorage.apis, revision: revision,
            runtime: runtime)
        self.compute = compute
        console = ConsoleSlice(settings: configuration.consoleSettings, operations: core.operations, runtime: runtime) {
            try compute.host(of: $0, in: $1)
        }
        let others: [any Slice] = [placement, image, network, blockStorage, console, compute]
        let identitySlice = IdentitySlice(identity, holdings: others.flatMap(\.holdings), logger: logger)
        var participants = FleetParticipants(others.compactMap { $0 as? any FleetParts }, images: image.service)
        participants.serving = ObjectStorageService(
            tokens: identity.tokens, keys: SigningKeyService(identity), endpoint: configuration.objectEndpoint,
            apiHost: configuration.apiHost)
        participants.consoles = console.desk
        fleet = FleetSlice(
            core: core, database: database, authority: authority, participants: participants,
            explain: { key, reader in
                switch key.kind {
                case .volume: try blockStorage.explain(key.id.cast(), in: reader)
                case .port: try network.explain(key.id.cast(), in: reader)
                default: try compute.explain(key.id.cast(), in: reader)
                }
            })
        work = ([identitySlice, fleet] + others).flatMap(\.services)
        var operatorAPI = fleet.api
        operatorAPI.add(AuditRoutes(CADF(cloud: configuration.publicURL)).routes, rules: AuditRoutes.rules)
        operatorAPI.add([], rules: PolicyRoutes.rules)
        // The operator's comes last.
        var services = ([identitySlice] + others).flatMap(\.apis) + [operatorAPI]
        policies = PolicyBook(services.map(\.policy))
        services[services.count - 1].add(PolicyRoutes(policies, services: services).routes, rules: [:])
        self.services = services
    }
}
