import CoordinatorPlatform
import ProtocolModel

extension Image.Status: SQLWord {}
extension Image.Visibility: SQLWord {}
extension ImageMember.Status: SQLWord {}
extension ImagePart.Kind: SQLWord {}
extension ImageTask.Status: SQLWord {}

/// Without tags and properties, which ``ImageStore`` reads for many images at once.
extension Image: TableRecord {
    public static let blank = Image(id: ImageID(high: 0, low: 0), owner: nil, at: 0)
    public static let table = RecordTable<Self>("images")

    public mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("uuid", &id, .key)
        try column("name", &name)
        try column("status", &status)
        try column("visibility", &visibility)
        try column("protected", &isProtected)
        try column("hidden", &isHidden)
        try column("owner", &owner)
        try column("disk_format", &diskFormat)
        try column("container_format", &containerFormat)
        try column("min_disk", &minDiskGiB)
        try column("min_ram", &minMemoryMiB)
        try column("size", &sizeBytes)
        try column("virtual_size", &virtualSizeBytes)
        try column("checksum", &checksum)
        try column("sha512", &sha512)
        try column("created_at", &createdAt, .fixed)
        try column("updated_at", &updatedAt)
        try column("generation", &generation, .generation)
    }
}

struct ImageProperty: TableRecord {
    static let blank = ImageProperty(image: Image.blank.id, name: "", value: "")
    static let table = RecordTable<Self>("image_properties")

    var image: ImageID
    var name: String
    var value: String

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("image", &image, .fixed)
        try column("name", &name, .fixed)
        try column("value", &value)
    }
}

extension ImageMember: TableRecord {
    package static let blank = ImageMember(
        image: Image.blank.id, member: "", status: .pending, createdAt: 0, updatedAt: 0)
    package static let table = RecordTable<Self>("image_members")

    package mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &row, .number)
        try column("image", &image, .fixed)
        try column("member", &member, .fixed)
        try column("status", &status)
        try column("created_at", &createdAt, .fixed)
        try column("updated_at", &updatedAt)
        try column("image_created_at", &imageCreatedAt, .fixed)
    }
}

extension ImagePart: TableRecord {
    static let blank = ImagePart(
        image: Image.blank.id, kind: .upload, file: "", sizeBytes: 0, isComplete: false, updatedAt: 0)
    static let table = RecordTable<Self>("image_parts")

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("image", &image, .fixed)
        try column("kind", &kind, .fixed)
        try column("file", &file, .key)
        try column("size", &sizeBytes)
        try column("complete", &isComplete)
        try column("updated_at", &updatedAt)
        var (md5, sha512) = (content?.md5, content?.sha512)
        try column("md5", &md5)
        try column("sha512", &sha512)
        guard column.isReading, let md5, let sha512 else { return }
        content = BlobWriter.Result(sizeBytes: sizeBytes, md5: md5, sha512: sha512)
    }
}

extension ImageTask: TableRecord {
    static let blank = ImageTask(
        id: ImageTaskID(high: 0, low: 0), type: "", image: Image.blank.id, owner: nil, user: UserID(high: 0, low: 0),
        requestID: "", input: .null, lane: "", createdAt: 0, updatedAt: 0, deadline: 0)
    static let table = RecordTable<Self>("image_tasks")

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("uuid", &id, .key)
        try column("type", &type, .fixed)
        try column("status", &status)
        try column("image", &image, .fixed)
        try column("owner", &owner, .fixed)
        try column("user_id", &user, .fixed)
        try column("request_id", &requestID, .fixed)
        try column("input", &input, .fixed)
        try column("result", &result)
        try column("message", &message)
        try column("created_at", &createdAt, .fixed)
        try column("updated_at", &updatedAt)
        try column("deadline", &deadline)
        try column("expires_at", &expiresAt)
        try column("lane", &lane, .fixed)
    }
}
