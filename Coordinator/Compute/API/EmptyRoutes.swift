import CoordinatorPlatform

/// Kinds of things that this cloud has none of: clients list them without being asked, and an empty list is the truth.
enum EmptyRoutes {
    static let all = [
        Route(.get, "/v2.1/extensions") { _ in
            return .json(["extensions": .array(extensions.map { .object(render($0)) })])
        }.gatedCompute(by: "extensions"),
        Route(.get, "/v2.1/extensions/{alias}") { call in
            let alias = call.parameter("alias")
            guard extensions.contains(alias) else { throw APIError.notFound("The resource could not be found.") }
            return .json(["extension": .object(render(alias))])
        }.gatedCompute(by: "extensions")
    ]

    /// What clients look for before they use it.
    private static let extensions = [
        "os-availability-zone", "os-config-drive", "os-console-output", "os-consoles", "os-disk-config",
        "os-extended-availability-zone",
        "os-extended-server-attributes", "os-extended-status", "os-flavor-access", "os-flavor-extra-specs",
        "os-flavor-manage", "os-hosts", "os-hypervisors", "os-instance-actions", "os-keypairs", "os-lock-server",
        "os-pause-server",
        "os-quota-sets", "os-server-usage", "os-services", "os-simple-tenant-usage", "os-suspend-server", "os-user-data"
    ]

    /// Some are looked for by what Nova calls them.
    private static let names = ["os-consoles": "Consoles", "os-hosts": "Hosts"]

    private static func render(_ alias: String) -> [String: JSON] {
        [
            "alias": .string(alias), "name": .string(names[alias] ?? alias), "description": "", "links": [],
            "namespace": "",
            "updated": "2014-12-03T00:00:00Z"
        ]
    }
}
