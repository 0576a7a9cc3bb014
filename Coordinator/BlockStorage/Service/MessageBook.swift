import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// Tells users why something failed after its call was answered.
struct MessageBook: Sendable {
    let parts: BlockStorageParts

    /// Where the record was given a fault just now.
    func note(_ volume: VolumeRecord, _ task: VolumeTask?, at now: Int64, in transaction: any SQLTransaction) throws {
        guard let fault = volume.fault, fault.createdAt == now else { return }
        let action: UserMessage.Action =
            switch task ?? .creating {
            case .creating: if case .image = volume.source { .copyImage } else { .create }
            case .extending: .extend
            case .uploading: .copyVolume
            case .reverting, .deleting: .other
            }
        try write(
            "VOLUME", volume.id.cast(), volume.project, action, fault, at: now, in: transaction)
    }

    func note(
        _ snapshot: SnapshotRecord, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard let fault = snapshot.fault, fault.createdAt == now else { return }
        try write(
            "VOLUME_SNAPSHOT", snapshot.id.cast(), snapshot.project,
            snapshot.state.isLeaving ? .deleteSnapshot : .createSnapshot, fault, at: now, in: transaction)
    }

    private func write(
        _ type: String, _ resource: AnyID, _ project: ProjectID, _ action: UserMessage.Action, _ fault: HostedFault,
        at now: Int64, in transaction: any SQLTransaction
    ) throws {
        let kind: ResourceKind = type == "VOLUME" ? .volume : .volumeSnapshot
        let request = try parts.log.actions(
            on: ResourceKey(kind: kind, id: resource), in: transaction
        ).first?.requestID
        try parts.messages.insert(
            UserMessage(
                id: .random(), project: project, requestID: request ?? "", resourceType: type, resource: resource,
                action: action, text: String(fault.message.prefix(1024)), createdAt: now), in: transaction)
    }
}
