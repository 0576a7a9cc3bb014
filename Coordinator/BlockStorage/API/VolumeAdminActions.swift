import CoordinatorPlatform
import ProtocolModel

/// Actions that change where a volume is or what type it has.
extension VolumeActionRoutes {
    static let placeActions: [String: Action] = [
        "os-retype": { routes, call, argument in
            let type = try Cinder.read(argument, newType, under: "os-retype")
            return try await routes.write(call) { commands, id, origin, transaction in
                try VolumeRetyping(parts: commands.parts).retype(id, to: type, origin: origin, in: transaction)
            }
        },
        "os-migrate_volume": { routes, call, argument in
            let host = try Cinder.read(argument, destination, under: "os-migrate_volume")
            return try await routes.refuseMoving(call, to: host)
        },
        "os-migrate_volume_completion": { routes, call, _ in
            try await routes.refuse(
                call, asking: "volume_extension:volume_admin_actions:migrate_volume_completion",
                BlockStorageError.volume("Source volume not mid-migration."))
        },
        "os-unmanage": { routes, call, _ in
            try await routes.refuse(
                call, asking: "volume_extension:volume_unmanage",
                BlockStorageError.volume(
                    "Volumes cannot be given away unmanaged: what is in a pool is this cloud's. Delete it, or copy its "
                        + "data."))
        },
        "os-reimage": { routes, call, _ in
            try call.requireVersion(68)
            return try await routes.refuse(
                call, asking: "volume:reimage",
                BlockStorageError.volume(
                    "Volumes cannot be made anew from an image in place: make a new volume from the image."))
        },
        "os-extend_volume_completion": { routes, call, _ in
            try await routes.refuse(
                call, asking: "volume:extend_volume_completion",
                BlockStorageError.volume("Volume is not being extended."))
        }
    ]

    static let placeRules =
        ["volume:retype", "volume:reimage", "volume:extend_volume_completion", "volume_extension:volume_unmanage"]
        + ["migrate_volume", "migrate_volume_completion"].map { "volume_extension:volume_admin_actions:\($0)" }

    private static let newType = BodySchema(
        blank: (type: "", policy: String?.none),
        [
            .required("new_type", \.type, .text(0...255)),
            .given("migration_policy", \.policy, BodyFormat.word(of: ["on-demand", "never"]).nullable)
        ]
    ).format().map { wanted, _ in wanted.type }
    private static let destination = BodySchema(
        blank: (host: String?.none, isForced: false),
        [
            .given("host", \.host, BodyFormat.text(1...255).nullable),
            .given("cluster", \.host, BodyFormat.text(1...255).nullable),
            .given("force_host_copy", \.isForced, Cinder.flag), .given("lock_volume", \.isForced, Cinder.flag)
        ]
    ).format().map { wanted, _ in wanted.host ?? "" }

    private func refuseMoving(_ call: APICall, to host: String) async throws -> APIResponse {
        let (origin, parts) = (try call.volumeOrigin(), parts)
        let (volume, places) = try await call.database.read { reader in
            let volume = try VolumeAccess(parts: parts).volume(
                call.parameter("id"), asking: "volume_extension:volume_admin_actions:migrate_volume", by: origin,
                in: reader)
            return (volume, try parts.pools(in: reader))
        }
        guard places.contains(where: { $0.name == host }) else {
            throw APIError.badRequest("Invalid host: No available service named '\(host)'")
        }
        guard volume.hostAttribute != host else {
            throw APIError.badRequest("Invalid host: Destination host must be different than the current host.")
        }
        throw BlockStorageError.volume(
            "Volume \(volume.id) cannot move to \(host): volumes do not move between pools yet. Copy it to a new volume."
        )
    }
}
