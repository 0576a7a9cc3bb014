import CoordinatorPlatform
import ProtocolModel

/// Sharing images with projects, and what those say to it.
extension ImageService {
    func addMember(
        _ member: String, to id: String, as access: ImageAccess, at now: Int64, in transaction: any SQLTransaction
    ) throws -> ImageMember {
        let image = try sharedImage(id, as: access, in: transaction) { _ in
            .forbidden("Not allowed to create members for image \(id).")
        }
        try access.require("add_member", on: image)
        let count = try members.count(image.id, in: transaction)
        guard count < metadata.memberLimit else {
            let reason = ImageError.tooMany(
                "members for this image", attempted: count + 1, maximum: metadata.memberLimit)
            throw APIError(status: 413, message: "Image member limit exceeded for image \(id): \(reason.message):")
        }
        let new = ImageMember(image: image.id, member: member, status: .pending, createdAt: now, updatedAt: now)
        do {
            try members.insert(new, in: transaction)
        } catch StoreError.duplicate {
            throw APIError.conflict("Member \(member) is duplicated for image \(id)")
        }
        return new
    }

    func setStatus(
        _ status: String, of member: String, on id: String, as access: ImageAccess, at now: Int64,
        in transaction: any SQLTransaction
    ) throws -> ImageMember {
        let image = try sharedImage(id, as: access, in: transaction) { _ in
            .forbidden("Not allowed to update members for image \(id).")
        }
        var found = try self.member(member, of: image, as: access, in: transaction)
        try access.require("modify_member", on: image)
        guard let status = ImageMember.Status(rawValue: status) else {
            throw APIError.badRequest("Incorrect request: Status must be \"pending\", \"accepted\" or \"rejected\".")
        }
        found.status = status
        found.updatedAt = now
        try ImageMember.table.update(found, in: transaction)
        return found
    }

    func removeMember(
        _ member: String, from id: String, as access: ImageAccess, in transaction: any SQLTransaction
    ) throws {
        let image = try sharedImage(id, as: access, in: transaction) { _ in
            .forbidden("Not allowed to delete members for image \(id).")
        }
        let found = try self.member(member, of: image, as: access, in: transaction)
        try access.require("delete_member", on: image)
        try ImageMember.table.delete(found.row, in: transaction)
    }

    func listMembers(of id: String, as access: ImageAccess, in reader: any SQLReader) throws -> [ImageMember] {
        let image = try sharedImage(id, as: access, in: reader) { reason in
            .forbidden("Not allowed to list members for image \(id): \(reason)")
        }
        try access.require("get_members", on: image)
        return try members.members(image.id, in: reader).filter { Self.canSee($0, of: image, caller: access.caller) }
    }

    func showMember(
        _ member: String, of id: String, as access: ImageAccess, in reader: any SQLReader
    ) throws -> ImageMember {
        let image = try sharedImage(id, as: access, in: reader) { .notFound($0) }
        return try self.member(member, of: image, as: access, in: reader)
    }

    /// - Parameter refusal: What is said of images that cannot have members.
    private func sharedImage(
        _ id: String, as access: ImageAccess, in reader: any SQLReader, refusal: (_ reason: String) -> APIError
    ) throws -> Image {
        guard let image = try visible(id, caller: access.caller, in: reader) else {
            throw APIError.notFound("Image \(id) not found.")
        }
        guard image.visibility == .shared else { throw refusal("Only shared images have members.") }
        return image
    }

    private func member(
        _ member: String, of image: Image, as access: ImageAccess, in reader: any SQLReader
    ) throws -> ImageMember {
        try access.require("get_member", on: image)
        guard let found = try members.member(image.id, Self.memberID(member), in: reader),
            Self.canSee(found, of: image, caller: access.caller)
        else { throw APIError.notFound("\(member) not found in the member list of the image \(image.id).") }
        return found
    }

    /// The owner sees all members, a member only itself.
    private static func canSee(_ member: ImageMember, of image: Image, caller: Caller) -> Bool {
        caller.isAdmin || image.owner == caller.project || member.member == caller.project?.compact
    }

    /// Projects in the form that their tokens show; any other text as it is.
    static func memberID(_ text: String) -> String { ProjectID(text)?.compact ?? text }
}
