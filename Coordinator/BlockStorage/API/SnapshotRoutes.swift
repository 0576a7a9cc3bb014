import CoordinatorPlatform
import ProtocolModel

/// `/snapshots`.
struct SnapshotRoutes: Sendable {
    let parts: BlockStorageParts

    var all: [Route] {
        [
            Route.volume(.get, "/snapshots") { try await list($0, isDetail: false) }
                .gated(by: "volume:get_all_snapshots"),
            Route.volume(.get, "/snapshots/detail") { try await list($0, isDetail: true) }
                .gated(by: "volume:get_all_snapshots").asking(Self.attributes),
            Route.volume(.post, "/snapshots", action: "volume.snapshot.create", handler: create)
                .asking("volume:get", "volume:create_snapshot"),
            Route.volume(.get, "/snapshots/{id}", handler: show).asking("volume:get_snapshot", Self.attributes),
            Route.volume(.put, "/snapshots/{id}", action: "volume.snapshot.update", handler: update)
                .asking("volume:update_snapshot"),
            Route.volume(.delete, "/snapshots/{id}", action: "volume.snapshot.delete", handler: delete)
                .asking("volume:delete_snapshot"),
            Route.volume(.post, "/snapshots/{id}/action", action: "volume.snapshot.action", handler: act)
                .asking(
                    "volume_extension:snapshot_admin_actions:reset_status",
                    "volume_extension:snapshot_admin_actions:force_delete",
                    "snapshot_extension:snapshot_actions:update_snapshot_status")
        ]
    }

    static let attributes = "volume_extension:extended_snapshot_attributes"

    // MARK: Reading

    private static func render(_ snapshot: SnapshotRecord, isDetail: Bool, _ call: APICall) -> JSON {
        let version = call.microversion
        var out: [String: JSON] = [
            "id": .string(snapshot.id.text), "name": JSON(snapshot.name), "description": JSON(snapshot.description),
            "volume_id": .string(snapshot.volume.text), "status": .string(snapshot.status.rawValue),
            "size": JSON(snapshot.sizeGiB), "created_at": volumeTime(snapshot.createdAt),
            "updated_at": volumeTime(snapshot.updatedAt),
            "metadata": .object(snapshot.metadata.mapValues(JSON.string))
        ]
        if version.has(14) { out["group_snapshot_id"] = JSON(snapshot.group?.text) }
        if version.has(41) { out["user_id"] = .string(snapshot.user.compact) }
        if version.has(65) { out["consumes_quota"] = true }
        let target = Policy.Target(project: snapshot.project, user: snapshot.user)
        if isDetail, call.isAllowed(attributes, target) {
            out["os-extended-snapshot-attributes:project_id"] = .string(snapshot.project.compact)
            out["os-extended-snapshot-attributes:progress"] = JSON(
                snapshot.progress ?? (snapshot.status == .available ? "100%" : "0%"))
        }
        return .object(out)
    }

    private func list(_ call: APICall, isDetail: Bool) async throws -> APIResponse {
        let dialect = Cinder.list(
            most: parts.settings.pageLimit, refuses: call.microversion.has(31),
            path: isDetail ? "snapshots/detail" : "snapshots")
        let query = try VolumeListQuery.read(call, dialect, VolumeListQuery.snapshots)
        let parts = parts
        let (snapshots, count) = try await call.database.read { reader in
            let found = try dialect.found {
                try parts.snapshots.list(
                    query.list, visible: query.scope.living, skipping: query.offset, in: reader)
            }
            let count =
                query.wantsCount
                ? try parts.snapshots.count(query.list, visible: query.scope.living, in: reader) : nil
            return (found, count)
        }
        let page = ListPage(collection: "snapshots", identities: snapshots.map(\.id.text), query: query.list)
        let items = snapshots.map { Self.render($0, isDetail: isDetail, call) }
        return dialect.answer(page, items, call).counting(count)
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let origin = try call.volumeOrigin()
        let access = VolumeAccess(parts: parts)
        let snapshot = try await call.database.read { reader in
            try access.snapshot(call.parameter("id"), asking: "volume:get_snapshot", by: origin, in: reader)
        }
        return .json(["snapshot": Self.render(snapshot, isDetail: true, call)])
    }

    // MARK: Changing

    private struct Draft: Sendable {
        var command = CreateSnapshot()
        var volume: String?
        var force: Bool?

        static let schema = BodySchema(
            blank: Draft(),
            [
                .required("volume_id", \.volume, CreateVolumeBody.id), .given("name", \.command.name, name),
                .given("display_name", \.command.name, name), .given("description", \.command.description, name),
                .optional("force", \.force, Cinder.flag),
                .given("metadata", \.command.metadata, Cinder.metadata.orNull([:]))
            ])
        static let name = BodyFormat.text(0...255).nullable
    }

    @Sendable private func create(_ call: APICall) async throws -> APIResponse {
        let origin = try call.volumeOrigin()
        let draft = try Draft.schema.read(try await call.json(), under: "snapshot", wording: Cinder.body)
        var command = draft.command
        command.volume = draft.volume ?? "None"
        if call.microversion.has(66) {
            guard draft.force ?? true else {
                throw APIError.badRequest(
                    "Since microversion 3.66 the 'force' flag is invalid for this request. For backward "
                        + "compatibility, however, when the 'force' flag is passed with a value evaluating to True, it "
                        + "is silently ignored.")
            }
            command.allowsInUse = true
        } else {
            command.allowsInUse = draft.force ?? false
        }
        let wanted = command
        let commands = SnapshotCommands(parts: parts)
        let snapshot = try await call.write(target: { $0.id.text }) { transaction in
            try commands.create(wanted, origin: origin, in: transaction)
        }
        return .json(["snapshot": Self.render(snapshot, isDetail: false, call)], status: 202)
    }

    private struct Update: Sendable {
        var name: String??
        var description: String??

        static let schema = BodySchema(
            blank: Update(),
            [
                .optional("name", \.name, Draft.name), .optional("description", \.description, Draft.name),
                .optional("display_name", \.name, Draft.name),
                .optional("display_description", \.description, Draft.name)
            ])
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        let origin = try call.volumeOrigin()
        let body = try await call.json()
        let update = try Update.schema.read(body, under: "snapshot", wording: Cinder.body)
        if body["snapshot"]?.objectValue?.isEmpty ?? false {
            throw Cinder.body(BodyFailure(.noneFits, [:], path: ["snapshot"]))
        }
        let commands = SnapshotCommands(parts: parts)
        let snapshot = try await call.write(target: { $0.id.text }) { transaction in
            try commands.change(
                call.parameter("id"), asking: "volume:update_snapshot", origin: origin, in: transaction
            ) { snapshot in
                if let name = update.name { snapshot.name = name }
                if let description = update.description { snapshot.description = description }
            }
        }
        return .json(["snapshot": Self.render(snapshot, isDetail: false, call)])
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        let origin = try call.volumeOrigin()
        let commands = SnapshotCommands(parts: parts)
        try await call.write { try commands.delete(call.parameter("id"), origin: origin, in: $0) }
        return .empty(202)
    }

    private static let status = BodySchema(
        blank: SnapshotStatus.available,
        [
            .required(
                "status", \.self,
                .parsed("status") { text in
                    [.creating, .available, .deleting, .error, .errorDeleting].first { $0.rawValue == text }
                })
        ]
    ).format()

    private static let progress = BodySchema(
        blank: (status: SnapshotStatus.available, progress: String?.none),
        [
            .required("status", \.status, BodyFormat.word(SnapshotStatus.self)),
            .given("progress", \.progress, BodyFormat.text(0...255).nullable)
        ]
    ).format()

    /// `73%`
    private static func check(progress: String) throws {
        guard progress.hasSuffix("%"), let percent = Int(progress.dropLast()), (0...100).contains(percent) else {
            throw APIError.badRequest("progress must be an integer percentage")
        }
    }

    @Sendable private func act(_ call: APICall) async throws -> APIResponse {
        let origin = try call.volumeOrigin()
        let commands = SnapshotCommands(parts: parts)
        let body = try await call.json()
        switch body.objectValue?.keys.sorted().first {
        case "os-reset_status":
            let status = try Cinder.read(body["os-reset_status"] ?? .null, Self.status, under: "os-reset_status")
            try await call.write {
                try commands.reset(call.parameter("id"), to: status, origin: origin, in: $0)
            }
        case "os-update_snapshot_status":
            let wanted = try Cinder.read(
                body["os-update_snapshot_status"] ?? .null, Self.progress, under: "os-update_snapshot_status")
            if let progress = wanted.progress, !progress.isEmpty { try Self.check(progress: progress) }
            try await call.write {
                try commands.update(
                    call.parameter("id"), to: wanted.status,
                    progress: wanted.progress.flatMap { $0.isEmpty ? nil : $0 }, origin: origin, in: $0)
            }
        case "os-force_delete":
            try await call.write { try commands.forceDelete(call.parameter("id"), origin: origin, in: $0) }
        case let name: throw APIError.badRequest("There is no such action: \(name ?? "")")
        }
        return .empty(202)
    }
}
