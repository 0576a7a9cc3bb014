import CoordinatorPlatform
import ProtocolModel

/// What a project owns, for its removal.
struct ImageOwnershipStore: Sendable {
    func images(of project: ProjectID, in reader: any SQLReader) throws -> [ImageID] {
        try reader.query("SELECT uuid FROM images WHERE owner = ? ORDER BY id", [project]) { try $0.id(0) }
    }

    func removeMemberships(of project: ProjectID, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM image_members WHERE member IN (?, ?)", [project.text, project.compact])
    }
}
