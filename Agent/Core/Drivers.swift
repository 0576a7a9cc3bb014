import ProtocolModel

/// What servers need of a host.
public struct ComputeDrivers: Sendable {
    public var hypervisor: any HypervisorDriver
    public var storage: any ServerStorage
    /// Where volumes of this host are; `nil` on a host without pools.
    public var volumePaths: (any VolumePaths)?
    /// What a server stands on beside its networks.
    public var foundations: ServerFoundations

    public init(
        hypervisor: any HypervisorDriver, storage: any ServerStorage, volumePaths: (any VolumePaths)? = nil,
        foundations: ServerFoundations = .volumes
    ) {
        self.hypervisor = hypervisor
        self.storage = storage
        self.volumePaths = volumePaths
        self.foundations = foundations
    }
}

/// Resources that have to be ready, as they are wanted now, before a server may be started.
public struct ServerFoundations: Sendable {
    public var kinds: Set<ResourceKind>
    public var keys: @Sendable (ServerSpec) -> [ResourceKey]

    public init(kinds: Set<ResourceKind> = [], keys: @escaping @Sendable (ServerSpec) -> [ResourceKey] = { _ in [] }) {
        self.kinds = kinds
        self.keys = keys
    }

    /// The server's volumes in pools of the host itself.
    public static let volumes = Self(kinds: [.volume]) { $0.volumes.compactMap(\.foundation) }
}

extension ServerSpec.Volume {
    /// What has to be ready on this host before the volume can be used; nothing for one that another host exports.
    var foundation: ResourceKey? { if case .pool = place { .volume(id) } else { nil } }
}

/// What a host can do; `nil` where it lacks the role.
public struct HostDrivers: Sendable {
    public var compute: ComputeDrivers?
    public var network: (any NetworkDriver)?
    public var routers: (@Sendable (EngineCore) -> any KindOwner)?
    public var volumes: VolumeDrivers?
    /// Owners of further kinds.
    public var others: [@Sendable (EngineCore) -> any KindOwner]

    public init(
        compute: ComputeDrivers?, network: (any NetworkDriver)?,
        routers: (@Sendable (EngineCore) -> any KindOwner)? = nil,
        volumes: VolumeDrivers? = nil,
        others: [@Sendable (EngineCore) -> any KindOwner] = []
    ) {
        self.compute = compute
        self.network = network
        self.routers = routers
        self.volumes = volumes
        self.others = others
    }

    /// One for each kind, also where the host lacks the role.
    public func owners(_ core: EngineCore) -> [any KindOwner] {
        let servers: any KindOwner =
            compute.map { KeyedReconciler(ServerKind($0, core), core) }
            ?? AbsentRole(
                [.server],
                error: StatusError(
                    code: .unsupported, message: "The host does not run servers: choose another host.",
                    detail: "the agent has no hypervisor driver"), core: core)
        let networks: any KindOwner =
            network.map { NetworkOwner($0, core) }
            ?? AbsentRole(
                NetworkSelection.kinds,
                error: StatusError(
                    code: .unsupported, message: "The host does not provide networks: choose another host.",
                    detail: "the agent has no network driver"), core: core)
        let routing =
            routers?(core)
            ?? AbsentRole(
                [.router],
                error: StatusError(
                    code: .unsupported, message: "The host does not route: choose another host.",
                    detail: "the agent lacks the network role"), core: core)
        return [servers, networks, routing] + volumeOwners(core) + others.map { $0(core) }
    }

    private func volumeOwners(_ core: EngineCore) -> [any KindOwner] {
        guard let volumes else {
            return [
                AbsentRole(
                    [.volume, .volumeSnapshot],
                    error: StatusError(
                        code: .unsupported, message: "The host does not keep volumes: choose another host.",
                        detail: "the agent lacks the storage role"), core: core)
            ]
        }
        return [
            KeyedReconciler(VolumeKind(volumes, core), core), KeyedReconciler(VolumeSnapshotKind(volumes, core), core)
        ]
    }
}
