import CoordinatorImage
import CoordinatorPlatform
import ProtocolModel

/// `POST /volumes/{id}/action`.
struct VolumeActionRoutes: Sendable {
    let parts: BlockStorageParts

    var all: [Route] {
        [
            Route.volume(.post, "/volumes/{id}/action", action: "volume.volume.action", handler: act)
                .asking(Self.rules + Self.placeRules)
                // Those of the image that a volume becomes.
                .asking(ImageSlice.serverImageRules + ["publicize_image", "communitize_image"])
        ]
    }

    private static let rules =
        [
            "volume:get", "volume:extend", "volume:extend_attached_volume", "volume:revert_to_snapshot",
            "volume:update_readonly_flag", "volume:update", "volume:multiattach_bootable_volume"
        ]
        + [
            "reserve", "unreserve", "begin_detaching", "roll_detaching", "attach", "detach", "initialize_connection",
            "terminate_connection", "upload_image", "upload_public"
        ].map { "volume_extension:volume_actions:\($0)" }
        + ["reset_status", "force_delete", "force_detach"].map { "volume_extension:volume_admin_actions:\($0)" }
        + ["show", "set", "remove"].map { "volume_extension:volume_image_metadata:\($0)" }

    /// What an action does with its argument.
    typealias Action = @Sendable (_ routes: Self, _ call: APICall, _ argument: JSON) async throws -> APIResponse

    static let actions: [String: Action] = own.merging(attachmentActions) { first, _ in first }
        .merging(placeActions) { first, _ in first }

    private static let own: [String: Action] = [
        "os-extend": { routes, call, argument in
            let size = try Cinder.read(argument, newSize, under: "os-extend")
            return try await routes.write(call) { commands, id, origin, transaction in
                try commands.extend(
                    id, to: size, allowsInUse: call.microversion.has(42), origin: origin, in: transaction)
            }
        },
        "revert": { routes, call, argument in
            try call.requireVersion(40)
            let snapshot = try Cinder.read(argument, snapshotID, under: "revert")
            return try await routes.write(call) { try $0.revert($1, to: snapshot, origin: $2, in: $3) }
        },
        "os-reset_status": { routes, call, argument in
            let status = try Cinder.read(argument, resetStatus, under: "os-reset_status")
            return try await routes.write(call) { try $0.reset($1, to: status, origin: $2, in: $3) }
        },
        "os-force_delete": { routes, call, _ in
            try await routes.write(call) { commands, id, origin, transaction in
                let volume = try VolumeAccess(parts: commands.parts).volume(
                    id, asking: "volume_extension:volume_admin_actions:force_delete", by: origin, in: transaction)
                try commands.delete(volume, cascades: false, isForced: true, origin: origin, in: transaction)
            }
        },
        "os-set_bootable": { routes, call, argument in
            let isBootable = try Cinder.read(argument, bootable, under: "os-set_bootable")
            return try await routes.write(call, status: 200) { commands, id, origin, transaction in
                _ = try commands.change(id, asking: "volume:update", origin: origin, in: transaction) {
                    $0.isBootable = isBootable
                }
            }
        },
        "os-update_readonly_flag": { routes, call, argument in
            let isReadOnly = try Cinder.read(argument, readOnly, under: "os-update_readonly_flag")
            return try await routes.write(call) { try $0.setReadOnly($1, isReadOnly, origin: $2, in: $3) }
        },
        "os-volume_upload_image": { routes, call, argument in try await routes.upload(call, argument) },
        "os-set_image_metadata": { routes, call, argument in
            let given = try Cinder.read(argument, metadata, under: "os-set_image_metadata")
            return try await routes.changeImageMetadata(call, "set") { $0.merge(given) { _, new in new } }
        },
        "os-unset_image_metadata": { routes, call, argument in
            let key = try Cinder.read(argument, key, under: "os-unset_image_metadata")
            return try await routes.changeImageMetadata(call, "remove") { metadata in
                guard metadata.removeValue(forKey: key) != nil else {
                    throw APIError.notFound("Metadata item was not found")
                }
            }
        },
        "os-show_image_metadata": { routes, call, _ in try await routes.showImageMetadata(call) }
    ]

    private static let newSize = BodySchema(blank: 0, [.required("new_size", \.self, Cinder.size)]).format()
    private static let snapshotID = BodySchema<String?>(
        blank: nil, unknown: .ignored, [.given("snapshot_id", \.self, BodyFormat.text(0...255).nullable)]
    ).format()
    private static let bootable = BodySchema(blank: false, [.required("bootable", \.self, Cinder.flag)]).format()
    private static let readOnly = BodySchema(blank: false, [.required("readonly", \.self, Cinder.flag)]).format()
    private static let metadata = BodySchema(
        blank: [:], [.required("metadata", \.self, Cinder.metadata)]
    ).format()
    private static let key = BodySchema(blank: "", [.required("key", \.self, .text(1...255))]).format()
    /// Attachments and migrations follow what is there: of these, only the words for it are taken.
    private static let resetStatus = BodySchema(
        blank: (status: VolumeStatus?.none, other: String?.none),
        [
            .given("status", \.status, BodyFormat<VolumeStatus>.word(VolumeStatus.self).nullable),
            .given("attach_status", \.other, BodyFormat.word(of: ["detached", "attached"]).nullable),
            .given("migration_status", \.other, BodyFormat.word(of: ["none"]).nullable)
        ]
    ).format().map { wanted, _ in wanted.status }

    @Sendable private func act(_ call: APICall) async throws -> APIResponse {
        let body = try await call.json()
        guard let names = body.objectValue?.keys.sorted(), let first = names.first else {
            throw APIError.badRequest("Malformed request body")
        }
        guard let action = Self.actions[first], names.count == 1 else {
            throw APIError.badRequest("There is no such action: \(first)")
        }
        return try await action(self, call, body[first] ?? .null)
    }

    // MARK: Parts

    func write(
        _ call: APICall, status: Int = 202,
        _ body: @escaping @Sendable (VolumeCommands, String, Origin, any SQLTransaction) throws -> Void
    ) async throws -> APIResponse {
        let origin = try call.volumeOrigin()
        let commands = VolumeCommands(parts: parts)
        try await call.write { try body(commands, call.parameter("id"), origin, $0) }
        return .empty(status)
    }

    /// The answer to what can never be done, once it is known that the caller might ask for it.
    func refuse(_ call: APICall, asking rule: String, _ refusal: APIError) async throws -> APIResponse {
        let origin = try call.volumeOrigin()
        let access = VolumeAccess(parts: parts)
        _ = try await call.database.read {
            try access.volume(call.parameter("id"), asking: rule, by: origin, in: $0)
        }
        throw refusal
    }

    private func changeImageMetadata(
        _ call: APICall, _ word: String, _ change: @escaping @Sendable (inout [String: String]) throws -> Void
    ) async throws -> APIResponse {
        let origin = try call.volumeOrigin()
        let commands = VolumeCommands(parts: parts)
        let metadata = try await call.write(target: { _ in call.parameter("id") }) { transaction in
            try commands.change(
                call.parameter("id"), asking: "volume_extension:volume_image_metadata:\(word)", origin: origin,
                in: transaction
            ) { volume in
                var metadata = volume.imageMetadata ?? [:]
                try change(&metadata)
                guard metadata.count <= 128 else { throw BlockStorageError.input("A volume has at most 128 of these.") }
                volume.imageMetadata = metadata
            }.imageMetadata ?? [:]
        }
        guard word == "set" else { return .empty(200) }
        return .json(["metadata": .object(metadata.mapValues(JSON.string))])
    }

    private func showImageMetadata(_ call: APICall) async throws -> APIResponse {
        let origin = try call.volumeOrigin()
        let access = VolumeAccess(parts: parts)
        let volume = try await call.database.read { reader in
            try access.volume(
                call.parameter("id"), asking: "volume_extension:volume_image_metadata:show", by: origin, in: reader)
        }
        return .json(["metadata": .object((volume.imageMetadata ?? [:]).mapValues(JSON.string))])
    }
}
