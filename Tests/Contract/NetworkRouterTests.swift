import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Testing

/// `/v2.0/routers` as Neutron answers it.
@Suite("routers over HTTP")
struct NetworkRouterTests {
    @Test("a router is made, shown, listed, changed and deleted")
    func crud() async throws {
        let scene = try await NetworkRouterScene()
        let router = await scene.show("router", scene.router)
        #expect(router["name"] == "r" && router["status"] == "ACTIVE" && router["admin_state_up"] == true)
        #expect(router["external_gateway_info"] == .null && router["routes"] == [] && router["tags"] == [])
        #expect(router["availability_zones"] == [] && router["availability_zone_hints"] == [])
        #expect(router["project_id"] == JSON(TestCaller.project.compact) && router["revision_number"] == 0)
        #expect(router["ha"] == nil && router["distributed"] == nil)
        let changed = await scene.update(["name": "new", "admin_state_up": false, "description": "d"])
        #expect(changed.status == 200 && changed.json["router"]?["name"] == "new")
        #expect(changed.json["router"]?["admin_state_up"] == false && changed.json["router"]?["description"] == "d")
        let harness = scene.cloud.harness
        let list = await harness.get("/network/v2.0/routers?name=new&fields=id", as: .reader)
        #expect(list.json["routers"] == [["id": JSON(scene.router)]])
        #expect(await harness.get("/network/v2.0/routers", as: .stranger).json["routers"] == [])
        #expect(await harness.put("/network/v2.0/routers/\(scene.router)/tags/blue", nil, as: .member).status == 201)
        #expect(
            await harness.get("/network/v2.0/routers?tags=blue", as: .member).json["routers"]?.arrayValue?.count == 1)
        #expect(await harness.delete("/network/v2.0/routers/\(scene.router)", as: .reader).status == 403)
        #expect(await harness.delete("/network/v2.0/routers/\(scene.router)", as: .stranger).status == 404)
        #expect(await harness.delete("/network/v2.0/routers/\(scene.router)", as: .member).status == 204)
        let gone = await harness.get("/network/v2.0/routers/\(scene.router)", as: .member)
        #expect(gone.status == 404 && gone.json.neutronType == "RouterNotFound")
        #expect(gone.json.neutronMessage == "Router \(scene.router) could not be found")
    }

    static let badRouters: [(JSON, Int, String)] = [
        (["external_gateway_info": 5], 400, "HTTPBadRequest"),
        (["external_gateway_info": ["enable_snat": true]], 400, "HTTPBadRequest"),
        (["external_gateway_info": ["network_id": "x"]], 400, "HTTPBadRequest"),
        (
            ["external_gateway_info": ["network_id": "6c6b0e4d-5f09-4f4f-9d2f-7d0f0b1c2a3b", "other": 1]], 400,
            "HTTPBadRequest"
        ),
        (
            ["external_gateway_info": ["network_id": "6c6b0e4d-5f09-4f4f-9d2f-7d0f0b1c2a3b"]], 404,
            "NetworkNotFound"
        ),
        (["routes": []], 400, "HTTPBadRequest"), (["status": "ACTIVE"], 400, "HTTPBadRequest"),
        (["ha": true], 400, "HTTPBadRequest"), (["distributed": true], 400, "HTTPBadRequest"),
        (["availability_zone_hints": ["mars"]], 404, "AvailabilityZoneNotFound"),
        (["availability_zone_hints": [""]], 400, "HTTPBadRequest"),
        (["admin_state_up": "maybe"], 400, "InvalidInput")
    ]

    @Test("routers that cannot be are refused, and nothing is made", arguments: badRouters.indices)
    func refused(_ index: Int) async throws {
        let (body, status, type) = Self.badRouters[index]
        let cloud = try await NetworkCloud()
        let answer = await cloud.harness.post("/network/v2.0/routers", ["router": body], as: .admin)
        #expect(answer.status == status && answer.json.neutronType == type, "\(answer.json)")
        #expect(await cloud.harness.get("/network/v2.0/routers").json["routers"] == [])
    }

    @Test("a gateway has an address of the external network, and a port that is nobody's")
    func gateway() async throws {
        let scene = try await NetworkRouterScene()
        let set = await scene.update(["external_gateway_info": ["network_id": JSON(scene.external)]])
        let info = set.json["router"]?["external_gateway_info"]
        #expect(set.status == 200 && info?["enable_snat"] == true)
        #expect(
            info?["external_fixed_ips"]
                == [["subnet_id": JSON(scene.externalSubnet), "ip_address": "203.0.113.10"]])
        #expect(set.json["router"]?["availability_zones"] == ["nova"])
        let path = "/network/v2.0/ports?device_id=\(scene.router)"
        #expect(await scene.cloud.harness.get(path, as: .stranger).json["ports"] == [])
        let port = await scene.cloud.harness.get(path).json.item("ports")
        #expect(port?["device_owner"] == "network:router_gateway" && port?["project_id"] == "")
        #expect(port?["tenant_id"] == "" && port?["binding:host_id"] == "host-1" && port?["status"] == "DOWN")
        try await scene.report(.ready)
        #expect(await scene.cloud.harness.get(path).json.item("ports")?["status"] == "ACTIVE")
        let direct = await scene.cloud.harness.delete("/network/v2.0/ports/\(port?["id"]?.stringValue ?? "")")
        #expect(direct.status == 409 && direct.json.neutronType == "ServicePortInUse")
        let cleared = await scene.update(["external_gateway_info": [:]])
        #expect(cleared.status == 200 && cleared.json["router"]?["external_gateway_info"] == .null)
        #expect(await scene.cloud.harness.get(path).json["ports"] == [])
    }

    @Test("SNAT and outside addresses are the administrator's to choose")
    func gatewayChoices() async throws {
        let scene = try await NetworkRouterScene()
        let wanted: [String: JSON] = [
            "network_id": JSON(scene.external), "enable_snat": false,
            "external_fixed_ips": [["ip_address": "203.0.113.50", "subnet_id": JSON(scene.externalSubnet)]]
        ]
        for key in ["enable_snat", "external_fixed_ips"] {
            let body = JSON.object(wanted.filter { $0.key == key || $0.key == "network_id" })
            #expect(await scene.update(["external_gateway_info": body]).status == 403, "\(key)")
        }
        let set = await scene.update(["external_gateway_info": .object(wanted)], as: .admin)
        #expect(set.json["router"]?["external_gateway_info"] == .object(wanted))
        let moved = await scene.update(
            [
                "external_gateway_info": [
                    "network_id": JSON(scene.external), "external_fixed_ips": [["ip_address": "203.0.113.51"]]
                ]
            ], as: .admin)
        #expect(moved.json["router"]?["external_gateway_info"]?["enable_snat"] == true)
        #expect(
            moved.json["router"]?["external_gateway_info"]?.item("external_fixed_ips")?["ip_address"] == "203.0.113.51")
        #expect(try await scene.spec()?.gateway?.interface.addresses.map(\.address.description) == ["203.0.113.51"])
        let taken = await scene.cloud.harness.post(
            "/network/v2.0/routers",
            [
                "router": [
                    "external_gateway_info": [
                        "network_id": JSON(scene.external), "external_fixed_ips": [["ip_address": "203.0.113.51"]]
                    ]
                ]
            ])
        #expect(taken.status == 409 && taken.json.neutronType == "IpAddressAlreadyAllocated")
        let own = await scene.update(
            [
                "external_gateway_info": [
                    "network_id": JSON(scene.external), "external_fixed_ips": [["ip_address": "203.0.113.1"]]
                ]
            ], as: .admin)
        #expect(own.status == 400 && own.json.neutronType == "BadRequest")
    }

    @Test("a gateway's network is external and apart from the router's subnets")
    func gatewayRefusals() async throws {
        let scene = try await NetworkRouterScene(hasInterface: true)
        let inside = await scene.update(["external_gateway_info": ["network_id": JSON(scene.network)]])
        #expect(inside.status == 400 && inside.json.neutronType == "BadRequest")
        #expect(
            inside.json.neutronMessage
                == "Bad router request: Network \(scene.network) is not an external network.")
        let other = try await scene.cloud.makeNetwork(["router:external": true], as: .admin)
        _ = try await scene.cloud.make(
            "subnet", ["network_id": JSON(other), "cidr": "10.1.0.0/16", "ip_version": 4], as: .admin)
        let overlapping = await scene.update(["external_gateway_info": ["network_id": JSON(other)]])
        #expect(overlapping.status == 400 && overlapping.json.neutronMessage?.contains("overlaps with cidr") == true)
        let missing = await scene.update(["external_gateway_info": ["network_id": JSON(scene.router)]])
        #expect(missing.status == 404 && missing.json.neutronType == "NetworkNotFound")
    }

    @Test("an external network with gateways stays external")
    func staysExternal() async throws {
        let scene = try await NetworkRouterScene(hasGateway: true)
        let path = "/network/v2.0/networks/\(scene.external)"
        let refused = await scene.cloud.harness.put(path, ["network": ["router:external": false]])
        #expect(refused.status == 409 && refused.json.neutronType == "ExternalNetworkInUse")
        #expect(await scene.cloud.harness.delete(path).json.neutronType == "NetworkInUse")
        _ = await scene.update(["external_gateway_info": .null])
        #expect(await scene.cloud.harness.put(path, ["network": ["router:external": false]]).status == 200)
    }

    @Test("quotas count routers, and limit the routes of each")
    func quotas() async throws {
        let scene = try await NetworkRouterScene(hasInterface: true)
        let path = "/network/v2.0/quotas/\(TestCaller.project.compact)"
        let limits = await scene.cloud.harness.get(path).json["quota"]
        #expect(limits?["router"] == 10 && limits?["floatingip"] == 50)
        _ = await scene.cloud.harness.put(path, ["quota": ["router": 1, "router_route": 1]])
        let over = await scene.cloud.harness.post("/network/v2.0/routers", ["router": [:]], as: .member)
        #expect(over.status == 409 && over.json.neutronMessage == "Quota exceeded for resources: ['router'].")
        let routes: JSON = [
            ["destination": "10.7.0.0/16", "nexthop": "10.1.0.7"], ["destination": "10.8.0.0/16", "nexthop": "10.1.0.8"]
        ]
        #expect(await scene.update(["routes": routes]).json.neutronType == "OverQuota")
    }
}

/// Networks in tunnels, as Neutron answers them.
@Suite("overlay networks over HTTP")
struct NetworkOverlayTests {
    @Test("the administrator chooses the identifier, once, and nobody else does")
    func provider() async throws {
        let cloud = try await NetworkCloud()
        let wanted: JSON = ["provider:network_type": "vxlan", "provider:segmentation_id": 77]
        let network = try await cloud.make("network", wanted, as: .admin)
        #expect(network["provider:network_type"] == "vxlan" && network["provider:segmentation_id"] == 77)
        #expect(network["provider:physical_network"] == .null && network["mtu"] == 1450)
        let again = await cloud.harness.post("/network/v2.0/networks", ["network": wanted])
        #expect(again.status == 409 && again.json.neutronType == "TunnelIdInUse")
        #expect(again.json.neutronMessage == "Unable to create the network. The tunnel ID 77 is in use.")
        #expect(await cloud.harness.post("/network/v2.0/networks", ["network": wanted], as: .member).status == 403)
        let drawn = try await cloud.make("network", ["provider:network_type": "vxlan"], as: .admin)
        #expect(drawn["provider:segmentation_id"]?.intValue ?? 0 > 0)
        let large = await cloud.harness.post("/network/v2.0/networks", ["network": ["mtu": 1451]], as: .member)
        #expect(large.status == 400 && large.json.neutronType == "InvalidInput")
        #expect(
            large.json.neutronMessage == "Invalid input for operation: Requested MTU is too big, maximum is 1450.")
        let found = await cloud.harness.get("/network/v2.0/networks?provider:segmentation_id=77")
        #expect(found.json["networks"]?.arrayValue?.count == 1)
    }
}
