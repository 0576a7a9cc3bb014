import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// Computes what hosts are told of volumes, from the rows as they are.
struct VolumeSpecs: PlanSpecProvider {
    let parts: BlockStorageParts
    var kind: ResourceKind { .volume }

    func specs(of ids: [AnyID], on node: NodeID, in reader: any SQLReader) throws -> [AnyID: ResourceSpec] {
        let wanted = try parts.volumes.find(ids.map { $0.cast() }, in: reader).filter { volume in
            volume.host?.node == node && !volume.isDeleted && !volume.state.isLeaving
        }
        let attachments = try parts.attachments.of(wanted.map(\.id), in: reader)
        var specs: [AnyID: ResourceSpec] = [:]
        for volume in wanted {
            let others = (attachments[volume.id] ?? []).filter(\.isManaged).compactMap(\.node).filter { $0 != node }
            specs[volume.id.cast()] = .volume(Self.spec(of: volume, exportedTo: Set(others)))
        }
        return specs
    }

    func needsImage(_ sha512: String, on node: NodeID, in reader: any SQLReader) throws -> Bool {
        try parts.volumes.isImageWanted(sha512, on: node, in: reader)
    }

    static func spec(of volume: VolumeRecord, exportedTo nodes: Set<NodeID>) -> VolumeSpec {
        var spec = VolumeSpec(
            id: volume.id, project: volume.project, pool: volume.pool, sizeGiB: volume.wantedGiB)
        switch volume.source {
        case .empty: spec.source = .empty
        case .image(let image): spec.source = .image(image)
        case .snapshot(let id, let of): spec.source = .snapshot(id, of: of)
        case .volume(let id): spec.source = .volume(id)
        }
        if let snapshot = volume.reversionSnapshot {
            spec.reversion = VolumeSpec.Reversion(version: volume.reversionVersion, snapshot: snapshot)
        }
        spec.exportedTo = nodes.sorted { $0.text < $1.text }
        return spec
    }
}

/// The same for snapshots.
struct SnapshotSpecs: PlanSpecProvider {
    let parts: BlockStorageParts
    var kind: ResourceKind { .volumeSnapshot }

    func specs(of ids: [AnyID], on node: NodeID, in reader: any SQLReader) throws -> [AnyID: ResourceSpec] {
        var specs: [AnyID: ResourceSpec] = [:]
        for snapshot in try parts.snapshots.find(ids.map { $0.cast() }, in: reader)
        where snapshot.host?.node == node && !snapshot.isDeleted && !snapshot.state.isLeaving {
            specs[snapshot.id.cast()] = .volumeSnapshot(
                VolumeSnapshotSpec(
                    id: snapshot.id, volume: snapshot.volume, project: snapshot.project, pool: snapshot.pool))
        }
        return specs
    }
}
