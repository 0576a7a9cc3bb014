import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

extension VMState: SQLWord {}
extension TaskState: SQLWord {}
extension ServerSpec.Power: SQLWord {}
extension ImageSpec.DiskFormat: SQLWord {}
extension ServerDetails.PowerState: SQLNumber {}

/// How a ``ServerRecord`` stands in its row.
extension ServerRecord: TableRecord {
    package static let table = RecordTable<Self>("servers")
    package static let blank = ServerRecord(
        id: .init(high: 0, low: 0), project: .init(high: 0, low: 0), user: .init(high: 0, low: 0), name: "",
        flavor: .blank, image: .blank, createdAt: 0)

    package mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &number, .number)
        try column("uuid", &id, .key)
        try column("generation", &generation, .generation)
        try column("project_id", &project, .fixed)
        try column("user_id", &user, .fixed)
        try column("name", &name)
        try column("description", &description)
        try column("hostname", &hostname)
        try state.columns(&column)
        try column("power", &power)
        try column("pinned_zone", &pinnedZone)
        try column("pinned_host", &pinnedHost, .fixed)
        try flavor.columns(&column, name: "flavor_name", .changing, specs: .changing)
        try image.columns(&column)
        try column("is_volume_backed", &isVolumeBacked, .fixed)
        try guestColumns(&column)
        try column("created_at", &createdAt, .fixed)
        try column("updated_at", &updatedAt)
        try column("launched_at", &launchedAt)
        try column("terminated_at", &terminatedAt)
        try column("shelved_at", &shelvedAt)
        try column("soft_deleted_at", &softDeletedAt)
        try diskColumns(&column)
        try uploadColumns(&column)
        try hostedColumns(&column)
    }

    /// What disks are made from beside the image.
    private mutating func diskColumns(_ column: inout some ColumnVisitor) throws {
        try column("root_disk_version", &rootDiskVersion)
        try column("rescue_version", &rescueVersion)
        try column("shelved_image_id", &shelvedImage)
        try column.image("disk", &diskImage)
        var image = rescue?.image
        var password = rescue?.adminPassword
        try column.image("rescue", &image)
        try column("rescue_password", &password)
        guard column.isReading else { return }
        rescue = image.map {
            ServerSpec.Rescue(version: rescueVersion, image: $0, adminPassword: password ?? "")
        }
    }

    private mutating func uploadColumns(_ column: inout some ColumnVisitor) throws {
        var image = upload?.image
        var type = upload?.backupType
        var rotation = upload?.rotation
        try column("upload_image_id", &image)
        try column("backup_type", &type)
        try column("backup_rotation", &rotation)
        guard column.isReading else { return }
        upload = image.map { ImageUpload(image: $0, backupType: type, rotation: rotation) }
    }

    /// What the guest is given.
    private mutating func guestColumns(_ column: inout some ColumnVisitor) throws {
        try column("key_name", &keyName)
        try column("public_key", &publicKey)
        try column("user_data", &userData)
        try column("has_config_drive", &hasConfigDrive, .fixed)
        try column("metadata", &metadata)
        try column("admin_password", &adminPassword)
        try column("access_ipv4", &accessIPv4)
        try column("access_ipv6", &accessIPv6)
        try column("disk_config", &diskConfig)
        try column("launch_index", &launchIndex, .fixed)
        try column("reservation_id", &reservationID, .fixed)
        try column("locked_by", &lockedBy)
        try column("locked_reason", &lockedReason)
        try column("scheduler_hints", &schedulerHints, .fixed)
    }
}

extension ServerState {
    fileprivate mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("vm_state", &vm)
        try column("task_state", &task)
        try column("power_state", &power)
        try column("has_launched", &hasLaunched)
    }
}

extension FlavorSnapshot {
    static let blank = Self(
        id: "", name: "", vcpus: 0, memoryMiB: 0, rootGiB: 0, ephemeralGiB: 0, swapMiB: 0, extraSpecs: [:])

    /// The columns that a flavor and the servers made of it have in common.
    /// - Parameters:
    ///   - role: Of the flavor's id.
    ///   - specs: Of its extra specs; what else it says stays as long as its id does.
    mutating func columns(
        _ column: inout some ColumnVisitor, name nameColumn: String, _ role: ColumnRole, specs: ColumnRole
    ) throws {
        let others: ColumnRole = role == .key ? .fixed : role
        try column("flavor_id", &id, role)
        try column(nameColumn, &name, others)
        try column("vcpus", &vcpus, others)
        try column("memory_mib", &memoryMiB, others)
        try column("root_gib", &rootGiB, others)
        try column("ephemeral_gib", &ephemeralGiB, others)
        try column("swap_mib", &swapMiB, others)
        try column("extra_specs", &extraSpecs, specs)
    }
}

extension ImageSnapshot {
    fileprivate static let blank = Self(
        spec: ImageSpec(id: .init(high: 0, low: 0), sha512: "", sizeBytes: 0, format: .raw), name: "",
        virtualSizeBytes: 0, properties: [:])

    fileprivate mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("image_id", &spec.id)
        try column("image_name", &name)
        try column("image_sha512", &spec.sha512)
        try column("image_size", &spec.sizeBytes)
        try column("image_virtual_size", &virtualSizeBytes)
        try column("image_format", &spec.format)
        try column("image_properties", &properties)
    }
}

extension ColumnVisitor {
    /// An image's bytes, which may be none: four columns behind a prefix.
    fileprivate mutating func image(_ prefix: String, _ image: inout ImageSpec?) throws {
        var id = image?.id
        var sha512 = image?.sha512
        var size = image?.sizeBytes
        var format = image?.format
        try self(prefix + "_image_id", &id)
        try self(prefix + "_sha512", &sha512)
        try self(prefix + "_size", &size)
        try self(prefix + "_format", &format)
        guard isReading else { return }
        image = id.map {
            ImageSpec(id: $0, sha512: sha512 ?? "", sizeBytes: size ?? 0, format: format ?? .raw)
        }
    }
}
