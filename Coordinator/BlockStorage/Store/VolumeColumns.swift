import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

extension VolumeStatus: SQLWord {}
extension VolumeTask: SQLWord {}
extension ImageFormatWord: SQLWord {}

/// `ImageSpec.DiskFormat` as a word of the database.
private enum ImageFormatWord: String {
    case raw, qcow2, iso
}

/// How a ``VolumeRecord`` stands in its row.
extension VolumeRecord: TableRecord {
    public static let table = RecordTable<Self>("blockstorage_volumes")
    public static let blank = VolumeRecord(
        id: .init(high: 0, low: 0), project: .init(high: 0, low: 0), user: .init(high: 0, low: 0), sizeGiB: 0,
        type: .init(high: 0, low: 0), source: .empty, createdAt: 0)

    public mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &number, .number)
        try column("uuid", &id, .key)
        try column("generation", &generation, .generation)
        try column("project_id", &project)
        try column("user_id", &user)
        try column("name", &name)
        try column("description", &description)
        try column("size_gib", &sizeGiB)
        try column("wanted_gib", &wantedGiB)
        try column("claimed_gib", &claimedGiB)
        try column("type_id", &type)
        try column("pool", &pool)
        try sourceColumns(&column)
        try column("status", &state.status)
        try column("task", &state.task)
        try column("progress", &state.progress)
        try column("is_failing", &state.isFailing)
        try traitColumns(&column)
        try column("created_at", &createdAt, .fixed)
        try column("updated_at", &updatedAt)
        try column("launched_at", &launchedAt)
        try hostedColumns(&column)
    }

    private mutating func traitColumns(_ column: inout some ColumnVisitor) throws {
        try column("is_bootable", &isBootable)
        try column("is_read_only", &isReadOnly)
        try column("is_multiattach", &isMultiattach)
        try column("metadata", &metadata)
        try column("image_metadata", &imageMetadata)
        try column("pinned_zone", &pinnedZone, .fixed)
        try column("pinned_host", &pinnedHost, .fixed)
        try column("reversion_version", &reversionVersion)
        try column("reversion_snapshot", &reversionSnapshot)
        try column("group_id", &group)
        try column("upload_image", &uploadImage)
    }

    private mutating func sourceColumns(_ column: inout some ColumnVisitor) throws {
        var (volume, snapshot): (VolumeID?, VolumeSnapshotID?) = (nil, nil)
        var image: ImageSpec?
        switch source {
        case .empty: break
        case .image(let spec): image = spec
        case .snapshot(let id, let of): (volume, snapshot) = (of, id)
        case .volume(let id): volume = id
        }
        var id = image?.id
        var sha512 = image?.sha512
        var size = image?.sizeBytes
        var format = image.flatMap { ImageFormatWord(rawValue: $0.format.rawValue) }
        try column("source_volume", &volume, .fixed)
        try column("source_snapshot", &snapshot, .fixed)
        try column("image_id", &id, .fixed)
        try column("image_sha512", &sha512, .fixed)
        try column("image_size", &size, .fixed)
        try column("image_format", &format, .fixed)
        guard column.isReading else { return }
        if let id, let format = format.flatMap({ ImageSpec.DiskFormat(rawValue: $0.rawValue) }) {
            source = .image(ImageSpec(id: id, sha512: sha512 ?? "", sizeBytes: size ?? 0, format: format))
        } else if let volume {
            source = snapshot.map { .snapshot($0, of: volume) } ?? .volume(volume)
        } else {
            source = .empty
        }
    }
}
