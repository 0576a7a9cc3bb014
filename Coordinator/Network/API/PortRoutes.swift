import CoordinatorPlatform
import ProtocolModel

/// `/v2.0/ports`.
struct PortRoutes: Sendable {
    let service: NetworkService

    static let names = ResourceNames("port", "ports", path: "/v2.0/ports", action: "network.port")

    static let fixedIP = BodyFormat<FixedIPRequest> { json throws(BodyFailure) in
        let known: Set = ["subnet_id", "ip_address"]
        BodyTrace.note(known)
        guard let members = json.objectValue, Set(members.keys).isSubset(of: known) else {
            throw BodyFailure(.sentence("Invalid data format for fixed IP: '\(json.text)'"), json)
        }
        return FixedIPRequest(
            subnet: try Form.id().nullable.read(json["subnet_id"] ?? .null),
            address: try Form.address.nullable.read(json["ip_address"] ?? .null))
    }

    /// One subnet may be named several times: an address of it each time.
    private static let fixedIPs = Form.list(of: fixedIP, isUnique: false).map { items, json throws(BodyFailure) in
        var seen: Set<IPAddress> = []
        for address in items.compactMap(\.address) where !seen.insert(address).inserted {
            throw BodyFailure(.sentence("Duplicate IP address '\(address)'"), json)
        }
        return items
    }

    /// The address stays in the words of the request.
    private static let pairAddress = Form.text.map { text, json throws(BodyFailure) in
        guard IPPrefix(text) != nil else { throw BodyFailure(.format("IP address"), json) }
        return text
    }

    private static let pair = BodySchema<AddressPair>(
        blank: AddressPair(address: ""),
        [
            .required("ip_address", \.address, pairAddress),
            .given("mac_address", \.mac, BodyFormat.parsed("MAC address") { MACAddress($0) }.nullable)
        ])

    private static let optionWord = BodyFormat.text(1...255)
    private static let ipVersion = BodyFormat.integer(orText: true).map { number, json throws(BodyFailure) in
        guard let family = IPAddress.Family(rawValue: number) else { throw BodyFailure(.notOneOf([4, 6]), json) }
        return family
    }

    private static let dhcpOption = BodySchema<DHCPOptionRequest>(
        blank: DHCPOptionRequest(name: "", value: nil),
        [
            .required("opt_name", \.name, optionWord), .required("opt_value", \.value, optionWord.nullable),
            .given("ip_version", \.family, ipVersion)
        ])

    private static let vnicType = BodyFormat.word(of: ["normal"]).nullable

    /// There is no driver to read a profile: only an empty one is true.
    private static let profile = BodyFormat<Bool> { json throws(BodyFailure) in
        guard json.isNull || json.objectValue?.isEmpty ?? false else {
            throw BodyFailure(.sentence("'\(json.text)' is not supported, it must be empty"), json)
        }
        return !json.isNull
    }

    private static let bodies = ResourceBodies<PortDraft>(
        "port", blank: PortDraft(project: .blank, network: .blank),
        shared: [
            .optional("name", \.draft.change.name, Form.text),
            .optional("description", \.draft.change.description, Form.text),
            .optional("admin_state_up", \.draft.change.isAdminUp, Form.flag),
            .given("mac_address", \.draft.change.mac, Form.mac.nullable),
            .given("fixed_ips", \.draft.change.fixedIPs, fixedIPs.nullable),
            .optional("device_id", \.draft.change.deviceID, Form.text),
            .optional("device_owner", \.draft.change.deviceOwner, Form.text),
            .optional("security_groups", \.draft.change.groups, Form.list(of: Form.id())),
            .optional("port_security_enabled", \.draft.change.isSecurityEnabled, Form.flag),
            .optional("allowed_address_pairs", \.draft.change.pairs, Form.list(of: pair.format())),
            .given("binding:host_id", \.draft.change.host, Form.text.nullable),
            .given("binding:vnic_type", \.draft.change.vnicType, vnicType),
            .given("binding:profile", \.draft.change.hasProfile, profile),
            .nullable("qos_policy_id", \.draft.change.qosPolicy, Form.id()),
            .optional("extra_dhcp_opts", \.draft.change.dhcpOptions, Form.list(of: dhcpOption.format()))
        ],
        fixed: [.required("network_id", \.draft.network, Form.id())],
        shown: ["status", "binding:vif_type", "binding:vif_details", "qos_network_policy_id"])

    var routes: [Route] {
        let listing = service.portListing
        var resource = ResourceRoutes<Listed<PortRecord>, PortDraft, PortDraft>(
            Self.names, listing, hidden: ["binding:host_id"], view: { ($0.record.id.text, View.port($0, $1)) })
        resource.draft = Self.bodies.draft
        resource.create = { draft, call, transaction in
            let viewer = try call.viewer()
            try call.authorize("create_port", project: draft.project)
            let network = try service.networkListing.record(draft.network.text, viewer: viewer, in: transaction)
            try Self.authorize("create_port", draft.change, network: network.project, call)
            try service.checkRouterDevice(draft.change, of: nil, for: draft.project, viewer: viewer, in: transaction)
            let id = try service.createPort(draft, viewer: viewer, at: call.now, in: transaction)
            return try listing.find(id.text, viewer: viewer, in: transaction)
        }
        resource.change = Self.bodies.change
        resource.update = { item, wanted, call, transaction in
            let viewer = try call.viewer()
            let owner = try service.owner(of: item.record.network, in: transaction)
            try call.authorize("update_port", project: viewer.project(among: item.record.project, owner))
            try Self.authorize("update_port", wanted.change, network: owner, call)
            try service.checkRouterDevice(
                wanted.change, of: item.record, for: item.record.project, viewer: viewer, in: transaction)
            try service.updatePort(item.record.id, wanted.change, viewer: viewer, at: call.now, in: transaction)
            return try listing.find(item.record.id.text, viewer: viewer, in: transaction)
        }
        resource.delete = { item, call, transaction in
            let owner = try service.owner(of: item.record.network, in: transaction)
            try call.authorize("delete_port", project: call.viewer().project(among: item.record.project, owner))
            try service.checkFloatingIPs(of: item.record.id, viewer: call.viewer(), in: transaction)
            try service.deletePort(item.record.id, at: call.now, in: transaction)
        }
        resource.furtherRules = [.create: NetworkPolicy.shownBinding, .update: NetworkPolicy.shownBinding]
        return resource.routes
    }

    /// Which attributes of a port take more than owning it.
    /// - Parameter network: The owner of the port's network, who may do what would upset others on it.
    private static func authorize(_ rule: String, _ change: PortChange, network: ProjectID, _ call: APICall) throws {
        if change.host != nil { try call.authorize("\(rule):binding:host_id") }
        if change.hasProfile { try call.authorize("\(rule):binding:profile") }
        let restricted = [
            ("port_security_enabled", change.isSecurityEnabled != nil), ("allowed_address_pairs", change.pairs != nil),
            ("mac_address", change.mac != nil), ("device_owner", change.deviceOwner?.hasPrefix("network:") ?? false),
            ("fixed_ips:ip_address", change.fixedIPs?.contains { $0.address != nil } ?? false)
        ]
        for (name, isGiven) in restricted where isGiven { try call.authorize("\(rule):\(name)", project: network) }
    }
}
