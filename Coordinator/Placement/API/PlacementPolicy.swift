import CoordinatorPlatform

/// Who may do what in the placement API: administrators and services, as in Placement's own defaults; a project may see
/// what it uses.
enum PlacementPolicy {
    static let policy = Policy(
        rules: Dictionary(
            uniqueKeysWithValues: names.map { ("placement:\($0)", Policy.Rule.admin || .role("service")) }
        )
        .merging(["placement:usages": .projectReader]) { _, own in own })

    private static let names = [
        "resource_providers:list", "resource_providers:create", "resource_providers:show", "resource_providers:update",
        "resource_providers:delete", "resource_providers:usages", "resource_providers:allocations:list",
        "resource_providers:aggregates:list", "resource_providers:aggregates:update",
        "resource_providers:inventories:list", "resource_providers:inventories:show",
        "resource_providers:inventories:create", "resource_providers:inventories:update",
        "resource_providers:inventories:delete", "resource_providers:traits:list", "resource_providers:traits:update",
        "resource_providers:traits:delete", "resource_classes:list", "resource_classes:create", "resource_classes:show",
        "resource_classes:update", "resource_classes:delete", "traits:list", "traits:show", "traits:update",
        "traits:delete", "allocations:list", "allocations:update", "allocations:manage", "allocations:delete",
        "allocation_candidates:list", "reshaper:reshape"
    ]
}
