import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Testing

/// `/v2.0/floatingips/{id}/port_forwardings` as Neutron answers it.
@Suite("port forwardings over HTTP")
struct NetworkPortForwardingTests {
    /// A floating IP that stands for no port.
    private struct Scene: Sendable {
        let base: NetworkRouterScene
        let floatingIP: String
        let port: JSON

        init() async throws {
            base = try await NetworkRouterScene(hasGateway: true, hasInterface: true)
            floatingIP =
                try await base.cloud.make("floatingip", ["floating_network_id": JSON(base.external)])["id"]?.stringValue
                ?? ""
            port = try await base.port(["fixed_ips": [["ip_address": "10.1.0.20"]]])["id"] ?? .null
        }

        var path: String { "/network/v2.0/floatingips/\(floatingIP)/port_forwardings" }

        func create(_ more: [String: JSON] = [:], as caller: TestCaller = .member) async -> Answer {
            var body: [String: JSON] = [
                "internal_port_id": port, "internal_ip_address": "10.1.0.20", "internal_port": 22,
                "external_port": 2222, "protocol": "tcp"
            ]
            body.merge(more) { $1 }
            return await base.cloud.harness.post(path, ["port_forwarding": .object(body)], as: caller)
        }
    }

    @Test("one is made, shown, listed, changed and deleted; the router goes along with them")
    func life() async throws {
        let scene = try await Scene()
        let harness = scene.base.cloud.harness
        let made = await scene.create(["description": "ssh"])
        let id = made.json["port_forwarding"]?["id"]?.stringValue ?? ""
        let wanted: JSON = [
            "id": JSON(id), "internal_port_id": scene.port, "internal_ip_address": "10.1.0.20", "internal_port": 22,
            "external_port": 2222, "protocol": "tcp", "description": "ssh"
        ]
        #expect(made.status == 201 && made.json["port_forwarding"] == wanted)
        #expect(await harness.get("\(scene.path)/\(id)", as: .reader).json["port_forwarding"] == wanted)
        let list = await harness.get("\(scene.path)?protocol=tcp&external_port=2222", as: .reader)
        #expect(list.json["port_forwardings"] == [wanted])
        #expect(await harness.get("\(scene.path)?protocol=udp", as: .reader).json["port_forwardings"] == [])
        let outside = await scene.base.show("floatingip", scene.floatingIP)
        #expect(outside["router_id"] == JSON(scene.base.router) && outside["port_id"] == .null)
        #expect(outside.item("port_forwardings")?["external_port"] == 2222)
        let spec = try await scene.base.spec()?.portForwardings.first
        #expect(spec?.protocolNumber == 6 && spec?.externalPorts == 2222...2222 && spec?.firstInternalPort == 22)
        #expect(spec?.externalAddress.description == outside["floating_ip_address"]?.stringValue)
        #expect(spec?.internalAddress.description == "10.1.0.20")
        let changed = await harness.put(
            "\(scene.path)/\(id)", ["port_forwarding": ["external_port": 2200, "protocol": "udp"]], as: .member)
        #expect(changed.status == 200 && changed.json["port_forwarding"]?["external_port"] == 2200)
        #expect(try await scene.base.spec()?.portForwardings.first?.protocolNumber == 17)
        let used = await harness.delete("/network/v2.0/floatingips/\(scene.floatingIP)", as: .member)
        #expect(used.status == 409 && used.json.neutronType == "FipInUseByPortForwarding")
        let interface = await scene.base.remove(["subnet_id": JSON(scene.base.subnet)])
        #expect(interface.status == 409 && interface.json.neutronType == "RouterInterfaceInUseByFloatingIP")
        #expect(await harness.delete("\(scene.path)/\(id)", as: .member).status == 204)
        #expect(await scene.base.show("floatingip", scene.floatingIP)["router_id"] == .null)
        let gone = await harness.get("\(scene.path)/\(id)", as: .member)
        #expect(gone.status == 404 && gone.json.neutronType == "PortForwardingNotFound")
    }

    @Test("what cannot be forwarded is refused")
    func refusals() async throws {
        let scene = try await Scene()
        #expect(await scene.create().status == 201)
        let other = try await scene.base.port()["id"] ?? .null
        let cases: [([String: JSON], Int, String)] = [
            ([:], 400, "BadRequest"), (["external_port": 2223], 400, "BadRequest"),
            (["external_port": 0, "internal_port": 1], 400, "HTTPBadRequest"),
            (["external_port": 65_536, "internal_port": 1], 400, "HTTPBadRequest"),
            (["protocol": "icmp"], 400, "HTTPBadRequest"),
            (["external_port": 1, "internal_port": 1, "internal_ip_address": "10.1.0.99"], 400, "BadRequest"),
            (["internal_port_id": JSON(scene.base.router)], 404, "PortNotFound"), (["id": "x"], 400, "HTTPBadRequest")
        ]
        for (more, status, type) in cases {
            let answer = await scene.create(more)
            #expect(answer.status == status && answer.json.neutronType == type, "\(more): \(answer.json)")
        }
        #expect(await scene.create(["external_port": 1, "internal_port": 1], as: .reader).status == 403)
        #expect(await scene.create(["external_port": 1, "internal_port": 1], as: .stranger).status == 404)
        let associated = await scene.base.cloud.harness.put(
            "/network/v2.0/floatingips/\(scene.floatingIP)", ["floatingip": ["port_id": other]], as: .member)
        #expect(associated.status == 409 && associated.json.neutronType == "FipInUseByPortForwarding")
        let bound = await scene.base.cloud.harness.post(
            "/network/v2.0/floatingips",
            ["floatingip": ["floating_network_id": JSON(scene.base.external), "port_id": other]], as: .member)
        #expect(bound.status == 201)
        let address = await scene.base.show("port", other.stringValue ?? "").item("fixed_ips")?["ip_address"] ?? .null
        let twice = await scene.create(
            ["internal_port_id": other, "internal_ip_address": address, "external_port": 1])
        #expect(twice.status == 409 && twice.json.neutronType == "PortHasBindingFloatingIP")
    }

    @Test("they go with the port that they lead to")
    func portGoes() async throws {
        let scene = try await Scene()
        #expect(await scene.create().status == 201)
        let deleted = await scene.base.cloud.harness.delete(
            "/network/v2.0/ports/\(scene.port.stringValue ?? "")", as: .member)
        #expect(deleted.status == 204)
        #expect(await scene.base.cloud.harness.get(scene.path, as: .member).json["port_forwardings"] == [])
        #expect(await scene.base.show("floatingip", scene.floatingIP)["router_id"] == .null)
        #expect(try await scene.base.spec()?.portForwardings == [])
    }
}
