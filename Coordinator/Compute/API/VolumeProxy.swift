import CoordinatorBlockStorage
import CoordinatorPlatform
import ProtocolModel

/// `/os-volumes` and `/os-snapshots`, to 2.35: the volume service's, as the compute API had them.
struct VolumeProxy: Sendable {
    let parts: ComputeParts
    let proxies: ProxyCalls

    var all: [Route] {
        let volumes = "/v2.1/os-volumes"
        let snapshots = "/v2.1/os-snapshots"
        let attributes = BlockStorageSlice.shownAttributes
        return [
            Route(.get, volumes) { try await list($0, Self.volumes) }.asking("volume:get_all").asking(attributes),
            Route(.get, volumes + "/detail") { try await list($0, Self.volumes) }.asking("volume:get_all")
                .asking(attributes),
            Route(.get, volumes + "/{volume_id}") { try await show($0, Self.volumes) }.asking("volume:get")
                .asking(attributes),
            Route(.post, volumes, action: "compute.volume.create", handler: createVolume)
                .asking(
                    "volume:create", "volume:create_from_image", "volume:multiattach", "volume:get",
                    "volume:get_snapshot"),
            Route(.delete, volumes + "/{volume_id}", action: "compute.volume.delete") {
                try await delete($0, Self.volumes)
            }.asking("volume:delete", "volume:force_delete"),
            Route(.get, snapshots) { try await list($0, Self.snapshots) }.asking("volume:get_all_snapshots")
                .asking(attributes),
            Route(.get, snapshots + "/detail") { try await list($0, Self.snapshots) }
                .asking("volume:get_all_snapshots").asking(attributes),
            Route(.get, snapshots + "/{snapshot_id}") { try await show($0, Self.snapshots) }
                .asking("volume:get_snapshot").asking(attributes),
            Route(.post, snapshots, action: "compute.snapshot.make", handler: createSnapshot)
                .asking("volume:create_snapshot", "volume:get"),
            Route(.delete, snapshots + "/{snapshot_id}", action: "compute.snapshot.remove") {
                try await delete($0, Self.snapshots)
            }.asking("volume:delete_snapshot")
        ]
    }

    private struct Kind: Sendable {
        var one: String
        var many: String
        var parameter: String
        var render: @Sendable (JSON) -> JSON

        func missing(_ id: String) -> APIError {
            .notFound("\(one.prefix(1).uppercased())\(one.dropFirst()) \(id) could not be found.")
        }
    }

    private static let volumes = Kind(one: "volume", many: "volumes", parameter: "volume_id", render: volume)
    private static let snapshots = Kind(
        one: "snapshot", many: "snapshots", parameter: "snapshot_id", render: snapshot)

    @Sendable private static func volume(_ found: JSON) -> JSON {
        let id = found["id"] ?? .null
        var attachment: [String: JSON] = [:]
        if let held = found["attachments"]?.arrayValue?.first {
            attachment = ["id": id, "volumeId": id, "serverId": held["server_id"] ?? .null]
            if let device = held["device"], !device.isNull { attachment["device"] = device }
        }
        return [
            "id": id, "status": found["status"] ?? .null, "size": found["size"] ?? 0,
            "availabilityZone": found["availability_zone"] ?? "", "createdAt": found["created_at"] ?? .null,
            "attachments": [.object(attachment)], "displayName": found["name"] ?? .null,
            "displayDescription": found["description"] ?? .null, "volumeType": found["volume_type"] ?? .null,
            "snapshotId": found["snapshot_id"] ?? .null, "metadata": found["metadata"] ?? [:]
        ]
    }

    @Sendable private static func snapshot(_ found: JSON) -> JSON {
        [
            "id": found["id"] ?? .null, "volumeId": found["volume_id"] ?? .null, "status": found["status"] ?? .null,
            "size": found["size"] ?? 0, "createdAt": found["created_at"] ?? .null,
            "displayName": found["name"] ?? .null, "displayDescription": found["description"] ?? .null
        ]
    }

    // MARK: Calls

    private static func base(_ call: APICall) throws -> String {
        try call.requireVersion(!call.microversion.has(ProxyVersion.last + 1))
        return "/volume/v3/\(try call.requireProject().project.compact)"
    }

    private func list(_ call: APICall, _ kind: Kind) async throws -> APIResponse {
        let found = try await proxies.send(.get, "\(try Self.base(call))/\(kind.many)/detail", for: call)
        let all = found[kind.many]?.arrayValue ?? []
        let offset = try Self.number("offset", call) ?? 0
        let limit = try Self.number("limit", call) ?? parts.settings.pageLimit
        let shown = all.dropFirst(offset).prefix(min(limit, parts.settings.pageLimit))
        return .json([kind.many: .array(shown.map(kind.render))])
    }

    private static func number(_ name: String, _ call: APICall) throws -> Int? {
        guard let text = call.query(name) else { return nil }
        guard let number = Int(text), number >= 0 else {
            throw APIError.badRequest("\(name) param must be an integer that is not negative")
        }
        return number
    }

    /// What the other service does not find is said to be missing in Nova's words.
    private func send(_ call: APICall, _ kind: Kind, _ body: () async throws -> JSON) async throws -> JSON {
        do { return try await body() } catch let error as APIError where error.status == 404 {
            throw kind.missing(call.parameter(kind.parameter))
        }
    }

    private func path(_ call: APICall, _ kind: Kind) throws -> String {
        let base = try Self.base(call)
        guard let id = AnyID(call.parameter(kind.parameter)) else { throw kind.missing(call.parameter(kind.parameter)) }
        return "\(base)/\(kind.many)/\(id)"
    }

    private func show(_ call: APICall, _ kind: Kind) async throws -> APIResponse {
        let path = try path(call, kind)
        let found = try await send(call, kind) { try await proxies.send(.get, path, for: call) }
        return .json([kind.one: kind.render(found[kind.one] ?? .null)])
    }

    private func delete(_ call: APICall, _ kind: Kind) async throws -> APIResponse {
        let path = try path(call, kind)
        _ = try await send(call, kind) { try await proxies.send(.delete, path, for: call) }
        return .empty(202)
    }

    private struct Draft: Sendable {
        var volume = ""
        var size: Int?
        var name: String?
        var description: String?
        var type: String?
        var metadata: [String: String] = [:]
        var snapshot: String?
        var zone: String?
        var isForced = false

        private static let text = BodyFormat<String>.text(0...255)
        static let ofVolume = BodySchema(
            blank: Draft(),
            [
                .optional("size", \.size, .integer(1...0x7FFF_FFFF, orText: true)),
                .optional("display_name", \.name, text),
                .optional("display_description", \.description, text), .optional("volume_type", \.type, text),
                .given("metadata", \.metadata, BodyFormat<[String: String]>.map(keys: .key, values: text, most: 128)),
                .optional("snapshot_id", \.snapshot, text), .optional("availability_zone", \.zone, text)
            ])
        static let ofSnapshot = BodySchema(
            blank: Draft(),
            [
                .required("volume_id", \.volume, .text()), .optional("display_name", \.name, text),
                .optional("display_description", \.description, text), .given("force", \.isForced, Nova.flag)
            ])
    }

    @Sendable private func createVolume(_ call: APICall) async throws -> APIResponse {
        let base = try Self.base(call)
        let draft = try Draft.ofVolume.read(try await call.json(), under: "volume", wording: Nova.body)
        var volume: [String: JSON] = [
            "size": JSON(draft.size), "metadata": .object(draft.metadata.mapValues(JSON.string))
        ]
        volume["name"] = draft.name.map(JSON.string)
        volume["description"] = draft.description.map(JSON.string)
        volume["volume_type"] = draft.type.map(JSON.string)
        volume["snapshot_id"] = draft.snapshot.map(JSON.string)
        volume["availability_zone"] = draft.zone.map(JSON.string)
        guard draft.size != nil || draft.snapshot != nil else {
            throw APIError.badRequest("Invalid input for field 'size': a volume needs a size, or a snapshot.")
        }
        if draft.size == nil { volume["size"] = nil }
        let body = JSON.object(["volume": .object(volume)])
        let made = try await proxies.send(.post, base + "/volumes", body, for: call)["volume"] ?? .null
        return .json(["volume": Self.volume(made)])
    }

    @Sendable private func createSnapshot(_ call: APICall) async throws -> APIResponse {
        let base = try Self.base(call)
        let draft = try Draft.ofSnapshot.read(try await call.json(), under: "snapshot", wording: Nova.body)
        var snapshot: [String: JSON] = ["volume_id": .string(draft.volume), "force": .bool(draft.isForced)]
        snapshot["name"] = draft.name.map(JSON.string)
        snapshot["description"] = draft.description.map(JSON.string)
        let body = JSON.object(["snapshot": .object(snapshot)])
        let made = try await proxies.send(.post, base + "/snapshots", body, for: call)["snapshot"] ?? .null
        return .json(["snapshot": Self.snapshot(made)])
    }
}
