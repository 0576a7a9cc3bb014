import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Testing

/// Lists of every kind: what each caller sees of them, by which attributes they are filtered, and where pages begin.
struct NetworkListTests {
    static let kinds = ["networks", "subnets", "ports", "security-groups", "security-group-rules"]

    /// One of each kind of the member's, in a network of its own.
    private func makeCloud() async throws -> NetworkCloud {
        let cloud = try await NetworkCloud()
        let network = try await cloud.makeNetwork(["name": "own", "description": "first"])
        _ = try await cloud.makeSubnet(network, "10.1.0.0/24", ["name": "s", "dns_nameservers": ["10.1.0.53"]])
        let group = try await cloud.make("security_group", ["name": "web"])["id"] ?? .null
        _ = try await cloud.make(
            "security_group_rule",
            [
                "security_group_id": group, "direction": "ingress", "protocol": "tcp", "port_range_min": 22,
                "port_range_max": 23
            ])
        _ = try await cloud.make(
            "port",
            [
                "network_id": JSON(network), "name": "p", "security_groups": [group],
                "fixed_ips": [["ip_address": "10.1.0.9"]]
            ])
        return cloud
    }

    private func items(_ cloud: NetworkCloud, _ kind: String, _ query: String = "", as caller: TestCaller = .member)
        async
        -> [JSON]
    {
        let answer = await cloud.harness.get("/network/v2.0/\(kind)\(query)", as: caller)
        return answer.json[kind.replacing("-", with: "_")]?.arrayValue ?? []
    }

    @Test("who cannot see a resource cannot begin a page at it either", arguments: kinds)
    func hiddenMarker(kind: String) async throws {
        let cloud = try await makeCloud()
        let id = try #require(await items(cloud, kind).last?["id"]?.stringValue)
        #expect(await cloud.harness.get("/network/v2.0/\(kind)/\(id)", as: .stranger).status == 404)
        let hidden = await cloud.harness.get("/network/v2.0/\(kind)?marker=\(id)", as: .stranger)
        #expect(hidden.status == 404)
        #expect(hidden.json.neutronMessage == "The marker \(id) could not be found.")
        #expect(await cloud.harness.get("/network/v2.0/\(kind)?marker=\(id)", as: .member).status == 200)
        #expect(await cloud.harness.get("/network/v2.0/\(kind)?marker=\(id)", as: .admin).status == 200)
    }

    /// A list, a query, and how many of the above match.
    static let filters: [(String, String, Int)] = [
        ("networks", "name=own", 1), ("networks", "name=other", 0), ("networks", "description=first", 1),
        ("networks", "shared=True", 0), ("networks", "shared=0", 1), ("networks", "shared=maybe", 0),
        ("networks", "status=ACTIVE", 1), ("networks", "mtu=1450&mtu=9000", 1), ("networks", "mtu=x", 0),
        ("networks", "provider:network_type=vxlan", 0), ("networks", "router:external=false", 1),
        ("subnets", "ip_version=4", 1), ("subnets", "ip_version=6", 0), ("subnets", "cidr=10.1.0.0/24", 1),
        ("subnets", "gateway_ip=10.1.0.1", 1), ("subnets", "enable_dhcp=true&name=s", 1), ("subnets", "shared=true", 0),
        ("ports", "fixed_ips=ip_address%3D10.1.0.9", 1), ("ports", "fixed_ips=ip_address%3D10.1.0.8", 0),
        ("ports", "fixed_ips=ip_address_substr%3D.0.9", 1), ("ports", "fixed_ips=ip_address_substr%3D%25", 0),
        ("ports", "fixed_ips=nonsense", 0), ("ports", "fixed_ips=colour%3Dblue", 0), ("ports", "status=DOWN", 1),
        ("ports", "device_id=", 1), ("ports", "device_id=x", 0),
        ("security-groups", "name=web", 1), ("security-groups", "shared=false", 2),
        ("security-groups", "shared=true", 0),
        ("security-group-rules", "direction=ingress&protocol=tcp", 1),
        ("security-group-rules", "port_range_min=22&port_range_max=23", 1),
        ("security-group-rules", "ethertype=IPv6", 3)
    ]

    @Test("filters compare what the API shows", arguments: filters.indices)
    func filter(_ index: Int) async throws {
        let cloud = try await makeCloud()
        let (kind, query, count) = Self.filters[index]
        #expect(await items(cloud, kind, "?\(query)").count == count, "\(kind)?\(query)")
    }

    @Test("ports are found by their group and their subnet")
    func related() async throws {
        let cloud = try await makeCloud()
        let group = try #require(await items(cloud, "security-groups", "?name=web").first?["id"]?.stringValue)
        let subnet = try #require(await items(cloud, "subnets").first?["id"]?.stringValue)
        #expect(await items(cloud, "ports", "?security_groups=\(group)").count == 1)
        #expect(await items(cloud, "ports", "?security_groups=\(subnet)").isEmpty)
        #expect(await items(cloud, "ports", "?fixed_ips=subnet_id%3D\(subnet)").count == 1)
        #expect(
            await items(cloud, "ports", "?fixed_ips=subnet_id%3D\(subnet)&fixed_ips=ip_address%3D10.1.0.8").isEmpty)
    }

    @Test("pages lead forth and back through every list", arguments: kinds)
    func pages(kind: String) async throws {
        let cloud = try await makeCloud()
        _ = try await cloud.makeNetwork(["name": "second"])
        let network = try await cloud.makeNetwork(["name": "third"])
        _ = try await cloud.makeSubnet(network, "10.2.0.0/24")
        _ = try await cloud.make("port", ["network_id": JSON(network)])
        let all = await items(cloud, kind).compactMap { $0["id"]?.stringValue }
        let list = kind.replacing("-", with: "_")
        var target = "/network/v2.0/\(kind)?limit=1&fields=id"
        var seen: [String] = []
        for _ in 0..<20 {
            let page = await cloud.harness.get(target, as: .member)
            seen += page.json[list]?.arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
            let links = page.json["\(list)_links"]?.arrayValue ?? []
            guard let next = links.first(where: { $0["rel"] == "next" })?["href"]?.stringValue else { break }
            target = next.replacing("https://cloud.test:8700", with: "")
        }
        #expect(seen == all)
        let back = await cloud.harness.get(
            "/network/v2.0/\(kind)?limit=2&page_reverse=True&marker=\(all.last ?? "")", as: .member)
        #expect(
            back.json[list]?.arrayValue?.compactMap { $0["id"]?.stringValue } == Array(all.dropLast().suffix(2)))
    }

    @Test("what shows hosts and physical networks takes the rule of its name", arguments: [TestCaller.member, .admin])
    func restricted(caller: TestCaller) async throws {
        let cloud = try await makeCloud()
        let isAdmin = caller.caller.isAdmin
        let network = try #require(await items(cloud, "networks", as: caller).first?.objectValue)
        for name in ["provider:network_type", "provider:physical_network", "provider:segmentation_id"] {
            #expect((network[name] != nil) == isAdmin, "\(name)")
        }
        let port = try #require(await items(cloud, "ports", as: caller).first?.objectValue)
        for name in ["binding:host_id", "binding:profile", "binding:vif_type", "binding:vif_details"] {
            #expect((port[name] != nil) == isAdmin, "\(name)")
        }
        #expect(port["binding:vnic_type"] == "normal")
    }

    @Test("what a host does to a port is dated by when it was told")
    func dates() async throws {
        let cloud = try await makeCloud()
        let port = try #require(await items(cloud, "ports").first?["id"]?.stringValue)
        #expect(await items(cloud, "ports").first?["updated_at"] == "2026-01-01T00:00:00Z")
        let slice = cloud.slice
        let now: Int64 = 1_767_225_600_000_000 + 60_000_000
        try await cloud.harness.database.write { transaction in
            let request = NetworkRequest.interfaces(
                [.init(network: nil, port: port, fixedIP: nil, tag: nil)], securityGroups: [])
            _ = try slice.service.reservePorts(
                request, server: ServerID(high: 1, low: 1), hostname: "web",
                permissions: Permissions(caller: TestCaller.member.caller, policy: NetworkSlice.policy),
                project: TestCaller.project, at: now, in: transaction)
            try slice.service.bindPorts(
                of: ServerID(high: 1, low: 1), to: NetworkOneNode.node, availabilityZone: "nova", at: now + 60_000_000,
                in: transaction)
        }
        #expect(await items(cloud, "ports", "?name=p").first?["updated_at"] == "2026-01-01T00:02:00Z")
        try await cloud.harness.database.write { transaction in
            for observer in slice.observers {
                try observer.nodeRemoved(NetworkOneNode.node, at: now + 120_000_000, in: transaction)
            }
        }
        let left = await items(cloud, "ports", "?name=p", as: .admin).first
        #expect(left?["updated_at"] == "2026-01-01T00:03:00Z")
        #expect(left?["binding:host_id"] == "" && left?["status"] == "DOWN")
    }
}
