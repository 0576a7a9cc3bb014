import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("explanations of ports")
struct NetworkExplainTests {
    @Test("a port says where it is, what it has and what it lacks, to administrators alone")
    func port() async throws {
        let cloud = try await PolicyCloud()
        let base = "/network/v2.0"
        func make(_ path: String, _ kind: String, _ body: JSON) async -> JSON {
            await cloud.harness.post("\(base)/\(path)", .object([kind: body]), as: .member).json[kind] ?? .null
        }
        let network = await make("networks", "network", ["name": "n"])
        _ = await make(
            "subnets", "subnet",
            ["network_id": network["id"] ?? .null, "cidr": "10.0.0.0/24", "ip_version": 4, "enable_dhcp": false])
        let port = await make("ports", "port", ["network_id": network["id"] ?? .null, "name": "p"])
        let path = "/skerry/v1/explain/ports/\(port["id"]?.stringValue ?? "")"
        #expect(await cloud.harness.get(path, as: .member).status == 403)
        let story = await cloud.harness.get(path, as: .admin).json["port"]
        #expect(story?["name"] == "p" && story?["status"] == "DOWN" && story?["host"] == .null)
        #expect(story?["network"]?["name"] == "n" && story?.item("addresses")?["subnet"] == "10.0.0.0/24")
        let rules = story?.item("security_groups")?["rules"]?.arrayValue?.compactMap(\.stringValue) ?? []
        #expect(rules.contains("egress IPv4 any to anywhere"), "\(rules)")
        let wanted: JSON = [
            "No server has the port: it is on no host.",
            "Subnet 10.0.0.0/24 has no DHCP: the guest has to set its address itself.",
            "No router with a gateway is on its network: nothing leads outside."
        ]
        #expect(story?["findings"] == wanted)
        for unknown in ["x", AnyID.random().text] {
            #expect(await cloud.harness.get("/skerry/v1/explain/ports/\(unknown)", as: .admin).status == 404)
        }
    }
}
