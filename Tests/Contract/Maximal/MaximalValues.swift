import CoordinatorPlatform

/// Values as large as anybody may send them, the largest first: which of them a member takes is its schema's own bound.
enum MaximalValues {
    /// Text, lists and maps of many sizes, numbers at their edges.
    static func candidates(for field: String, _ scene: TwoTenantScene) -> [(shape: String, values: [JSON])] {
        let name = field.split(separator: ".").last.map(String.init) ?? field
        return [
            ("text", [20_000, 4_096, 255, 60].map { .string(String(repeating: "x", count: $0)) }),
            ("coded text", [65_532].map { .string(String(repeating: "QUJD", count: $0 / 4)) }),
            (
                "list",
                [2_000, 256, 64, 50, 20, 10, 5].map { count in .array((0..<count).map { item(name, $0, scene) }) }
            ),
            (
                "map",
                [2_000, 256, 128, 64].map { count in
                    .object(
                        Dictionary(
                            uniqueKeysWithValues: (0..<count).map {
                                ("key-\($0)", JSON.string(String(repeating: "v", count: 255)))
                            }))
                }
            ),
            ("number", [.int(.max), .int(Int64(Int32.max)), .int(65_535), .int(128), .int(32)])
        ]
    }

    private static func address(_ number: Int) -> String { "10.200.\(number / 250).\(number % 250 + 1)" }

    /// Items that are as they have to be, each another one.
    private static func item(_ name: String, _ number: Int, _ scene: TwoTenantScene) -> JSON {
        func own(_ thing: String) -> JSON { JSON(scene.things[thing]?.own) }
        return switch name {
        case "fixed_ips", "external_fixed_ips": ["subnet_id": own("subnet")]
        case "allowed_address_pairs": ["ip_address": .string(address(number))]
        case "dns_nameservers": .string(address(number))
        case "host_routes", "routes":
            ["destination": .string("10.\(number / 250).\(number % 250).0/24"), "nexthop": "10.0.0.9"]
        case "allocation_pools":
            ["start": .string("10.99.0.\(2 * number % 250 + 2)"), "end": .string("10.99.0.\(2 * number % 250 + 2)")]
        case "security_groups": own("security_group")
        case "networks": ["uuid": own("network")]
        default: .string("item-\(number)")
        }
    }
}
