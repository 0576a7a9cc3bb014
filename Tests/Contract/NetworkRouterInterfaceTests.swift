import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Testing

/// Interfaces and routes of routers as Neutron answers them.
@Suite("router interfaces over HTTP")
struct NetworkRouterInterfaceTests {
    /// What an interface's port is to have, and the refusal. `A` and `B` are subnets of its network, `A` its own.
    static let changes: [(String, String?)] = [
        ("A", nil), ("", "Bad router request: Router port must have at least one fixed IP."),
        ("A,B", "Bad router request: Cannot have multiple IPv4 subnets on router port."),
        ("C", "Bad router request: Cidr 10.3.0.0/24 of subnet C overlaps with cidr 10.3.0.0/24 of subnet"),
        ("B", nil)
    ]

    @Test("an interface's other addresses are checked as if it came with them", arguments: changes.indices)
    func addresses(_ index: Int) async throws {
        let (wanted, refusal) = Self.changes[index]
        let scene = try await NetworkRouterScene(hasInterface: true)
        let cloud = scene.cloud
        let second = try await cloud.makeSubnet(scene.network, "10.2.0.0/24")["id"]?.stringValue ?? ""
        let third = try await cloud.makeSubnet(scene.network, "10.3.0.0/24")["id"]?.stringValue ?? ""
        let elsewhere = try await cloud.makeSubnet(try await cloud.makeNetwork(), "10.3.0.0/24")["id"] ?? .null
        #expect(await scene.add(["subnet_id": elsewhere]).status == 200)
        let list = await cloud.harness.get(
            "/network/v2.0/ports?network_id=\(scene.network)&device_owner=network:router_interface", as: .member)
        let port = list.json.item("ports")?["id"]?.stringValue ?? ""
        let subnets = ["A": scene.subnet, "B": second, "C": third]
        let ips = wanted.split(separator: ",").map { ["subnet_id": JSON(subnets[String($0)])] as JSON }
        let answer = await cloud.harness.put(
            "/network/v2.0/ports/\(port)", ["port": ["fixed_ips": .array(ips)]], as: .member)
        #expect(answer.status == (refusal == nil ? 200 : 400), "\(answer.json)")
        let told = answer.json.neutronMessage?.replacing(third, with: "C") ?? ""
        #expect(told.hasPrefix(refusal ?? ""), "\(told)")
    }

    @Test("an interface stays in a subnet that a floating IP is reached through")
    func neededAddress() async throws {
        let scene = try await NetworkRouterScene(hasGateway: true, hasInterface: true)
        let guest = try await scene.port()
        _ = try await scene.cloud.make(
            "floatingip", ["floating_network_id": JSON(scene.external), "port_id": guest["id"] ?? .null])
        let second = try await scene.cloud.makeSubnet(scene.network, "10.2.0.0/24")["id"] ?? .null
        let list = await scene.cloud.harness.get(
            "/network/v2.0/ports?network_id=\(scene.network)&device_owner=network:router_interface", as: .member)
        let port = list.json.item("ports")?["id"]?.stringValue ?? ""
        let answer = await scene.cloud.harness.put(
            "/network/v2.0/ports/\(port)", ["port": ["fixed_ips": [["subnet_id": second]]]], as: .member)
        #expect(answer.status == 409 && answer.json.neutronType == "RouterInterfaceInUseByFloatingIP")
    }

    @Test("by subnet: a port with the subnet's gateway address, which is the router's alone")
    func bySubnet() async throws {
        let scene = try await NetworkRouterScene()
        let answer = await scene.add(["subnet_id": JSON(scene.subnet)])
        #expect(answer.status == 200)
        let id = answer.json["port_id"]?.stringValue ?? ""
        let project = JSON(TestCaller.project.compact)
        #expect(
            answer.json == [
                "id": JSON(scene.router), "tenant_id": project, "project_id": project, "port_id": JSON(id),
                "network_id": JSON(scene.network), "subnet_id": JSON(scene.subnet), "subnet_ids": [JSON(scene.subnet)]
            ])
        let port = await scene.show("port", id)
        #expect(port["device_id"] == JSON(scene.router) && port["device_owner"] == "network:router_interface")
        #expect(port["fixed_ips"] == [["subnet_id": JSON(scene.subnet), "ip_address": "10.1.0.1"]])
        #expect(port["status"] == "DOWN" && port["security_groups"] == [])
        try await scene.report(.ready)
        #expect(await scene.show("port", id)["status"] == "ACTIVE")
        #expect(await scene.show("port", id, as: .admin)["binding:host_id"] == "host-1")
        try await scene.report(.failed)
        #expect(await scene.show("port", id)["status"] == "DOWN")
        let harness = scene.cloud.harness
        let direct = await harness.delete("/network/v2.0/ports/\(id)", as: .member)
        #expect(direct.status == 409 && direct.json.neutronType == "ServicePortInUse")
        #expect(
            direct.json.neutronMessage
                == "Port \(id) cannot be deleted directly via the port API: has device owner network:router_interface.")
        let same = await harness.put(
            "/network/v2.0/ports/\(id)", ["port": ["fixed_ips": [["subnet_id": JSON(scene.subnet)]]]], as: .member)
        #expect(same.status == 200 && same.json["port"]?["fixed_ips"] == port["fixed_ips"])
        let stolen = await harness.put("/network/v2.0/ports/\(id)", ["port": ["device_id": ""]], as: .member)
        #expect(stolen.status == 409 && stolen.json.neutronType == "PortInUse")
        let used = await harness.delete("/network/v2.0/routers/\(scene.router)", as: .member)
        #expect(used.status == 409 && used.json.neutronType == "RouterInUse")
        #expect(used.json.neutronMessage == "Router \(scene.router) has ports still attached: \(id)")
        #expect(
            await harness.delete("/network/v2.0/subnets/\(scene.subnet)", as: .member).json.neutronType == "SubnetInUse"
        )
        let moved = await harness.put(
            "/network/v2.0/subnets/\(scene.subnet)", ["subnet": ["gateway_ip": .null]], as: .member)
        #expect(moved.status == 409 && moved.json.neutronType == "GatewayIpInUse")
        let removed = await scene.remove(["subnet_id": JSON(scene.subnet)])
        #expect(removed.status == 200 && removed.json == answer.json)
        #expect(await harness.get("/network/v2.0/ports/\(id)", as: .member).status == 404)
        #expect(await harness.delete("/network/v2.0/routers/\(scene.router)", as: .member).status == 204)
    }

    @Test("by port: with the port's own address, which goes with the interface")
    func byPort() async throws {
        let scene = try await NetworkRouterScene()
        let port = try await scene.port(["fixed_ips": [["ip_address": "10.1.0.77"]]])
        let id = port["id"] ?? .null
        let answer = await scene.add(["port_id": id])
        #expect(answer.status == 200 && answer.json["port_id"] == id && answer.json["subnet_id"] == JSON(scene.subnet))
        let listed = await scene.cloud.harness.get("/network/v2.0/ports?device_id=\(scene.router)", as: .member)
        #expect(listed.json["ports"]?.arrayValue?.map { $0["id"] } == [id])
        let again = await scene.add(["port_id": id])
        #expect(again.status == 409 && again.json.neutronType == "PortInUse")
        #expect(
            again.json.neutronMessage
                == "Unable to complete operation on port \(id.stringValue ?? "") for network \(scene.network). Port "
                + "already has an attached device \(scene.router).")
        let wrong = await scene.remove(["port_id": id, "subnet_id": JSON(scene.externalSubnet)])
        #expect(wrong.status == 400 && wrong.json.neutronType == "SubnetMismatchForPort")
        #expect(await scene.remove(["port_id": id, "subnet_id": JSON(scene.subnet)]).status == 200)
        #expect(await scene.show("port", id.stringValue ?? "") == .null)
    }

    @Test("what names no interface that can be is refused with Neutron's types")
    func refusals() async throws {
        let scene = try await NetworkRouterScene(hasInterface: true)
        let nobody = "6c6b0e4d-5f09-4f4f-9d2f-7d0f0b1c2a3b"
        let bare = try await scene.cloud.makeNetwork()
        let addressless = try await scene.cloud.make("port", ["network_id": JSON(bare)])["id"] ?? .null
        let second = try await scene.cloud.makeNetwork()
        let overlapping = try await scene.cloud.makeSubnet(second, "10.1.0.0/25")["id"] ?? .null
        let blind = try await scene.cloud.makeSubnet(second, "10.9.0.0/24", ["gateway_ip": .null])["id"] ?? .null
        let foreignRA =
            try await scene.cloud.makeSubnet(
                second, "2001:db8:9::/64", ["ipv6_address_mode": "slaac"])["id"] ?? .null
        let cases: [(JSON, Int, String)] = [
            ([:], 400, "BadRequest"), (["subnet_id": "x"], 400, "BadRequest"),
            (["subnet_id": JSON(nobody)], 404, "SubnetNotFound"), (["port_id": JSON(nobody)], 404, "PortNotFound"),
            (["subnet_id": JSON(scene.subnet), "port_id": JSON(nobody)], 400, "BadRequest"),
            (["subnet_id": JSON(scene.subnet)], 400, "BadRequest"), (["subnet_id": overlapping], 400, "BadRequest"),
            (["subnet_id": blind], 400, "BadRequest"), (["subnet_id": foreignRA], 400, "BadRequest"),
            (["port_id": addressless], 400, "BadRequest")
        ]
        for (body, status, type) in cases {
            let answer = await scene.add(body)
            #expect(answer.status == status && answer.json.neutronType == type, "\(body): \(answer.json)")
        }
        let twice = await scene.add(["subnet_id": JSON(scene.subnet)])
        #expect(
            twice.json.neutronMessage
                == "Bad router request: Router already has a port on subnet \(scene.subnet).")
        let removals: [(JSON, Int, String)] = [
            ([:], 400, "BadRequest"), (["port_id": JSON(nobody)], 404, "RouterInterfaceNotFound"),
            (["subnet_id": overlapping], 404, "RouterInterfaceNotFoundForSubnet"),
            (["subnet_id": JSON(nobody)], 404, "SubnetNotFound")
        ]
        for (body, status, type) in removals {
            let answer = await scene.remove(body)
            #expect(answer.status == status && answer.json.neutronType == type, "\(body): \(answer.json)")
        }
        #expect(await scene.add(["subnet_id": blind], as: .reader).status == 403)
        #expect(await scene.add(["subnet_id": blind], as: .stranger).status == 404)
    }

    @Test("a shared network's subnet is its owner's to put behind a router")
    func foreignSubnet() async throws {
        let scene = try await NetworkRouterScene()
        let shared = try await scene.cloud.makeNetwork(["shared": true], as: .admin)
        let made = try await scene.cloud.make(
            "subnet",
            [
                "network_id": JSON(shared), "cidr": "10.5.0.0/24", "ip_version": 4,
                "allocation_pools": [["start": "10.5.0.20", "end": "10.5.0.40"]]
            ], as: .admin)
        // The administrator is in the member's project: the stranger's router shows what is meant.
        let router = try await scene.cloud.make("router", ["name": "theirs"], as: .stranger)["id"]?.stringValue ?? ""
        let path = "/network/v2.0/routers/\(router)/add_router_interface"
        let refused = await scene.cloud.harness.put(path, ["subnet_id": made["id"] ?? .null], as: .stranger)
        #expect(refused.status == 400 && refused.json.neutronMessage?.contains("is not owned by project") == true)
        let port = try await scene.cloud.make("port", ["network_id": JSON(shared)], as: .stranger)["id"] ?? .null
        #expect(await scene.cloud.harness.put(path, ["port_id": port], as: .stranger).status == 200)
    }

    @Test("a port is not passed off as an interface of another project's router")
    func falseDevice() async throws {
        let scene = try await NetworkRouterScene()
        let network = try await scene.cloud.makeNetwork(as: .stranger)
        let device: [String: JSON] = [
            "device_id": JSON(scene.router), "device_owner": "network:router_interface"
        ]
        let made = await scene.cloud.harness.post(
            "/network/v2.0/ports",
            ["port": .object(device.merging(["network_id": JSON(network)]) { $1 })], as: .stranger)
        #expect(made.status == 409 && made.json.neutronType == "DeviceIDNotOwnedByTenant")
        let port = try await scene.cloud.make("port", ["network_id": JSON(network)], as: .stranger)["id"]
        let path = "/network/v2.0/ports/\(port?.stringValue ?? "")"
        let changed = await scene.cloud.harness.put(path, ["port": .object(device)], as: .stranger)
        #expect(changed.status == 409 && changed.json.neutronType == "DeviceIDNotOwnedByTenant")
        // On its own router it is only a name, and no interface.
        let own = try await scene.cloud.make("port", ["network_id": JSON(scene.network)])["id"]
        let named = await scene.cloud.harness.put(
            "/network/v2.0/ports/\(own?.stringValue ?? "")", ["port": .object(device)], as: .member)
        #expect(named.status == 200)
        #expect(await scene.cloud.harness.delete("/network/v2.0/routers/\(scene.router)", as: .member).status == 204)
    }

    @Test("IPv6 prefixes of one network share an interface")
    func prefixes() async throws {
        let scene = try await NetworkRouterScene()
        let six: [String: JSON] = ["ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"]
        let first = try await scene.cloud.makeSubnet(scene.network, "2001:db8:1::/64", six)["id"] ?? .null
        let second = try await scene.cloud.makeSubnet(scene.network, "2001:db8:2::/64", six)["id"] ?? .null
        _ = await scene.add(["subnet_id": JSON(scene.subnet)])
        let one = await scene.add(["subnet_id": first]).json["port_id"]
        #expect(await scene.add(["subnet_id": second]).json["port_id"] == one)
        let spec = try await scene.spec()
        #expect(
            spec?.interfaces.map { $0.addresses.map { "\($0.address) \($0.raMode?.rawValue ?? "-")" } } == [
                ["10.1.0.1 -"], ["2001:db8:1::1 slaac", "2001:db8:2::1 slaac"]
            ])
        #expect(
            await scene.cloud.harness.delete("/network/v2.0/subnets/\(first.stringValue ?? "")", as: .member).json
                .neutronType == "SubnetInUse")
        let removed = await scene.remove(["subnet_id": first])
        #expect(removed.status == 200 && removed.json["port_id"] == one)
        #expect(await scene.show("port", one?.stringValue ?? "")["fixed_ips"]?.arrayValue?.count == 1)
        #expect(await scene.remove(["subnet_id": second]).status == 200)
        #expect(await scene.show("port", one?.stringValue ?? "") == .null)
    }

    @Test("routes lead to neighbours, and keep their interface")
    func routes() async throws {
        let scene = try await NetworkRouterScene(hasInterface: true)
        let good: JSON = ["destination": "10.7.0.0/16", "nexthop": "10.1.0.7"]
        let set = await scene.update(["routes": [good]])
        #expect(set.status == 200 && set.json["router"]?["routes"] == [good])
        let bad: [(JSON, String)] = [
            (["destination": "10.7.0.0/16", "nexthop": "10.2.0.7"], "the nexthop is not connected with router"),
            (["destination": "10.7.0.0/16", "nexthop": "10.1.0.1"], "the nexthop is used by router")
        ]
        for (route, reason) in bad {
            let answer = await scene.update(["routes": [route]])
            #expect(answer.status == 400 && answer.json.neutronType == "InvalidRoutes")
            #expect(answer.json.neutronMessage?.hasSuffix(reason) == true, "\(answer.json)")
        }
        let kept = await scene.remove(["subnet_id": JSON(scene.subnet)])
        #expect(kept.status == 409 && kept.json.neutronType == "RouterInterfaceInUseByRoute")
        let more: JSON = ["destination": "10.8.0.0/16", "nexthop": "10.1.0.8"]
        let path = "/network/v2.0/routers/\(scene.router)"
        let added = await scene.cloud.harness.put(
            "\(path)/add_extraroutes", ["router": ["routes": [good, more]]], as: .member)
        #expect(added.status == 200 && added.json["router"]?["routes"] == [good, more])
        #expect(try await scene.spec()?.routes.count == 2)
        let fewer = await scene.cloud.harness.put(
            "\(path)/remove_extraroutes", ["router": ["routes": [good]]], as: .member)
        #expect(fewer.status == 200 && fewer.json["router"]?["routes"] == [more])
        #expect(await scene.update(["routes": .null]).json["router"]?["routes"] == [])
        #expect(await scene.remove(["subnet_id": JSON(scene.subnet)]).status == 200)
    }
}
