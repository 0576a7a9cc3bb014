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
        let members = try await read(call) {
            try service.listMembers(of: call.parameter("image_id"), as: $0, in: $1)
        }
        return .json(["members": .array(members.map(Self.render)), "schema": "/v2/schemas/members"])
    }

    private func createMember(_ call: APICall) async throws -> APIResponse {
        let body = BodySchema(blank: "", unknown: .ignored, [.required("member", \.self, .text(1...255))])
        let name = try body.read(try await call.jsonValue(), wording: Self.newMember)
        let member = try await write(call, target: { "\($0.image)/\($0.member)" }) {
            try service.addMember(
                ImageService.memberID(name), to: call.parameter("image_id"), as: $0, at: call.now, in: $1)
        }
        return .json(Self.render(member))
    }

    private static let newMember = GlanceBody.wording { failure in
        switch failure.reason {
        case .wrongType where failure.path.isEmpty: "Expected a member in the form: {\"member\": \"image_id\"}"
        case .missing: "Member to be added not specified"
        case _ where failure.value == "" || failure.value.isNull: "Member can't be empty"
        default: "Member '\(failure.value.pythonText)' is not a project's id."
        }
    }

    private func showMember(_ call: APICall) async throws -> APIResponse {
        let member = try await read(call) {
            try service.showMember(call.parameter("member_id"), of: call.parameter("image_id"), as: $0, in: $1)
        }
        return .json(Self.render(member))
    }

    private func updateMember(_ call: APICall) async throws -> APIResponse {
        let body = BodySchema(blank: JSON.null, unknown: .ignored, [.required("status", \.self, .any)])
        let status = try body.read(try await call.jsonValue(), wording: Self.newStatus)
        let member = try await write(call) {
            try service.setStatus(
                status.pythonText, of: call.parameter("member_id"), on: call.parameter("image_id"), as: $0,
                at: call.now, in: $1)
        }
        return .json(Self.render(member))
    }

    private static let newStatus = GlanceBody.wording { failure in
        if case .missing = failure.reason { return "Status not specified" }
        return "Expected a status in the form: {\"status\": \"status\"}"
    }

    private func deleteMember(_ call: APICall) async throws -> APIResponse {
        try await write(call) {
            try service.removeMember(call.parameter("member_id"), from: call.parameter("image_id"), as: $0, in: $1)
        }
        return .empty(204)
    }
}
