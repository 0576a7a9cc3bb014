import CoordinatorPlatform
import ProtocolModel

/// Kinds of things that this cloud has none of: clients list them without being asked, and an empty list is the truth.
/// What would make one is refused.
struct AbsentRoutes: Sendable {
    var all: [Route] {
        backups + groups
            + Self.absent(
                "/consistencygroups", "consistencygroups", "ConsistencyGroup", since: 0, rule: "group:get_all",
                making: "group:create",
                "Consistency groups are not supported.")
            + Self.absent(
                "/cgsnapshots", "cgsnapshots", "CgSnapshot", since: 0, rule: "group:get_all_group_snapshots",
                making: "group:create_group_snapshot", "Consistency groups are not supported.")
            + managing
    }

    private typealias Handler = @Sendable (APICall) async throws -> APIResponse

    private static func refusing(_ status: Int, since: Int, _ message: String) -> Handler {
        { call in
            try call.requireVersion(since)
            throw APIError(status: status, message: message)
        }
    }

    /// The usual calls of a kind of thing of which there is none.
    private static func absent(
        _ path: String, _ collection: String, _ noun: String, since: Int, rule: String, making: String,
        _ refusal: String
    ) -> [Route] {
        let list: Handler = { call in
            try call.requireVersion(since)
            return .json([collection: []])
        }
        let missing: Handler = { call in
            try call.requireVersion(since)
            throw APIError.notFound("\(noun) \(call.parameter("absent_id")) could not be found.")
        }
        let action = "volume.\(collection.dropLast())"
        return [
            Route.volume(.get, path, handler: list).gated(by: rule),
            Route.volume(.get, path + "/detail", handler: list).gated(by: rule),
            Route.volume(
                .post, path, action: action + ".create",
                handler: refusing(400, since: since, refusal)
            ).gated(by: making),
            Route.volume(.get, path + "/{absent_id}", handler: missing).gated(by: rule),
            Route.volume(.put, path + "/{absent_id}", action: action + ".update", handler: missing).gated(by: making),
            Route.volume(.delete, path + "/{absent_id}", action: action + ".delete", handler: missing)
                .gated(by: making),
            Route.volume(.post, path + "/{absent_id}/action", action: action + ".action", handler: missing)
                .gated(by: making)
        ]
    }

    /// As Cinder answers where no backup service runs.
    private var backups: [Route] {
        Self.absent(
            "/backups", "backups", "Backup", since: 0, rule: "backup:get_all", making: "backup:create",
            "Service cinder-backup could not be found.")
    }

    private var groups: [Route] {
        let without =
            "Invalid group: no pool of this cloud keeps groups of volumes alike. Take snapshots of the volumes one by one."
        return Self.absent(
            "/groups", "groups", "Group", since: 13, rule: "group:get_all", making: "group:create", without)
            + Self.absent(
                "/group_types", "group_types", "Group type", since: 11, rule: "group:access_group_types",
                making: "group:group_types_manage", without)
            + Self.absent(
                "/group_snapshots", "group_snapshots", "GroupSnapshot", since: 14,
                rule: "group:get_all_group_snapshots", making: "group:create_group_snapshot", without)
    }

    /// What is in a pool is this cloud's.
    private var managing: [Route] {
        let refusal = "What is in a pool is this cloud's: nothing is taken in or given away unmanaged."
        func list(_ collection: String, since: Int) -> Handler {
            { call in
                try call.requireVersion(since)
                return .json([collection: []])
            }
        }
        return [("volume", "volumes"), ("snapshot", "snapshots")].flatMap { singular, plural in
            [
                Route.volume(
                    .post, "/os-\(singular)-manage", action: "volume.\(singular).manage",
                    handler: Self.refusing(400, since: 0, refusal)
                ).gated(by: "\(singular)_extension:\(singular)_manage"),
                Route.volume(.get, "/os-\(singular)-manage", handler: list("manageable-\(plural)", since: 0))
                    .gated(by: "\(singular)_extension:list_manageable"),
                Route.volume(
                    .post, "/manageable_\(plural)", action: "volume.\(singular).manage",
                    handler: Self.refusing(400, since: 8, refusal)
                ).gated(by: "\(singular)_extension:\(singular)_manage"),
                Route.volume(.get, "/manageable_\(plural)", handler: list("manageable-\(plural)", since: 8))
                    .gated(by: "\(singular)_extension:list_manageable"),
                Route.volume(.get, "/manageable_\(plural)/detail", handler: list("manageable-\(plural)", since: 8))
                    .gated(by: "\(singular)_extension:list_manageable")
            ]
        }
    }
}
