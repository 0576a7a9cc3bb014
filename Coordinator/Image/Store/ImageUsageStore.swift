import CoordinatorPlatform
import ProtocolModel

/// Counts what a project uses.
struct ImageUsageStore: Sendable {
    func images(_ project: ProjectID, in reader: any SQLReader) throws -> Int64 {
        Int64(try reader.count("SELECT COUNT(*) FROM images WHERE owner = ?", [project]))
    }

    /// Images' data, and what cut uploads left to go on with.
    func bytes(_ project: ProjectID, in reader: any SQLReader) throws -> Int64 {
        let whole = try reader.count(
            "SELECT COALESCE(SUM(size), 0) FROM images WHERE owner = ? AND sha512 IS NOT NULL", [project])
        return Int64(whole) + (try partBytes(project, "image_parts.kind = 'upload'", in: reader))
    }

    func uploading(_ project: ProjectID, in reader: any SQLReader) throws -> Int64 {
        Int64(
            try reader.count(
                """
                SELECT COUNT(*) FROM images WHERE owner = ? AND status IN ('saving', 'uploading', 'importing')
                """, [project]))
    }

    func stagedBytes(_ project: ProjectID, in reader: any SQLReader) throws -> Int64 {
        try partBytes(project, "image_parts.kind <> 'upload'", in: reader)
    }

    private func partBytes(_ project: ProjectID, _ condition: String, in reader: any SQLReader) throws -> Int64 {
        Int64(
            try reader.count(
                """
                SELECT COALESCE(SUM(image_parts.size), 0) FROM image_parts JOIN images ON images.uuid = image_parts.image
                WHERE images.owner = ? AND \(condition)
                """, [project]))
    }
}
