import CoordinatorPlatform
import ProtocolModel

/// `/volumes`.
struct VolumeRoutes: Sendable {
    let parts: BlockStorageParts

    var all: [Route] {
        [
            Route.volume(.get, "/volumes") { try await list($0, isDetail: false) }.gated(by: "volume:get_all"),
            Route.volume(.post, "/volumes", action: "volume.volume.create", handler: create)
                .asking("volume:create", "volume:create_from_image", "volume:multiattach", "volume:get_snapshot")
                .asking("volume:get"),
            Route.volume(.get, "/volumes/detail") { try await list($0, isDetail: true) }
                .gated(by: "volume:get_all").asking(Self.attributes),
            Route.volume(.get, "/volumes/summary", handler: summary).gated(by: "volume:get_all"),
            Route.volume(.get, "/volumes/{id}", handler: show).asking("volume:get").asking(Self.attributes),
            Route.volume(.put, "/volumes/{id}", action: "volume.volume.update", handler: update)
                .asking("volume:update"),
            Route.volume(.delete, "/volumes/{id}", action: "volume.volume.delete", handler: delete)
                .asking("volume:delete", "volume:force_delete"),
            Route.volume(.get, "/volumes/{id}/encryption", handler: encryption)
                .asking("volume_extension:volume_encryption_metadata"),
            Route.volume(.get, "/volumes/{id}/encryption/{key}", handler: encryption)
                .asking("volume_extension:volume_encryption_metadata")
        ]
    }

    /// Rules that decide what of a volume is shown.
    static let attributes = [
        "volume_extension:volume_host_attribute", "volume_extension:volume_tenant_attribute",
        "volume_extension:volume_mig_status_attribute", "volume_extension:volume_image_metadata:show"
    ]

    // MARK: Reading

    private func list(_ call: APICall, isDetail: Bool) async throws -> APIResponse {
        let dialect = Cinder.list(
            most: parts.settings.pageLimit,
            refuses: call.microversion.has(31), path: isDetail ? "volumes/detail" : "volumes")
        let query = try VolumeListQuery.read(call, dialect, VolumeListQuery.volumes)
        let parts = parts
        let (volumes, items, count) = try await call.database.read { reader in
            let volumes = try dialect.found {
                try parts.volumes.list(
                    query.list, visible: query.scope.living, skipping: query.offset, in: reader)
            }
            let count =
                query.wantsCount
                ? try parts.volumes.summary(query.list, visible: query.scope.living, in: reader).count : nil
            guard isDetail else { return (volumes, volumes.map { VolumeView.basic($0, call) }, count) }
            let view = VolumeView(call, types: try parts.types.names(in: reader))
            let attachments = try parts.attachments.of(volumes.map(\.id), in: reader)
            return (volumes, volumes.map { view.render($0, attachments[$0.id] ?? []) }, count)
        }
        let page = ListPage(collection: "volumes", identities: volumes.map(\.id.text), query: query.list)
        return dialect.answer(page, items, call).counting(count)
    }

    @Sendable private func summary(_ call: APICall) async throws -> APIResponse {
        try call.requireVersion(12)
        let dialect = Cinder.list(most: parts.settings.pageLimit, refuses: false, path: "volumes")
        let query = try VolumeListQuery.read(call, dialect, VolumeListQuery.volumes)
        let parts = parts
        let (sum, metadata) = try await call.database.read { reader in
            (
                try parts.volumes.summary(query.list, visible: query.scope.living, in: reader),
                call.microversion.has(36)
                    ? try parts.volumes.metadata(query.list, visible: query.scope.living, in: reader) : nil
            )
        }
        var out: [String: JSON] = ["total_count": JSON(sum.count), "total_size": JSON(sum.sizeGiB)]
        if let metadata {
            var values: [String: Set<String>] = [:]
            for (key, value) in metadata.flatMap({ $0 }) { values[key, default: []].insert(value) }
            out["metadata"] = .object(values.mapValues { .array($0.sorted().map(JSON.string)) })
        }
        return .json(["volume-summary": .object(out)])
    }

    /// One volume as `show` has it.
    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let origin = try call.volumeOrigin()
        let parts = parts
        let view = try await call.database.read { reader in
            let volume = try VolumeAccess(parts: parts).volume(
                call.parameter("id"), asking: "volume:get", by: origin, in: reader)
            return try Self.render(volume, isWhole: true, parts, call, in: reader)
        }
        return .json(["volume": view])
    }

    private static func render(
        _ volume: VolumeRecord, isWhole: Bool, _ parts: BlockStorageParts, _ call: APICall, in reader: any SQLReader
    ) throws -> JSON {
        VolumeView(call, types: try parts.types.names(in: reader))
            .render(volume, try parts.attachments.of(volume.id, in: reader), isWhole: isWhole)
    }

    /// No volume is encrypted.
    @Sendable private func encryption(_ call: APICall) async throws -> APIResponse {
        let origin = try call.volumeOrigin()
        let parts = parts
        _ = try await call.database.read { reader in
            try VolumeAccess(parts: parts).volume(
                call.parameter("id"), asking: "volume_extension:volume_encryption_metadata", by: origin, in: reader)
        }
        let key = call.parameter("key")
        guard !key.isEmpty else { return .json(["encryption_key_id": .null]) }
        return key == "encryption_key_id" ? .json(.null) : .json("")
    }

    // MARK: Changing

    @Sendable private func create(_ call: APICall) async throws -> APIResponse {
        let origin = try call.volumeOrigin()
        let body = try CreateVolumeBody.read(try await call.json(), call.microversion)
        let command = try body.asCommand()
        if let group = body.group { throw APIError.notFound("Group \(group) could not be found.") }
        let parts = parts
        let view = try await call.write(target: { $0["id"]?.stringValue ?? "" }) { transaction in
            let volume = try VolumeCreation(parts: parts).create(command, origin: origin, in: transaction)
            return try Self.render(volume, isWhole: false, parts, call, in: transaction)
        }
        return .json(["volume": view], status: 202)
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        let origin = try call.volumeOrigin()
        let update = try UpdateVolumeBody.read(try await call.json(), call.microversion)
        let parts = parts
        let view = try await call.write { transaction in
            let volume = try VolumeCommands(parts: parts).update(
                call.parameter("id"), update, origin: origin, in: transaction)
            return try Self.render(volume, isWhole: false, parts, call, in: transaction)
        }
        return .json(["volume": view])
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        let origin = try call.volumeOrigin()
        let cascades = try Cinder.flag("cascade", call)
        let isForced = try call.microversion.has(23) && Cinder.flag("force", call)
        let commands = VolumeCommands(parts: parts)
        try await call.write { transaction in
            try commands.delete(
                call.parameter("id"), cascades: cascades, isForced: isForced, origin: origin, in: transaction)
        }
        return .empty(202)
    }
}

extension APIResponse {
    /// With the number of all that match beside the page.
    func counting(_ count: Int?) -> Self {
        guard let count, case .json(.object(var members)) = body else { return self }
        members["count"] = JSON(count)
        var response = self
        response.body = .json(.object(members))
        return response
    }
}
