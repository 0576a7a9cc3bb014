import CoordinatorFleet
import CoordinatorNetwork
import CoordinatorPlatform
import HTTPTypes
import ProtocolModel
import Testing

/// A cloud with two projects: what the first one has (`TestCaller.member`), the second one (`.stranger`) tries to name.
struct TwoTenantScene: Sendable {
    /// One kind of thing: the other's, one that is no more, one that everybody sees, and the caller's own.
    struct Thing: Sendable {
        var foreign: String
        var gone = AnyID.random().text
        var seen: String?
        var own = ""
        var malformed = "not-an-id"
        /// Where the other's can be looked at.
        var path: String?
    }

    let cloud: PolicyCloud
    private(set) var things: [String: Thing] = [:]
    /// The network that leads out.
    private(set) var outside = ""

    static let versions = ["OpenStack-API-Version": "compute 2.91, placement 1.13, volume 3.70"]

    init() async throws {
        cloud = try await PolicyCloud()
        try await makeNetworks()
        try await makeRouters()
        try await makeImages()
        try await makeServers()
        try await makeVolumes()
        things["project"] = Thing(
            foreign: TestCaller.project.compact, own: TestCaller.otherProject.compact, malformed: "no project")
        things["user"] = Thing(
            foreign: TestCaller.member.caller.user.compact, own: TestCaller.stranger.caller.user.compact)
        things["text"] = Thing(foreign: "x", gone: "y", own: "z", malformed: "%00")
    }

    // MARK: Making things

    private func post(_ path: String, _ body: JSON, as caller: TestCaller) async throws -> JSON {
        let answer = await cloud.harness.post(path, body, as: caller, Self.versions)
        guard (200..<300).contains(answer.status) else { throw NetworkRefusal(answer: answer) }
        return answer.json
    }

    /// - Returns: The id of what was made.
    private func make(
        _ path: String, _ kind: String, _ members: [String: JSON], as caller: TestCaller
    ) async throws -> String {
        try await post(path, .object([kind: .object(members)]), as: caller)[kind]?["id"]?.stringValue ?? ""
    }

    /// Makes one of the other's, one that is deleted again, and one of the caller's own.
    private mutating func add(
        _ name: String, _ path: String, _ kind: String, seen: String? = nil,
        _ members: (TestCaller) -> [String: JSON]
    ) async throws {
        let foreign = try await make(path, kind, members(.member), as: .member)
        let gone = try await make(path, kind, members(.member), as: .member)
        _ = await cloud.harness.delete("\(path)/\(gone)", as: .member, Self.versions)
        let own = try await make(path, kind, members(.stranger), as: .stranger)
        things[name] = Thing(foreign: foreign, gone: gone, seen: seen, own: own, path: "\(path)/\(foreign)")
    }

    private func own(_ thing: String, of caller: TestCaller) -> JSON {
        JSON(caller == .member ? things[thing]?.foreign : things[thing]?.own)
    }

    private mutating func makeRouters() async throws {
        let base = "/network/v2.0"
        let outside = try await make(
            "\(base)/networks", "network", ["router:external": true, "name": "outside"], as: .admin)
        _ = try await make(
            "\(base)/subnets", "subnet",
            ["network_id": JSON(outside), "cidr": "203.0.113.0/24", "ip_version": 4], as: .admin)
        self.outside = outside
        try await add("router", "\(base)/routers", "router") { ["name": JSON("of \($0)")] }
        try await add("floating_ip", "\(base)/floatingips", "floatingip") { _ in
            ["floating_network_id": JSON(outside)]
        }
    }

    private mutating func makeNetworks() async throws {
        let base = "/network/v2.0"
        let shared = try await make("\(base)/networks", "network", ["shared": true, "name": "shared"], as: .admin)
        try await add("network", "\(base)/networks", "network", seen: shared) { ["name": JSON("of \($0)")] }
        let open = try await make(
            "\(base)/subnets", "subnet",
            ["network_id": JSON(shared), "cidr": "10.3.0.0/24", "ip_version": 4], as: .admin)
        var number = 0
        let networks = things["network"]
        try await add("address_scope", "\(base)/address-scopes", "address_scope") { _ in ["ip_version": 4] }
        try await add("address_group", "\(base)/address-groups", "address_group") { _ in
            ["addresses": ["198.51.100.0/24"]]
        }
        try await makePolicies()
        var target = 0
        try await add("rbac_policy", "\(base)/rbac-policies", "rbac_policy") { caller in
            target += 1
            return [
                "object_type": "network", "object_id": JSON(caller == .member ? networks?.foreign : networks?.own),
                "action": "access_as_shared", "target_tenant": JSON("1234567812344234823412345678000\(target)")
            ]
        }
        try await add("subnet_pool", "\(base)/subnetpools", "subnetpool") { _ in
            ["name": "p", "prefixes": ["10.200.0.0/16"], "default_prefixlen": 24]
        }
        try await add("subnet", "\(base)/subnets", "subnet", seen: open) { caller in
            number += 1
            let network = caller == .member ? networks?.foreign : networks?.own
            return ["network_id": JSON(network), "cidr": JSON("10.\(10 + number).0.0/24"), "ip_version": 4]
        }
        try await add("security_group", "\(base)/security-groups", "security_group") { _ in ["name": "g"] }
        let groups = things["security_group"]
        var low = 1
        try await add("security_group_rule", "\(base)/security-group-rules", "security_group_rule") { caller in
            low += 1
            return [
                "security_group_id": JSON(caller == .member ? groups?.foreign : groups?.own), "direction": "ingress",
                "protocol": "tcp", "port_range_min": JSON(low), "port_range_max": JSON(low)
            ]
        }
        try await add("port", "\(base)/ports", "port") { caller in
            ["network_id": JSON(caller == .member ? networks?.foreign : networks?.own), "name": "p"]
        }
        let onShared = try await post(
            "\(base)/ports", ["port": ["network_id": JSON(shared)]], as: .member)["port"]
        let address = onShared?.item("fixed_ips")?["ip_address"]?.stringValue ?? ""
        things["shared_address"] = Thing(foreign: address, gone: "10.3.0.200", seen: "10.3.0.1", malformed: "ten")
        try await makeDevice()
    }

    /// Administrators make them, for projects.
    private mutating func makePolicies() async throws {
        let path = "/network/v2.0/qos/policies"
        func policy(_ project: ProjectID) async throws -> String {
            try await make(path, "policy", ["name": "q", "project_id": JSON(project.compact)], as: .admin)
        }
        let (foreign, gone) = (try await policy(TestCaller.project), try await policy(TestCaller.project))
        _ = await cloud.harness.delete("\(path)/\(gone)", as: .admin)
        let own = try await policy(TestCaller.otherProject)
        things["qos_policy"] = Thing(foreign: foreign, gone: gone, own: own, path: "\(path)/\(foreign)")
        func rules(_ name: String, _ kind: String, _ members: [String: JSON]) async throws {
            let made = try await make("\(path)/\(foreign)/\(kind)s", kind, members, as: .admin)
            things[name] = Thing(
                foreign: made, own: try await make("\(path)/\(own)/\(kind)s", kind, members, as: .admin),
                path: "\(path)/\(foreign)/\(kind)s/\(made)")
        }
        try await rules("qos_rule", "bandwidth_limit_rule", ["max_kbps": 1000])
        try await rules("qos_mark", "dscp_marking_rule", ["dscp_mark": 10])
    }

    /// A server's interface, as the compute service has it.
    private mutating func makeDevice() async throws {
        let server = ServerID(high: 0x6666_6666_6666_4666, low: 0x8666_6666_6666_6666)
        let service = cloud.network.service
        let network = things["network"]?.foreign ?? ""
        try await cloud.harness.database.write { transaction in
            _ = try service.reservePorts(
                .interfaces([.init(network: network, port: nil, fixedIP: nil, tag: nil)], securityGroups: []),
                server: server, hostname: "victim",
                permissions: Permissions(caller: TestCaller.member.caller, policy: NetworkSlice.policy),
                project: TestCaller.project, at: 1, in: transaction)
        }
        things["device"] = Thing(foreign: server.text, malformed: "anything")
    }

    private mutating func makeImages() async throws {
        func image(_ caller: TestCaller, _ more: [String: JSON] = [:]) async throws -> String {
            let members: [String: JSON] = ["disk_format": "raw", "container_format": "bare", "name": "image"]
            let made = try await post("/image/v2/images", .object(members.merging(more) { $1 }), as: caller)
            let id = made["id"]?.stringValue ?? ""
            let sent = await cloud.harness.send(
                .put, "/image/v2/images/\(id)/file", bytes: Array("some data".utf8), token: caller.token,
                headers: ["Content-Type": "application/octet-stream"])
            #expect(sent.status == 204)
            return id
        }
        let gone = try await image(.member)
        _ = await cloud.harness.delete("/image/v2/images/\(gone)", as: .member)
        let foreign = try await image(.member)
        things["image"] = Thing(
            foreign: foreign, gone: gone, seen: try await image(.admin, ["visibility": "public"]),
            own: try await image(.stranger), path: "/image/v2/images/\(foreign)")
    }

    private mutating func makeServers() async throws {
        let path = "/compute/v2.1"
        func flavor(_ name: String, _ isPublic: Bool) async throws -> String {
            try await make(
                "\(path)/flavors", "flavor",
                [
                    "name": JSON(name), "ram": 64, "vcpus": 1, "disk": 1, "os-flavor-access:is_public": JSON(isPublic)
                ], as: .admin)
        }
        let open = try await flavor("open", true)
        let hidden = try await flavor("hidden", false)
        let gone = try await flavor("gone", true)
        _ = await cloud.harness.delete("\(path)/flavors/\(gone)")
        things["flavor"] = Thing(foreign: hidden, gone: gone, seen: open, own: open, path: "\(path)/flavors/\(hidden)")
        try await add("server", "\(path)/servers", "server") { [things] _ in
            [
                "name": "s", "flavorRef": JSON(open), "imageRef": JSON(things["image"]?.seen), "networks": "none"
            ]
        }
        try await add("server_group", "\(path)/os-server-groups", "server_group") { _ in
            ["name": "g", "policy": "affinity"]
        }
        try await start(things["server"]?.own ?? "")
        for caller in [TestCaller.member, .stranger] {
            let body: JSON = [
                "keypair": ["name": JSON("key of \(caller)"), "public_key": JSON(Self.key), "type": "ssh"]
            ]
            _ = try await post("\(path)/os-keypairs", body, as: caller)
        }
        things["keypair"] = Thing(
            foreign: "key of member", gone: "no such key", own: "key of stranger", malformed: "a/b",
            path: "\(path)/os-keypairs/key%20of%20member?user_id=\(TestCaller.member.caller.user.compact)")
    }

    private mutating func makeVolumes() async throws {
        func base(_ caller: TestCaller) -> String { VolumeCloud.base(of: caller) }
        func volume(_ caller: TestCaller, _ more: [String: JSON] = [:]) async throws -> String {
            let members: [String: JSON] = ["size": 1, "name": "v"]
            let id = try await make(
                "\(base(caller))/volumes", "volume", members.merging(more) { $1 }, as: caller)
            try await settle("volumes", id)
            return id
        }
        func snapshot(_ caller: TestCaller, _ volume: String) async throws -> String {
            let id = try await make("\(base(caller))/snapshots", "snapshot", ["volume_id": JSON(volume)], as: caller)
            try await settle("snapshots", id)
            return id
        }
        let (foreign, own) = (try await volume(.member), try await volume(.stranger))
        things["volume"] = Thing(
            foreign: foreign, own: own, path: "\(base(.admin))/volumes/\(foreign)")
        let copied = try await snapshot(.member, foreign)
        things["volume_snapshot"] = Thing(
            foreign: copied, own: try await snapshot(.stranger, own), path: "\(base(.admin))/snapshots/\(copied)")
        func attachment(_ caller: TestCaller) async throws -> String {
            try await make(
                "\(base(caller))/attachments", "attachment", ["volume_uuid": JSON(try await volume(caller))],
                as: caller)
        }
        let held = try await attachment(.member)
        things["attachment"] = Thing(
            foreign: held, own: try await attachment(.stranger), path: "\(base(.admin))/attachments/\(held)")
        func transfer(_ caller: TestCaller) async throws -> String {
            try await make(
                "\(base(caller))/volume-transfers", "transfer", ["volume_id": JSON(try await volume(caller))],
                as: caller)
        }
        let offer = try await transfer(.member)
        things["volume_transfer"] = Thing(
            foreign: offer, own: try await transfer(.stranger), path: "\(base(.admin))/volume-transfers/\(offer)")
        let hidden = try await make(
            "\(base(.admin))/types", "volume_type", ["name": "hidden", "os-volume-type-access:is_public": false],
            as: .admin)
        let open = try await make("\(base(.admin))/types", "volume_type", ["name": "open"], as: .admin)
        things["volume_type"] = Thing(
            foreign: hidden, seen: open, own: open, path: "\(base(.admin))/types/\(hidden)")
    }

    /// No host says that it is made.
    private func settle(_ collection: String, _ id: String) async throws {
        let path = "\(VolumeCloud.base(of: .admin))/\(collection)/\(id)/action"
        _ = try await post(path, ["os-reset_status": ["status": "available"]], as: .admin)
    }

    /// A server that its host has run, so that what can be done with it is asked for in earnest.
    private func start(_ server: String) async throws {
        let node = cloud.hosts.first
        try await cloud.harness.database.write { transaction in
            _ = try transaction.execute(
                """
                UPDATE servers SET vm_state = 'active', task_state = NULL, task_deadline = NULL, has_launched = 1,
                    node_id = ?, host = 'store-a', zone = 'nova' WHERE uuid = ?
                """, [node, server])
        }
    }

    private static let key =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me"

    // MARK: Asking

    /// What the first project has, as its administrator sees it.
    func snapshot() async -> [String: JSON] {
        var result: [String: JSON] = [:]
        for (name, thing) in things {
            guard let path = thing.path else { continue }
            let answer = await cloud.harness.get(path, as: .admin, Self.versions)
            result[name] = answer.json
        }
        let ports = await cloud.harness.get(
            "/network/v2.0/ports?project_id=\(TestCaller.project.compact)", as: .admin)
        result["all ports"] = ports.json
        return result
    }

    /// What the line's thing is called in a case; `nil` where there is none.
    func name(_ line: TwoTenantLine, _ case: TwoTenantLine.Case) -> String? {
        guard let thing = things[line.thing] else { return nil }
        return switch `case` {
        case .foreign: thing.foreign
        case .gone: thing.gone
        case .malformed: thing.malformed
        case .seen: thing.seen
        }
    }

    /// Sends the line's request as the second project, with this name in its place.
    /// - Parameter given: Another body than the line's.
    func send(_ line: TwoTenantLine, naming name: String = "", body given: JSON? = nil) async -> Answer {
        var target = ""
        for part in line.path.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            target += "/"
            guard part.hasPrefix("{") else {
                target += part
                continue
            }
            let parameter = String(part.dropFirst().dropLast()).replacing("*", with: "")
            let isNamed =
                line.isPath && (line.parameter == "every" || line.parameter.replacing("*", with: "") == parameter)
            target += PercentCoding.encode(isNamed ? name : filler(parameter, line))
        }
        var body = TwoTenantBodies.body(line.route, self)
        // A router's interface is named by its subnet or by its port, not by both.
        if line.place == "port_id" { body = .object([:]) }
        if !line.isPath {
            if line.path.hasSuffix("/servers/{server_id}/action") { body = TwoTenantBodies.action(line, self) }
            body = TwoTenantBodies.set(
                name, at: line.place.split(separator: ".").map(String.init), in: body ?? .object([:]))
        }
        if let given { body = given }
        if line.isQuery { target += "\(line.place)=\(PercentCoding.encode(name))" }
        var headers = Self.versions
        if line.method == .put, line.path.hasSuffix("/file") || line.path.hasSuffix("/stage") {
            headers["Content-Type"] = "application/octet-stream"
        }
        if line.method == .patch, line.route.contains("/image/") {
            headers["Content-Type"] = "application/openstack-images-v2.1-json-patch"
        }
        return await cloud.harness.send(line.method, target, body, as: .stranger, headers: headers)
    }

    /// Something of the caller's own, for the parameters that the line is not about.
    private func filler(_ parameter: String, _ line: TwoTenantLine) -> String {
        let kinds = [
            "server_id": "server", "image_id": "image", "flavor_id": "flavor", "project": "project",
            "project_id": "project", "port_id": "port", "type_id": "volume_type", "target_id": "project"
        ]
        if let kind = kinds[parameter], let thing = things[kind] { return thing.own }
        guard parameter == "id" else { return "x" }
        for kind in ["port", "network", "subnet", "security_group"]
        where line.path.contains("/\(kind.replacing("_", with: "-"))s/") {
            return things[kind]?.own ?? ""
        }
        for (collection, kind) in [
            ("servers", "server"), ("routers", "router"), ("floatingips", "floating_ip"),
            ("subnetpools", "subnet_pool"), ("address-scopes", "address_scope"), ("volumes", "volume"),
            ("snapshots", "volume_snapshot"), ("attachments", "attachment"), ("address-groups", "address_group"),
            ("rbac-policies", "rbac_policy"), ("policies", "qos_policy"),
            ("volume-transfers", "volume_transfer"), ("os-volume-transfer", "volume_transfer")
        ]
        where line.path.contains("/\(collection)/") { return things[kind]?.own ?? "" }
        return "x"
    }
}
