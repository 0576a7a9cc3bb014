import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("quality of service over HTTP")
struct NetworkQoSTests {
    private let cloud: NetworkCloud
    private let base = "/network/v2.0"
    private static let unknown = "12345678-1234-4234-8234-123456789999"

    init() async throws { cloud = try await NetworkCloud() }

    private func id(_ json: JSON?) -> String { json?["id"]?.stringValue ?? "" }

    private func policy(_ more: [String: JSON] = [:]) async throws -> JSON {
        let body: [String: JSON] = ["name": "q", "project_id": JSON(TestCaller.project.compact)]
        let answer = await cloud.harness.post(
            "\(base)/qos/policies", ["policy": .object(body.merging(more) { $1 })], as: .admin)
        guard answer.status == 201, let made = answer.json["policy"] else { throw NetworkRefusal(answer: answer) }
        return made
    }

    private func path(_ policy: JSON, _ more: String = "") -> String { "\(base)/qos/policies/\(id(policy))\(more)" }

    @discardableResult
    private func limit(_ policy: JSON, _ members: [String: JSON], as caller: TestCaller = .admin) async -> Answer {
        await cloud.harness.post(
            path(policy, "/bandwidth_limit_rules"), ["bandwidth_limit_rule": .object(members)], as: caller)
    }

    @Test("a policy has its rules, and they come and go, by its name and by their own")
    func life() async throws {
        let made = try await policy(["description": "d"])
        #expect(made["rules"] == [] && made["shared"] == false && made["is_default"] == false)
        #expect(made["revision_number"] == 0 && made["project_id"] == JSON(TestCaller.project.compact))
        let limit = await limit(made, ["max_kbps": "1000"])
        #expect(limit.status == 201)
        let rule = try #require(limit.json["bandwidth_limit_rule"])
        #expect(rule["max_kbps"] == 1000 && rule["max_burst_kbps"] == 0 && rule["direction"] == "egress")
        let mark = await cloud.harness.post(
            path(made, "/dscp_marking_rules"), ["dscp_marking_rule": ["dscp_mark": 26]], as: .admin)
        let marking = try #require(mark.json["dscp_marking_rule"])
        let shown = await cloud.harness.get(path(made), as: .member)
        let (policyID, ruleID, markID) = (id(made), id(rule), id(marking))
        let first: JSON = [
            "id": JSON(ruleID), "max_kbps": 1000, "max_burst_kbps": 0, "direction": "egress",
            "type": "bandwidth_limit", "qos_policy_id": JSON(policyID)
        ]
        let second: JSON = [
            "id": JSON(markID), "dscp_mark": 26, "type": "dscp_marking", "qos_policy_id": JSON(policyID)
        ]
        #expect(shown.json["policy"]?["rules"] == .array([first, second]))
        #expect(shown.json["policy"]?["revision_number"] == 2)
        let member = path(made, "/bandwidth_limit_rules/\(id(rule))")
        let alias = "\(base)/qos/alias_bandwidth_limit_rules/\(id(rule))"
        #expect(await cloud.harness.get(alias, as: .member).json["bandwidth_limit_rule"] == rule)
        let changed = await cloud.harness.put(
            member, ["bandwidth_limit_rule": ["max_kbps": 2000, "max_burst_kbps": 300]], as: .admin)
        #expect(changed.json["bandwidth_limit_rule"]?["max_burst_kbps"] == 300)
        let turned = await cloud.harness.put(
            alias, ["bandwidth_limit_rule": ["direction": "ingress", "max_kbps": 3000, "max_burst_kbps": 1]],
            as: .admin)
        #expect(turned.json["bandwidth_limit_rule"]?["direction"] == "ingress")
        let marked = await cloud.harness.put(
            "\(base)/qos/alias_dscp_marking_rules/\(id(marking))", ["dscp_marking_rule": ["dscp_mark": 46]],
            as: .admin)
        #expect(marked.json["dscp_marking_rule"]?["dscp_mark"] == 46)
        let listed = await cloud.harness.get(path(made, "/bandwidth_limit_rules?max_kbps=3000"), as: .member)
        #expect(listed.json["bandwidth_limit_rules"]?.arrayValue?.count == 1)
        // Neither is found as one of the other kind.
        for path in [path(made, "/dscp_marking_rules/\(id(rule))"), "\(base)/qos/alias_dscp_marking_rules/\(id(rule))"]
        {
            #expect(await cloud.harness.get(path, as: .admin).json.neutronType == "QosRuleNotFound")
        }
        #expect(await cloud.harness.delete(member, as: .member).status == 403)
        #expect(await cloud.harness.delete(member, as: .admin).status == 204)
        #expect(await cloud.harness.get(alias, as: .admin).status == 404)
        #expect(await cloud.harness.delete(path(made), as: .member).status == 403)
        #expect(await cloud.harness.delete(path(made), as: .admin).status == 204)
        #expect(await cloud.harness.get(path(made), as: .member).json.neutronType == "QosPolicyNotFound")
        let left = "\(base)/qos/alias_dscp_marking_rules/\(id(marking))"
        #expect(await cloud.harness.get(left, as: .admin).status == 404)
    }

    /// What is said of a bandwidth limit, and the words of its refusal.
    static let refused: [([String: JSON], String)] = [
        ([:], "Required attribute 'max_kbps' not specified"),
        (["max_kbps": -1], "'-1' is too small - must be at least '0'"),
        (["max_kbps": 2_147_483_648], "'2147483648' is too large - must be no larger than '2147483647'"),
        (["max_kbps": "99999999999999999999999"], "is too large - must be no larger than '2147483647'"),
        (["max_kbps": "fast"], "'fast' is not an integer"), (["max_kbps": .null], "is not an integer"),
        (["max_kbps": [1]], "is not an integer"),
        (["max_kbps": 1, "max_burst_kbps": -7], "'-7' is too small - must be at least '0'"),
        (["max_kbps": 1, "direction": "both"], "'both' is not in ['ingress', 'egress']"),
        (["max_kbps": 1, "id": "x"], "Attribute 'id' not allowed in POST"),
        (["max_kbps": 1, "min_kbps": 1], "Unrecognized attribute(s) 'min_kbps'")
    ]

    @Test("a rule that makes no sense is refused in Neutron's words, and nothing is changed", arguments: refused)
    func refusals(_ members: [String: JSON], _ words: String) async throws {
        let made = try await policy()
        let answer = await limit(made, members)
        #expect(answer.status == 400 && answer.json.neutronMessage?.contains(words) == true, "\(answer.json)")
        #expect(await cloud.harness.get(path(made), as: .admin).json["policy"] == made)
    }

    @Test("a code point is one of those with a meaning", arguments: [1, 7, 57, 64, -1])
    func marks(mark: Int) async throws {
        let made = try await policy()
        let answer = await cloud.harness.post(
            path(made, "/dscp_marking_rules"), ["dscp_marking_rule": ["dscp_mark": JSON(mark)]], as: .admin)
        #expect(answer.status == 400)
        #expect(answer.json.neutronMessage?.contains("'\(mark)' is not in [0, 8, 10") == true, "\(answer.json)")
    }

    @Test("names are no longer than Neutron takes them", arguments: [255, 256])
    func names(length: Int) async throws {
        let answer = await cloud.harness.post(
            "\(base)/qos/policies", ["policy": ["name": JSON(String(repeating: "n", count: length))]], as: .admin)
        #expect(answer.status == (length > 255 ? 400 : 201))
    }

    @Test("there is one rule of a kind and direction, and one default policy of a project")
    func conflicts() async throws {
        let made = try await policy(["is_default": true])
        let first = await limit(made, ["max_kbps": 1])
        let again = await limit(made, ["max_kbps": 2])
        #expect(again.status == 409 && again.json.neutronType == "QoSRulesConflict")
        let rule = id(first.json["bandwidth_limit_rule"])
        #expect(
            again.json.neutronMessage == "Rule bandwidth_limit conflicts with rule \(rule) which already exists in QoS "
                + "Policy \(id(made)).")
        let other = await limit(made, ["max_kbps": 2, "direction": "ingress"])
        #expect(other.status == 201)
        let turned = await cloud.harness.put(
            path(made, "/bandwidth_limit_rules/\(rule)"), ["bandwidth_limit_rule": ["direction": "ingress"]],
            as: .admin)
        #expect(turned.status == 409)
        await #expect(throws: NetworkRefusal.self) { _ = try await policy(["is_default": true]) }
        let second = try await policy()
        let both = await cloud.harness.put(path(second), ["policy": ["is_default": true]], as: .admin)
        #expect(both.status == 409 && both.json.neutronType == "QoSPolicyDefaultAlreadyExists")
        let itself = await cloud.harness.put(path(made), ["policy": ["is_default": true, "name": "x"]], as: .admin)
        #expect(itself.status == 200)
    }

    @Test("a new network has its project's default policy, and a port tells its own and its network's")
    func defaults() async throws {
        let (standard, own) = (try await policy(["is_default": true]), try await policy())
        let network = try await cloud.make("network", ["name": "n"])
        #expect(network["qos_policy_id"] == standard["id"])
        let chosen = try await cloud.make("network", ["name": "n", "qos_policy_id": own["id"] ?? .null])
        #expect(chosen["qos_policy_id"] == own["id"])
        let port = try await cloud.make(
            "port", ["network_id": network["id"] ?? .null, "qos_policy_id": own["id"] ?? .null])
        #expect(port["qos_policy_id"] == own["id"] && port["qos_network_policy_id"] == standard["id"])
        for (user, kind) in [(own, "port"), (standard, "network")] {
            let used = await cloud.harness.delete(path(user), as: .admin)
            #expect(used.status == 409 && used.json.neutronType == "QosPolicyInUse")
            #expect(used.json.neutronMessage?.contains("is used by \(kind) ") == true, "\(used.json)")
        }
        let none = await cloud.harness.put(
            "\(base)/ports/\(id(port))", ["port": ["qos_policy_id": .null]], as: .member)
        #expect(none.json["port"]?["qos_policy_id"] == .null)
        for network in [network, chosen] {
            let bare = await cloud.harness.put(
                "\(base)/networks/\(id(network))", ["network": ["qos_policy_id": .null]], as: .member)
            #expect(bare.status == 200 && bare.json["network"]?["qos_policy_id"] == .null)
        }
        for policy in [own, standard] { #expect(await cloud.harness.delete(path(policy), as: .admin).status == 204) }
    }

    @Test("who cannot see a policy neither gives it nor takes it away; with whom it is shared may")
    func sharing() async throws {
        let made = try await policy()
        await limit(made, ["max_kbps": 1000])
        let network = try await cloud.make("network", ["name": "n"], as: .stranger)
        let port = try await cloud.make("port", ["network_id": network["id"] ?? .null], as: .stranger)
        let give: JSON = ["port": ["qos_policy_id": made["id"] ?? .null]]
        let path = "\(base)/ports/\(id(port))"
        #expect(await cloud.harness.put(path, give, as: .stranger).json.neutronType == "QosPolicyNotFound")
        for value in [JSON("x"), JSON(Self.unknown), 7] as [JSON] {
            let answer = await cloud.harness.put(path, ["port": ["qos_policy_id": value]], as: .stranger)
            #expect(answer.status == (value.stringValue == Self.unknown ? 404 : 400), "\(value)")
        }
        #expect(await cloud.harness.put(path, give, as: .admin).status == 200)
        let taken = await cloud.harness.put(path, ["port": ["qos_policy_id": .null]], as: .stranger)
        #expect(taken.status == 403 && taken.json.neutronType == "PolicyRemoveAuthorizationError")
        #expect(await cloud.harness.put(path, ["port": ["name": "p"]], as: .stranger).status == 200)
        let shared = await cloud.harness.put(
            self.path(made), ["policy": ["shared": true]], as: .admin)
        #expect(shared.json["policy"]?["shared"] == true)
        let rules = await cloud.harness.get(self.path(made, "/bandwidth_limit_rules"), as: .stranger)
        #expect(rules.json["bandwidth_limit_rules"]?.arrayValue?.count == 1)
        let seen = await cloud.harness.get("\(base)/qos/policies?shared=true", as: .stranger)
        #expect(seen.json["policies"]?.arrayValue?.count == 1)
        let held = await cloud.harness.put(self.path(made), ["policy": ["shared": false]], as: .admin)
        #expect(held.status == 409 && held.json.neutronType == "RbacPolicyInUse")
        #expect(
            await cloud.harness.put(path, ["port": ["qos_policy_id": .null]], as: .stranger).status == 200)
        let alone = await cloud.harness.put(self.path(made), ["policy": ["shared": false]], as: .admin)
        #expect(alone.status == 200 && alone.json["policy"]?["shared"] == false)
        let one: JSON = [
            "object_type": "qos_policy", "object_id": made["id"] ?? .null, "action": "access_as_shared",
            "target_tenant": JSON(TestCaller.otherProject.compact)
        ]
        let rbac = await cloud.harness.post("\(base)/rbac-policies", ["rbac_policy": one], as: .member)
        #expect(rbac.status == 201)
        #expect(await cloud.harness.put(path, give, as: .stranger).status == 200)
        let used = await cloud.harness.delete("\(base)/rbac-policies/\(id(rbac.json["rbac_policy"]))", as: .member)
        #expect(used.status == 409)
    }

    @Test("nothing is limited inside a router, and a policy that would have to be is refused")
    func routers() async throws {
        let made = try await policy()
        await limit(made, ["max_kbps": 1000])
        let network = try await cloud.makeNetwork()
        _ = try await cloud.makeSubnet(network)
        let router = try await cloud.make("router", ["name": "r"])
        let port = try await cloud.make(
            "port", ["network_id": JSON(network), "qos_policy_id": made["id"] ?? .null])
        let add = "\(base)/routers/\(id(router))/add_router_interface"
        let refused = await cloud.harness.put(add, ["port_id": port["id"] ?? .null], as: .member)
        #expect(refused.status == 409 && refused.json.neutronType == "QosRuleNotSupported")
        let bare = try await policy()
        let path = "\(base)/ports/\(id(port))"
        #expect(
            await cloud.harness.put(path, ["port": ["qos_policy_id": bare["id"] ?? .null]], as: .member).status == 200)
        #expect(await cloud.harness.put(add, ["port_id": port["id"] ?? .null], as: .member).status == 200)
        let late = await limit(bare, ["max_kbps": 1000])
        #expect(late.status == 409 && late.json.neutronType == "QosRuleNotSupported")
        let again = await cloud.harness.put(path, ["port": ["qos_policy_id": made["id"] ?? .null]], as: .member)
        #expect(again.status == 409 && again.json.neutronType == "QosRuleNotSupported")
    }

    @Test("what hosts can do is told, and what they cannot is not there")
    func types() async throws {
        let list = await cloud.harness.get("\(base)/qos/rule-types", as: .member)
        #expect(list.json["rule_types"] == [["type": "bandwidth_limit"], ["type": "dscp_marking"]])
        let one = await cloud.harness.get("\(base)/qos/rule-types/dscp_marking", as: .member)
        #expect(one.json["rule_type"]?.item("drivers")?["name"] == "skerry")
        #expect(await cloud.harness.get("\(base)/qos/rule-types/minimum_bandwidth", as: .member).status == 404)
        let made = try await policy()
        for kind in ["minimum_bandwidth", "packet_rate_limit", "minimum_packet_rate"] {
            let answer = await cloud.harness.post(
                path(made, "/\(kind)_rules"), ["\(kind)_rule": ["min_kbps": 1]], as: .admin)
            #expect(answer.status == 404, "\(kind)")
        }
        let extensions = await cloud.harness.get("\(base)/extensions", as: .member)
        let aliases = extensions.json["extensions"]?.arrayValue?.compactMap { $0["alias"]?.stringValue } ?? []
        #expect(Set(["qos", "qos-default", "qos-rules-alias", "qos-bw-limit-direction"]).isSubset(of: aliases))
        #expect(Set(["qos-fip", "qos-pps", "qos-gateway-ip"]).isDisjoint(with: aliases))
    }
}
