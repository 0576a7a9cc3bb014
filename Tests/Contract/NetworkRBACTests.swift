import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("sharing with single projects over HTTP")
struct NetworkRBACTests {
    private let cloud: NetworkCloud
    private let base = "/network/v2.0"
    private static let other = JSON(TestCaller.otherProject.compact)

    init() async throws { cloud = try await NetworkCloud() }

    private func id(_ json: JSON?) -> String { json?["id"]?.stringValue ?? "" }

    private func share(
        _ kind: String, _ object: JSON, with target: JSON = Self.other, _ action: String = "access_as_shared",
        as caller: TestCaller = .member
    ) async -> Answer {
        let body: JSON = [
            "object_type": JSON(kind), "object_id": object["id"] ?? .null, "target_tenant": target,
            "action": JSON(action)
        ]
        return await cloud.harness.post("\(base)/rbac-policies", ["rbac_policy": body], as: caller)
    }

    private func status(_ path: String, as caller: TestCaller = .stranger) async -> Int {
        await cloud.harness.get("\(base)/\(path)", as: caller).status
    }

    private func remove(_ policy: Answer, as caller: TestCaller = .member) async -> Answer {
        await cloud.harness.delete("\(base)/rbac-policies/\(id(policy.json["rbac_policy"]))", as: caller)
    }

    @Test("a network is used by the project that it is shared with, until that has nothing in it any more")
    func network() async throws {
        let network = try await cloud.make("network", ["name": "n"])
        let subnet = try await cloud.makeSubnet(id(network))
        #expect(await status("networks/\(id(network))") == 404)
        let policy = await share("network", network)
        #expect(policy.status == 201)
        #expect(
            policy.json["rbac_policy"] == [
                "id": policy.json["rbac_policy"]?["id"] ?? .null, "object_type": "network",
                "object_id": network["id"] ?? .null, "target_tenant": Self.other, "action": "access_as_shared",
                "project_id": JSON(TestCaller.project.compact), "tenant_id": JSON(TestCaller.project.compact)
            ])
        let seen = await cloud.harness.get("\(base)/networks/\(id(network))", as: .stranger)
        #expect(seen.status == 200 && seen.json["network"]?["shared"] == true)
        let own = await cloud.harness.get("\(base)/networks/\(id(network))", as: .member)
        #expect(own.json["network"]?["shared"] == false)
        for (query, count) in [("shared=true", 1), ("shared=false", 0)] {
            let list = await cloud.harness.get("\(base)/networks?\(query)", as: .stranger)
            #expect(list.json["networks"]?.arrayValue?.count == count, "\(query)")
        }
        #expect(await status("subnets/\(id(subnet))") == 200)
        let port = try await cloud.make("port", ["network_id": network["id"] ?? .null], as: .stranger)
        let used = await remove(policy)
        #expect(used.status == 409 && used.json.neutronType == "RbacPolicyInUse")
        #expect(await remove(policy, as: .stranger).status == 404)
        #expect(await cloud.harness.delete("\(base)/ports/\(id(port))", as: .stranger).status == 204)
        #expect(await remove(policy).status == 204)
        #expect(await status("networks/\(id(network))") == 404)
    }

    /// What is said of a policy on the member's network, by whom, and the refusal.
    static let refused: [([String: JSON], TestCaller, Int, String)] = [
        (["object_type": "router"], .member, 400, "InvalidInput"), (["action": "access"], .member, 400, "InvalidInput"),
        (["object_type": "address_group", "action": "access_as_external"], .member, 400, "InvalidInput"),
        (["target_tenant": "x"], .member, 400, "InvalidInput"),
        (["target_tenant": "*"], .member, 403, "PolicyNotAuthorized"),
        ([:], .reader, 403, "PolicyNotAuthorized"), ([:], .stranger, 404, "NetworkNotFound"),
        (["object_id": "x"], .member, 400, "HTTPBadRequest"), (["colour": "blue"], .member, 400, "HTTPBadRequest")
    ]

    @Test("policies that cannot be are refused with Neutron's types", arguments: refused.indices)
    func refusals(_ index: Int) async throws {
        let (more, caller, status, type) = Self.refused[index]
        let network = try await cloud.make("network", [:])
        let body: [String: JSON] = [
            "object_type": "network", "object_id": network["id"] ?? .null, "target_tenant": Self.other,
            "action": "access_as_shared"
        ]
        let answer = await cloud.harness.post(
            "\(base)/rbac-policies", ["rbac_policy": .object(body.merging(more) { $1 })], as: caller)
        #expect(answer.status == status && answer.json.neutronType == type, "\(answer.json)")
        let list = await cloud.harness.get("\(base)/rbac-policies")
        #expect(list.json["rbac_policies"]?.arrayValue?.count == 0)
    }

    @Test("whoever uses what is shared shares it with nobody else; the same is shared once, and so many times")
    func limits() async throws {
        let network = try await cloud.make("network", [:])
        #expect(await share("network", network).status == 201)
        let again = await share("network", network)
        #expect(again.status == 409 && again.json.neutronType == "DuplicateRbacPolicy")
        let foreign = await share("network", network, with: JSON(TestCaller.project.compact), as: .stranger)
        #expect(foreign.status == 400 && foreign.json.neutronType == "InvalidInput")
        for number in 1...9 {
            let target = JSON("1234567812344234823412345678000\(number)")
            #expect(await share("network", network, with: target).status == 201)
        }
        let over = await share("network", network, with: "12345678123442348234123456780010")
        #expect(over.status == 409 && over.json.neutronType == "OverQuota")
    }

    @Test("a policy gets another target, and says nothing else anew")
    func update() async throws {
        let network = try await cloud.make("network", [:])
        let policy = await share("network", network, with: "12345678123442348234123456780010")
        let path = "\(base)/rbac-policies/\(id(policy.json["rbac_policy"]))"
        #expect(await cloud.harness.put(path, ["rbac_policy": ["action": "x"]], as: .member).status == 400)
        #expect(await cloud.harness.put(path, ["rbac_policy": [:]], as: .member).status == 400)
        #expect(await cloud.harness.put(path, ["rbac_policy": ["target_tenant": "*"]], as: .member).status == 403)
        let moved = await cloud.harness.put(path, ["rbac_policy": ["target_tenant": Self.other]], as: .member)
        #expect(moved.status == 200 && moved.json["rbac_policy"]?["target_tenant"] == Self.other)
        #expect(await status("networks/\(id(network))") == 200)
        _ = try await cloud.make("port", ["network_id": network["id"] ?? .null], as: .stranger)
        let away = await cloud.harness.put(
            path, ["rbac_policy": ["target_tenant": "12345678123442348234123456780010"]], as: .member)
        #expect(away.status == 409 && away.json.neutronType == "RbacPolicyInUse")
        let wide = await cloud.harness.put(path, ["rbac_policy": ["target_tenant": "*"]])
        #expect(wide.status == 200)
        let seen = await cloud.harness.get("\(base)/networks/\(id(network))", as: .member)
        #expect(seen.json["network"]?["shared"] == true)
    }

    @Test("what a network says of itself is a policy, and the other way round")
    func attribute() async throws {
        let network = try await cloud.make("network", ["shared": true, "router:external": true], as: .admin)
        func policies() async -> [String] {
            let list = await cloud.harness.get("\(base)/rbac-policies?object_id=\(id(network))")
            return list.json["rbac_policies"]?.arrayValue?.compactMap { $0["action"]?.stringValue }.sorted() ?? []
        }
        #expect(await policies() == ["access_as_external", "access_as_shared"])
        let path = "\(base)/networks/\(id(network))"
        _ = await cloud.harness.put(path, ["network": ["shared": false]])
        #expect(await policies() == ["access_as_external"])
        #expect(await status("networks/\(id(network))") == 200)
        _ = await cloud.harness.put(path, ["network": ["router:external": false]])
        #expect(await policies() == [])
        #expect(await status("networks/\(id(network))") == 404)
        #expect(await share("network", network, with: "*", as: .admin).status == 201)
        let shown = await cloud.harness.get(path, as: .stranger)
        #expect(shown.json["network"]?["shared"] == true)
        #expect(await cloud.harness.delete(path).status == 204)
        #expect(await policies() == [])
    }

    @Test("a network leads outside for one project, as long as none of its routers goes there")
    func external() async throws {
        let network = try await cloud.make("network", ["name": "n"])
        _ = try await cloud.makeSubnet(id(network), "203.0.113.0/24")
        let policy = await share("network", network, "access_as_external")
        #expect(policy.status == 201)
        let seen = await cloud.harness.get("\(base)/networks/\(id(network))", as: .stranger)
        #expect(seen.json["network"]?["router:external"] == true && seen.json["network"]?["shared"] == false)
        let router = try await cloud.make(
            "router", ["external_gateway_info": ["network_id": network["id"] ?? .null]], as: .stranger)
        #expect(await remove(policy).json.neutronType == "RbacPolicyInUse")
        #expect(await cloud.harness.delete("\(base)/routers/\(id(router))", as: .stranger).status == 204)
        #expect(await remove(policy).status == 204)
        let after = await cloud.harness.get("\(base)/networks/\(id(network))", as: .member)
        #expect(after.json["network"]?["router:external"] == false)
        #expect(await status("networks/\(id(network))") == 404)
    }

    @Test("a security group that is shared may be worn, and is its owner's to write")
    func securityGroup() async throws {
        let group = try await cloud.make("security_group", ["name": "g"])
        let network = try await cloud.makeNetwork([:], as: .stranger)
        let body: JSON = ["network_id": JSON(network), "security_groups": [group["id"] ?? .null]]
        let before = await cloud.harness.post("\(base)/ports", ["port": body], as: .stranger)
        #expect(before.status == 404 && before.json.neutronType == "SecurityGroupNotFound")
        let policy = await share("security_group", group)
        #expect(policy.status == 201)
        let seen = await cloud.harness.get("\(base)/security-groups/\(id(group))", as: .stranger)
        #expect(seen.json["security_group"]?["shared"] == true)
        #expect(seen.json["security_group"]?["security_group_rules"]?.arrayValue?.count == 2)
        let rule: JSON = ["security_group_id": group["id"] ?? .null, "direction": "ingress"]
        let opened = await cloud.harness.post(
            "\(base)/security-group-rules", ["security_group_rule": rule], as: .stranger)
        #expect(opened.status == 403)
        let first = id(seen.json["security_group"]?["security_group_rules"]?.arrayValue?.first)
        #expect(await cloud.harness.delete("\(base)/security-group-rules/\(first)", as: .stranger).status == 403)
        #expect(await cloud.harness.delete("\(base)/security-groups/\(id(group))", as: .stranger).status == 403)
        let port = try await cloud.make("port", body, as: .stranger)
        #expect(await remove(policy).json.neutronType == "RbacPolicyInUse")
        #expect(await cloud.harness.delete("\(base)/ports/\(id(port))", as: .stranger).status == 204)
        #expect(await remove(policy).status == 204)
        #expect(await status("security-groups/\(id(group))") == 404)
    }

    @Test("pools, scopes and address groups are used by whom they are shared with")
    func others() async throws {
        let scope = try await cloud.make("address_scope", ["ip_version": 4])
        let pool = try await cloud.make(
            "subnetpool", ["name": "p", "prefixes": ["10.8.0.0/22"], "default_prefixlen": 24])
        let addresses = try await cloud.make("address_group", ["addresses": ["10.0.0.0/8"]])
        let shared = [
            ("address_scope", scope, "address-scopes"), ("subnetpool", pool, "subnetpools"),
            ("address_group", addresses, "address-groups")
        ]
        var policies: [Answer] = []
        for (kind, thing, path) in shared {
            #expect(await status("\(path)/\(id(thing))") == 404)
            policies.append(await share(kind, thing))
            #expect(await status("\(path)/\(id(thing))") == 200)
            #expect(await cloud.harness.delete("\(base)/\(path)/\(id(thing))", as: .stranger).status == 403)
        }
        _ = try await cloud.make(
            "subnetpool", ["name": "q", "prefixes": ["10.9.0.0/22"], "address_scope_id": scope["id"] ?? .null],
            as: .stranger)
        let network = try await cloud.makeNetwork([:], as: .stranger)
        _ = try await cloud.make(
            "subnet", ["network_id": JSON(network), "ip_version": 4, "subnetpool_id": pool["id"] ?? .null],
            as: .stranger)
        let group = try await cloud.make("security_group", ["name": "g"], as: .stranger)
        _ = try await cloud.make(
            "security_group_rule",
            [
                "security_group_id": group["id"] ?? .null, "direction": "ingress",
                "remote_address_group_id": addresses["id"] ?? .null
            ], as: .stranger)
        for policy in policies {
            let used = await remove(policy)
            #expect(used.status == 409 && used.json.neutronType == "RbacPolicyInUse", "\(policy.json)")
        }
    }
}
