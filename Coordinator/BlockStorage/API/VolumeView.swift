import CoordinatorPlatform
import ProtocolModel

/// How volumes look, by version and to whom.
struct VolumeView: Sendable {
    private let call: APICall
    private let types: [VolumeTypeID: String]

    init(_ call: APICall, types: [VolumeTypeID: String]) {
        self.call = call
        self.types = types
    }

    static func basic(_ volume: VolumeRecord, _ call: APICall) -> JSON {
        [
            "id": .string(volume.id.text), "name": JSON(volume.name),
            "links": call.volumeLinks("volumes/\(volume.id)")
        ]
    }

    /// - Parameter isWhole: With what lists and `show` add to the answers of `create` and `update`.
    func render(_ volume: VolumeRecord, _ attachments: [VolumeAttachment], isWhole: Bool = true) -> JSON {
        let version = call.microversion
        let isAdmin = call.caller?.isAdmin ?? false
        var out = plain(volume)
        out["attachments"] = .array(
            attachments.filter { $0.status == .attached || $0.status == .detaching }.map { render($0, isAdmin) })
        if isAdmin { out["migration_status"] = .null }
        if version.has(13) { out["group_id"] = JSON(volume.group?.text) }
        if version.has(21), isAdmin { out["provider_id"] = .null }
        if version.has(48) {
            out["shared_targets"] = false
            out["service_uuid"] = JSON(volume.host?.node.text)
        }
        if version.has(61), isAdmin { out["cluster_name"] = .null }
        if version.has(63) { out["volume_type_id"] = .string(volume.type.text) }
        if version.has(65) { out["consumes_quota"] = true }
        if isWhole { addAttributes(of: volume, to: &out) }
        return .object(out)
    }

    private func plain(_ volume: VolumeRecord) -> [String: JSON] {
        var snapshot: JSON = .null
        var source: JSON = .null
        switch volume.source {
        case .snapshot(let id, _): snapshot = .string(id.text)
        case .volume(let id): source = .string(id.text)
        case .empty, .image: break
        }
        return [
            "id": .string(volume.id.text), "status": .string(volume.status.rawValue), "size": JSON(volume.sizeGiB),
            "availability_zone": JSON(volume.host?.zone ?? volume.pinnedZone ?? "nova"),
            "created_at": volumeTime(volume.createdAt), "updated_at": volumeTime(volume.updatedAt),
            "name": JSON(volume.name), "description": JSON(volume.description),
            "volume_type": JSON(types[volume.type]), "snapshot_id": snapshot, "source_volid": source,
            "metadata": .object(volume.metadata.mapValues(JSON.string)),
            "links": call.volumeLinks("volumes/\(volume.id)"), "user_id": .string(volume.user.compact),
            "bootable": volume.isBootable ? "true" : "false", "encrypted": false, "replication_status": .null,
            "consistencygroup_id": .null, "multiattach": .bool(volume.isMultiattach)
        ]
    }

    private func addAttributes(of volume: VolumeRecord, to out: inout [String: JSON]) {
        let target = Policy.Target(project: volume.project, user: volume.user)
        if call.isAllowed("volume_extension:volume_host_attribute", target) {
            out["os-vol-host-attr:host"] = JSON(volume.hostAttribute)
        }
        if call.isAllowed("volume_extension:volume_tenant_attribute", target) {
            out["os-vol-tenant-attr:tenant_id"] = .string(volume.project.compact)
        }
        if call.isAllowed("volume_extension:volume_mig_status_attribute", target) {
            out["os-vol-mig-status-attr:migstat"] = .null
            out["os-vol-mig-status-attr:name_id"] = .null
        }
        if let metadata = volume.imageMetadata,
            call.isAllowed("volume_extension:volume_image_metadata:show", target)
        {
            out["volume_image_metadata"] = .object(metadata.mapValues(JSON.string))
        }
        // It shows among the metadata, of which it is none.
        if let isReadOnly = volume.isReadOnly {
            let metadata = volume.metadata.merging(["readonly": isReadOnly ? "True" : "False"]) { _, new in new }
            out["metadata"] = .object(metadata.mapValues(JSON.string))
        }
    }

    private func render(_ attachment: VolumeAttachment, _ isAdmin: Bool) -> JSON {
        [
            "id": .string(attachment.volume.text), "attachment_id": .string(attachment.id.text),
            "volume_id": .string(attachment.volume.text), "server_id": JSON(attachment.server?.text),
            "host_name": isAdmin ? JSON(attachment.hostname) : .null,
            "device": JSON(attachment.device.map { $0.hasPrefix("/") ? $0 : "/dev/\($0)" }),
            "attached_at": volumeTime(attachment.attachedAt)
        ]
    }
}
