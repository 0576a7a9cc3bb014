import CoordinatorPlatform
import ProtocolModel

/// Members: the projects that an image is shared with.
extension ImageAPI {
    var memberRoutes: [Route] {
        let list = "/v2/images/{image_id}/members"
        let one = "/v2/images/{image_id}/members/{member_id}"
        return [
            Route(.get, list, handler: listMembers).asking("get_members", "get_image"),
            Route(.post, list, action: "image.member.create", handler: createMember).asking("add_member", "get_image"),
            Route(.get, one, handler: showMember).asking("get_member", "get_image"),
            Route(.put, one, action: "image.member.update", handler: updateMember)
                .asking("get_member", "modify_member", "get_image"),
            Route(.delete, one, action: "image.member.delete", handler: deleteMember)
                .asking("get_member", "delete_member", "get_image")
        ]
    }

    private static func render(_ member: ImageMember) -> JSON {
        [
            "member_id": .string(member.member), "image_id": .string(member.image.text),
            "status": .string(member.status.rawValue), "created_at": .string(Timestamp.seconds(member.createdAt)),
            "updated_at": .string(Timestamp.seconds(member.updatedAt)), "schema": "/v2/schemas/member"
        ]
    }

    private func listMembers(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let id = call.parameter("image_id")
        let members = try await call.database.read { [service] in try service.listMembers(of: id, as: access, in: $0) }
        return .json(["members": .array(members.map(Self.render)), "schema": "/v2/schemas/members"])
    }

    private func createMember(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let body = try await call.jsonValue()
        guard case .object(let members) = body else {
            throw APIError.badRequest("Expected a member in the form: {\"member\": \"image_id\"}")
        }
        guard let given = members["member"] else { throw APIError.badRequest("Member to be added not specified") }
        guard given != "", given != .null else { throw APIError.badRequest("Member can't be empty") }
        guard let name = given.stringValue, name.unicodeScalars.count <= 255 else {
            throw APIError.badRequest("Member '\(given.pythonText)' is not a project's id.")
        }
        let id = call.parameter("image_id")
        let member = try await call.write(target: { "\($0.image)/\($0.member)" }) { [service] transaction in
            try service.addMember(
                ImageService.memberID(name), to: id, as: access, at: call.now, in: transaction)
        }
        return .json(Self.render(member))
    }

    private func showMember(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let (id, name) = (call.parameter("image_id"), call.parameter("member_id"))
        let member = try await call.database.read { [service] in
            try service.showMember(name, of: id, as: access, in: $0)
        }
        return .json(Self.render(member))
    }

    private func updateMember(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let body = try await call.jsonValue()
        guard case .object(let members) = body else {
            throw APIError.badRequest("Expected a status in the form: {\"status\": \"status\"}")
        }
        guard let status = members["status"] else { throw APIError.badRequest("Status not specified") }
        let (id, name) = (call.parameter("image_id"), call.parameter("member_id"))
        let member = try await call.write { [service] transaction in
            try service.setStatus(
                status.pythonText, of: name, on: id, as: access, at: call.now, in: transaction)
        }
        return .json(Self.render(member))
    }

    private func deleteMember(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let (id, name) = (call.parameter("image_id"), call.parameter("member_id"))
        try await call.write { [service] in try service.removeMember(name, from: id, as: access, in: $0) }
        return .empty(204)
    }
}
