import CoordinatorPlatform
import ProtocolModel

extension IdentityKinds {
    static let regions = IdentityKind<Region>(
        names: IdentityKind<Region>.names("region", "regions"), filters: ["parent_region_id"],
        render: { $0.rendered },
        schema: BodySchema(
            blank: .blank, unknown: .kept(\.extra),
            [
                .given("id", \.key, .text(0...255).orNull("")),
                .given("description", \.description, .text(0...255).orNull("")),
                .given("parent_region_id", \.parent, .textOrNull(1...255))
            ]),
        complete: { region, old, input in
            region.key = old?.key ?? (region.key.isEmpty ? newKey() : region.key)
            guard let parent = region.parent, parent != old?.parent else { return }
            guard input.state.regions[parent] != nil else { throw IdentityAPI.notFound("region", parent) }
            guard parent != region.key, !RegionTree.below(region.key, input.state.regions).contains(parent) else {
                throw APIError.badRequest(
                    "The specified parent region \(parent) would create a circular region hierarchy.")
            }
        },
        beforeDelete: { region, _, edit in
            let below = RegionTree.below(region.key, edit.state.regions)
            let keys = Set(below + [region.key])
            guard !edit.state.endpoints.values.contains(where: { $0.region.map(keys.contains) ?? false }) else {
                throw APIError.forbidden(
                    "Unable to delete region \(region.key) because it or its child regions have associated endpoints.")
            }
            // The deepest first: each row refers to the one above.
            for case let child? in below.reversed().map({ edit.state.regions[$0] }) { try edit.delete(child) }
        })

    /// `PUT /v3/regions/{id}`: a new region under an identifier of the client's choice.
    static func regionRoute(_ identity: IdentityService) -> Route {
        Route(.put, "\(regions.names.path)/{id}", action: "identity.region.create") { call in
            let members = try await Keystone.read(members, "region", call)
            let key = call.parameter("id")
            if let given = members["id"], given != .string(key) {
                throw APIError.badRequest(
                    "Conflicting region IDs specified: \"\(key)\" != \"\(given.pythonText)\"")
            }
            let draft = try await regions.draft(
                .object(members.merging(["id": .string(key)]) { $1 }), nil, call, identity)
            let made = try await call.change(identity, target: { $0.key }) { try regions.create(draft, call, in: &$0) }
            return .json(["region": regions.rendered(made, call)], status: 201)
        }.asking("identity:create_region")
    }

    /// Any object.
    static let members = BodySchema<[String: JSON]>(blank: [:], unknown: .kept(\.self), [])

    static let catalogServices = IdentityKind<CatalogService>(
        names: IdentityKind<CatalogService>.names("service", "services"), filters: ["type", "name"],
        render: { $0.rendered },
        schema: BodySchema(
            blank: .blank, unknown: .kept(\.extra),
            [
                .required("type", \.type, .text(1...255)), .given("name", \.name, .text(1...255)),
                .given("description", \.description, .textOrNull()), .given("enabled", \.isEnabled, .flag)
            ]),
        complete: { service, old, _ in service.key = old?.key ?? newKey() })

    static let policies = IdentityKind<PolicyBlob>(
        names: IdentityKind<PolicyBlob>.names("policy", "policies"), filters: ["type"], render: { $0.rendered },
        schema: BodySchema(
            blank: .blank, unknown: .kept(\.extra),
            [
                .required("blob", \.blob, BodyFormat<String>.text().map { text, _ in .string(text) }),
                .required("type", \.type, .text(0...255))
            ]),
        complete: { policy, old, _ in policy.key = old?.key ?? newKey() })
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
