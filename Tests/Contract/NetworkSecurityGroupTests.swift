import CoordinatorPlatform
import ProtocolModel
import Testing

struct NetworkSecurityGroupTests {
    @Test("each project finds its default group with Neutron's four rules")
    func defaultGroup() async throws {
        let cloud = try await NetworkCloud()
        let list = await cloud.harness.get("/network/v2.0/security-groups", as: .member)
        let group = try #require(list.json.item("security_groups"))
        #expect(group["name"] == "default")
        let rules = group["security_group_rules"]?.arrayValue ?? []
        #expect(rules.count == 4)
        #expect(rules.filter { $0["direction"] == "ingress" }.allSatisfy { $0["remote_group_id"] == group["id"] })
        let id = group["id"]?.stringValue ?? ""
        let path = "/network/v2.0/security-groups/\(id)"
        #expect(
            await cloud.harness.delete(path, as: .member).json.neutronType == "SecurityGroupCannotRemoveDefault")
        let renamed = await cloud.harness.put(path, ["security_group": ["name": "x"]], as: .member)
        #expect(renamed.json.neutronType == "SecurityGroupCannotUpdateDefault")
        let second = await cloud.harness.post(
            "/network/v2.0/security-groups", ["security_group": ["name": "default"]], as: .member)
        #expect(second.status == 409)
        #expect(second.json.neutronType == "SecurityGroupDefaultAlreadyExists")
    }

    @Test("a new group lets everything out and nothing in; in use it cannot go")
    func group() async throws {
        let cloud = try await NetworkCloud()
        let group = try await cloud.make("security_group", ["name": "web"])
        #expect(group["security_group_rules"]?.arrayValue?.allSatisfy { $0["direction"] == "egress" } ?? false)
        #expect(group["security_group_rules"]?.arrayValue?.count == 2)
        let id = group["id"] ?? .null
        let network = try await cloud.makeNetwork()
        _ = try await cloud.make("port", ["network_id": JSON(network), "security_groups": [id]])
        let path = "/network/v2.0/security-groups/\(id.stringValue ?? "")"
        let refused = await cloud.harness.delete(path, as: .member)
        #expect(refused.status == 409)
        #expect(refused.json.neutronType == "SecurityGroupInUse")
        #expect(await cloud.harness.get(path, as: .stranger).status == 404)
    }

    @Test("a rule as Neutron shows it, and its duplicates")
    func rule() async throws {
        let cloud = try await NetworkCloud()
        let group = try await cloud.make("security_group", ["name": "web"])["id"] ?? .null
        let body: JSON = [
            "security_group_id": group, "direction": "ingress", "protocol": "tcp", "port_range_min": 22,
            "port_range_max": 22, "remote_ip_prefix": "10.1.2.3/24"
        ]
        let rule = try await cloud.make("security_group_rule", body)
        #expect(rule["ethertype"] == "IPv4")
        #expect(rule["protocol"] == "tcp")
        #expect(rule["remote_ip_prefix"] == "10.1.2.3/24")
        #expect(rule["normalized_cidr"] == "10.1.2.0/24")
        #expect(rule["belongs_to_default_sg"] == false)
        #expect(rule["remote_group_id"] == .null)
        var again = body.objectValue ?? [:]
        again["protocol"] = "6"
        let duplicate = await cloud.harness.post(
            "/network/v2.0/security-group-rules", ["security_group_rule": .object(again)], as: .member)
        #expect(duplicate.status == 409)
        #expect(
            duplicate.json.neutronMessage
                == "Security group rule already exists. Rule id is \(rule["id"]?.stringValue ?? "").")
        let path = "/network/v2.0/security-group-rules/\(rule["id"]?.stringValue ?? "")"
        #expect(await cloud.harness.delete(path, as: .stranger).status == 404)
        #expect(await cloud.harness.delete(path, as: .member).status == 204)
        #expect(await cloud.harness.delete(path, as: .member).json.neutronType == "SecurityGroupRuleNotFound")
    }

    static let badRules: [([String: JSON], String)] = [
        (["port_range_min": 1, "port_range_max": 2], "SecurityGroupProtocolRequiredWithPorts"),
        (["protocol": "tcp", "port_range_min": 5, "port_range_max": 2], "SecurityGroupInvalidPortRange"),
        (["protocol": "tcp", "port_range_min": 0, "port_range_max": 2], "SecurityGroupInvalidPortValue"),
        (["protocol": "nonsense"], "SecurityGroupRuleInvalidProtocol"),
        (["protocol": "300"], "SecurityGroupRuleInvalidProtocol"),
        (["protocol": "icmp", "port_range_max": 2], "SecurityGroupMissingIcmpType"),
        (["protocol": "icmp", "port_range_min": 256], "SecurityGroupInvalidIcmpValue"),
        (["protocol": "gre", "port_range_min": 1, "port_range_max": 2], "SecurityGroupInvalidProtocolForPort"),
        (["ethertype": "IPv6", "remote_ip_prefix": "10.0.0.0/8"], "SecurityGroupRuleParameterConflict"),
        (["ethertype": "IPv5"], "SecurityGroupRuleInvalidEtherType"),
        (["protocol": "ipv6-icmp"], "SecurityGroupEthertypeConflictWithProtocol"),
        (["direction": "sideways"], "HTTPBadRequest"),
        (["remote_ip_prefix": "nonsense"], "HTTPBadRequest"),
        (["remote_group_id": "11111111-2222-4333-8444-555555555555"], "SecurityGroupNotFound")
    ]

    @Test("a project's rules have an end")
    func quota() async throws {
        let cloud = try await NetworkCloud()
        let group = await cloud.harness.post(
            "/network/v2.0/security-groups", ["security_group": ["name": "g"]], as: .member)
        let path = "/network/v2.0/quotas/\(TestCaller.project.compact)"
        let used = await cloud.harness.get("\(path)/details").json["quota"]?["security_group_rule"]?["used"]?.intValue
        let limit = Int64(used ?? 0) + 1
        #expect(await cloud.harness.put(path, ["quota": ["security_group_rule": .int(limit)]]).status == 200)
        func add(_ number: Int64) async -> Int {
            let rule: JSON = [
                "security_group_id": JSON(group.json["security_group"]?["id"]?.stringValue), "direction": "ingress",
                "protocol": "tcp", "port_range_min": .int(number), "port_range_max": .int(number)
            ]
            return await cloud.harness.post(
                "/network/v2.0/security-group-rules", ["security_group_rule": rule], as: .member
            ).status
        }
        #expect(await add(1) == 201)
        #expect(await add(2) == 409)
    }

    @Test("rules that make no sense are refused with Neutron's types", arguments: badRules.indices)
    func badRule(_ index: Int) async throws {
        let cloud = try await NetworkCloud()
        let group = try await cloud.make("security_group", ["name": "web"])["id"] ?? .null
        let (more, type) = Self.badRules[index]
        let body = ["security_group_id": group, "direction": "ingress"].merging(more) { $1 }
        let answer = await cloud.harness.post(
            "/network/v2.0/security-group-rules", ["security_group_rule": .object(body)], as: .member)
        #expect(answer.status == (type.hasSuffix("NotFound") ? 404 : 400))
        #expect(answer.json.neutronType == type, "\(answer.json)")
        let shown = await cloud.harness.get("/network/v2.0/security-groups/\(group.stringValue ?? "")", as: .member)
        #expect(shown.json["security_group"]?["security_group_rules"]?.arrayValue?.count == 2)
    }
}

extension NetworkSecurityGroupTests {
    @Test("what is no id is not found, and no group may be renamed to default")
    func strangeNames() async throws {
        let cloud = try await NetworkCloud()
        let group = try await cloud.make("security_group", ["name": "web"])["id"] ?? .null
        let rule = await cloud.harness.post(
            "/network/v2.0/security-group-rules",
            [
                "security_group_rule": [
                    "security_group_id": group, "direction": "ingress", "remote_group_id": "bad_group_id"
                ]
            ], as: .member)
        #expect(rule.status == 404)
        let renamed = await cloud.harness.put(
            "/network/v2.0/security-groups/\(group.stringValue ?? "")", ["security_group": ["name": "default"]],
            as: .member)
        #expect(renamed.status == 409)
    }
}
