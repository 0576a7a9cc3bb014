import CoordinatorPlatform
import ProtocolModel

/// `/metadata` of volumes and of snapshots: the same calls on another kind of thing.
struct MetadataCalls: Sendable {
    /// `/volumes`
    let path: String
    /// `volume`
    let noun: String
    let rules: (show: String, create: String, update: String, delete: String)
    let read: @Sendable (_ id: String, _ rule: String, Origin, any SQLReader) throws -> [String: String]
    let change:
        @Sendable (
            _ id: String, _ rule: String, Origin, any SQLTransaction,
            _ body: ([String: String]) throws -> [String: String]
        ) throws -> [String: String]
    let missing: @Sendable (_ id: String, _ key: String) -> APIError

    var all: [Route] {
        let base = "\(path)/{id}/metadata"
        let action = "volume.\(noun).metadata"
        return [
            Route.volume(.get, base, handler: list).asking(rules.show),
            Route.volume(.post, base, action: "\(action).create") {
                try await change($0, rules.create, keepsOthers: true)
            }.asking(rules.create),
            Route.volume(.put, base, action: "\(action).update") {
                try await change($0, rules.update, keepsOthers: false)
            }.asking(rules.update),
            Route.volume(.get, base + "/{key}", handler: show).asking(rules.show),
            Route.volume(.put, base + "/{key}", action: "\(action).set", handler: set).asking(rules.update),
            Route.volume(.delete, base + "/{key}", action: "\(action).delete", handler: delete)
                .asking(rules.delete)
        ]
    }

    private static func json(_ metadata: [String: String]) -> JSON { .object(metadata.mapValues(JSON.string)) }

    private func items(_ body: JSON, under name: String) throws -> [String: String] {
        try BodySchema(blank: [:], [.required(name, \.self, Cinder.metadata)]).read(body, wording: Cinder.body)
    }

    private func found(_ call: APICall) async throws -> [String: String] {
        let origin = try call.volumeOrigin()
        return try await call.database.read { try read(call.parameter("id"), rules.show, origin, $0) }
    }

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        .json(["metadata": Self.json(try await found(call))])
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let key = call.parameter("key")
        guard let value = try await found(call)[key] else { throw missing(call.parameter("id"), key) }
        return .json(["meta": [key: .string(value)]])
    }

    private func change(_ call: APICall, _ rule: String, keepsOthers: Bool) async throws -> APIResponse {
        let given = try items(try await call.json(), under: "metadata")
        let result = try await write(call, rule) { old in
            keepsOthers ? old.merging(given) { _, new in new } : given
        }
        return .json(["metadata": Self.json(result)])
    }

    @Sendable private func set(_ call: APICall) async throws -> APIResponse {
        let given = try items(try await call.json(), under: "meta")
        let key = call.parameter("key")
        guard given[key] != nil else { throw APIError.badRequest("Request body and URI mismatch") }
        guard given.count == 1 else { throw APIError.badRequest("Request body contains too many items") }
        _ = try await write(call, rules.update) { $0.merging(given) { _, new in new } }
        return .json(["meta": Self.json(given)])
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        let key = call.parameter("key")
        _ = try await write(call, rules.delete) { old in
            var metadata = old
            guard metadata.removeValue(forKey: key) != nil else { throw missing(call.parameter("id"), key) }
            return metadata
        }
        return .empty(200)
    }

    private func write(
        _ call: APICall, _ rule: String, _ body: @escaping @Sendable ([String: String]) throws -> [String: String]
    ) async throws -> [String: String] {
        let origin = try call.volumeOrigin()
        return try await call.write(target: { _ in call.parameter("id") }) { transaction in
            try change(call.parameter("id"), rule, origin, transaction) { old in
                let new = try body(old)
                guard new.count <= Self.most else {
                    throw BlockStorageError.input("At most \(Self.most) metadata items are kept.")
                }
                return new
            }
        }
    }

    private static let most = 128
}

/// `/volumes/{id}/metadata`.
struct VolumeMetadataRoutes: Sendable {
    let parts: BlockStorageParts

    var all: [Route] {
        let parts = parts
        return MetadataCalls(
            path: "/volumes", noun: "volume",
            rules: (
                "volume:get_volume_metadata", "volume:create_volume_metadata", "volume:update_volume_metadata",
                "volume:delete_volume_metadata"
            ),
            read: { id, rule, origin, reader in
                try VolumeAccess(parts: parts).volume(id, asking: rule, by: origin, in: reader).metadata
            },
            change: { id, rule, origin, transaction, body in
                try VolumeCommands(parts: parts).change(id, asking: rule, origin: origin, in: transaction) { volume in
                    if volume.status == .maintenance {
                        throw BlockStorageError.volume(
                            "Updating volume metadata is not allowed for volumes in maintenance status.")
                    }
                    volume.metadata = try body(volume.metadata)
                }.metadata
            },
            missing: { .notFound("Volume \($0) has no metadata with key \($1).") }
        ).all
    }
}

/// `/snapshots/{id}/metadata`.
struct SnapshotMetadataRoutes: Sendable {
    let parts: BlockStorageParts

    var all: [Route] {
        let parts = parts
        return MetadataCalls(
            path: "/snapshots", noun: "snapshot",
            rules: (
                "volume:get_snapshot_metadata", "volume:update_snapshot_metadata", "volume:update_snapshot_metadata",
                "volume:delete_snapshot_metadata"
            ),
            read: { id, rule, origin, reader in
                try VolumeAccess(parts: parts).snapshot(id, asking: rule, by: origin, in: reader).metadata
            },
            change: { id, rule, origin, transaction, body in
                try SnapshotCommands(parts: parts).change(id, asking: rule, origin: origin, in: transaction) {
                    $0.metadata = try body($0.metadata)
                }.metadata
            },
            missing: { .notFound("Snapshot \($0) has no metadata with key \($1).") }
        ).all
    }
}
