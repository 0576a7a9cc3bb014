import ProtocolModel

/// What volumes need of a host.
public struct VolumeDrivers: Sendable {
    /// By the names under which the cloud knows them.
    public var pools: [String: any VolumeBackend]
    /// `nil` on a host that runs no guests.
    public var attached: (any AttachedVolumes)?
    public var images: any ImageStore
    public let turns: VolumeTurns

    public init(
        pools: [String: any VolumeBackend], attached: (any AttachedVolumes)?, images: any ImageStore,
        turns: VolumeTurns = VolumeTurns()
    ) {
        self.pools = pools
        self.attached = attached
        self.images = images
        self.turns = turns
    }

    /// The pools as the node's report has them, by name.
    public func report() async -> [StoragePool] {
        var report: [StoragePool] = []
        for (name, pool) in pools.sorted(by: { $0.key < $1.key }) {
            do throws(StatusError) {
                let capacity = try await pool.capacity()
                let contents = try await pool.observe()
                report.append(
                    StoragePool(
                        name: name, backend: pool.backendName, totalGiB: capacity.totalGiB, freeGiB: capacity.freeGiB,
                        provisionedGiB: contents.volumes.values.reduce(0) { $0 + $1.sizeBytes.wholeGiB },
                        problem: capacity.problem))
            } catch {
                report.append(
                    StoragePool(
                        name: name, backend: pool.backendName, totalGiB: 0, freeGiB: 0, provisionedGiB: 0,
                        problem: error.message))
            }
        }
        return report
    }
}

extension VolumeDrivers: VolumePaths {
    public func location(of volume: VolumeID, pool: String) -> VolumeLocation? { pools[pool]?.location(of: volume) }

    public func settle(_ volume: VolumeID, pool: String) async throws(StatusError) {
        try await pools[pool]?.finish(volume)
    }
}

/// One piece of work at a time on each volume: what changes it, and what gives it to a guest.
public struct VolumeTurns: Sendable {
    private let turns = KeyedTurns()

    public init() {}

    /// - Parameter volumes: Taken in their order, so that nobody waits for somebody who waits for him.
    public func holding<Value: Sendable>(
        _ volumes: Set<VolumeID>, _ body: () async throws(StatusError) -> Value
    ) async throws(StatusError) -> Value {
        let keys = volumes.sorted().map(ResourceKey.volume)
        for key in keys { await turns.take(key) }
        defer { for key in keys { turns.give(key) } }
        return try await body()
    }
}

extension Int64 {
    /// Bytes in GiB, rounded up.
    var wholeGiB: Int { Int((self + (1 << 30) - 1) >> 30) }
}
