import CoordinatorPlatform
import ProtocolModel

/// `/attachments` (3.27). What servers hold is seen here and ended with the compute API.
struct AttachmentRoutes: Sendable {
    let parts: BlockStorageParts

    var all: [Route] {
        [
            Route.volume(.get, "/attachments") { try await list($0, isDetail: false) }
                .gated(by: "volume:attachment_get_all"),
            Route.volume(.get, "/attachments/detail") { try await list($0, isDetail: true) }
                .gated(by: "volume:attachment_get_all"),
            Route.volume(.post, "/attachments", action: "volume.attachment.create", handler: create)
                .asking("volume:attachment_create", "volume:multiattach_bootable_volume"),
            Route.volume(.get, "/attachments/{id}", handler: show).asking("volume:attachment_get"),
            Route.volume(.put, "/attachments/{id}", action: "volume.attachment.update", handler: update)
                .asking("volume:attachment_update"),
            Route.volume(.delete, "/attachments/{id}", action: "volume.attachment.delete", handler: delete)
                .asking("volume:attachment_delete"),
            Route.volume(.post, "/attachments/{id}/action", action: "volume.attachment.action", handler: act)
                .asking("volume:attachment_complete")
        ]
    }

    // MARK: Reading

    private static func basic(_ attachment: VolumeAttachment) -> [String: JSON] {
        [
            "id": .string(attachment.id.text), "status": .string(attachment.status.rawValue),
            "instance": JSON(attachment.server?.text), "volume_id": .string(attachment.volume.text)
        ]
    }

    private static func detail(_ attachment: VolumeAttachment) -> JSON {
        .object(
            basic(attachment).merging([
                "attached_at": attachment.attachedAt == nil ? "" : volumeTime(attachment.attachedAt),
                "detached_at": "", "attach_mode": .string(attachment.mode.rawValue), "connection_info": [:]
            ]) { _, new in new })
    }

    private func list(_ call: APICall, isDetail: Bool) async throws -> APIResponse {
        try call.requireVersion(27)
        let dialect = Cinder.list(
            most: parts.settings.pageLimit, refuses: call.microversion.has(31), path: "attachments")
        let wanted = try VolumeListQuery.read(call, dialect, VolumeListQuery.attachments)
        let parts = parts
        let found = try await call.database.read { reader in
            try dialect.found {
                try parts.attachments.list(
                    wanted.list, visible: wanted.scope.every, skipping: wanted.offset, in: reader)
            }
        }
        return .json(["attachments": .array(found.map { isDetail ? Self.detail($0) : .object(Self.basic($0)) })])
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        try call.requireVersion(27)
        let origin = try call.volumeOrigin()
        let access = VolumeAccess(parts: parts)
        let attachment = try await call.database.read { reader in
            try access.attachment(call.parameter("id"), asking: "volume:attachment_get", by: origin, in: reader)
        }
        return .json(["attachment": Self.detail(attachment)])
    }

    // MARK: Changing

    private struct Draft: Sendable {
        var server: String?
        var volume = ""
        var connector: JSON = .null
        var mode: String?

        static let schema = BodySchema(
            blank: Draft(),
            [
                .optional("instance_uuid", \.server, .text(0...255, .uuid)),
                .required("volume_uuid", \.volume, .text(0...255, .uuid)), .given("connector", \.connector, .any),
                .optional("mode", \.mode, .word(of: ["rw", "ro"]), since: 54)
            ])
    }

    @Sendable private func create(_ call: APICall) async throws -> APIResponse {
        try call.requireVersion(27)
        let origin = try call.volumeOrigin()
        let draft = try Draft.schema.read(
            try await call.json(), under: "attachment", call.microversion, wording: Cinder.body)
        guard draft.connector.isNull || draft.connector == [:] else {
            throw APIError.badRequest(HandAttachment.noConnection)
        }
        let parts = parts
        let attachment = try await call.write(target: { $0.id.text }) { transaction in
            var volume = try VolumeAccess(parts: parts).volume(
                draft.volume, asking: "volume:attachment_create", by: origin, in: transaction)
            let wanted = VolumeAttachment(
                id: .random(), volume: volume.id, project: volume.project,
                server: draft.server.flatMap { ServerID($0) },
                mode: draft.mode == "ro" ? .readOnly : .readWrite, isManaged: false, createdAt: origin.now)
            return try Attachments(parts: parts).reserve(&volume, wanted, origin: origin, in: transaction)
        }
        return .json(["attachment": Self.detail(attachment)])
    }

    private static let connector = BodySchema(
        blank: [String: JSON](), [.required("connector", \.self, .members)])

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        try call.requireVersion(27)
        let origin = try call.volumeOrigin()
        _ = try Self.connector.read(try await call.json(), under: "attachment", wording: Cinder.body)
        let access = VolumeAccess(parts: parts)
        _ = try await call.database.read { reader in
            try access.attachment(call.parameter("id"), asking: "volume:attachment_update", by: origin, in: reader)
        }
        throw APIError.badRequest(HandAttachment.noConnection)
    }

    /// - Returns: What else holds the volume.
    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        try call.requireVersion(27)
        let origin = try call.volumeOrigin()
        let parts = parts
        let others = try await call.write(target: { _ in call.parameter("id") }) { transaction in
            let attachment = try VolumeAccess(parts: parts).attachment(
                call.parameter("id"), asking: "volume:attachment_delete", by: origin, in: transaction)
            guard !attachment.isManaged else { throw BlockStorageError.usedByServer(attachment.server) }
            try Attachments(parts: parts).end(attachment, at: origin.now, in: transaction)
            return try parts.attachments.of(attachment.volume, in: transaction)
        }
        return .json(["attachments": .array(others.map { .object(Self.basic($0)) })])
    }

    @Sendable private func act(_ call: APICall) async throws -> APIResponse {
        try call.requireVersion(44)
        let origin = try call.volumeOrigin()
        let body = try await call.json()
        guard let name = body.objectValue?.keys.sorted().first, name == "os-complete" else {
            throw APIError.badRequest("There is no such action: \(body.objectValue?.keys.sorted().first ?? "")")
        }
        let parts = parts
        try await call.write(target: { _ in call.parameter("id") }) { transaction in
            var attachment = try VolumeAccess(parts: parts).attachment(
                call.parameter("id"), asking: "volume:attachment_complete", by: origin, in: transaction)
            // Whether a guest has it is what its host says.
            guard !attachment.isManaged else { throw BlockStorageError.usedByServer(attachment.server) }
            guard var volume = try parts.volumes.find(attachment.volume, in: transaction) else {
                throw BlockStorageError.noVolume(attachment.volume.text)
            }
            attachment.status = .attached
            attachment.attachedAt = attachment.attachedAt ?? origin.now
            try parts.attachments.save(&attachment, in: transaction)
            try Attachments(parts: parts).settle(&volume, at: origin.now, in: transaction)
        }
        return .empty(204)
    }
}
