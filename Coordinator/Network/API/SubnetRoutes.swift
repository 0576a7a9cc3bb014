import CoordinatorPlatform
import ProtocolModel

/// `/v2.0/subnets`.
struct SubnetRoutes: Sendable {
    let service: NetworkService

    static let names = ResourceNames("subnet", "subnets", path: "/v2.0/subnets", action: "network.subnet")

    static let family = BodyFormat<IPAddress.Family> { json throws(BodyFailure) in
        let number = try BodyFormat.integer(orText: true).read(json)
        guard let family = IPAddress.Family(rawValue: number) else {
            throw BodyFailure(.sentence("\(number) is not in valid_values"), json)
        }
        return family
    }

    private static let mode = BodyFormat<SubnetSpec.IPv6Mode?> { json throws(BodyFailure) in
        guard let text = try Form.text.nullable.read(json) else { return nil }
        guard let mode = SubnetSpec.IPv6Mode(rawValue: text) else {
            throw BodyFailure(
                .sentence("\(text) is not in ['dhcpv6-stateful', 'dhcpv6-stateless', 'slaac', None]"), json)
        }
        return mode
    }

    private static let gateway = Form.address.nullable.map { address, _ in
        address.map { SubnetChange.Gateway.address($0) } ?? .none
    }

    static let route = BodyFormat<HostRoute> { json throws(BodyFailure) in
        let keys = json.objectValue?.keys.sorted() ?? []
        guard keys == ["destination", "nexthop"] else {
            throw BodyFailure(
                .sentence(
                    "Validation of dictionary's keys failed. Expected keys: {'destination', 'nexthop'} Provided keys: "
                        + "\(keys)"), json)
        }
        return HostRoute(
            destination: try Form.prefix.read(json["destination"] ?? .null),
            nextHop: try Form.address.read(json["nexthop"] ?? .null))
    }

    private static let pool = BodyFormat<AddressRange> { json throws(BodyFailure) in
        guard json.objectValue?.keys.sorted() == ["end", "start"] else {
            throw BodyFailure(.sentence("Invalid data format for IP pool: '\(json.text)'"), json)
        }
        return AddressRange(
            first: try Form.address.read(json["start"] ?? .null), last: try Form.address.read(json["end"] ?? .null))
    }

    /// `null` says nothing: a new subnet gets its default pools, another keeps those that it has.
    private static let pools = BodyFormat<[AddressRange]?> { json throws(BodyFailure) in
        json.isNull ? nil : try Form.list(of: pool).read(json)
    }

    @Sendable private static func readPool(
        _ json: JSON, _ sent: inout ResourceBodies<SubnetDraft>.Sent
    ) throws(BodyFailure) {
        if json.isNull { return }
        try choose(json == "prefix_delegation" ? .delegation : .pool(try Form.id().read(json)), &sent)
    }

    @Sendable private static func readDefault(
        _ json: JSON, _ sent: inout ResourceBodies<SubnetDraft>.Sent
    ) throws(BodyFailure) {
        if try Form.flag.read(json) { try choose(.standard, &sent) }
    }

    private static func choose(
        _ pool: SubnetPoolChoice, _ sent: inout ResourceBodies<SubnetDraft>.Sent
    ) throws(BodyFailure) {
        guard sent.draft.pool == .none else { throw BodyFailure(.format("choice of pools"), .null) }
        sent.draft.pool = pool
    }

    private static let bodies = ResourceBodies<SubnetDraft>(
        "subnet", blank: SubnetDraft(project: .blank, network: .blank, prefix: nil),
        shared: [
            .optional("name", \.draft.change.name, Form.text),
            .optional("description", \.draft.change.description, Form.text),
            .optional("gateway_ip", \.draft.change.gateway, gateway),
            .given("allocation_pools", \.draft.change.pools, pools),
            .optional("dns_nameservers", \.draft.change.dnsServers, Form.list(of: Form.address)),
            .optional("host_routes", \.draft.change.hostRoutes, Form.list(of: route)),
            .optional("enable_dhcp", \.draft.change.isDHCPEnabled, Form.flag)
        ],
        fixed: [
            .required("network_id", \.draft.network, Form.id()), .required("ip_version", \.draft.family, family),
            .given("cidr", \.draft.prefix, Form.prefix.nullable), .given("ipv6_ra_mode", \.draft.raMode, mode),
            .given("ipv6_address_mode", \.draft.addressMode, mode),
            .special("subnetpool_id", readPool), .special("use_default_subnetpool", readDefault),
            .given("prefixlen", \.draft.prefixLength, Form.count.nullable)
        ], shown: ["router:external"])

    var routes: [Route] {
        let listing = service.subnetListing
        var resource = ResourceRoutes<Listed<SubnetRecord>, SubnetDraft, SubnetDraft>(
            Self.names, listing, view: { item, _ in (item.record.id.text, View.subnet(item)) })
        resource.draft = Self.bodies.draft
        resource.create = { draft, call, transaction in
            let viewer = try call.viewer()
            let network = try service.networkListing.record(draft.network.text, viewer: viewer, in: transaction)
            try call.authorize("create_subnet", project: network.project)
            let id = try service.createSubnet(draft, viewer: viewer, at: call.now, in: transaction)
            return try listing.find(id.text, viewer: viewer, in: transaction)
        }
        resource.change = Self.bodies.change
        resource.update = { item, wanted, call, transaction in
            try authorize("update_subnet", item.record, call, transaction)
            try service.updateSubnet(item.record.id, wanted.change, at: call.now, in: transaction)
            return try listing.find(item.record.id.text, viewer: call.viewer(), in: transaction)
        }
        resource.delete = { item, call, transaction in
            try authorize("delete_subnet", item.record, call, transaction)
            try service.deleteSubnet(item.record.id, at: call.now, in: transaction)
        }
        return resource.routes
    }

    /// A subnet is its project's, and its network's owner's.
    private func authorize(
        _ rule: String, _ subnet: SubnetRecord, _ call: APICall, _ reader: any SQLReader
    ) throws {
        let owner = try service.owner(of: subnet.network, in: reader)
        try call.authorize(rule, project: call.viewer().project(among: subnet.project, owner))
    }
}
