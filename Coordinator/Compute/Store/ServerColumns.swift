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
        try column("pinned_zone", &pinnedZone, .fixed)
        try column("pinned_host", &pinnedHost, .fixed)
        try flavor.columns(&column, name: "flavor_name", .fixed, specs: .fixed)
        try image.columns(&column)
        try guestColumns(&column)
        try column("created_at", &createdAt, .fixed)
        try column("updated_at", &updatedAt)
        try column("launched_at", &launchedAt)
        try column("terminated_at", &terminatedAt)
        try hostedColumns(&column)
    }

    /// What the guest is given.
    private mutating func guestColumns(_ column: inout some ColumnVisitor) throws {
        try column("key_name", &keyName, .fixed)
        try column("public_key", &publicKey, .fixed)
        try column("user_data", &userData, .fixed)
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
    mutating func columns(
        _ column: inout some ColumnVisitor, name nameColumn: String, _ role: ColumnRole, specs: ColumnRole
    ) throws {
        try column("flavor_id", &id, role)
        try column(nameColumn, &name, .fixed)
        try column("vcpus", &vcpus, .fixed)
        try column("memory_mib", &memoryMiB, .fixed)
        try column("root_gib", &rootGiB, .fixed)
        try column("ephemeral_gib", &ephemeralGiB, .fixed)
        try column("swap_mib", &swapMiB, .fixed)
        try column("extra_specs", &extraSpecs, specs)
    }
}

extension ImageSnapshot {
    fileprivate static let blank = Self(
        spec: ImageSpec(id: .init(high: 0, low: 0), sha512: "", sizeBytes: 0, format: .raw), name: "",
        virtualSizeBytes: 0, properties: [:])

    fileprivate mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("image_id", &spec.id, .fixed)
        try column("image_name", &name, .fixed)
        try column("image_sha512", &spec.sha512, .fixed)
        try column("image_size", &spec.sizeBytes, .fixed)
        try column("image_virtual_size", &virtualSizeBytes, .fixed)
        try column("image_format", &spec.format, .fixed)
        try column("image_properties", &properties, .fixed)
    }
}
