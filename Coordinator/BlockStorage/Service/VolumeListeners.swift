import CoordinatorFleet
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
    /// The guests of these servers see a new size of the volume.
    /// - Parameters:
    ///   - origin: Who extended it.
    ///   - began: When.
    func volumeExtended(
        _ volume: VolumeID, servers: [ServerID], by origin: HostedOrigin, began: Int64, at now: Int64,
        in transaction: any SQLTransaction
    ) throws
}

extension VolumeListener {
    public func volumeExtended(
        _ volume: VolumeID, servers: [ServerID], by origin: HostedOrigin, began: Int64, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {}
}

/// Those who listen, made known once while the coordinator is put together.
public final class VolumeListeners: Sendable {
    private let all = Mutex<[any VolumeListener]>([])

    public func add(_ listener: any VolumeListener) { all.withLock { $0.append(listener) } }

    func tellExtended(
        _ volume: VolumeID, servers: [ServerID], by action: HostedAction, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        guard !servers.isEmpty else { return }
        let origin = HostedOrigin(requestID: action.requestID, user: action.user, project: action.project)
        for listener in all.withLock({ $0 }) {
            try listener.volumeExtended(
                volume, servers: servers, by: origin, began: action.startedAt, at: now, in: transaction)
        }
    }

    func tell(
        _ volume: VolumeID, servers: [ServerID], failure: String?, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard !servers.isEmpty else { return }
        for listener in all.withLock({ $0 }) {
            try listener.volumeSettled(volume, servers: servers, failure: failure, at: now, in: transaction)
        }
    }
}
