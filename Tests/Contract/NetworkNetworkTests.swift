import CoordinatorPlatform
import ProtocolModel
import Testing

struct NetworkNetworkTests {
    @Test("discovery leads to v2.0 and its resources")
    func discovery() async throws {
        let cloud = try await NetworkCloud()
        let versions = await cloud.harness.get("/network/", as: nil)
        #expect(versions.status == 200)
        #expect(versions.json.item("versions")?["id"] == "v2.0")
        #expect(
            versions.json.item("versions")?.item("links")?["href"] == "https://cloud.test:8700/network/v2.0/")
        let resources = await cloud.harness.get("/network/v2.0/", as: nil)
        #expect(resources.json["resources"]?.arrayValue?.contains { $0["name"] == "network" } ?? false)
        let extensions = await cloud.harness.get("/network/v2.0/extensions", as: .member)
        let aliases = extensions.json["extensions"]?.arrayValue?.compactMap { $0["alias"]?.stringValue } ?? []
        #expect(Set(aliases).isSuperset(of: ["security-group", "binding", "quotas", "net-mtu"]))
        #expect(await cloud.harness.get("/network/v2.0/extensions/security-group").status == 200)
        #expect(await cloud.harness.get("/network/v2.0/extensions/dvr").status == 404)
    }

    @Test("a member's network carries the attributes Neutron shows to members")
    func create() async throws {
        let cloud = try await NetworkCloud()
        let network = try await cloud.make("network", ["name": "blue", "description": "d"])
        let project = JSON(TestCaller.project.compact)
        #expect(network["name"] == "blue")
        #expect(network["description"] == "d")
        #expect(network["status"] == "ACTIVE")
        #expect(network["admin_state_up"] == true)
        #expect(network["shared"] == false)
        #expect(network["router:external"] == false)
        #expect(network["mtu"] == 1450)
        #expect(network["project_id"] == project && network["tenant_id"] == project)
        #expect(network["subnets"] == [])
        #expect(network["created_at"] == "2026-01-01T00:00:00Z")
        #expect(network["revision_number"] == 0)
        #expect(network["provider:network_type"] == nil)
        let asAdmin = await cloud.harness.get("/network/v2.0/networks/\(network["id"]?.stringValue ?? "")")
        #expect(asAdmin.json["network"]?["provider:network_type"] == "vxlan")
        #expect((1...16_777_215).contains(asAdmin.json["network"]?["provider:segmentation_id"]?.intValue ?? 0))
    }

    @Test("provider networks are the administrator's, one flat network or tag each")
    func providers() async throws {
        let cloud = try await NetworkCloud()
        let flat: JSON = ["provider:network_type": "flat", "provider:physical_network": "physnet1"]
        let refused = await cloud.harness.post("/network/v2.0/networks", ["network": flat], as: .member)
        #expect(refused.status == 403)
        #expect(refused.json.neutronType == "PolicyNotAuthorized")
        let made = try await cloud.make("network", flat, as: .admin)
        #expect(made["provider:physical_network"] == "physnet1")
        #expect(made["provider:segmentation_id"] == .null)
        let again = await cloud.harness.post("/network/v2.0/networks", ["network": flat])
        #expect(again.status == 409)
        #expect(again.json.neutronType == "FlatNetworkInUse")
        let vlan: JSON = ["provider:network_type": "vlan", "provider:physical_network": "physnet1"]
        #expect(try await cloud.make("network", vlan, as: .admin)["provider:segmentation_id"] == 1)
        #expect(try await cloud.make("network", vlan, as: .admin)["provider:segmentation_id"] == 2)
        var tagged = vlan.objectValue ?? [:]
        tagged["provider:segmentation_id"] = 2
        #expect(
            await cloud.harness.post("/network/v2.0/networks", ["network": .object(tagged)]).json.neutronType
                == "VlanIdInUse")
        tagged["provider:segmentation_id"] = 4095
        #expect(await cloud.harness.post("/network/v2.0/networks", ["network": .object(tagged)]).status == 400)
    }

    @Test("others see what is shared or external, and nothing else")
    func visibility() async throws {
        let cloud = try await NetworkCloud()
        let own = try await cloud.makeNetwork()
        let shared = try await cloud.makeNetwork(["shared": true], as: .admin)
        let external = try await cloud.makeNetwork(["router:external": true], as: .admin)
        let list = await cloud.harness.get("/network/v2.0/networks", as: .stranger)
        let ids = list.json["networks"]?.arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
        #expect(ids == [shared, external])
        #expect(await cloud.harness.get("/network/v2.0/networks/\(own)", as: .stranger).status == 404)
        #expect(await cloud.harness.get("/network/v2.0/networks/\(shared)", as: .stranger).status == 200)
        #expect(await cloud.harness.delete("/network/v2.0/networks/\(shared)", as: .stranger).status == 403)
        #expect(await cloud.harness.delete("/network/v2.0/networks/\(own)", as: .reader).status == 403)
        let renamed = await cloud.harness.put(
            "/network/v2.0/networks/\(shared)", ["network": ["name": "mine"]], as: .stranger)
        #expect(renamed.status == 403)
    }

    @Test("lists filter, sort, page and select fields")
    func lists() async throws {
        let cloud = try await NetworkCloud()
        for name in ["c", "a", "b", "a"] { _ = try await cloud.makeNetwork(["name": JSON(name)]) }
        func names(_ query: String) async -> [String] {
            await cloud.harness.get("/network/v2.0/networks?\(query)", as: .member).json["networks"]?.arrayValue?
                .compactMap { $0["name"]?.stringValue } ?? []
        }
        #expect(await names("") == ["c", "a", "b", "a"])
        #expect(await names("name=a") == ["a", "a"])
        #expect(await names("name=a&name=b") == ["a", "b", "a"])
        #expect(await names("admin_state_up=True&shared=false").count == 4)
        #expect(await names("sort_key=name&sort_dir=asc") == ["a", "a", "b", "c"])
        #expect(await names("sort_key=name&sort_dir=desc") == ["c", "b", "a", "a"])
        var collected: [String] = []
        var target = "/network/v2.0/networks?limit=1&sort_key=name&fields=name&fields=id"
        for _ in 0..<10 {
            let page = await cloud.harness.get(target, as: .member)
            collected += page.json["networks"]?.arrayValue?.compactMap { $0["name"]?.stringValue } ?? []
            let next = page.json["networks_links"]?.arrayValue?.first { $0["rel"] == "next" }?["href"]?.stringValue
            guard let next else { break }
            target = next.replacing("https://cloud.test:8700", with: "")
        }
        #expect(collected == ["a", "a", "b", "c"])
        let selected = await cloud.harness.get("/network/v2.0/networks?fields=name", as: .member)
        #expect(selected.json.item("networks") == ["name": "c"])
    }

    static let refusals: [(String, Int, String)] = [
        ("nonsense=1", 400, "['nonsense'] is invalid attribute for filtering"),
        ("sort_key=nonsense", 400, "['nonsense'] is invalid attribute for sort_keys"),
        ("sort_key=name&sort_dir=up", 400, "['up'] is invalid value for sort_dirs, valid value is 'asc' and 'desc'"),
        ("limit=-1", 400, "Bad limit request: Limit must be an integer 0 or greater and not '-1'."),
        ("marker=nope", 404, "The marker nope could not be found.")
    ]

    @Test("queries that make no sense are refused", arguments: refusals.indices)
    func badQueries(_ index: Int) async throws {
        let cloud = try await NetworkCloud()
        let (query, status, message) = Self.refusals[index]
        let answer = await cloud.harness.get("/network/v2.0/networks?\(query)", as: .member)
        #expect(answer.status == status)
        #expect(answer.json.neutronMessage == message)
    }

    static let badBodies: [(JSON, String)] = [
        (["network": ["colour": "blue"]], "Unrecognized attribute(s) 'colour'"),
        (["network": ["id": "x"]], "Attribute 'id' not allowed in POST"),
        (["network": ["name": 5]], "Invalid input for name. Reason: '5' is not a valid string."),
        (["net": [:]], "Unable to find 'network' in request body"),
        (
            ["network": ["admin_state_up": "maybe"]],
            "Invalid input for operation: 'maybe' cannot be converted to boolean."
        ),
        (
            ["network": ["project_id": JSON(TestCaller.otherProject.compact)]],
            "Specifying 'project_id' other than the authenticated project in request is not allowed for the current user."
        )
    ]

    @Test("bodies that make no sense are refused and change nothing", arguments: badBodies.indices)
    func badBody(_ index: Int) async throws {
        let cloud = try await NetworkCloud()
        let (body, message) = Self.badBodies[index]
        let answer = await cloud.harness.post("/network/v2.0/networks", body, as: .member)
        #expect(answer.status == 400)
        #expect(answer.json.neutronMessage == message)
        #expect(await cloud.harness.get("/network/v2.0/networks").json["networks"] == [])
    }

    @Test("updates count revisions; read-only attributes stay")
    func update() async throws {
        let cloud = try await NetworkCloud()
        let id = try await cloud.makeNetwork()
        let path = "/network/v2.0/networks/\(id)"
        let answer = await cloud.harness.put(path, ["network": ["name": "new", "mtu": 1400]], as: .member)
        #expect(answer.status == 200)
        #expect(answer.json["network"]?["name"] == "new")
        #expect(answer.json["network"]?["mtu"] == 1400)
        #expect(answer.json["network"]?["revision_number"] == 1)
        let readOnly = await cloud.harness.put(path, ["network": ["status": "DOWN"]], as: .member)
        #expect(readOnly.json.neutronMessage == "Cannot update read-only attribute status")
        #expect(await cloud.harness.put(path, ["network": ["shared": true]], as: .member).status == 403)
    }

    @Test("many at once, and deletion is refused while ports are there")
    func bulkAndDelete() async throws {
        let cloud = try await NetworkCloud()
        let bulk = await cloud.harness.post(
            "/network/v2.0/networks", ["networks": [["name": "a"], ["name": "b"]]], as: .member)
        #expect(bulk.status == 201)
        #expect(bulk.json["networks"]?.arrayValue?.map { $0["name"] } == ["a", "b"])
        let id = bulk.json.item("networks")?["id"]?.stringValue ?? ""
        _ = try await cloud.makeSubnet(id)
        let port = try await cloud.make("port", ["network_id": JSON(id)])["id"]?.stringValue ?? ""
        let refused = await cloud.harness.delete("/network/v2.0/networks/\(id)", as: .member)
        #expect(refused.status == 409)
        #expect(refused.json.neutronType == "NetworkInUse")
        #expect(await cloud.harness.delete("/network/v2.0/ports/\(port)", as: .member).status == 204)
        #expect(await cloud.harness.delete("/network/v2.0/networks/\(id)", as: .member).status == 204)
        let gone = await cloud.harness.get("/network/v2.0/networks/\(id)", as: .member)
        #expect(gone.json.neutronMessage == "Network \(id) could not be found.")
        #expect(await cloud.harness.get("/network/v2.0/subnets", as: .member).json["subnets"] == [])
    }

    @Test("quotas bound what a project makes")
    func quotas() async throws {
        let cloud = try await NetworkCloud()
        let path = "/network/v2.0/quotas/\(TestCaller.project.compact)"
        #expect(await cloud.harness.get(path, as: .member).json["quota"]?["network"] == 100)
        #expect(await cloud.harness.get(path, as: .stranger).status == 403)
        #expect(await cloud.harness.put(path, ["quota": ["network": 1]], as: .member).status == 403)
        #expect(await cloud.harness.put(path, ["quota": ["network": 1]]).json["quota"]?["network"] == 1)
        _ = try await cloud.makeNetwork()
        let over = await cloud.harness.post("/network/v2.0/networks", ["network": [:]], as: .member)
        #expect(over.status == 409)
        #expect(over.json.neutronMessage == "Quota exceeded for resources: ['network'].")
        let details = await cloud.harness.get("\(path)/details", as: .member)
        #expect(details.json["quota"]?["network"] == ["limit": 1, "used": 1, "reserved": 0])
        #expect(await cloud.harness.put(path, ["quota": ["network": 0]]).status == 400)
        #expect(await cloud.harness.delete(path).status == 204)
        #expect(await cloud.harness.get(path).json["quota"]?["network"] == 100)
    }

    @Test("agents, zones, availability and tags")
    func others() async throws {
        let cloud = try await NetworkCloud()
        #expect(await cloud.harness.get("/network/v2.0/agents").json.item("agents")?["host"] == "host-1")
        #expect(await cloud.harness.get("/network/v2.0/agents", as: .member).json["agents"] == [])
        #expect(
            await cloud.harness.get("/network/v2.0/availability_zones", as: .member).json["availability_zones"]
                == [
                    ["name": "nova", "resource": "network", "state": "available"],
                    ["name": "nova", "resource": "router", "state": "available"]
                ])
        let id = try await cloud.makeNetwork()
        _ = try await cloud.makeSubnet(id)
        _ = try await cloud.make("port", ["network_id": JSON(id)])
        let free = await cloud.harness.get("/network/v2.0/network-ip-availabilities/\(id)")
        #expect(free.json["network_ip_availability"]?["total_ips"] == 253)
        #expect(free.json["network_ip_availability"]?["used_ips"] == 1)
        let some = await cloud.harness.get("/network/v2.0/network-ip-availabilities/\(id)?fields=used_ips&x=y")
        #expect(some.json == ["network_ip_availability": ["used_ips": 1]])
        let agent = await cloud.harness.get("/network/v2.0/agents").json.item("agents")?["id"]?.stringValue ?? ""
        #expect(
            await cloud.harness.get("/network/v2.0/agents/\(agent)?fields=host").json == ["agent": ["host": "host-1"]])
        #expect(
            await cloud.harness.get("/network/v2.0/networks/\(id)?fields=id&x=y", as: .member).json
                == ["network": ["id": JSON(id)]])
        let tags = "/network/v2.0/networks/\(id)/tags"
        #expect(await cloud.harness.put(tags, ["tags": ["b", "a"]], as: .member).json["tags"] == ["a", "b"])
        let twice = await cloud.harness.put(tags, ["tags": ["b", "a", "b"]], as: .member)
        #expect(twice.status == 400 && twice.json["NeutronError"]?["type"] == "InvalidInput")
        #expect(
            twice.json["NeutronError"]?["message"]
                == "Invalid input for operation: Duplicate items in the list: 'b'.")
        let many = (0...50).map { JSON.string("\($0)") }
        #expect(await cloud.harness.put(tags, ["tags": .array(many)], as: .member).status == 400)
        #expect(await cloud.harness.put(tags, ["tags": .array(many + many)], as: .member).json.text.contains("Dupl"))
        #expect(await cloud.harness.put("\(tags)/c", nil, as: .member).status == 201)
        #expect(await cloud.harness.get("\(tags)/c", as: .member).status == 204)
        #expect(await cloud.harness.delete("\(tags)/a", as: .member).status == 204)
        #expect(await cloud.harness.get("\(tags)/a", as: .member).status == 404)
        #expect(
            await cloud.harness.get("/network/v2.0/networks?tags=b,c", as: .member).json["networks"]?.arrayValue?.count
                == 1)
        #expect(await cloud.harness.get("/network/v2.0/networks?not-tags-any=b", as: .member).json["networks"] == [])
    }
}
