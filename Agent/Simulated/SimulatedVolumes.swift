import AgentCore
import ProtocolModel
import Synchronization

/// A pool whose volumes are only remembered: how large each is, and whose content it has.
public struct SimulatedPool: VolumeBackend {
    struct Contents: Sendable, Equatable {
        var volumes: [VolumeID: StoredVolume] = [:]
        var snapshots: [VolumeSnapshotID: StoredSnapshot] = [:]
    }

    private let host: SimulatedHost
    private let name: String

    init(_ host: SimulatedHost, name: String) {
        self.host = host
        self.name = name
    }

    public var backendName: String { "file" }

    public func location(of volume: VolumeID) -> VolumeLocation {
        VolumeLocation(path: "/simulated/\(name)/\(volume)", format: .qcow2)
    }

    public func observe() async throws(StatusError) -> PoolContents {
        try await enter(.observeVolumes)
        let contents = host.pools.withLock { $0[name] ?? Contents() }
        return PoolContents(volumes: contents.volumes, snapshots: contents.snapshots)
    }

    public func capacity() async throws(StatusError) -> PoolCapacity {
        PoolCapacity(totalGiB: host.capacity.diskGiB, freeGiB: host.capacity.diskGiB)
    }

    public func create(_ spec: VolumeSpec) async throws(StatusError) {
        try await change(.createVolume) { contents in
            contents.volumes[spec.id] =
                contents.volumes[spec.id]
                ?? StoredVolume(sizeBytes: spec.sizeBytes, reversion: spec.reversion?.version ?? 0)
        }
    }

    public func extend(_ volume: VolumeID, toBytes: Int64) async throws(StatusError) {
        try await change(.extendVolume) { $0.volumes[volume]?.sizeBytes = toBytes }
    }

    public func revert(_ volume: VolumeID, to reversion: VolumeSpec.Reversion) async throws(StatusError) {
        try await change(.revertVolume) { $0.volumes[volume]?.reversion = reversion.version }
    }

    public func snapshot(_ volume: VolumeID, as snapshot: VolumeSnapshotID) async throws(StatusError) {
        try await change(.snapshotVolume) { contents in
            guard let volume = contents.volumes[volume], contents.snapshots[snapshot] == nil else { return }
            contents.snapshots[snapshot] = StoredSnapshot(sizeBytes: volume.sizeBytes)
        }
    }

    public func finish(_ volume: VolumeID) async throws(StatusError) {
        try await change(.snapshotVolume) { $0.volumes[volume]?.isUnfinished = false }
    }

    public func beginCopy(of volume: VolumeID, for operation: OperationID) async throws(StatusError) {
        try await enter(.copyVolume)
        let size = host.pools.withLock { $0[name]?.volumes[volume]?.sizeBytes }
        guard let size else {
            throw StatusError(code: .hostFailure, message: "The volume is not there.", detail: "volume=\(volume)")
        }
        host.disks.withLock { $0.volumeCopies[operation] = size }
    }

    /// A raw one is a few octets only, whatever the size of the volume.
    public func copy(
        for operation: OperationID, as format: ImageSpec.DiskFormat, within limit: Duration
    ) async throws(StatusError) -> any SnapshotFile {
        try await enter(.copyVolume)
        let size = host.disks.withLock { $0.volumeCopies[operation] } ?? 1 << 30
        return format == .qcow2 ? SimulatedSnapshot(virtualBytes: size) : SimulatedSnapshot(raw: 65_536)
    }

    public func endCopy(for operation: OperationID) async {
        _ = host.disks.withLock { $0.volumeCopies.removeValue(forKey: operation) }
    }

    public func remove(_ volume: VolumeID) async throws(StatusError) {
        try await change(.removeVolume) { $0.volumes[volume] = nil }
    }

    public func remove(_ snapshot: VolumeSnapshotID) async throws(StatusError) {
        try await change(.removeSnapshot) { $0.snapshots[snapshot] = nil }
    }

    public func tick() async {}

    private func change(
        _ action: SimulatedCall.Action, _ body: @Sendable (inout Contents) -> Void
    ) async throws(StatusError) {
        try await enter(action)
        host.pools.withLock { body(&$0[name, default: Contents()]) }
    }

    private func enter(_ action: SimulatedCall.Action) async throws(StatusError) {
        try await host.behavior.enter(SimulatedCall(action), clock: host.clock)
    }
}

extension SimulatedHost {
    /// The name of the one pool that a simulated host has.
    public static var poolName: String { "local" }

    public var volumeDrivers: VolumeDrivers {
        VolumeDrivers(
            pools: [Self.poolName: SimulatedPool(self, name: Self.poolName)], attached: nil,
            images: SimulatedStorage(self))
    }

    /// The volumes that are on the host.
    public var volumes: [VolumeID: StoredVolume] {
        pools.withLock { $0.values.reduce(into: [:]) { $0.merge($1.volumes) { first, _ in first } } }
    }

    /// The snapshots that are on the host.
    public var snapshots: [VolumeSnapshotID: StoredSnapshot] {
        pools.withLock { $0.values.reduce(into: [:]) { $0.merge($1.snapshots) { first, _ in first } } }
    }

    /// As a snapshot under a guest leaves a volume that was broken off.
    public func leaveUnfinished(_ volume: VolumeID) {
        pools.withLock { pools in
            for name in pools.keys { pools[name]?.volumes[volume]?.isUnfinished = true }
        }
    }

    /// The file system with the pools is no longer mounted, as far as these volumes go.
    public func loseVolumes() { pools.withLock { $0 = [:] } }
}
