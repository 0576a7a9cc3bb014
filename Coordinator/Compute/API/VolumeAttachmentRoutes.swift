import CoordinatorBlockStorage
import CoordinatorPlatform
import ProtocolModel

/// `/servers/{id}/os-volume_attachments`.
struct VolumeAttachmentRoutes: Sendable {
    let parts: ComputeParts
    private var attaching: VolumeAttaching { VolumeAttaching(parts: parts) }

    init(parts: ComputeParts) { self.parts = parts }

    var all: [Route] {
        let path = "/v2.1/servers/{server_id}/os-volume_attachments"
        return [
            Route(.get, path, handler: list).askingCompute("os-volumes-attachments:index"),
            Route(.get, path + "/{volume_id}", handler: show).askingCompute("os-volumes-attachments:show"),
            Route(.post, path, action: "compute.volume.attach", handler: attach)
                .askingCompute("os-volumes-attachments:create").asking(BlockStorageSlice.serverVolumeRules),
            Route(.put, path + "/{volume_id}", action: "compute.volume.update", handler: update)
                .askingCompute("os-volumes-attachments:update", "os-volumes-attachments:swap"),
            Route(.delete, path + "/{volume_id}", action: "compute.volume.detach", handler: detach)
                .askingCompute("os-volumes-attachments:delete")
        ]
    }

    private static func render(_ attachment: VolumeAttachment, _ server: ServerID, _ version: Microversion) -> JSON {
        var out: [String: JSON] = [
            "volumeId": .string(attachment.volume.text), "serverId": .string(server.text),
            "device": JSON(attachment.device.map { "/dev/\($0)" })
        ]
        if version.has(89) {
            out["attachment_id"] = .string(attachment.id.text)
            out["bdm_uuid"] = .string(attachment.id.text)
        } else {
            out["id"] = .string(attachment.volume.text)
        }
        if version.has(70) { out["tag"] = JSON(attachment.tag) }
        if version.has(79) { out["delete_on_termination"] = .bool(attachment.deletesVolume) }
        return .object(out)
    }

    /// What the volume service refuses, in Nova's words.
    private static func inNovasWords<T>(_ body: () async throws -> T) async throws -> T {
        do { return try await body() } catch let refusal as Refusal where refusal.kind == "volume" {
            switch refusal.code {
            case .notFound: throw APIError.notFound("Volume \(refusal.name) could not be found.")
            case .overQuota, .forbidden: throw APIError.forbidden(refusal.message)
            default: throw APIError.badRequest(refusal.message)
            }
        }
    }

    private func held(_ call: APICall, asking rule: String) async throws -> (ServerID, [VolumeAttachment]) {
        let permissions = try call.permissions()
        let parts = parts
        return try await call.database.read { reader in
            let server = try ServerAccess(parts: parts).find(
                call.parameter("server_id"), asking: rule, by: permissions, in: reader)
            return (server.id, try parts.volumes.attachments(of: [server.id], in: reader)[server.id] ?? [])
        }
    }

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        let (server, held) = try await held(call, asking: "os-volumes-attachments:index")
        let limit = call.query("limit").flatMap { Int($0) } ?? parts.settings.pageLimit
        let offset = call.query("offset").flatMap { Int($0) } ?? 0
        let shown = held.dropFirst(max(0, offset)).prefix(max(0, limit))
        return .json(["volumeAttachments": .array(shown.map { Self.render($0, server, call.microversion) })])
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let (server, held) = try await held(call, asking: "os-volumes-attachments:show")
        let id = call.parameter("volume_id")
        guard let found = held.first(where: { $0.volume == VolumeID(id) }) else {
            throw APIError.notFound("Instance \(server) is not attached to volume \(id)")
        }
        return .json(["volumeAttachment": Self.render(found, server, call.microversion)])
    }

    private struct Draft: Sendable {
        var volume = ""
        var device: String?
        var tag: String?
        var deletes = false
        /// For updates alone.
        var wantsDeletion: Bool?
        /// What an update repeats of what the attachment is, which it cannot change.
        var server: String?
        var id: String?

        static let creation = BodySchema(
            blank: Draft(),
            [
                .required("volumeId", \.volume, .text(0...Int.max, .uuid)),
                .given("device", \.device, BodyFormat<String>.text(1...255).nullable),
                .optional("tag", \.tag, CreateServerForm.tag, since: 49),
                .given("delete_on_termination", \.deletes, Nova.flag, since: 79)
            ])
        static let change = BodySchema(
            blank: Draft(),
            [
                .required("volumeId", \.volume, .text(0...Int.max, .uuid)),
                .optional("delete_on_termination", \.wantsDeletion, Nova.flag, since: 85),
                .given("device", \.device, BodyFormat<String>.text(1...255).nullable, since: 85),
                .optional("tag", \.tag, CreateServerForm.tag, since: 85),
                .given("serverId", \.server, BodyFormat<String>.text(0...Int.max, .uuid).nullable, since: 85),
                .given("id", \.id, BodyFormat<String>.text(0...Int.max, .uuid).nullable, since: 85)
            ])

        /// - Throws: ``APIError`` 400 where an update says something else of what cannot be changed.
        func refuseChanges(of attachment: VolumeAttachment, _ holder: ServerID) throws(APIError) {
            let device = device.map { $0.hasPrefix("/dev/") ? String($0.dropFirst("/dev/".count)) : $0 }
            let kept = [
                ("id", id.map { VolumeID($0) == attachment.volume }),
                ("serverId", server.map { ServerID($0) == holder }),
                ("device", device.map { $0 == attachment.device }), ("tag", tag.map { $0 == attachment.tag })
            ]
            for (name, isSame) in kept where isSame == false {
                throw APIError.badRequest("The \(name) property is not mutable")
            }
        }
    }

    @Sendable private func attach(_ call: APICall) async throws -> APIResponse {
        let origin = try call.commandOrigin()
        let draft = try Draft.creation.read(
            try await call.json(), under: "volumeAttachment", call.microversion, wording: Nova.body)
        var wish = AttachmentWish()
        wish.device = draft.device
        wish.tag = draft.tag
        wish.deletesVolume = draft.deletes
        let (attaching, wanted) = (attaching, wish)
        let attached = try await Self.inNovasWords {
            try await call.write(target: { $0.volume.text }) {
                try attaching.attach(draft.volume, to: call.parameter("server_id"), wanted, origin: origin, in: $0)
            }
        }
        let server = attached.server ?? ServerID(high: 0, low: 0)
        return .json(["volumeAttachment": Self.render(attached, server, call.microversion)])
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        let origin = try call.commandOrigin()
        let draft = try Draft.change.read(
            try await call.json(), under: "volumeAttachment", call.microversion, wording: Nova.body)
        let volume = call.parameter("volume_id")
        guard let deletes = draft.wantsDeletion, VolumeID(draft.volume) == VolumeID(volume) else {
            let (server, held) = try await held(call, asking: "os-volumes-attachments:swap")
            guard held.contains(where: { $0.volume == VolumeID(volume) }) else {
                throw APIError.notFound("Instance \(server) is not attached to volume \(volume)")
            }
            throw APIError.badRequest(
                "Swapping a volume for another one while a guest has it is not available here: migrate the volume with the "
                    + "volume service, or detach it and attach the other.")
        }
        let (server, held) = try await held(call, asking: "os-volumes-attachments:update")
        try held.first { $0.volume == VolumeID(volume) }.map { try draft.refuseChanges(of: $0, server) }
        let attaching = attaching
        try await call.write {
            try attaching.setDeletes(deletes, volume, of: call.parameter("server_id"), origin: origin, in: $0)
        }
        return .empty(202)
    }

    @Sendable private func detach(_ call: APICall) async throws -> APIResponse {
        let origin = try call.commandOrigin()
        let attaching = attaching
        try await Self.inNovasWords {
            try await call.write {
                try attaching.detach(
                    call.parameter("volume_id"), from: call.parameter("server_id"), origin: origin, in: $0)
            }
        }
        return .empty(202)
    }
}
