import CoordinatorPlatform
import ProtocolModel

/// `/v2.0/networks`.
struct NetworkRoutes: Sendable {
    let service: NetworkService

    static let names = ResourceNames("network", "networks", path: "/v2.0/networks", action: "network.network")
    private static let provider = [
        "provider:network_type", "provider:physical_network", "provider:segmentation_id"
    ]

    private static let bodies = ResourceBodies<NetworkDraft>(
        "network", blank: NetworkDraft(project: .blank),
        shared: [
            .optional("name", \.draft.change.name, Form.text),
            .optional("description", \.draft.change.description, Form.text),
            .optional("admin_state_up", \.draft.change.isAdminUp, Form.flag),
            .optional("shared", \.draft.change.isShared, Form.flag),
            .optional("router:external", \.draft.change.isExternal, Form.flag),
            .optional("is_default", \.draft.change.isDefault, Form.flag),
            .optional("port_security_enabled", \.draft.change.isPortSecurityEnabled, Form.flag),
            .given("mtu", \.draft.change.mtuBytes, Form.number),
            .nullable("qos_policy_id", \.draft.change.qosPolicy, Form.id())
        ],
        fixed: [
            .given("provider:network_type", \.draft.networkType, Form.text.nullable),
            .given("provider:physical_network", \.draft.physicalNetwork, Form.text.nullable),
            .given("provider:segmentation_id", \.draft.segmentationID, Form.number)
        ],
        shown: [
            "status", "subnets", "availability_zones", "availability_zone_hints", "ipv4_address_scope",
            "ipv6_address_scope"
        ])

    var routes: [Route] {
        let listing = service.networkListing
        var resource = ResourceRoutes<Listed<NetworkRecord>, NetworkDraft, NetworkDraft>(
            Self.names, listing, hidden: Self.provider, view: { ($0.record.id.text, View.network($0, $1)) })
        resource.draft = Self.bodies.draft
        resource.create = { draft, call, transaction in
            try call.authorize("create_network", project: draft.project)
            if draft.isShared == true { try call.authorize("create_network:shared") }
            if draft.isExternal == true { try call.authorize("create_network:router:external") }
            if draft.isDefault == true { try call.authorize("create_network:is_default") }
            let given: [Any?] = [draft.networkType, draft.physicalNetwork, draft.segmentationID]
            for (name, value) in zip(Self.provider, given) where value != nil {
                try call.authorize("create_network:\(name)")
            }
            let id = try service.createNetwork(draft, viewer: call.viewer(), at: call.now, in: transaction)
            return try listing.find(id.text, viewer: call.viewer(), in: transaction)
        }
        resource.change = Self.bodies.change
        resource.update = { item, wanted, call, transaction in
            try call.authorize("update_network", project: item.record.project)
            let restricted = [
                ("shared", wanted.isShared), ("router:external", wanted.isExternal), ("is_default", wanted.isDefault)
            ]
            for (name, value) in restricted where value != nil { try call.authorize("update_network:\(name)") }
            try service.updateNetwork(
                item.record.id, wanted.change, viewer: call.viewer(), at: call.now, in: transaction)
            return try listing.find(item.record.id.text, viewer: call.viewer(), in: transaction)
        }
        resource.delete = { item, call, transaction in
            try call.authorize("delete_network", project: item.record.project)
            try service.deleteNetwork(item.record.id, in: transaction)
        }
        resource.furtherRules = [.create: NetworkPolicy.shownProvider, .update: NetworkPolicy.shownProvider]
        return resource.routes
    }
}

extension ResourceRoutes {
    /// One of this service's kinds.
    /// - Parameter hidden: Attributes that not everybody sees: who does not, filters and sorts by them in vain.
    init<Record>(
        _ names: ResourceNames, _ listing: Listing<Record>, hidden: [String] = [],
        view: @escaping @Sendable (Item, APICall) -> (id: String, members: Members)
    ) where Item == Listed<Record> {
        self.init(
            names, Neutron.conventions, schema: listing.schema,
            list: { query, call, reader in
                guard let asked = try call.permitted(query, hidden: hidden, of: names) else { return [] }
                return try listing.list(asked, viewer: call.viewer(), in: reader)
            },
            find: { try listing.find($0, viewer: $1.viewer(), in: $2) }, view: view)
    }
}

extension APICall {
    /// What of a list's query the caller may ask: a filter by what is not shown would tell it all the same.
    /// - Returns: `nil` where nothing can match.
    fileprivate func permitted(_ query: ListQuery, hidden: [String], of names: ResourceNames) throws -> ListQuery? {
        let asked = hidden.filter { name in
            query.filters.contains { $0.name == name } || query.sorts.contains { $0.name == name }
        }
        var query = query
        for name in asked where !isAllowed("get_\(names.singular):\(name)") {
            let own = try viewer().project
            guard let own, isAllowed("get_\(names.singular):\(name)", project: own) else {
                query.sorts.removeAll { $0.name == name }
                guard !query.filters.contains(where: { $0.name == name }) else { return nil }
                continue
            }
            query.filters.append(.init("project_id", .equal, [own.text]))
        }
        return query
    }
}
