import CoordinatorPlatform
import ProtocolModel

/// `/v2.0/ports`.
struct PortRoutes: Sendable {
    let service: NetworkService

    private static let writable: Set<String> = [
        "name", "description", "admin_state_up", "mac_address", "fixed_ips", "device_id", "device_owner",
        "security_groups", "port_security_enabled", "allowed_address_pairs", "binding:host_id", "binding:vnic_type",
        "binding:profile"
    ]

    static let schema = AttributeSchema(
        resource: "port", collection: "ports",
        post: writable.union(["network_id", "project_id", "tenant_id"]), put: writable,
        readOnly: [
            "id", "status", "created_at", "updated_at", "revision_number", "tags", "binding:vif_type",
            "binding:vif_details"
        ], required: ["network_id"])

    private var reads: ReadCalls<Tagged<PortRecord>> {
        ReadCalls(
            table: .ports, schema: Self.schema,
            find: { [service] in try service.list(ports: $0, viewer: $1, in: $2) },
            findOne: { [service] in try service.port($0, viewer: $1, in: $2) },
            render: { ($0.record.id.text, View.port($0.record, tags: $0.tags, isAdmin: $1.isAdmin)) })
    }

    var routes: [Route] {
        [
            Route(.get, "/v2.0/ports", handler: reads.list)
                .gated(by: "get_port"),
            Route(.post, "/v2.0/ports", action: "network.port.create", handler: create)
                .asking("create_port"),
            Route(.get, "/v2.0/ports/{id}", handler: reads.show)
                .gated(by: "get_port"),
            Route(.put, "/v2.0/ports/{id}", action: "network.port.update", handler: update)
                .asking("update_port"),
            Route(.delete, "/v2.0/ports/{id}", action: "network.port.delete", handler: delete)
                .asking("delete_port")
        ]
    }

    @Sendable private func create(_ call: APICall) async throws -> APIResponse {
        let (items, isBulk) = try Attributes.oneOrMany(try await call.json(), Self.schema)
        let drafts = try items.map { (try draft($0, call), $0) }
        let viewer = Viewer(try call.requireCaller())
        let made = try await call.write(target: { Target.text($0.map(\.record.id.text)) }) { transaction in
            let ids = try drafts.map { draft, attributes in
                try call.authorize("create_port", project: draft.project)
                let network = try service.network(draft.network.text, viewer: viewer, in: transaction).network
                try PortPolicy.authorize("create_port", attributes, network: network.project, call)
                return try service.createPort(draft, viewer: viewer, at: call.now, in: transaction)
            }
            return try service.ports(ids, in: transaction)
        }
        return Created.answer(
            made.map { View.port($0.record, tags: $0.tags, isAdmin: viewer.isAdmin) }, Self.schema, isBulk: isBulk)
    }

    private func draft(_ attributes: Attributes, _ call: APICall) throws -> PortDraft {
        guard let network: NetworkID = try attributes.id("network_id") else {
            throw Attributes.invalid("network_id", "'None' is not a valid UUID")
        }
        var draft = PortDraft(project: try attributes.project(of: call), network: network)
        draft.name = try attributes.text("name") ?? ""
        draft.description = try attributes.text("description") ?? ""
        draft.mac = try attributes.mac("mac_address")
        draft.isAdminUp = try attributes.flag("admin_state_up") ?? true
        draft.deviceID = try attributes.text("device_id") ?? ""
        draft.deviceOwner = try attributes.text("device_owner") ?? ""
        draft.isSecurityEnabled = try attributes.flag("port_security_enabled")
        draft.pairs = try PortAttributes.pairs(attributes) ?? []
        draft.vnicType = try PortAttributes.vnicType(attributes) ?? "normal"
        draft.host = attributes.given("binding:host_id") == nil ? "" : try attributes.text("binding:host_id") ?? ""
        draft.fixedIPs = try PortAttributes.fixedIPs(attributes)
        draft.groups = try PortAttributes.groups(attributes)
        try PortAttributes.checkProfile(attributes)
        return draft
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        let attributes = try Attributes.one(try await call.json(), Self.schema, creating: false)
        let viewer = Viewer(try call.requireCaller())
        let change = try change(attributes)
        let updated = try await call.write { transaction in
            let old = try service.port(call.parameter("id"), viewer: viewer, in: transaction).record
            let network = try service.networks(id: old.network, in: transaction)
            try call.authorize(
                "update_port", project: viewer.owns(network.project) ? viewer.project : old.project)
            try PortPolicy.authorize("update_port", attributes, network: network.project, call)
            try service.updatePort(old.id, change, at: call.now, in: transaction)
            return try service.port(old.id.text, viewer: viewer, in: transaction)
        }
        return .json(["port": .object(View.port(updated.record, tags: updated.tags, isAdmin: viewer.isAdmin))])
    }

    private func change(_ attributes: Attributes) throws -> PortChange {
        var change = PortChange()
        change.name = try attributes.text("name")
        change.description = try attributes.text("description")
        change.mac = try attributes.mac("mac_address")
        change.isAdminUp = try attributes.flag("admin_state_up")
        change.deviceID = try attributes.text("device_id")
        change.deviceOwner = try attributes.text("device_owner")
        change.isSecurityEnabled = try attributes.flag("port_security_enabled")
        change.pairs = try PortAttributes.pairs(attributes)
        change.vnicType = try PortAttributes.vnicType(attributes)
        change.host = attributes.given("binding:host_id") == nil ? nil : try attributes.text("binding:host_id")
        change.fixedIPs = try PortAttributes.fixedIPs(attributes)
        change.groups = try PortAttributes.groups(attributes)
        try PortAttributes.checkProfile(attributes)
        return change
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        let viewer = Viewer(try call.requireCaller())
        try await call.write { transaction in
            let port = try service.port(call.parameter("id"), viewer: viewer, in: transaction).record
            let isNetworkOwner = try service.ownsNetwork(port.network, viewer, transaction)
            try call.authorize("delete_port", project: isNetworkOwner ? viewer.project : port.project)
            try service.deletePort(port.id, at: call.now, in: transaction)
        }
        return .empty(204)
    }
}

/// Which attributes of a port take more than owning it.
enum PortPolicy {
    /// - Parameter network: The owner of the port's network, who may do what would upset others on it.
    static func authorize(_ rule: String, _ attributes: Attributes, network: ProjectID, _ call: APICall) throws {
        for name in ["binding:host_id", "binding:profile"] where attributes.given(name) != nil {
            try call.authorize("\(rule):\(name)")
        }
        for name in ["port_security_enabled", "allowed_address_pairs"] where attributes.given(name) != nil {
            try call.authorize("\(rule):\(name)", project: network)
        }
        if attributes.given("mac_address") != nil { try call.authorize("\(rule):mac_address", project: network) }
        if attributes.given("device_owner")?.stringValue?.hasPrefix("network:") ?? false {
            try call.authorize("\(rule):device_owner", project: network)
        }
        let fixedIPs = attributes.given("fixed_ips")?.arrayValue ?? []
        if fixedIPs.contains(where: { $0["ip_address"] != nil }) {
            try call.authorize("\(rule):fixed_ips:ip_address", project: network)
        }
    }
}

extension NetworkService {
    /// - Throws: ``APIError`` 404.
    func networks(id: NetworkID, in reader: any SQLReader) throws -> NetworkRecord {
        guard let network = try networks.find(id, in: reader) else { throw APIError.networkNotFound(id.text) }
        return network
    }
}
