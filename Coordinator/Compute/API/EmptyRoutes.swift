import CoordinatorPlatform

/// Kinds of things that this cloud has none of: clients list them without being asked, and an empty list is the truth.
enum EmptyRoutes {
    static let all = [
        Route(.get, "/v2.1/os-aggregates") { call in
            try ComputePolicy.requireAdmin(try call.requireCaller(), "os-aggregates:index")
            return .json(["aggregates": []])
        },
        Route(.get, "/v2.1/os-aggregates/{id}") { call in
            try ComputePolicy.requireAdmin(try call.requireCaller(), "os-aggregates:show")
            throw APIError.notFound("Aggregate \(call.parameter("id")) could not be found.")
        },
        Route(.get, "/v2.1/os-server-groups") { call in
            _ = try call.requireCaller()
            return .json(["server_groups": []])
        },
        Route(.get, "/v2.1/os-server-groups/{id}") { call in
            _ = try call.requireCaller()
            throw APIError.notFound("Instance group \(call.parameter("id")) could not be found.")
        },
        Route(.get, "/v2.1/os-migrations") { call in
            try ComputePolicy.requireAdmin(try call.requireCaller(), "os-migrations:index")
            return .json(["migrations": []])
        },
        Route(.get, "/v2.1/servers/{server_id}/migrations") { call in
            try ComputePolicy.requireAdmin(try call.requireCaller(), "servers:migrations:index")
            return .json(["migrations": []])
        },
        Route(.get, "/v2.1/extensions") { call in
            _ = try call.requireCaller()
            return .json(["extensions": .array(extensions.map { .object(render($0)) })])
        },
        Route(.get, "/v2.1/extensions/{alias}") { call in
            _ = try call.requireCaller()
            let alias = call.parameter("alias")
            guard extensions.contains(alias) else { throw APIError.notFound("The resource could not be found.") }
            return .json(["extension": .object(render(alias))])
        }
    ]

    /// What clients look for before they use it.
    private static let extensions = [
        "os-availability-zone", "os-config-drive", "os-console-output", "os-disk-config",
        "os-extended-availability-zone",
        "os-extended-server-attributes", "os-extended-status", "os-flavor-access", "os-flavor-extra-specs",
        "os-flavor-manage", "os-hypervisors", "os-instance-actions", "os-keypairs", "os-lock-server", "os-pause-server",
        "os-quota-sets", "os-server-usage", "os-services", "os-simple-tenant-usage", "os-suspend-server", "os-user-data"
    ]

    private static func render(_ alias: String) -> [String: JSON] {
        [
            "alias": .string(alias), "name": .string(alias), "description": "", "links": [], "namespace": "",
            "updated": "2014-12-03T00:00:00Z"
        ]
    }
}
