import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Testing

/// `/v2.0/floatingips` as Neutron answers it.
@Suite("floating IPs over HTTP")
struct NetworkFloatingIPTests {
    private func floatingIP(
        _ scene: NetworkRouterScene, _ more: [String: JSON] = [:], as caller: TestCaller = .member
    ) async -> Answer {
        var body: [String: JSON] = ["floating_network_id": JSON(scene.external)]
        body.merge(more) { $1 }
        return await scene.cloud.harness.post("/network/v2.0/floatingips", ["floatingip": .object(body)], as: caller)
    }

    private func update(
        _ scene: NetworkRouterScene, _ id: JSON?, _ body: JSON, as caller: TestCaller = .member
    ) async -> Answer {
        await scene.cloud.harness.put(
            "/network/v2.0/floatingips/\(id?.stringValue ?? "")", ["floatingip": body], as: caller)
    }

    @Test("an address is taken, associated, moved, let go and given back")
    func life() async throws {
        let scene = try await NetworkRouterScene(hasGateway: true, hasInterface: true)
        let port = try await scene.port(["name": "web"])
        let other = try await scene.port()
        let made = await floatingIP(scene, ["description": "d"])
        let item = made.json["floatingip"]
        #expect(made.status == 201 && item?["status"] == "DOWN" && item?["floating_ip_address"] == "203.0.113.11")
        #expect(item?["port_id"] == .null && item?["router_id"] == .null && item?["fixed_ip_address"] == .null)
        #expect(item?["port_details"] == .null && item?["port_forwardings"] == [] && item?["description"] == "d")
        #expect(item?["project_id"] == JSON(TestCaller.project.compact) && item?["tags"] == [] && item?["name"] == nil)
        let id = item?["id"]
        let associated = await update(scene, id, ["port_id": port["id"] ?? .null]).json["floatingip"]
        #expect(associated?["port_id"] == port["id"] && associated?["router_id"] == JSON(scene.router))
        #expect(associated?["fixed_ip_address"] == port.item("fixed_ips")?["ip_address"])
        #expect(associated?["port_details"]?["name"] == "web")
        #expect(associated?["port_details"]?["mac_address"] == port["mac_address"])
        try await scene.report(.ready)
        let path = "/network/v2.0/floatingips?port_id=\(port["id"]?.stringValue ?? "")"
        #expect(await scene.cloud.harness.get(path, as: .reader).json.item("floatingips")?["status"] == "ACTIVE")
        #expect(await scene.cloud.harness.get(path, as: .stranger).json["floatingips"] == [])
        let spec = try await scene.spec()
        #expect(spec?.floatingIPs.map(\.address.description) == ["203.0.113.11"])
        #expect(
            spec?.floatingIPs.first?.fixedAddress.description == associated?["fixed_ip_address"]?.stringValue)
        let moved = await update(scene, id, ["port_id": other["id"] ?? .null]).json["floatingip"]
        #expect(moved?["port_id"] == other["id"] && moved?["status"] == "DOWN")
        #expect(await update(scene, id, ["description": "e"]).json["floatingip"]?["port_id"] == other["id"])
        let free = await update(scene, id, ["port_id": .null]).json["floatingip"]
        #expect(free?["port_id"] == .null && free?["router_id"] == .null && free?["fixed_ip_address"] == .null)
        let deleted = await scene.cloud.harness.delete(
            "/network/v2.0/floatingips/\(id?.stringValue ?? "")", as: .member)
        #expect(deleted.status == 204)
        #expect(await scene.show("floatingip", id?.stringValue ?? "") == .null)
        let ports = await scene.cloud.harness.get("/network/v2.0/ports?device_owner=network:floatingip")
        #expect(ports.json["ports"] == [])
    }

    @Test("its address is kept by a port that is nobody's and goes with it alone")
    func keeper() async throws {
        let scene = try await NetworkRouterScene()
        let id = await floatingIP(scene).json["floatingip"]?["id"]
        let port = await scene.cloud.harness.get("/network/v2.0/ports?device_owner=network:floatingip").json.item(
            "ports")
        #expect(port?["device_id"] == id && port?["project_id"] == "" && port?["status"] == "N/A")
        let direct = await scene.cloud.harness.delete("/network/v2.0/ports/\(port?["id"]?.stringValue ?? "")")
        #expect(direct.status == 409 && direct.json.neutronType == "ServicePortInUse")
        let same = await scene.cloud.harness.post(
            "/network/v2.0/ports",
            [
                "port": [
                    "network_id": JSON(scene.external), "fixed_ips": [["ip_address": "203.0.113.10"]]
                ]
            ])
        #expect(same.status == 409 && same.json.neutronType == "IpAddressAlreadyAllocated")
        // An external network goes with the floating IPs that stand for nothing.
        #expect(await scene.cloud.harness.delete("/network/v2.0/networks/\(scene.external)").status == 204)
        #expect(await scene.cloud.harness.get("/network/v2.0/floatingips").json["floatingips"] == [])
    }

    @Test("an outside address is chosen by those who manage the project")
    func chosen() async throws {
        let scene = try await NetworkRouterScene()
        let wanted: [String: JSON] = ["floating_ip_address": "203.0.113.200"]
        #expect(await floatingIP(scene, wanted).status == 403)
        let made = await floatingIP(scene, wanted, as: .manager)
        #expect(made.status == 201 && made.json["floatingip"]?["floating_ip_address"] == "203.0.113.200")
        #expect(await floatingIP(scene, wanted, as: .admin).json.neutronType == "IpAddressAlreadyAllocated")
        let elsewhere = await floatingIP(scene, ["floating_ip_address": "198.51.100.1"], as: .admin)
        #expect(elsewhere.status == 400 && elsewhere.json.neutronType == "InvalidIpForNetwork")
        let inSubnet = await floatingIP(scene, ["subnet_id": JSON(scene.externalSubnet)])
        #expect(inSubnet.status == 201)
        #expect(await floatingIP(scene, ["subnet_id": JSON(scene.subnet)]).json.neutronType == "InvalidInput")
    }

    @Test("what cannot be associated is refused with Neutron's types, and nothing is taken")
    func refusals() async throws {
        let scene = try await NetworkRouterScene(hasInterface: true)
        let port = try await scene.port()["id"] ?? .null
        let inside = await floatingIP(scene, ["floating_network_id": JSON(scene.network)])
        #expect(inside.status == 400 && inside.json.neutronType == "BadRequest")
        #expect(
            inside.json.neutronMessage
                == "Bad floatingip request: Network \(scene.network) is not a valid external network.")
        let unreachable = await floatingIP(scene, ["port_id": port])
        #expect(unreachable.status == 404 && unreachable.json.neutronType == "ExternalGatewayForFloatingIPNotFound")
        let cases: [([String: JSON], Int, String)] = [
            (["floating_network_id": JSON(scene.router)], 404, "NetworkNotFound"),
            (["port_id": JSON(scene.router)], 404, "PortNotFound"),
            (["fixed_ip_address": "10.1.0.9"], 400, "BadRequest"),
            (["port_id": port, "fixed_ip_address": "10.1.0.250"], 400, "BadRequest"),
            (["port_id": port, "fixed_ip_address": "2001:db8::1"], 400, "BadRequest"),
            (["status": "ACTIVE"], 400, "HTTPBadRequest"), (["router_id": JSON(scene.router)], 400, "HTTPBadRequest"),
            (["dns_name": "x"], 400, "HTTPBadRequest")
        ]
        for (more, status, type) in cases {
            let answer = await floatingIP(scene, more)
            #expect(answer.status == status && answer.json.neutronType == type, "\(more): \(answer.json)")
        }
        #expect(await scene.cloud.harness.get("/network/v2.0/floatingips").json["floatingips"] == [])
        let ports = await scene.cloud.harness.get("/network/v2.0/ports?network_id=\(scene.external)")
        #expect(ports.json["ports"] == [])
        let free = await floatingIP(scene).json["floatingip"]?["id"]
        #expect(await update(scene, free, ["port_id": port]).json.neutronType == "ExternalGatewayForFloatingIPNotFound")
        #expect(await update(scene, free, ["port_id": .null], as: .reader).status == 403)
        #expect(await update(scene, free, ["port_id": .null], as: .stranger).status == 404)
    }

    @Test("of several addresses the call says which, and each has one floating IP")
    func severalAddresses() async throws {
        let scene = try await NetworkRouterScene(hasGateway: true, hasInterface: true)
        let port =
            try await scene.port(["fixed_ips": [["ip_address": "10.1.0.20"], ["ip_address": "10.1.0.21"]]])["id"]
            ?? .null
        #expect(await floatingIP(scene, ["port_id": port]).json.neutronType == "BadRequest")
        let first = await floatingIP(scene, ["port_id": port, "fixed_ip_address": "10.1.0.20"]).json["floatingip"]
        #expect(first?["fixed_ip_address"] == "10.1.0.20")
        let taken = await floatingIP(scene, ["port_id": port, "fixed_ip_address": "10.1.0.20"])
        #expect(taken.status == 409 && taken.json.neutronType == "FloatingIPPortAlreadyAssociated")
        let other = await update(scene, first?["id"], ["port_id": port, "fixed_ip_address": "10.1.0.21"])
        #expect(other.json["floatingip"]?["fixed_ip_address"] == "10.1.0.21")
        let path = "/network/v2.0/ports/\(port.stringValue ?? "")"
        let lost = await scene.cloud.harness.put(
            path, ["port": ["fixed_ips": [["ip_address": "10.1.0.20"]]]], as: .member)
        #expect(lost.status == 400 && lost.json.neutronType == "BadRequest")
    }

    @Test("gateway and interface stay while floating IPs need them; a port that goes leaves its floating IP behind")
    func needed() async throws {
        let scene = try await NetworkRouterScene(hasGateway: true, hasInterface: true)
        let port = try await scene.port()["id"] ?? .null
        let id = await floatingIP(scene, ["port_id": port]).json["floatingip"]?["id"]
        let gateway = await scene.update(["external_gateway_info": [:]])
        #expect(gateway.status == 409 && gateway.json.neutronType == "RouterExternalGatewayInUseByFloatingIp")
        let interface = await scene.remove(["subnet_id": JSON(scene.subnet)])
        #expect(interface.status == 409 && interface.json.neutronType == "RouterInterfaceInUseByFloatingIP")
        let harness = scene.cloud.harness
        #expect(await harness.delete("/network/v2.0/ports/\(port.stringValue ?? "")", as: .member).status == 204)
        let left = await scene.show("floatingip", id?.stringValue ?? "")
        #expect(left["port_id"] == .null && left["router_id"] == .null && left["status"] == "DOWN")
        #expect(await scene.remove(["subnet_id": JSON(scene.subnet)]).status == 200)
        #expect(await scene.update(["external_gateway_info": [:]]).status == 200)
    }

    @Test("another project's floating IP keeps a port from being deleted by its owner")
    func foreign() async throws {
        let scene = try await NetworkRouterScene(hasGateway: true, hasInterface: true)
        let port = try await scene.port()["id"] ?? .null
        let theirs = await floatingIP(
            scene, ["port_id": port, "project_id": JSON(TestCaller.otherProject.compact)], as: .admin)
        #expect(theirs.status == 201)
        let path = "/network/v2.0/ports/\(port.stringValue ?? "")"
        let refused = await scene.cloud.harness.delete(path, as: .member)
        #expect(refused.status == 409 && refused.json.neutronType == "FipAssociated")
        #expect(await scene.cloud.harness.delete(path).status == 204)
        let own = await floatingIP(scene).json["floatingip"]?["id"]
        let strange = try await scene.cloud.makeNetwork(["name": "x"], as: .stranger)
        let strangePort =
            try await scene.cloud.make("port", ["network_id": JSON(strange)], as: .stranger)["id"] ?? .null
        #expect(await update(scene, own, ["port_id": strangePort]).json.neutronType == "PortNotFound")
    }
}
