import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Testing

/// What users send, in the words that their tools put it in, and what Neutron makes of it.
struct NetworkUserCaseTests {
    private func count(_ cloud: NetworkCloud, _ target: String, as caller: TestCaller = .member) async -> Int? {
        let answer = await cloud.harness.get("/network/v2.0/\(target)", as: caller)
        guard answer.status == 200, let members = answer.json.objectValue else { return nil }
        return members.values.compactMap(\.arrayValue).first?.count
    }

    /// One of each, in a network of the member's: list and query, and whether it is found.
    static let spellings: [(String, Bool)] = [
        ("ports?mac_address=FA:16:3E:A4:E2:53", true), ("ports?mac_address=fa-16-3e-a4-e2-53", true),
        ("ports?mac_address=fa:16:3e:a4:e2:54", false), ("ports?mac_address=nonsense", false),
        ("ports?fixed_ips=ip_address%3DFD00:0:0::9", true), ("ports?fixed_ips=ip_address%3Dfd00::8", false),
        ("subnets?cidr=FD00::/64", true), ("subnets?cidr=fd00::7/64", true), ("subnets?cidr=fd01::/64", false),
        ("subnets?gateway_ip=FD00:0::1", true), ("subnets?gateway_ip=x", false),
        ("security-group-rules?protocol=TCP&port_range_min=22", true),
        ("security-group-rules?ethertype=ipv4&port_range_min=22", true),
        ("security-group-rules?remote_ip_prefix=10.0.0.7", true),
        ("security-group-rules?remote_ip_prefix=10.0.0.7/32", true),
        ("security-group-rules?remote_ip_prefix=10.0.0.8", false)
    ]

    @Test("a filter's value has as many spellings as the attribute has")
    func filters() async throws {
        let cloud = try await NetworkCloud()
        let network = try await cloud.makeNetwork()
        _ = try await cloud.makeSubnet(network, "fd00::/64")
        _ = try await cloud.make(
            "port",
            [
                "network_id": JSON(network), "mac_address": "fa:16:3e:a4:e2:53",
                "fixed_ips": [["ip_address": "fd00::9"]]
            ])
        let group = try await cloud.make("security_group", ["name": "g"])["id"] ?? .null
        _ = try await cloud.make(
            "security_group_rule",
            [
                "security_group_id": group, "direction": "ingress", "protocol": "tcp", "port_range_min": 22,
                "port_range_max": 22, "remote_ip_prefix": "10.0.0.7"
            ])
        for (query, isFound) in Self.spellings { #expect(await count(cloud, query) == (isFound ? 1 : 0), "\(query)") }
        let bare = (group.stringValue ?? "").replacing("-", with: "").uppercased()
        #expect(await count(cloud, "security-group-rules?security_group_id=\(bare)") == 3)
    }

    @Test(
        "whose it is may be asked in any words", arguments: ["networks", "subnets", "ports", "security-groups"])
    func owners(kind: String) async throws {
        let cloud = try await NetworkCloud()
        _ = try await cloud.makeSubnet(try await cloud.makeNetwork())
        for name in ["project_id", "tenant_id"] {
            for word in ["1", "admin", "", "%00", "a%2Fb"] {
                #expect(await count(cloud, "\(kind)?\(name)=\(word)") == 0, "\(kind)?\(name)=\(word)")
            }
        }
    }

    @Test("who does not see hosts and physical networks learns of them by no filter and no order")
    func hiddenFilters() async throws {
        let cloud = try await NetworkCloud()
        for tag in [101, 102] {
            let vlan: JSON = [
                "name": JSON("n\(tag)"), "provider:network_type": "vlan", "provider:physical_network": "physnet1",
                "provider:segmentation_id": JSON(203 - tag), "shared": true
            ]
            _ = try await cloud.make("network", vlan, as: .admin)
        }
        _ = try await cloud.make("port", ["network_id": JSON(try await cloud.makeNetwork())])
        let asked = [
            ("networks?provider:segmentation_id=101", 1), ("networks?provider:segmentation_id=1", 0),
            ("networks?provider:physical_network=physnet1", 2), ("networks?provider:network_type=vlan", 2),
            ("ports?binding:host_id=", 1), ("ports?binding:host_id=host-1", 0)
        ]
        for (query, found) in asked {
            #expect(await count(cloud, query, as: .admin) == found, "\(query)")
            #expect(await count(cloud, query, as: .member) == 0, "\(query)")
        }
        func order(_ direction: String) async -> [JSON] {
            let query = "networks?shared=true&sort_key=provider:segmentation_id&sort_dir=\(direction)&fields=name"
            return await cloud.harness.get("/network/v2.0/\(query)", as: .member).json["networks"]?.arrayValue ?? []
        }
        #expect(await order("asc") == order("desc"))
        #expect(await order("asc").count == 2)
    }

    @Test("agents and counts of addresses are not there for members, rather than refused")
    func invisible() async throws {
        let cloud = try await NetworkCloud()
        let network = try await cloud.makeNetwork()
        #expect(await count(cloud, "agents") == 0)
        #expect(await count(cloud, "agents", as: .admin) == 1)
        #expect(await count(cloud, "network-ip-availabilities") == 0)
        #expect(await count(cloud, "network-ip-availabilities", as: .admin) == 1)
        let agent = await cloud.harness.get("/network/v2.0/agents/\(NetworkOneNode.node)", as: .member)
        #expect(agent.status == 404 && agent.json.neutronType == "AgentNotFound")
        let counts = await cloud.harness.get("/network/v2.0/network-ip-availabilities/\(network)", as: .member)
        #expect(counts.status == 404 && counts.json.neutronType == "NetworkNotFound")
    }

    @Test("a subnet may be named several times for one port, and five addresses are all")
    func severalAddresses() async throws {
        let cloud = try await NetworkCloud()
        let network = try await cloud.makeNetwork()
        let subnet = try await cloud.makeSubnet(network)["id"] ?? .null
        func body(_ items: [JSON]) -> JSON {
            ["port": ["network_id": JSON(network), "fixed_ips": .array(items)]]
        }
        let path = "/network/v2.0/ports"
        let two = await cloud.harness.post(path, body([["subnet_id": subnet], ["subnet_id": subnet]]), as: .member)
        #expect(two.status == 201)
        let addresses = two.json["port"]?["fixed_ips"]?.arrayValue?.compactMap { $0["ip_address"]?.stringValue } ?? []
        #expect(Set(addresses).count == 2)
        let same = await cloud.harness.post(
            path, body([["ip_address": "10.1.0.77"], ["ip_address": "10.1.0.77", "subnet_id": subnet]]), as: .member)
        #expect(same.status == 400)
        #expect(
            same.json.neutronMessage == "Invalid input for fixed_ips. Reason: Duplicate IP address '10.1.0.77'.")
        let six = await cloud.harness.post(path, body(Array(repeating: ["subnet_id": subnet], count: 6)), as: .member)
        #expect(six.status == 400)
        #expect(
            six.json.neutronMessage
                == "Invalid input for operation: Exceeded maximum amount of fixed ips per port.")
    }

    /// A change of a plain subnet's body; what its gateway and pools are then.
    static let subnets: [(String, [String: JSON], gateway: JSON, pools: JSON)] = [
        (
            "10.1.0.0/24", ["allocation_pools": .null], "10.1.0.1",
            [["start": "10.1.0.2", "end": "10.1.0.254"]]
        ),
        (
            "2001:db8:77::/64", ["gateway_ip": "2001:db8:77::"], "2001:db8:77::",
            [["start": "2001:db8:77::1", "end": "2001:db8:77:0:ffff:ffff:ffff:ffff"]]
        ),
        (
            "10.1.0.0/24", ["dns_nameservers": .null, "host_routes": .null, "gateway_ip": .null], .null,
            [["start": "10.1.0.1", "end": "10.1.0.254"]]
        )
    ]

    @Test("subnets as tools ask for them", arguments: subnets.indices)
    func subnet(_ index: Int) async throws {
        let cloud = try await NetworkCloud()
        let (cidr, more, gateway, pools) = Self.subnets[index]
        let subnet = try await cloud.makeSubnet(try await cloud.makeNetwork(), cidr, more)
        #expect(subnet["gateway_ip"] == gateway)
        #expect(subnet["allocation_pools"] == pools)
        let path = "/network/v2.0/subnets/\(subnet["id"]?.stringValue ?? "")"
        let change: JSON = ["subnet": ["allocation_pools": .null]]
        let kept = await cloud.harness.put(path, change, as: .member)
        #expect(kept.status == 200 && kept.json["subnet"]?["allocation_pools"] == pools)
    }

    @Test(
        "texts have line breaks and tabs in them, of every kind",
        arguments: ["network", "subnet", "port", "security_group"])
    func lineBreaks(kind: String) async throws {
        let cloud = try await NetworkCloud()
        let text: JSON = "two\nlines,\ta tab \u{7F}"
        var body: [String: JSON] = ["description": text, "name": text]
        if kind == "subnet" || kind == "port" { body["network_id"] = JSON(try await cloud.makeNetwork()) }
        if kind == "subnet" { body.merge(["cidr": "10.1.0.0/24", "ip_version": 4]) { $1 } }
        let made = try await cloud.make(kind, .object(body))
        #expect(made["description"] == text && made["name"] == text)
        let path = "/network/v2.0/\(kind.replacing("_", with: "-"))s/\(made["id"]?.stringValue ?? "")"
        let nul = await cloud.harness.put(path, .object([kind: ["description": "a\u{0}b"]]), as: .member)
        #expect(nul.status == 400)
    }

    /// What is said of a rule, and its ports, protocol and prefix then.
    static let rules: [([String: JSON], [String: JSON])] = [
        (["remote_ip_prefix": ""], ["remote_ip_prefix": .null]),
        (["port_range_min": 1, "port_range_max": 65_535], ["port_range_min": .null, "port_range_max": .null]),
        (
            ["port_range_min": "1", "port_range_max": "65535", "protocol": "icmp"],
            ["port_range_min": .null, "protocol": "icmp"]
        ),
        (["protocol": "", "remote_ip_prefix": ""], ["protocol": .null, "remote_ip_prefix": .null]),
        (["protocol": "any"], ["protocol": .null]), (["protocol": "TCP"], ["protocol": "tcp"]),
        (["remote_group_id": .null, "description": .null], ["remote_group_id": .null, "description": ""])
    ]

    @Test("rules as tools ask for them", arguments: rules.indices)
    func rule(_ index: Int) async throws {
        let cloud = try await NetworkCloud()
        let (said, shown) = Self.rules[index]
        let group = try await cloud.make("security_group", ["name": "g"])["id"] ?? .null
        let body = said.merging(["security_group_id": group, "direction": "ingress"]) { own, _ in own }
        let rule = try await cloud.make("security_group_rule", .object(body))
        for (name, value) in shown { #expect(rule[name] == value, "\(name)") }
    }
}
