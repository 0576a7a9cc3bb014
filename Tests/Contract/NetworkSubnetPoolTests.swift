import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("subnet pools and address scopes over HTTP")
struct NetworkSubnetPoolTests {
    private let cloud: NetworkCloud
    private let base = "/network/v2.0"

    init() async throws { cloud = try await NetworkCloud() }

    private func pool(_ more: [String: JSON] = [:], as caller: TestCaller = .member) async throws -> JSON {
        let body: [String: JSON] = ["name": "p", "prefixes": ["10.8.0.0/22"], "default_prefixlen": 24]
        return try await cloud.make("subnetpool", .object(body.merging(more) { $1 }), as: caller)
    }

    private func subnet(
        _ more: [String: JSON], on network: String? = nil, as caller: TestCaller = .member
    ) async throws -> Answer {
        let network = if let network { network } else { try await cloud.makeNetwork(as: caller) }
        let body: [String: JSON] = ["network_id": JSON(network), "ip_version": 4]
        return await cloud.harness.post(
            "\(base)/subnets", ["subnet": .object(body.merging(more) { $1 })], as: caller)
    }

    private func id(_ json: JSON) -> String { json["id"]?.stringValue ?? "" }

    @Test("a pool carries what Neutron shows of it, and can be changed and deleted")
    func life() async throws {
        let pool = try await cloud.make(
            "subnetpool", ["name": "p", "prefixes": ["10.9.1.0/24", "10.9.0.0/24"], "default_quota": 512])
        #expect(pool["prefixes"] == ["10.9.0.0/23"])
        #expect(pool["min_prefixlen"] == "8" && pool["max_prefixlen"] == "32" && pool["default_prefixlen"] == "8")
        #expect(pool["ip_version"] == 4 && pool["default_quota"] == 512 && pool["address_scope_id"] == .null)
        #expect(pool["shared"] == false && pool["is_default"] == false && pool["tags"] == [])
        #expect(pool["revision_number"] == 0 && pool["project_id"] == JSON(TestCaller.project.compact))
        let path = "\(base)/subnetpools/\(id(pool))"
        let changed = await cloud.harness.put(
            path, ["subnetpool": ["name": "q", "prefixes": ["10.9.0.0/16"], "max_prefixlen": "28"]], as: .member)
        #expect(changed.status == 200)
        #expect(changed.json["subnetpool"]?["prefixes"] == ["10.9.0.0/16"])
        #expect(changed.json["subnetpool"]?["max_prefixlen"] == "28")
        let list = await cloud.harness.get("\(base)/subnetpools?name=q&ip_version=4", as: .reader)
        #expect(list.json["subnetpools"]?.arrayValue?.count == 1)
        #expect(await cloud.harness.put("\(path)/tags/blue", nil, as: .member).status == 201)
        #expect(await cloud.harness.delete(path, as: .member).status == 204)
        let gone = await cloud.harness.get(path, as: .member)
        #expect(gone.status == 404 && gone.json.neutronType == "SubnetPoolNotFound")
    }

    /// What is said beside a name and a prefix, and the refusal.
    static let refused: [([String: JSON], Int, String)] = [
        (["prefixes": []], 400, "EmptySubnetPoolPrefixList"),
        (["prefixes": ["10.0.0.0/8", "fd00::/8"]], 400, "PrefixVersionMismatch"),
        (["prefixes": ["ten"]], 400, "HTTPBadRequest"), (["prefixes": .null], 400, "EmptySubnetPoolPrefixList"),
        (["name": "  "], 400, "HTTPBadRequest"),
        (["min_prefixlen": 25, "default_prefixlen": 24], 400, "IllegalSubnetPoolPrefixBounds"),
        (["max_prefixlen": 23, "default_prefixlen": 24], 400, "IllegalSubnetPoolPrefixBounds"),
        (["max_prefixlen": 33], 400, "IllegalSubnetPoolPrefixBounds"),
        (["min_prefixlen": 30, "max_prefixlen": 29], 400, "IllegalSubnetPoolPrefixBounds"),
        (["min_prefixlen": -1], 400, "HTTPBadRequest"), (["default_quota": "many"], 400, "InvalidInput"),
        (["shared": true], 403, "PolicyNotAuthorized"), (["is_default": true], 403, "PolicyNotAuthorized"),
        (["ip_version": 4], 400, "HTTPBadRequest"), (["colour": "blue"], 400, "HTTPBadRequest"),
        (["address_scope_id": "11111111-1111-4111-8111-111111111111"], 404, "AddressScopeNotFound")
    ]

    @Test("pools that cannot be are refused with Neutron's types", arguments: refused.indices)
    func refusals(_ index: Int) async throws {
        let (more, status, type) = Self.refused[index]
        let body: [String: JSON] = ["name": "p", "prefixes": ["10.8.0.0/22"]]
        let answer = await cloud.harness.post(
            "\(base)/subnetpools", ["subnetpool": .object(body.merging(more) { $1 })], as: .member)
        #expect(answer.status == status && answer.json.neutronType == type, "\(more): \(answer.json)")
        #expect(
            await cloud.harness.get("\(base)/subnetpools", as: .admin).json["subnetpools"]?.arrayValue?.count == 0)
    }

    @Test("a pool needs a name and prefixes", arguments: ["name", "prefixes"])
    func needed(member: String) async throws {
        var body: [String: JSON] = ["name": "p", "prefixes": ["10.8.0.0/22"]]
        body[member] = nil
        let answer = await cloud.harness.post("\(base)/subnetpools", ["subnetpool": .object(body)], as: .member)
        #expect(answer.status == 400)
        #expect(
            answer.json.neutronMessage == "Failed to parse request. Required attribute '\(member)' not specified")
    }

    @Test("subnets are cut from a pool one beside the other, until it is empty")
    func allocate() async throws {
        let pool = JSON(id(try await pool()))
        var seen: [String] = []
        for _ in 0..<4 {
            let made = try await subnet(["subnetpool_id": pool])
            #expect(made.status == 201)
            #expect(made.json["subnet"]?["subnetpool_id"] == pool)
            seen.append(made.json["subnet"]?["cidr"]?.stringValue ?? "")
        }
        #expect(seen == ["10.8.0.0/24", "10.8.1.0/24", "10.8.2.0/24", "10.8.3.0/24"])
        let full = try await subnet(["subnetpool_id": pool])
        #expect(full.status == 503 && full.json.neutronType == "SubnetAllocationError")
        let held = await cloud.harness.delete("\(base)/subnetpools/\(pool.stringValue ?? "")", as: .member)
        #expect(held.status == 400 && held.json.neutronType == "SubnetPoolDeleteError")
        let list = await cloud.harness.get(
            "\(base)/subnets?subnetpool_id=\(pool.stringValue ?? "")&cidr=10.8.2.0/24", as: .member)
        let third = list.json.item("subnets")?["id"]?.stringValue ?? ""
        #expect(await cloud.harness.delete("\(base)/subnets/\(third)", as: .member).status == 204)
        #expect(try await subnet(["subnetpool_id": pool]).json["subnet"]?["cidr"] == "10.8.2.0/24")
    }

    /// What is asked of a pool of 10.8.0.0/22 with lengths from 23 to 28: the prefix, or the refusal.
    static let wishes: [([String: JSON], String)] = [
        (["prefixlen": 26], "10.8.0.0/26"), (["prefixlen": "23"], "10.8.0.0/23"), ([:], "10.8.0.0/24"),
        (["cidr": "10.8.2.0/25"], "10.8.2.0/25"), (["gateway_ip": "10.8.1.9"], "10.8.1.0/24"),
        (["prefixlen": 29], "MaxPrefixSubnetAllocationError"), (["prefixlen": 22], "MinPrefixSubnetAllocationError"),
        (["cidr": "10.8.0.0/29"], "MaxPrefixSubnetAllocationError"), (["cidr": "10.9.0.0/24"], "SubnetAllocationError"),
        (["cidr": "10.8.0.0/24", "prefixlen": 24], "BadRequest"), (["prefixlen": -2], "HTTPBadRequest"),
        (["allocation_pools": [["start": "10.8.0.2", "end": "10.8.0.9"]]], "BadRequest"),
        (["ip_version": 6], "BadRequest"), (["use_default_subnetpool": true], "BadRequest"),
        (["subnetpool_id": "prefix_delegation"], "BadRequest"), (["subnetpool_id": "x"], "HTTPBadRequest")
    ]

    @Test("what may be asked of a pool", arguments: wishes.indices)
    func wish(_ index: Int) async throws {
        let (more, expected) = Self.wishes[index]
        let pool = try await pool(["min_prefixlen": 23, "max_prefixlen": 28])
        let answer = try await subnet(["subnetpool_id": JSON(id(pool))].merging(more) { $1 })
        let outcome = answer.json["subnet"]?["cidr"]?.stringValue ?? answer.json.neutronType
        #expect(outcome == expected, "\(more): \(answer.json)")
    }

    @Test("a default pool is for its family, the only one, and found without its name")
    func standard() async throws {
        let none = try await subnet(["use_default_subnetpool": true])
        #expect(none.json.neutronMessage == "Bad subnets request: No default subnetpool found for IPv4.")
        let made = try await pool(["is_default": true, "shared": true], as: .admin)
        let second = await cloud.harness.post(
            "\(base)/subnetpools", ["subnetpool": ["name": "q", "prefixes": ["10.0.0.0/8"], "is_default": true]])
        #expect(second.status == 400 && second.json.neutronType == "InvalidInput")
        _ = try await cloud.make(
            "subnetpool",
            ["name": "six", "prefixes": ["fd00:7::/56"], "is_default": true, "shared": true], as: .admin)
        #expect(try await subnet(["use_default_subnetpool": true]).json["subnet"]?["subnetpool_id"] == made["id"])
        let six = try await subnet(
            ["use_default_subnetpool": true, "ip_version": 6, "ipv6_address_mode": "slaac"], as: .stranger)
        #expect(six.json["subnet"]?["cidr"] == "fd00:7::/64")
        let held = await cloud.harness.delete("\(base)/subnetpools/\(id(made))", as: .stranger)
        #expect(held.status == 403)
    }

    @Test("one project has of a pool what its quota lets it have; others have theirs")
    func quota() async throws {
        let pool = try await pool(["default_quota": 300, "shared": true], as: .admin)
        let wanted: [String: JSON] = ["subnetpool_id": JSON(id(pool))]
        #expect(try await subnet(wanted).status == 201)
        let over = try await subnet(wanted)
        #expect(over.status == 409 && over.json.neutronType == "SubnetPoolQuotaExceeded")
        #expect(try await subnet(wanted.merging(["prefixlen": 27]) { $1 }).status == 201)
        #expect(try await subnet(wanted, as: .stranger).status == 201)
    }

    @Test("the subnets of a network are from one pool")
    func affinity() async throws {
        let network = try await cloud.makeNetwork()
        let (first, second) = (try await pool(), try await pool(["prefixes": ["10.9.0.0/22"]]))
        #expect(try await subnet(["subnetpool_id": JSON(id(first))], on: network).status == 201)
        for more: [String: JSON] in [["subnetpool_id": JSON(id(second))], ["cidr": "192.168.0.0/24"]] {
            let answer = try await subnet(more, on: network)
            #expect(answer.status == 400 && answer.json.neutronType == "NetworkSubnetPoolAffinityError")
        }
        #expect(try await subnet(["cidr": "fd00::/64", "ip_version": 6], on: network).status == 201)
        #expect(try await subnet(["subnetpool_id": JSON(id(first))], on: network).status == 201)
    }

    @Test("prefixes come and go by themselves, as far as no subnet has them")
    func prefixes() async throws {
        let pool = try await pool()
        let path = "\(base)/subnetpools/\(id(pool))"
        #expect(try await subnet(["subnetpool_id": JSON(id(pool))]).status == 201)
        let added = await cloud.harness.put("\(path)/add_prefixes", ["prefixes": ["10.8.4.0/22"]], as: .member)
        #expect(added.status == 200 && added.json["prefixes"] == ["10.8.0.0/21"])
        let used = await cloud.harness.put("\(path)/remove_prefixes", ["prefixes": ["10.8.0.0/23"]], as: .member)
        #expect(used.status == 400 && used.json.neutronType == "IllegalSubnetPoolPrefixUpdate")
        let gone = await cloud.harness.put("\(path)/remove_prefixes", ["prefixes": ["10.8.1.0/24"]], as: .member)
        #expect(gone.json["prefixes"] == ["10.8.0.0/24", "10.8.2.0/23", "10.8.4.0/22"])
        let fewer = await cloud.harness.put(path, ["subnetpool": ["prefixes": ["10.8.0.0/24"]]], as: .member)
        #expect(fewer.status == 400 && fewer.json.neutronType == "IllegalSubnetPoolPrefixUpdate")
        #expect(await cloud.harness.put("\(path)/add_prefixes", ["prefixes": []], as: .member).status == 400)
        let reader = await cloud.harness.put("\(path)/add_prefixes", ["prefixes": ["10.9.0.0/24"]], as: .reader)
        #expect(reader.status == 403)
    }

    @Test("subnets that are there are taken into a pool")
    func onboard() async throws {
        let network = try await cloud.makeNetwork()
        let subnet = try await cloud.makeSubnet(network, "10.1.0.0/24")
        let pool = try await pool()
        let path = "\(base)/subnetpools/\(id(pool))/onboard_network_subnets"
        let none = await cloud.harness.put(path, [:], as: .member)
        #expect(none.status == 400 && none.json.neutronType == "InvalidInput")
        let done = await cloud.harness.put(path, ["network_id": JSON(network)], as: .member)
        #expect(done.status == 200, "\(done.json)")
        let shown = await cloud.harness.get("\(base)/subnets/\(id(subnet))", as: .member)
        #expect(shown.json["subnet"]?["subnetpool_id"] == pool["id"])
        let after = await cloud.harness.get("\(base)/subnetpools/\(id(pool))", as: .member)
        #expect(after.json["subnetpool"]?["prefixes"] == ["10.1.0.0/24", "10.8.0.0/22"])
        let again = await cloud.harness.put(path, ["network_id": JSON(network)], as: .member)
        #expect(again.status == 400 && again.json.neutronType == "IllegalSubnetPoolUpdate")
    }

    @Test("within a scope addresses are unique, and a network shows its scope")
    func scopes() async throws {
        let scope = try await cloud.make("address_scope", ["name": "s", "ip_version": 4])
        #expect(
            Set(scope.objectValue?.keys.map(\.self) ?? []) == [
                "id", "name", "tenant_id", "project_id", "ip_version", "shared"
            ])
        let first = try await pool(["address_scope_id": JSON(id(scope))])
        let overlapping = await cloud.harness.post(
            "\(base)/subnetpools",
            ["subnetpool": ["name": "q", "prefixes": ["10.8.0.0/16"], "address_scope_id": JSON(id(scope))]], as: .member
        )
        #expect(overlapping.status == 409 && overlapping.json.neutronType == "AddressScopePrefixConflict")
        let six = await cloud.harness.post(
            "\(base)/subnetpools",
            ["subnetpool": ["name": "q", "prefixes": ["fd00::/48"], "address_scope_id": JSON(id(scope))]], as: .member)
        #expect(six.json.neutronType == "IllegalSubnetPoolIpVersionAssociationToAddressScope")
        let second = try await pool(["prefixes": ["10.9.0.0/22"], "address_scope_id": JSON(id(scope))])
        let third = try await pool(["prefixes": ["10.10.0.0/22"]])
        let network = try await cloud.makeNetwork()
        #expect(try await subnet(["subnetpool_id": JSON(id(first))], on: network).status == 201)
        #expect(try await subnet(["subnetpool_id": JSON(id(second))], on: network).status == 201)
        let other = try await subnet(["subnetpool_id": JSON(id(third))], on: network)
        #expect(other.json.neutronType == "NetworkAddressScopeAffinityError")
        let shown = await cloud.harness.get("\(base)/networks/\(network)", as: .member)
        #expect(shown.json["network"]?["ipv4_address_scope"] == scope["id"])
        #expect(shown.json["network"]?["ipv6_address_scope"] == .null)
        let used = await cloud.harness.delete("\(base)/address-scopes/\(id(scope))", as: .member)
        #expect(used.status == 409 && used.json.neutronType == "AddressScopeInUse")
        let apart = await cloud.harness.put(
            "\(base)/subnetpools/\(id(second))", ["subnetpool": ["address_scope_id": .null]], as: .member)
        #expect(apart.status == 200 && apart.json["subnetpool"]?["address_scope_id"] == .null)
    }

    @Test("a shared scope stays shared, and its pools are changed by its owner")
    func sharedScope() async throws {
        let scope = try await cloud.make("address_scope", ["ip_version": 4, "shared": true], as: .admin)
        let path = "\(base)/address-scopes/\(id(scope))"
        let pool = try await cloud.make(
            "subnetpool", ["name": "p", "prefixes": ["10.8.0.0/22"], "address_scope_id": JSON(id(scope))], as: .stranger
        )
        let mine = await cloud.harness.put(
            "\(base)/subnetpools/\(id(pool))", ["subnetpool": ["name": "q"]], as: .stranger)
        #expect(mine.status == 400 && mine.json.neutronType == "IllegalSubnetPoolUpdate")
        let back = await cloud.harness.put(path, ["address_scope": ["shared": false]])
        #expect(back.status == 400 && back.json.neutronType == "AddressScopeUpdateError")
        #expect(await cloud.harness.put(path, ["address_scope": ["name": "t"]]).json["address_scope"]?["name"] == "t")
        #expect(await cloud.harness.put(path, ["address_scope": ["ip_version": 6]]).status == 400)
        #expect(await cloud.harness.get(path, as: .stranger).status == 200)
        #expect(await cloud.harness.delete(path, as: .stranger).status == 403)
        let list = await cloud.harness.get("\(base)/address-scopes?shared=true&ip_version=4", as: .stranger)
        #expect(list.json["address_scopes"]?.arrayValue?.count == 1)
        let unknown = await cloud.harness.get("\(base)/address-scopes?description=x", as: .stranger)
        #expect(unknown.status == 400)
    }

    @Test("a router's node is told the scopes of its subnets")
    func routed() async throws {
        let scene = try await NetworkRouterScene()
        let made = try await scene.cloud.make("address_scope", ["ip_version": 4])
        let pool = try await scene.cloud.make(
            "subnetpool", ["name": "p", "prefixes": ["10.8.0.0/22"], "address_scope_id": JSON(id(made))])
        let path = "\(base)/subnetpools/\(id(pool))/onboard_network_subnets"
        let onboarded = await scene.cloud.harness.put(path, ["network_id": JSON(scene.network)], as: .member)
        #expect(onboarded.status == 200)
        #expect(await scene.add(["subnet_id": JSON(scene.subnet)]).status == 200)
        let scope = try await scene.spec()?.interfaces.first?.addresses.first?.scope
        #expect(scope?.text == id(made))
    }
}
