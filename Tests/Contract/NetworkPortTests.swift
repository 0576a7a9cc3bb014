import CoordinatorPlatform
import ProtocolModel
import Testing

struct NetworkPortTests {
    @Test("a subnet as Neutron shows it, with gateway and pool by default")
    func subnet() async throws {
        let cloud = try await NetworkCloud()
        let network = try await cloud.makeNetwork()
        let subnet = try await cloud.makeSubnet(
            network, "10.1.0.7/24",
            [
                "dns_nameservers": ["10.1.0.53"],
                "host_routes": [["destination": "10.9.0.0/16", "nexthop": "10.1.0.9"]]
            ])
        #expect(subnet["cidr"] == "10.1.0.0/24")
        #expect(subnet["gateway_ip"] == "10.1.0.1")
        #expect(subnet["allocation_pools"] == [["start": "10.1.0.2", "end": "10.1.0.254"]])
        #expect(subnet["enable_dhcp"] == true)
        #expect(subnet["ip_version"] == 4)
        #expect(subnet["ipv6_ra_mode"] == .null)
        #expect(subnet["dns_nameservers"] == ["10.1.0.53"])
        #expect(subnet["host_routes"] == [["destination": "10.9.0.0/16", "nexthop": "10.1.0.9"]])
        let id = subnet["id"]?.stringValue ?? ""
        #expect(
            await cloud.harness.get("/network/v2.0/networks/\(network)", as: .member).json["network"]?["subnets"]
                == [JSON(id)])
        let updated = await cloud.harness.put(
            "/network/v2.0/subnets/\(id)",
            ["subnet": ["gateway_ip": .null, "dns_nameservers": [], "name": "s"]], as: .member)
        #expect(updated.status == 200)
        #expect(updated.json["subnet"]?["gateway_ip"] == .null)
        #expect(updated.json["subnet"]?["dns_nameservers"] == [])
    }

    static let badSubnets: [(String, [String: JSON], Int, String)] = [
        ("10.1.0.0/24", ["gateway_ip": "10.1.0.255"], 400, "InvalidInput"),
        (
            "10.1.0.0/24", ["allocation_pools": [["start": "10.1.0.1", "end": "10.1.0.9"]]], 409,
            "GatewayConflictWithAllocationPools"
        ),
        (
            "10.1.0.0/24", ["allocation_pools": [["start": "10.1.1.2", "end": "10.1.1.9"]]], 400,
            "OutOfBoundsAllocationPool"
        ),
        (
            "10.1.0.0/24",
            ["allocation_pools": [["start": "10.1.0.2", "end": "10.1.0.9"], ["start": "10.1.0.9", "end": "10.1.0.19"]]],
            409, "OverlappingAllocationPools"
        ),
        ("10.1.0.0/24", ["ipv6_ra_mode": "slaac"], 400, "InvalidInput"),
        ("10.1.0.0/24", ["ip_version": 6], 400, "InvalidInput"),
        ("10.1.0.0/24", ["cidr": "10.1.0.0/33"], 400, "HTTPBadRequest"),
        ("2001:db8::/56", ["ipv6_address_mode": "slaac"], 400, "InvalidInput"),
        ("2001:db8::/64", ["ipv6_address_mode": "slaac", "ipv6_ra_mode": "dhcpv6-stateful"], 400, "InvalidInput"),
        ("10.1.0.0/24", ["dns_nameservers": ["nope"]], 400, "HTTPBadRequest")
    ]

    @Test("subnets that cannot be are refused with Neutron's types", arguments: badSubnets.indices)
    func badSubnet(_ index: Int) async throws {
        let cloud = try await NetworkCloud()
        let network = try await cloud.makeNetwork()
        let (cidr, more, status, type) = Self.badSubnets[index]
        do {
            _ = try await cloud.makeSubnet(network, cidr, more)
            Issue.record("was taken")
        } catch let refusal as NetworkRefusal {
            #expect(refusal.answer.status == status)
            #expect(refusal.answer.json.neutronType == type, "\(refusal)")
        }
    }

    @Test("a port as Neutron shows it to members and administrators")
    func port() async throws {
        let cloud = try await NetworkCloud()
        let network = try await cloud.makeNetwork()
        let subnet = try await cloud.makeSubnet(network)["id"] ?? .null
        let port = try await cloud.make(
            "port", ["network_id": JSON(network), "name": "p", "fixed_ips": [["subnet_id": subnet]]])
        #expect(port["status"] == "DOWN")
        #expect(port["fixed_ips"] == [["subnet_id": subnet, "ip_address": "10.1.0.2"]])
        #expect(port["mac_address"]?.stringValue?.hasPrefix("fa:16:3e:") ?? false)
        #expect(port["security_groups"]?.arrayValue?.count == 1)
        #expect(port["binding:vnic_type"] == "normal")
        #expect(port["binding:host_id"] == nil)
        let id = port["id"]?.stringValue ?? ""
        let asAdmin = await cloud.harness.get("/network/v2.0/ports/\(id)").json["port"]
        #expect(asAdmin?["binding:vif_type"] == "unbound")
        #expect(await cloud.harness.get("/network/v2.0/ports/\(id)", as: .stranger).status == 404)
        for query in ["fixed_ips=ip_address%3D10.1.0.2", "fixed_ips=ip_address_substr%3D.0.", "device_id=", "name=p"] {
            let found = await cloud.harness.get("/network/v2.0/ports?\(query)", as: .member)
            #expect(found.json["ports"]?.arrayValue?.count == 1, "\(query)")
        }
        #expect(
            await cloud.harness.get("/network/v2.0/ports?fixed_ips=ip_address%3D10.1.0.3").json["ports"] == [])
        let used = await cloud.harness.delete(
            "/network/v2.0/subnets/\(subnet.stringValue ?? "")", as: .member)
        #expect(used.status == 409)
        #expect(used.json.neutronType == "SubnetInUse")
    }

    @Test("a port's addresses, pairs and groups change in place")
    func portUpdate() async throws {
        let cloud = try await NetworkCloud()
        let network = try await cloud.makeNetwork()
        _ = try await cloud.makeSubnet(network)
        let id = try await cloud.make("port", ["network_id": JSON(network)])["id"]?.stringValue ?? ""
        let path = "/network/v2.0/ports/\(id)"
        let moved = await cloud.harness.put(
            path,
            [
                "port": [
                    "fixed_ips": [["ip_address": "10.1.0.50"]], "name": "x",
                    "allowed_address_pairs": [["ip_address": "10.1.0.60"]], "security_groups": []
                ]
            ], as: .member)
        #expect(moved.status == 200, "\(moved.json)")
        #expect(moved.json["port"]?.item("fixed_ips")?["ip_address"] == "10.1.0.50")
        #expect(moved.json["port"]?.item("allowed_address_pairs")?["ip_address"] == "10.1.0.60")
        #expect(moved.json["port"]?["security_groups"] == [])
        let off = await cloud.harness.put(
            path, ["port": ["port_security_enabled": false, "allowed_address_pairs": []]], as: .member)
        #expect(off.json["port"]?["port_security_enabled"] == false)
        let pairs = await cloud.harness.put(
            path, ["port": ["allowed_address_pairs": [["ip_address": "10.1.0.61"]]]], as: .member)
        #expect(pairs.json.neutronType == "AddressPairAndPortSecurityRequired")
        let groups = await cloud.harness.put(
            path, ["port": ["security_groups": [JSON(id)]]], as: .member)
        #expect(groups.status == 400)
        #expect(await cloud.harness.put(path, ["port": ["binding:host_id": "h"]], as: .member).status == 403)
    }

    @Test("who does not own a shared network cannot pick addresses on it")
    func sharedNetwork() async throws {
        let cloud = try await NetworkCloud()
        let network = try await cloud.makeNetwork(["shared": true], as: .admin)
        _ = try await cloud.makeSubnet(network)
        let plain = await cloud.harness.post(
            "/network/v2.0/ports", ["port": ["network_id": JSON(network)]], as: .stranger)
        #expect(plain.status == 201)
        let picked = await cloud.harness.post(
            "/network/v2.0/ports",
            ["port": ["network_id": JSON(network), "fixed_ips": [["ip_address": "10.1.0.99"]]]], as: .stranger)
        #expect(picked.status == 403)
        let trusted = await cloud.harness.post(
            "/network/v2.0/ports", ["port": ["network_id": JSON(network), "device_owner": "network:dhcp"]],
            as: .stranger)
        #expect(trusted.status == 403)
    }
}
