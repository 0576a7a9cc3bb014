import CoordinatorPlatform
import ProtocolModel

/// `/v2.0/networks`.
struct NetworkRoutes: Sendable {
    let service: NetworkService

    static let provider = ["provider:network_type", "provider:physical_network", "provider:segmentation_id"]

    static let schema = AttributeSchema(
        resource: "network", collection: "networks",
        post: Set(
            [
                "name", "description", "admin_state_up", "shared", "router:external", "is_default", "mtu",
                "port_security_enabled", "project_id", "tenant_id"
            ] + provider),
        put: [
            "name", "description", "admin_state_up", "shared", "router:external", "is_default", "mtu",
            "port_security_enabled"
        ],
        readOnly: [
            "id", "status", "subnets", "created_at", "updated_at", "revision_number", "tags", "availability_zones",
            "availability_zone_hints", "ipv4_address_scope", "ipv6_address_scope"
        ])

    private var reads: ReadCalls<NetworkListing> {
        ReadCalls(
            table: .networks, schema: Self.schema,
            find: { [service] in try service.list(networks: $0, viewer: $1, in: $2) },
            findOne: { [service] in try service.network($0, viewer: $1, in: $2) },
            render: { ($0.network.id.text, Self.view($0, $1)) })
    }

    var routes: [Route] {
        [
            Route(.get, "/v2.0/networks", handler: reads.list)
                .gated(by: "get_network"),
            Route(.post, "/v2.0/networks", action: "network.network.create", handler: create)
                .asking("create_network"),
            Route(.get, "/v2.0/networks/{id}", handler: reads.show)
                .gated(by: "get_network"),
            Route(.put, "/v2.0/networks/{id}", action: "network.network.update", handler: update)
                .asking("update_network"),
            Route(.delete, "/v2.0/networks/{id}", action: "network.network.delete", handler: delete)
                .asking("delete_network")
        ]
    }

    private static func view(_ listing: NetworkListing, _ viewer: Viewer) -> View.Members {
        View.network(
            listing.network, subnets: listing.subnets, tags: listing.tags, zones: [], isAdmin: viewer.isAdmin)
    }

    @Sendable private func create(_ call: APICall) async throws -> APIResponse {
        let (items, isBulk) = try Attributes.oneOrMany(try await call.json(), Self.schema)
        let drafts = try items.map { try draft($0, call) }
        let viewer = Viewer(try call.requireCaller())
        let made = try await call.write(target: { Target.text($0.map(\.network.id.text)) }) { transaction in
            let ids = try drafts.map { try service.createNetwork($0, at: call.now, in: transaction) }
            return try service.networks(ids, in: transaction)
        }
        return Created.answer(made.map { Self.view($0, viewer) }, Self.schema, isBulk: isBulk)
    }

    private func draft(_ attributes: Attributes, _ call: APICall) throws -> NetworkDraft {
        var draft = NetworkDraft(project: try attributes.project(of: call))
        draft.name = try attributes.text("name") ?? ""
        draft.description = try attributes.text("description") ?? ""
        draft.isAdminUp = try attributes.flag("admin_state_up") ?? true
        draft.isShared = try attributes.flag("shared") ?? false
        draft.isExternal = try attributes.flag("router:external") ?? false
        draft.isDefault = try attributes.flag("is_default") ?? false
        draft.isPortSecurityEnabled = try attributes.flag("port_security_enabled") ?? true
        draft.mtuBytes = try attributes.number("mtu")
        draft.networkType =
            attributes.given("provider:network_type") == nil
            ? nil : try attributes.text("provider:network_type")
        draft.physicalNetwork =
            attributes.given("provider:physical_network") == nil
            ? nil : try attributes.text("provider:physical_network")
        draft.segmentationID = try attributes.number("provider:segmentation_id")
        try call.authorize("create_network", project: draft.project)
        if draft.isShared { try call.authorize("create_network:shared") }
        if draft.isExternal { try call.authorize("create_network:router:external") }
        if draft.isDefault { try call.authorize("create_network:is_default") }
        for name in Self.provider where attributes.given(name) != nil { try call.authorize("create_network:\(name)") }
        return draft
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        let attributes = try Attributes.one(try await call.json(), Self.schema, creating: false)
        let viewer = Viewer(try call.requireCaller())
        let change = try change(attributes)
        let updated = try await call.write { transaction in
            let old = try service.network(call.parameter("id"), viewer: viewer, in: transaction).network
            try call.authorize("update_network", project: old.project)
            for name in ["shared", "router:external", "is_default"] where attributes.has(name) {
                try call.authorize("update_network:\(name)")
            }
            try service.updateNetwork(old.id, change, at: call.now, in: transaction)
            return try service.network(old.id.text, viewer: viewer, in: transaction)
        }
        return .json(["network": .object(Self.view(updated, viewer))])
    }

    private func change(_ attributes: Attributes) throws -> NetworkChange {
        var change = NetworkChange()
        change.name = try attributes.text("name")
        change.description = try attributes.text("description")
        change.isAdminUp = try attributes.flag("admin_state_up")
        change.isShared = try attributes.flag("shared")
        change.isExternal = try attributes.flag("router:external")
        change.isDefault = try attributes.flag("is_default")
        change.isPortSecurityEnabled = try attributes.flag("port_security_enabled")
        change.mtuBytes = try attributes.number("mtu")
        return change
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        let viewer = Viewer(try call.requireCaller())
        try await call.write { transaction in
            let network = try service.network(call.parameter("id"), viewer: viewer, in: transaction).network
            try call.authorize("delete_network", project: network.project)
            try service.deleteNetwork(network.id, in: transaction)
        }
        return .empty(204)
    }
}

/// What the event log calls the resources of a call.
enum Target {
    static func text(_ ids: [String]) -> String { ids.prefix(8).joined(separator: ",") }
}

/// 201 with one resource or many.
enum Created {
    static func answer(_ views: [View.Members], _ schema: AttributeSchema, isBulk: Bool) -> APIResponse {
        if isBulk {
            return .json(.object([schema.collection: .array(views.map { .object($0) })]), status: 201)
        }
        return .json(.object([schema.resource: .object(views.first ?? [:])]), status: 201)
    }
}
