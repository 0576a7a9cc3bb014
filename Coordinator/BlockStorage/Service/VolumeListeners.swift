import CoordinatorPlatform
import ProtocolModel
import Synchronization

/// Hears what becomes of volumes that servers wait for: the compute slice does, which stands above this one.
public protocol VolumeListener: Sendable {
    /// A volume that servers hold is there, as large as it was to become, or will never be.
    /// - Parameters:
    ///   - servers: Of its managed attachments.
    ///   - failure: For the tenant; `nil` when all is well.
    func volumeSettled(
        _ volume: VolumeID, servers: [ServerID], failure: String?, at now: Int64, in transaction: any SQLTransaction
    ) throws
}

/// Those who listen, made known once while the coordinator is put together.
public final class VolumeListeners: Sendable {
    private let all = Mutex<[any VolumeListener]>([])

    public func add(_ listener: any VolumeListener) { all.withLock { $0.append(listener) } }

    func tell(
        _ volume: VolumeID, servers: [ServerID], failure: String?, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard !servers.isEmpty else { return }
        for listener in all.withLock({ $0 }) {
            try listener.volumeSettled(volume, servers: servers, failure: failure, at: now, in: transaction)
        }
    }
}
