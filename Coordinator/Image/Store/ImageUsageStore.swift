import CoordinatorPlatform
import ProtocolModel

/// Counts what a project uses.
struct ImageUsageStore: Sendable {
    func images(_ project: ProjectID, in reader: any SQLReader) throws -> Int64 {
        Int64(try Image.table.count(where: .equal("owner", project), in: reader))
    }

    func uploading(_ project: ProjectID, in reader: any SQLReader) throws -> Int64 {
        let isBusy = SQLCondition("status IN ('saving', 'uploading', 'importing')")
        return Int64(try Image.table.count(where: .all([.equal("owner", project), isBusy]), in: reader))
    }

    /// Images' data, and what cut uploads left to go on with.
    func bytes(_ project: ProjectID, in reader: any SQLReader) throws -> Int64 {
        try sum("size", "images", "owner = ? AND sha512 IS NOT NULL", project, in: reader)
            + sum("image_parts.size", Self.parts, "owner = ? AND kind = 'upload'", project, in: reader)
    }

    func stagedBytes(_ project: ProjectID, in reader: any SQLReader) throws -> Int64 {
        try sum("image_parts.size", Self.parts, "owner = ? AND kind <> 'upload'", project, in: reader)
    }

    private static let parts = "image_parts JOIN images ON images.uuid = image_parts.image"

    private func sum(
        _ column: String, _ table: String, _ condition: String, _ project: ProjectID, in reader: any SQLReader
    ) throws -> Int64 {
        Int64(try reader.count("SELECT COALESCE(SUM(\(column)), 0) FROM \(table) WHERE \(condition)", [project]))
    }
}
