import CoordinatorPlatform
import ProtocolModel

/// `/v2.0/subnetpools`.
struct SubnetPoolRoutes: Sendable {
    let service: NetworkService

    static let names = ResourceNames(
        "subnetpool", "subnetpools", path: "/v2.0/subnetpools", action: "network.subnetpool")

    private static let name = Form.text.map { text, json throws(BodyFailure) in
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw BodyFailure(.sentence("'\(text)' Blank strings are not permitted"), json)
        }
        return text
    }

    private static let scope = BodyFormat<SubnetPoolChange.Scope> { json throws(BodyFailure) in
        json.isNull ? .none : .scope(try Form.id().read(json))
    }

    private static let prefixes = Form.list(of: Form.prefix)

    private static let bodies = ResourceBodies<SubnetPoolDraft>(
        "subnetpool", blank: SubnetPoolDraft(project: .blank),
        shared: [
            .optional("description", \.draft.change.description, Form.text),
            .optional("min_prefixlen", \.draft.change.leastLength, Form.count),
            .optional("max_prefixlen", \.draft.change.mostLength, Form.count),
            .optional("default_prefixlen", \.draft.change.standardLength, Form.count),
            .optional("default_quota", \.draft.change.quota, Form.count),
            .optional("is_default", \.draft.change.isDefault, Form.flag),
            .optional("address_scope_id", \.draft.change.scope, scope)
        ],
        fixed: [.given("shared", \.draft.isShared, Form.flag)],
        needed: [
            .optional("name", \.draft.change.name, name), .optional("prefixes", \.draft.change.prefixes, prefixes)
        ], shown: ["ip_version"])

    var routes: [Route] {
        let listing = service.poolListing
        var resource = ResourceRoutes<Listed<SubnetPoolRecord>, SubnetPoolDraft, SubnetPoolDraft>(
            Self.names, listing, view: { ($0.record.id.text, View.pool($0, $1)) })
        resource.draft = Self.bodies.draft
        resource.create = { draft, call, transaction in
            let viewer = try call.viewer()
            try call.authorize("create_subnetpool", project: draft.project)
            if draft.isShared { try call.authorize("create_subnetpool:shared", project: draft.project) }
            if draft.isDefault == true { try call.authorize("create_subnetpool:is_default", project: draft.project) }
            let id = try service.createPool(draft, viewer: viewer, at: call.now, in: transaction)
            return try listing.find(id.text, viewer: viewer, in: transaction)
        }
        resource.change = Self.bodies.change
        resource.update = { item, wanted, call, transaction in
            let viewer = try call.viewer()
            try call.authorize("update_subnetpool", project: item.record.project)
            if wanted.isDefault != nil {
                try call.authorize("update_subnetpool:is_default", project: item.record.project)
            }
            try service.updatePool(item.record.id, wanted.change, viewer: viewer, at: call.now, in: transaction)
            return try listing.find(item.record.id.text, viewer: viewer, in: transaction)
        }
        resource.delete = { item, call, transaction in
            try call.authorize("delete_subnetpool", project: item.record.project)
            try service.deletePool(item.record.id, in: transaction)
        }
        return resource.routes + [
            changing("add_prefixes") { pool, prefixes, call, transaction in
                try service.addPrefixes(
                    prefixes, to: pool, viewer: call.viewer(), at: call.now, in: transaction)
            },
            changing("remove_prefixes") { pool, prefixes, call, transaction in
                try service.removePrefixes(prefixes, from: pool, at: call.now, in: transaction)
            },
            onboarding
        ]
    }

    /// A change of the pool that the path names, by the rule of the call's name.
    private func action<T: Sendable>(
        _ rule: String, _ call: APICall, _ change: @escaping @Sendable (SubnetPoolID, any SQLTransaction) throws -> T
    ) async throws -> T {
        do {
            let id = call.parameter("id")
            return try await call.write(target: { _ in id }) { transaction in
                let pool = try service.poolListing.record(id, viewer: call.viewer(), in: transaction)
                try call.authorize(rule, project: pool.project)
                return try change(pool.id, transaction)
            }
        } catch { throw Neutron.refused(error) }
    }

    private struct SentPrefixes: Sendable {
        var prefixes: [IPPrefix] = []
    }

    private static let prefixBody = BodySchema<SentPrefixes>(
        blank: SentPrefixes(), [.required("prefixes", \.prefixes, prefixes)])

    private func changing(
        _ name: String,
        _ change: @escaping @Sendable (SubnetPoolID, [IPPrefix], APICall, any SQLTransaction) throws -> [IPPrefix]
    ) -> Route {
        Route(.put, "\(Self.names.path)/{id}/\(name)", action: "network.subnetpool.\(name)") { call in
            let wanted = try Self.prefixBody.read(try await call.json(), wording: Neutron.bodyWords).prefixes
            guard !wanted.isEmpty else { throw APIError.http("Request body contains invalid data") }
            let prefixes = try await action(name, call) { try change($0, wanted, call, $1) }
            return .json(["prefixes": .array(prefixes.map { JSON($0.description) })])
        }.asking(name)
    }

    private struct SentNetwork: Sendable {
        var network: NetworkID?
    }

    private static let networkBody = BodySchema<SentNetwork>(
        blank: SentNetwork(), [.given("network_id", \.network, Form.id().nullable)])

    private var onboarding: Route {
        let rule = "onboard_network_subnets"
        return Route(.put, "\(Self.names.path)/{id}/\(rule)", action: "network.subnetpool.onboard") { call in
            let sent = try Self.networkBody.read(try await call.json(), wording: Neutron.bodyWords)
            guard let wanted = sent.network else { throw APIError.invalidInput("network_id must be specified.") }
            let found = try await action(rule, call) { pool, transaction in
                let viewer = try call.viewer()
                let network = try service.networkListing.record(wanted.text, viewer: viewer, in: transaction)
                // Subnets go from one owner's rules to another's: the network's owner alone may say so.
                try call.authorize(rule, project: network.project)
                return try service.onboard(network.id, into: pool, viewer: viewer, at: call.now, in: transaction)
            }
            return .json(.array(found.map { ["id": JSON($0.id.text), "cidr": JSON($0.prefix.description)] }))
        }.asking(rule)
    }
}

extension View {
    static func pool(_ item: Listed<SubnetPoolRecord>, _ call: APICall) -> Members {
        let pool = item.record
        var view = standard(pool.standard, pool.project, item.tags)
        view["id"] = JSON(pool.id.text)
        view["ip_version"] = JSON(pool.family.rawValue)
        view["prefixes"] = .array(pool.prefixes.map { JSON($0.description) })
        // Neutron writes these three as text.
        view["min_prefixlen"] = JSON("\(pool.bounds.least)")
        view["max_prefixlen"] = JSON("\(pool.bounds.most)")
        view["default_prefixlen"] = JSON("\(pool.bounds.standard)")
        view["default_quota"] = JSON(pool.quota)
        view["is_default"] = JSON(pool.isDefault)
        view["shared"] = JSON(item.isShared(with: call))
        view["address_scope_id"] = JSON(pool.scope?.text)
        return view
    }
}
