import CoordinatorPlatform
import ProtocolModel

/// `/v2.0/subnets`.
struct SubnetRoutes: Sendable {
    let service: NetworkService

    static let schema = AttributeSchema(
        resource: "subnet", collection: "subnets",
        post: [
            "name", "description", "network_id", "ip_version", "cidr", "gateway_ip", "allocation_pools",
            "dns_nameservers", "host_routes", "enable_dhcp", "ipv6_ra_mode", "ipv6_address_mode", "project_id",
            "tenant_id", "subnetpool_id", "prefixlen"
        ],
        put: [
            "name", "description", "gateway_ip", "allocation_pools", "dns_nameservers", "host_routes", "enable_dhcp"
        ],
        readOnly: ["id", "created_at", "updated_at", "revision_number", "tags", "router:external"],
        required: ["network_id", "ip_version"])

    private var reads: ReadCalls<Tagged<SubnetRecord>> {
        ReadCalls(
            table: .subnets, schema: Self.schema,
            find: { [service] in try service.list(subnets: $0, viewer: $1, in: $2) },
            findOne: { [service] in try service.subnet($0, viewer: $1, in: $2) },
            render: { item, _ in (item.record.id.text, View.subnet(item.record, tags: item.tags)) })
    }

    var routes: [Route] {
        [
            Route(.get, "/v2.0/subnets", handler: reads.list)
                .gated(by: "get_subnet"),
            Route(.post, "/v2.0/subnets", action: "network.subnet.create", handler: create)
                .asking("create_subnet"),
            Route(.get, "/v2.0/subnets/{id}", handler: reads.show)
                .gated(by: "get_subnet"),
            Route(.put, "/v2.0/subnets/{id}", action: "network.subnet.update", handler: update)
                .asking("update_subnet"),
            Route(.delete, "/v2.0/subnets/{id}", action: "network.subnet.delete", handler: delete)
                .asking("delete_subnet")
        ]
    }

    @Sendable private func create(_ call: APICall) async throws -> APIResponse {
        let (items, isBulk) = try Attributes.oneOrMany(try await call.json(), Self.schema)
        let drafts = try items.map { try draft($0, call) }
        let viewer = Viewer(try call.requireCaller())
        let made = try await call.write(target: { Target.text($0.map(\.record.id.text)) }) { transaction in
            let ids = try drafts.map { draft in
                let network = try service.network(draft.network.text, viewer: viewer, in: transaction).network
                try call.authorize("create_subnet", project: network.project)
                return try service.createSubnet(draft, at: call.now, in: transaction)
            }
            return try service.subnets(ids, in: transaction)
        }
        return Created.answer(made.map { View.subnet($0.record, tags: $0.tags) }, Self.schema, isBulk: isBulk)
    }

    private func draft(_ attributes: Attributes, _ call: APICall) throws -> SubnetDraft {
        guard let network: NetworkID = try attributes.id("network_id") else {
            throw Attributes.invalid("network_id", "'None' is not a valid UUID")
        }
        let version = try attributes.number("ip_version") ?? 0
        guard let family = IPAddress.Family(rawValue: version) else {
            throw Attributes.invalid("ip_version", "\(version) is not in valid_values")
        }
        if attributes.given("subnetpool_id") != nil || attributes.given("prefixlen") != nil {
            throw APIError.http("Subnet pools are not supported: give the subnet's cidr.")
        }
        guard attributes.given("cidr") != nil, let text = try attributes.text("cidr") else {
            throw APIError.badRequest(
                "Bad subnets request: a subnetpool must be specified in the absence of a cidr.", type: "BadRequest")
        }
        guard let prefix = IPPrefix(text), text.contains("/") else {
            throw Attributes.invalid("cidr", "'\(text)' is not a valid IP subnet")
        }
        guard prefix.family == family else {
            throw APIError.invalidInput("cidr '\(text)' does not match the ip_version '\(version)'")
        }
        var draft = SubnetDraft(project: try attributes.project(of: call), network: network, prefix: prefix)
        draft.name = try attributes.text("name") ?? ""
        draft.description = try attributes.text("description") ?? ""
        draft.gateway = try gateway(attributes) ?? .first
        draft.isDHCPEnabled = try attributes.flag("enable_dhcp") ?? true
        draft.raMode = try mode("ipv6_ra_mode", attributes)
        draft.addressMode = try mode("ipv6_address_mode", attributes)
        draft.dnsServers = try dnsServers(attributes) ?? []
        draft.hostRoutes = try hostRoutes(attributes) ?? []
        draft.pools = try pools(attributes)
        return draft
    }

    private func mode(_ name: String, _ attributes: Attributes) throws -> SubnetSpec.IPv6Mode? {
        guard attributes.given(name) != nil, let text = try attributes.text(name) else { return nil }
        guard let mode = SubnetSpec.IPv6Mode(rawValue: text) else {
            throw Attributes.invalid(name, "\(text) is not in ['dhcpv6-stateful', 'dhcpv6-stateless', 'slaac', None]")
        }
        return mode
    }

    private func gateway(_ attributes: Attributes) throws -> SubnetDraft.Gateway? {
        guard attributes.has("gateway_ip") else { return nil }
        return try attributes.address("gateway_ip").map { .address($0) } ?? SubnetDraft.Gateway.none
    }

    private func dnsServers(_ attributes: Attributes) throws -> [IPAddress]? {
        try attributes.list("dns_nameservers")?.map { try Attributes.address($0, "dns_nameservers") }
    }

    private func hostRoutes(_ attributes: Attributes) throws -> [HostRoute]? {
        try attributes.list("host_routes")?.map { item in
            guard let members = item.objectValue, Set(members.keys) == ["destination", "nexthop"] else {
                throw Attributes.invalid(
                    "host_routes",
                    "Validation of dictionary's keys failed. Expected keys: {'destination', 'nexthop'} Provided keys: "
                        + "\(item.objectValue?.keys.sorted() ?? [])")
            }
            guard let text = item["destination"]?.stringValue, text.contains("/"), let destination = IPPrefix(text)
            else {
                throw Attributes.invalid(
                    "host_routes", "'\(item["destination"]?.stringValue ?? "None")' is not a valid IP subnet")
            }
            return HostRoute(
                destination: destination, nextHop: try Attributes.address(item["nexthop"] ?? .null, "host_routes"))
        }
    }

    private func pools(_ attributes: Attributes) throws -> [(first: IPAddress, last: IPAddress)]? {
        try attributes.list("allocation_pools")?.map { item in
            guard let members = item.objectValue, Set(members.keys) == ["start", "end"] else {
                throw Attributes.invalid(
                    "allocation_pools", "Invalid data format for IP pool: '\(item.text)'")
            }
            return (
                try Attributes.address(item["start"] ?? .null, "allocation_pools"),
                try Attributes.address(item["end"] ?? .null, "allocation_pools")
            )
        }
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        let attributes = try Attributes.one(try await call.json(), Self.schema, creating: false)
        let viewer = Viewer(try call.requireCaller())
        var change = SubnetChange()
        change.name = try attributes.text("name")
        change.description = try attributes.text("description")
        change.gateway = try gateway(attributes)
        change.isDHCPEnabled = try attributes.flag("enable_dhcp")
        change.dnsServers = try dnsServers(attributes)
        change.hostRoutes = try hostRoutes(attributes)
        change.pools = try pools(attributes)
        let wanted = change
        let updated = try await call.write { transaction in
            let old = try service.subnet(call.parameter("id"), viewer: viewer, in: transaction).record
            try authorize("update_subnet", old, call, viewer, transaction)
            try service.updateSubnet(old.id, wanted, at: call.now, in: transaction)
            return try service.subnet(old.id.text, viewer: viewer, in: transaction)
        }
        return .json(["subnet": .object(View.subnet(updated.record, tags: updated.tags))])
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        let viewer = Viewer(try call.requireCaller())
        try await call.write { transaction in
            let subnet = try service.subnet(call.parameter("id"), viewer: viewer, in: transaction).record
            try authorize("delete_subnet", subnet, call, viewer, transaction)
            try service.deleteSubnet(subnet.id, at: call.now, in: transaction)
        }
        return .empty(204)
    }

    /// A subnet is its project's, and its network's owner's.
    private func authorize(
        _ rule: String, _ subnet: SubnetRecord, _ call: APICall, _ viewer: Viewer, _ reader: any SQLReader
    ) throws {
        let isNetworkOwner = try service.ownsNetwork(subnet.network, viewer, reader)
        try call.authorize(rule, project: isNetworkOwner ? viewer.project : subnet.project)
    }
}
