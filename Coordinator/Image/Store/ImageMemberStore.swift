import CoordinatorPlatform
import ProtocolModel

/// Whom images are shared with.
package struct ImageMemberStore: Sendable {
    package init() {}

    /// - Throws: ``StoreError/duplicate(_:)``
    package func insert(_ member: ImageMember, in transaction: any SQLTransaction) throws {
        var member = member
        member.imageCreatedAt = try Image.table.find(member.image, in: transaction)?.createdAt ?? 0
        try ImageMember.table.insert(member, in: transaction)
    }

    func member(_ image: ImageID, _ member: String, in reader: any SQLReader) throws -> ImageMember? {
        try ImageMember.table.first(where: .all([.equal("image", image), .equal("member", member)]), in: reader)
    }

    func members(_ image: ImageID, in reader: any SQLReader) throws -> [ImageMember] {
        try ImageMember.table.all(where: .equal("image", image), in: reader)
    }

    func count(_ image: ImageID, in reader: any SQLReader) throws -> Int {
        try ImageMember.table.count(where: .equal("image", image), in: reader)
    }

    func removeAll(of project: ProjectID, in transaction: any SQLTransaction) throws {
        try ImageMember.table.delete(where: .in("member", [project.text, project.compact]), in: transaction)
    }
}
