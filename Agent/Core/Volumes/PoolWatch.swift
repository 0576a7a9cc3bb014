import ProtocolModel
import Synchronization

/// What was last seen of a host's pools. A pool that cannot be looked at says nothing of its volumes, least of all that
/// they are gone.
final class PoolWatch: Sendable {
    enum Pool: Sendable, Equatable {
        case seen(PoolContents)
        case failed(StatusError)
    }

    private let backends: [String: any VolumeBackend]
    private let last = Mutex<[String: Pool]>([:])

    init(_ backends: [String: any VolumeBackend]) { self.backends = backends }

    func look() async -> [String: Pool] {
        var pools: [String: Pool] = [:]
        for (name, backend) in backends {
            do throws(StatusError) {
                pools[name] = .seen(try await backend.observe())
            } catch {
                pools[name] = .failed(error)
            }
        }
        last.withLock { $0 = pools }
        return pools
    }

    var pools: [String: Pool] { last.withLock { $0 } }

    /// Whether what was not seen in any pool is in none, as far as this host's configuration goes.
    func canTell(_ pool: String?) -> Bool {
        if let pool, let seen = pools[pool] {
            if case .failed = seen { return false }
            return true
        }
        return pools.values.allSatisfy { if case .seen = $0 { true } else { false } }
    }
}

extension [String: PoolWatch.Pool] {
    /// Why a pool's contents are not known.
    func failure(of pool: String) -> StatusError? {
        switch self[pool] {
        case .seen?: nil
        case .failed(let error)?: error
        case nil: .noPool(pool)
        }
    }

    func contents(of pool: String) -> PoolContents? {
        if case .seen(let contents)? = self[pool] { contents } else { nil }
    }
}

extension AgentPlan {
    /// Whether a volume that is not there yet is to be made from this.
    func isSource(_ key: ResourceKey, isThere: (VolumeID) -> Bool) -> Bool {
        entries.values.contains { entry in
            guard case .volume(let spec)? = entry.spec?.inForce, spec.source.key == key else { return false }
            return !isThere(spec.id)
        }
    }

    /// Whether a server shall have the volume.
    func isAttached(_ volume: VolumeID) -> Bool {
        entries.values.contains { entry in
            guard case .server(let spec)? = entry.spec?.inForce else { return false }
            return spec.volumes.contains { $0.id == volume }
        }
    }
}

extension VolumeSpec.Source {
    /// The resource of this host that it is made from.
    var key: ResourceKey? {
        switch self {
        case .empty, .image: nil
        case .snapshot(let snapshot, of: _): .volumeSnapshot(snapshot)
        case .volume(let volume): .volume(volume)
        }
    }
}
