import CoordinatorPlatform
import ProtocolModel

extension IdentityService {
    static let regions = ResourceKind<Region>(
        singular: "region", plural: "regions", filters: ["parent_region_id"],
        all: { Array($0.regions.values) }, find: { $0.regions[$1] }, render: { $0.rendered },
        target: { _ in Policy.Target() },
        make: { fields, _, state in
            let parent = try fields.nullableString("parent_region_id", length: 1...255).flatMap { $0 }
            if let parent, state.regions[parent] == nil { throw IdentityAPI.notFound("region", parent) }
            let key = try fields.nullableString("id", length: 0...255).flatMap { $0 } ?? ""
            return Region(
                key: key.isEmpty ? newKey() : key,
                description: try fields.nullableString("description", length: 0...255).flatMap { $0 } ?? "",
                parent: parent, extra: extra(fields, known: regionMembers))
        },
        change: { region, fields, _, state in
            if let description = try fields.nullableString("description", length: 0...255) {
                region.description = description ?? ""
            }
            if let parent = try fields.nullableString("parent_region_id", length: 1...255) {
                try requireNoRing(region, parent, state)
                region.parent = parent
            }
            region.extra = extra(fields, known: regionMembers, over: region.extra)
        },
        checkDelete: { region, state in
            let keys = Set(RegionTree.below(region.key, state.regions) + [region.key])
            guard !state.endpoints.values.contains(where: { $0.region.map(keys.contains) ?? false }) else {
                throw APIError.forbidden(
                    "Unable to delete region \(region.key) because it or its child regions have associated endpoints.")
            }
        },
        put: { $0.put($1) }, remove: removeRegion,
        beforeDelete: { region, _, identity, transaction in
            // The deepest first: each row refers to the one above.
            let below = RegionTree.below(region.key, identity.directory.state.regions)
            try ResourceStore.removeRegions(below.reversed(), in: transaction)
        })

    /// `PUT /v3/regions/{key}`: a new region under an identifier of the client's choice.
    var regionRoute: Route {
        Route(.put, Self.regions.memberPath, action: "identity.region.create") { call in
            let fields = try await Self.fields(call, at: "region")
            let key = call.parameter("key")
            if let given = fields["id"], given != .string(key) {
                throw APIError.badRequest(
                    "Conflicting region IDs specified: \"\(key)\" != \"\(given.pythonText)\"")
            }
            let named = fields.members.merging(["id": .string(key)]) { $1 }
            return try await Self.regions.create(
                Fields(named, path: fields.path, wording: fields.wording), call, self)
        }.asking("identity:create_region")
    }

    private static let regionMembers: Set<String> = ["description", "parent_region_id"]

    private static func requireNoRing(_ region: Region, _ parent: String?, _ state: IdentityState) throws {
        guard let parent else { return }
        guard state.regions[parent] != nil else { throw IdentityAPI.notFound("region", parent) }
        guard parent != region.key, !RegionTree.below(region.key, state.regions).contains(parent) else {
            throw APIError.badRequest(
                "The specified parent region \(parent) would create a circular region hierarchy.")
        }
    }

    @Sendable private static func removeRegion(_ state: inout IdentityState, _ region: Region) {
        for key in RegionTree.below(region.key, state.regions) { state.regions[key].map { state.remove($0) } }
        state.remove(region)
    }

    static let catalogServices = ResourceKind<CatalogService>(
        singular: "service", plural: "services", filters: ["type", "name"],
        all: { Array($0.services.values) }, find: { $0.services[$1] }, render: { $0.rendered },
        target: { _ in Policy.Target() },
        make: { fields, _, _ in
            CatalogService(
                key: newKey(), type: try fields.string("type", length: 1...255),
                name: try fields.optionalString("name", length: 1...255) ?? "",
                description: try fields.nullableString("description").flatMap { $0 },
                isEnabled: try fields.optionalBool("enabled") ?? true, extra: extra(fields, known: serviceMembers))
        },
        change: { service, fields, _, _ in
            if let type = try fields.optionalString("type", length: 1...255) { service.type = type }
            if let name = try fields.optionalString("name", length: 1...255) { service.name = name }
            if let description = try fields.nullableString("description") { service.description = description }
            if let enabled = try fields.optionalBool("enabled") { service.isEnabled = enabled }
            service.extra = extra(fields, known: serviceMembers, over: service.extra)
        },
        checkDelete: { _, _ in }, put: { $0.put($1) }, remove: { $0.remove($1) })

    private static let serviceMembers: Set<String> = ["type", "name", "description", "enabled"]
}

/// Regions stand in regions.
enum RegionTree {
    /// All below, each after the one it stands in.
    static func below(_ key: String, _ regions: [String: Region]) -> [String] {
        var found: [String] = []
        var open = [key]
        while let next = open.popLast() {
            let children = regions.values.filter { $0.parent == next && !found.contains($0.key) && $0.key != key }
            found += children.map(\.key)
            open += children.map(\.key)
        }
        return found
    }
}
