import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// Volumes for servers.
public struct VolumeService: VolumesForCompute {
    let parts: BlockStorageParts
    private var access: VolumeAccess { VolumeAccess(parts: parts) }
    private var attachments: Attachments { Attachments(parts: parts) }

    public var listeners: VolumeListeners { parts.listeners }

    init(parts: BlockStorageParts) { self.parts = parts }

    // MARK: Looking

    public func volume(_ id: String, origin: VolumeOrigin, in reader: any SQLReader) throws -> VolumeInfo {
        let volume = try Self.refusing("volume", id) {
            try access.volume(id, asking: "volume:get", by: origin, in: reader)
        }
        return try info([volume], in: reader)[0]
    }

    public func volumes(_ ids: [VolumeID], in reader: any SQLReader) throws -> [VolumeID: VolumeInfo] {
        let found = try info(parts.volumes.find(ids, in: reader).filter { !$0.isDeleted }, in: reader)
        return Dictionary(found.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    public func snapshot(
        _ id: String, origin: VolumeOrigin, in reader: any SQLReader
    ) throws -> VolumeSnapshotInfo {
        let snapshot = try Self.refusing("snapshot", id) {
            try access.snapshot(id, asking: "volume:get_snapshot", by: origin, in: reader)
        }
        return VolumeSnapshotInfo(
            id: snapshot.id, volume: snapshot.volume, sizeGiB: snapshot.sizeGiB, status: snapshot.status,
            node: snapshot.host?.node, hostname: snapshot.host?.hostname)
    }

    public func hasType(_ type: String, origin: VolumeOrigin, in reader: any SQLReader) throws -> Bool {
        do {
            _ = try TypeCatalog(parts: parts).byNameOrID(type, caller: origin.permissions.caller, in: reader)
            return true
        } catch let error as APIError where error.status == 404 { return false }
    }

    private func info(_ volumes: [VolumeRecord], in reader: any SQLReader) throws -> [VolumeInfo] {
        let nodes = try exporters(in: reader)
        return volumes.map { volume in
            VolumeInfo(
                id: volume.id, project: volume.project, name: volume.name, sizeGiB: volume.sizeGiB,
                status: volume.status, node: volume.host?.node, hostname: volume.host?.hostname,
                zone: volume.host?.zone, pool: volume.pool, isBootable: volume.isBootable,
                isMultiattach: volume.isMultiattach, isReadOnly: volume.isReadOnly ?? false,
                imageMetadata: volume.imageMetadata ?? [:],
                isExportable: volume.host.map { nodes[$0.node] != nil } ?? false)
        }
    }

    /// Where hosts that export volumes are reached.
    private func exporters(in reader: any SQLReader) throws -> [NodeID: IPAddress] {
        let nodes = try parts.directory.nodes(in: reader).compactMap { node in
            node.report?.exportAddress.map { (node.id, $0) }
        }
        return Dictionary(nodes, uniquingKeysWith: { first, _ in first })
    }

    // MARK: Taking

    public func reserve(
        _ volume: String, for server: ServerID, _ wish: AttachmentWish, origin: VolumeOrigin,
        in transaction: any SQLTransaction
    ) throws -> VolumeAttachment {
        try Self.refusing("volume", volume) {
            var record = try access.volume(
                volume, asking: "volume:attachment_create", by: origin, in: transaction)
            return try attachments.reserve(
                &record, attachment(of: record, server, wish, at: origin.now), origin: origin, in: transaction)
        }
    }

    public func create(
        _ volume: ServerVolume, for server: ServerID, _ wish: AttachmentWish, origin: VolumeOrigin,
        in transaction: any SQLTransaction
    ) throws -> VolumeAttachment {
        var command = CreateVolume()
        command.name = volume.name
        command.sizeGiB = volume.sizeGiB
        command.type = volume.type
        command.zone = volume.zone
        command.host = volume.hostname
        switch volume.source {
        case .blank: command.source = .empty
        case .image(let id): command.source = .image(id)
        case .snapshot(let id): command.source = .snapshot(id)
        case .volume(let id): command.source = .volume(id)
        }
        return try Self.refusing("volume", "") {
            var record = try VolumeCreation(parts: parts).create(command, origin: origin, in: transaction)
            guard record.state.status != .error else {
                throw APIError.conflict(record.fault?.message ?? "No valid backend was found.")
            }
            return try attachments.hold(
                &record, attachment(of: record, server, wish, at: origin.now), at: origin.now, in: transaction)
        }
    }

    private func attachment(
        of volume: VolumeRecord, _ server: ServerID, _ wish: AttachmentWish, at now: Int64
    ) -> VolumeAttachment {
        var attachment = VolumeAttachment(
            id: .random(), volume: volume.id, project: volume.project, server: server, mode: wish.mode,
            isManaged: true, createdAt: now)
        attachment.device = wish.device
        attachment.bus = wish.bus
        attachment.bootIndex = wish.bootIndex
        attachment.deletesVolume = wish.deletesVolume
        attachment.tag = wish.tag
        return attachment
    }

    // MARK: Moving along

    public func attach(
        _ attachment: VolumeAttachmentID, on node: NodeID, hostname: String, at now: Int64,
        in transaction: any SQLTransaction
    ) throws -> VolumeAttachment {
        var (attachment, volume) = try find(attachment, in: transaction)
        if let host = volume.host, host.node != node, try exporters(in: transaction)[host.node] == nil {
            throw Refusal(
                .conflict, "volume", volume.id.text,
                "Volume \(volume.id) is on host \(host.hostname), which exports no volumes to other hosts: run the server "
                    + "there, or copy the volume.")
        }
        let old = attachment.node
        attachment.node = node
        attachment.hostname = hostname
        if attachment.status == .reserved { attachment.status = .attaching }
        try parts.attachments.save(&attachment, in: transaction)
        for other in Set([old, node].compactMap { $0 }) {
            try attachments.export(&volume, ifOther: other, in: transaction)
        }
        try attachments.settle(&volume, at: now, in: transaction)
        return attachment
    }

    public func confirm(
        _ attachment: VolumeAttachmentID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        var (attachment, volume) = try find(attachment, in: transaction)
        guard attachment.status == .attaching || attachment.status == .reserved else { return }
        attachment.status = .attached
        attachment.attachedAt = now
        try parts.attachments.save(&attachment, in: transaction)
        try attachments.settle(&volume, at: now, in: transaction)
    }

    public func beginDetaching(
        _ attachment: VolumeAttachmentID, at now: Int64, in transaction: any SQLTransaction
    ) throws -> VolumeAttachment {
        var (attachment, volume) = try find(attachment, in: transaction)
        guard attachment.status == .attached else {
            throw Refusal(
                .conflict, "volume", volume.id.text,
                "Invalid volume: Unable to detach volume. Volume status must be 'in-use' and attach_status must be "
                    + "'attached' to detach.")
        }
        attachment.status = .detaching
        try parts.attachments.save(&attachment, in: transaction)
        try attachments.settle(&volume, at: now, in: transaction)
        return attachment
    }

    public func rollDetaching(
        _ attachment: VolumeAttachmentID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        var (attachment, volume) = try find(attachment, in: transaction)
        guard attachment.status == .detaching else { return }
        attachment.status = .attached
        try parts.attachments.save(&attachment, in: transaction)
        try attachments.settle(&volume, at: now, in: transaction)
    }

    public func detach(
        _ attachment: VolumeAttachmentID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard let attachment = try parts.attachments.find(attachment, in: transaction) else { return }
        try attachments.end(attachment, at: now, in: transaction)
    }

    public func release(
        _ server: ServerID, deleting: Bool, origin: VolumeOrigin, in transaction: any SQLTransaction
    ) throws {
        for attachment in try parts.attachments.of([server], in: transaction)[server] ?? [] {
            try attachments.end(attachment, at: origin.now, in: transaction)
            guard deleting, attachment.deletesVolume,
                let volume = try parts.volumes.find(attachment.volume, in: transaction),
                !volume.isDeleted, volume.project == origin.project,
                try parts.attachments.of(volume.id, in: transaction).isEmpty
            else { continue }
            try removeWithServer(volume, origin: origin, in: transaction)
        }
    }

    /// As far as it can be: one with snapshots stays, as in Cinder, and its owner sees it.
    private func removeWithServer(
        _ volume: VolumeRecord, origin: VolumeOrigin, in transaction: any SQLTransaction
    ) throws {
        do {
            try transaction.savepoint {
                try VolumeCommands(parts: parts).delete(
                    volume, cascades: false, isForced: volume.state.task != nil, origin: origin, in: transaction)
            }
        } catch let error as APIError where error.status == 400 {
            _ = try parts.log.begin(
                "kept_by_\(error.status)", on: volume.key, by: origin.action, at: origin.now, in: transaction)
        }
    }

    public func setDeletesVolume(
        _ attachment: VolumeAttachmentID, _ deletes: Bool, in transaction: any SQLTransaction
    ) throws -> VolumeAttachment {
        var (attachment, _) = try find(attachment, in: transaction)
        attachment.deletesVolume = deletes
        try parts.attachments.save(&attachment, in: transaction)
        return attachment
    }

    // MARK: Plans

    public func attachments(
        of servers: [ServerID], in reader: any SQLReader
    ) throws -> [ServerID: [VolumeAttachment]] {
        try parts.attachments.of(servers, in: reader)
    }

    public func specs(
        of attachments: [VolumeAttachment], on node: NodeID, in reader: any SQLReader
    ) throws -> [ServerSpec.Volume] {
        let held = attachments.filter { $0.status == .attaching || $0.status == .attached }
        guard !held.isEmpty else { return [] }
        let records = try parts.volumes.find(held.map(\.volume), in: reader)
        let volumes = Dictionary(records.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let addresses = try exporters(in: reader)
        var qos: [VolumeTypeID: QoSSpecs] = [:]
        for type in Set(records.map(\.type)) { qos[type] = try parts.qos.of(type, in: reader) }
        return held.compactMap { attachment -> ServerSpec.Volume? in
            guard let volume = volumes[attachment.volume], let host = volume.host else { return nil }
            let place: ServerSpec.Volume.Place
            if host.node == node {
                place = .pool(volume.pool)
            } else if let address = addresses[host.node] {
                place = .remote(host.node, address: address, port: parts.settings.exportPort)
            } else {
                return nil
            }
            return ServerSpec.Volume(
                id: volume.id, place: place, device: attachment.device ?? "", bus: attachment.bus,
                bootIndex: attachment.bootIndex, isReadOnly: attachment.mode == .readOnly,
                limits: qos[volume.type]?.guestLimits(sizeGiB: volume.sizeGiB) ?? [:])
        }.sorted { ($0.device, $0.id.text) < ($1.device, $1.id.text) }
    }

    // MARK: Parts

    private func find(
        _ id: VolumeAttachmentID, in reader: any SQLReader
    ) throws -> (VolumeAttachment, VolumeRecord) {
        guard let attachment = try parts.attachments.find(id, in: reader),
            let volume = try parts.volumes.find(attachment.volume, in: reader)
        else { throw Refusal(.notFound, "volume", id.text, BlockStorageError.noAttachment(id.text).message) }
        return (attachment, volume)
    }

    /// Puts refusals of the volume API into values for other slices; those of policies and quotas are said as they are.
    private static func refusing<T>(_ kind: String, _ name: String, _ body: () throws -> T) throws -> T {
        do { return try body() } catch let error as APIError {
            switch error.status {
            case 404: throw Refusal(.notFound, kind, name, error.message)
            case 400, 409: throw Refusal(.conflict, kind, name, error.message)
            default: throw error
            }
        }
    }
}
