import CoordinatorPlatform
import ProtocolModel

/// Who asks, and what the rules in force let them do.
struct ImageAccess: Sendable {
    let permissions: Permissions

    init(_ permissions: Permissions) { self.permissions = permissions }

    var caller: Caller { permissions.caller }

    /// Owns what belongs to no project: nobody's token is for it.
    private static let nobody = ProjectID(high: 0, low: 0)

    /// - Parameter image: One that the caller sees (``ImageService/find(_:caller:in:)``).
    func allows(_ rule: String, on image: Image) -> Bool {
        permissions.allow(rule, target(image))
    }

    /// - Throws: ``APIError`` 403, or 404 where the rules hide the image altogether.
    func require(_ rule: String, on image: Image) throws {
        if allows(rule, on: image) { return }
        guard rule != "get_image", allows("get_image", on: image) else {
            throw APIError.notFound("The resource could not be found.")
        }
        throw ImageError.notAllowed(rule)
    }

    /// Those of a list that the rules show. What decides is the owner and the visibility, so each pair is asked about
    /// once.
    func shown(_ images: [Image]) -> [Image] {
        struct Question: Hashable {
            var owner: ProjectID?
            var visibility: Image.Visibility
        }
        var answers: [Question: Bool] = [:]
        return images.filter { image in
            let question = Question(owner: image.owner, visibility: image.visibility)
            if let answer = answers[question] { return answer }
            let answer = allows("get_image", on: image)
            answers[question] = answer
            return answer
        }
    }

    /// For what is not about one image.
    /// - Throws: ``APIError`` 403.
    func require(_ rule: String) throws {
        guard permissions.allow(rule, Policy.Target(project: caller.project ?? Self.nobody)) else {
            throw ImageError.notAllowed(rule)
        }
    }

    /// A namespace of metadata definitions; hidden as ``require(_:on:)`` hides images.
    func allows(_ rule: String, owner: String?, visibility: String) -> Bool {
        let target = Policy.Target(
            project: owner.flatMap { ProjectID($0) } ?? Self.nobody, attributes: ["visibility": visibility])
        return permissions.allow(rule, target)
    }

    private func target(_ image: Image) -> Policy.Target {
        var attributes = [
            "visibility": image.visibility.rawValue, "owner": image.owner?.compact ?? "None"
        ]
        // Seen, and of another project: as its member, if it has members.
        if image.visibility == .shared, image.owner != caller.project, let project = caller.project {
            attributes["member_id"] = project.compact
        }
        return Policy.Target(project: image.owner ?? Self.nobody, attributes: attributes)
    }
}
