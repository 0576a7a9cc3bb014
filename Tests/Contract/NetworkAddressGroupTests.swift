import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("address groups over HTTP")
struct NetworkAddressGroupTests {
    private let cloud: NetworkCloud
    private let base = "/network/v2.0"

    init() async throws { cloud = try await NetworkCloud() }

    private func path(_ group: JSON) -> String { "\(base)/address-groups/\(group["id"]?.stringValue ?? "")" }

    @Test("a group has its addresses once each, and they come and go")
    func life() async throws {
        let group = try await cloud.make(
            "address_group", ["name": "a", "addresses": ["10.0.0.9/24", "10.0.0.0/24", "fd00::/64", "192.0.2.7/32"]])
        #expect(group["addresses"] == ["10.0.0.0/24", "fd00::/64", "192.0.2.7/32"])
        #expect(group["name"] == "a" && group["description"] == "" && group["revision_number"] == 0)
        let added = await cloud.harness.put(
            "\(path(group))/add_addresses", ["addresses": ["198.51.100.0/24"]], as: .member)
        #expect(added.status == 200)
        #expect(added.json["address_group"]?["addresses"]?.arrayValue?.count == 4)
        #expect(added.json["address_group"]?["revision_number"] == 1)
        let twice = await cloud.harness.put(
            "\(path(group))/add_addresses", ["addresses": ["198.51.100.0/24", "10.9.0.0/16"]], as: .member)
        #expect(twice.status == 400 && twice.json.neutronType == "AddressesAlreadyExist")
        let unknown = await cloud.harness.put(
            "\(path(group))/remove_addresses", ["addresses": ["10.9.0.0/16"]], as: .member)
        #expect(unknown.status == 404 && unknown.json.neutronType == "AddressesNotFound")
        let less = await cloud.harness.put(
            "\(path(group))/remove_addresses", ["addresses": ["10.0.0.0/24", "fd00::/64"]], as: .member)
        #expect(less.json["address_group"]?["addresses"] == ["192.0.2.7/32", "198.51.100.0/24"])
        let renamed = await cloud.harness.put(path(group), ["address_group": ["name": "b"]], as: .member)
        #expect(renamed.json["address_group"]?["name"] == "b")
        let fixed = await cloud.harness.put(path(group), ["address_group": ["addresses": []]], as: .member)
        #expect(fixed.status == 400)
        let list = await cloud.harness.get("\(base)/address-groups?name=b", as: .reader)
        #expect(list.json["address_groups"]?.arrayValue?.count == 1)
        #expect(await cloud.harness.delete(path(group), as: .reader).status == 403)
        #expect(await cloud.harness.delete(path(group), as: .member).status == 204)
        #expect(await cloud.harness.get(path(group), as: .member).json.neutronType == "AddressGroupNotFound")
    }

    @Test("a group has a most", arguments: [1024, 1025])
    func most(count: Int) async throws {
        let addresses = (0..<count).map { JSON("10.\($0 / 256).\($0 % 256).0/24") }
        let answer = await cloud.harness.post(
            "\(base)/address-groups", ["address_group": ["addresses": .array(addresses)]], as: .member)
        #expect(answer.status == (count > 1024 ? 400 : 201))
    }

    @Test("a rule names a group, alone, which stays as long as it does")
    func rules() async throws {
        let addresses = try await cloud.make("address_group", ["addresses": ["10.0.0.0/24"]])
        let group = try await cloud.make("security_group", ["name": "g"])
        func rule(_ more: [String: JSON]) async -> Answer {
            let body: [String: JSON] = [
                "security_group_id": group["id"] ?? .null, "direction": "ingress",
                "remote_address_group_id": addresses["id"] ?? .null
            ]
            return await cloud.harness.post(
                "\(base)/security-group-rules", ["security_group_rule": .object(body.merging(more) { $1 })], as: .member
            )
        }
        let made = await rule([:])
        #expect(made.status == 201)
        #expect(made.json["security_group_rule"]?["remote_address_group_id"] == addresses["id"])
        #expect(await rule([:]).json.neutronType == "SecurityGroupRuleExists")
        #expect(await rule(["ethertype": "IPv6"]).status == 201)
        let mixed = await rule(["remote_ip_prefix": "10.0.0.0/8"])
        #expect(mixed.status == 400 && mixed.json.neutronType == "SecurityGroupMultipleRemoteEntites")
        #expect(await rule(["remote_address_group_id": "x"]).json.neutronType == "AddressGroupNotFound")
        let found = await cloud.harness.get(
            "\(base)/security-group-rules?remote_address_group_id=\(addresses["id"]?.stringValue ?? "")", as: .member)
        #expect(found.json["security_group_rules"]?.arrayValue?.count == 2)
        let used = await cloud.harness.delete(path(addresses), as: .member)
        #expect(used.status == 409 && used.json.neutronType == "AddressGroupInUse")
        let gone = await cloud.harness.delete(
            "\(base)/security-groups/\(group["id"]?.stringValue ?? "")", as: .member)
        #expect(gone.status == 204)
        #expect(await cloud.harness.delete(path(addresses), as: .member).status == 204)
    }
}
