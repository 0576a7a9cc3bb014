import CoordinatorCompute
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("compute: security groups, as old versions have them and of servers")
struct ComputeSecurityGroupTests {
    static let path = "/compute/v2.1/os-security-groups"
    static let rules = "/compute/v2.1/os-security-group-rules"

    private static func make(_ cloud: ComputeCloud, _ name: String, as caller: TestCaller = .member) async -> String {
        let made = await cloud.harness.post(
            path, ["security_group": ["name": .string(name), "description": "d"]], as: caller)
        return made.json["security_group"]?["id"]?.stringValue ?? "\(made.status) \(made.json.text)"
    }

    private static func message(_ answer: Answer) -> String? {
        answer.json.objectValue?.values.first?["message"]?.stringValue
    }

    @Test("made, listed, renamed, deleted; from 2.36 on there is no such path")
    func life() async throws {
        let cloud = try await ComputeCloud()
        let h = cloud.harness
        let id = await Self.make(cloud, " group with blanks ")
        let shown = await h.get("\(Self.path)/\(id)", as: .reader)
        #expect(shown.status == 200)
        #expect(
            shown.json["security_group"]
                == [
                    "id": .string(id), "name": " group with blanks ", "description": "d", "rules": [],
                    "tenant_id": .string(TestCaller.project.compact)
                ])
        let changed = await h.put(
            "\(Self.path)/\(id)", ["security_group": ["name": "new", "description": "e"]], as: .member)
        #expect(changed.json["security_group"]?["name"] == "new")
        let list = await h.get(Self.path, as: .member)
        #expect(
            list.json["security_groups"]?.arrayValue?.compactMap { $0["name"]?.stringValue } == ["default", "new"])
        #expect(
            await h.get("\(Self.path)?limit=1&offset=1", as: .member).json["security_groups"]?.arrayValue?.count == 1)
        let rule = list.json["security_groups"]?.arrayValue?.first?["rules"]?.arrayValue?.first
        #expect(rule?["group"]?["name"] == "default")
        #expect(await h.get("\(Self.path)/\(id)", as: .stranger).status == 404)
        #expect(await h.delete("\(Self.path)/\(id)", as: .reader).status == 403)
        #expect(await h.delete("\(Self.path)/\(id)", as: .member).status == 202)
        #expect(await h.get("\(Self.path)/\(id)", as: .member).status == 404)
        #expect(await h.get("\(Self.path)/none", as: .member).status == 400)
        #expect(await h.get(Self.path, as: .member, ComputeCloud.version(36)).status == 404)
        let standard = list.json["security_groups"]?.arrayValue?.first?["id"]?.stringValue ?? ""
        #expect(await h.delete("\(Self.path)/\(standard)", as: .member).status == 400)
        #expect(await h.post(Self.path, ["security_group": ["description": "d"]], as: .member).status == 400)
    }

    @Test("rules by address range and by group")
    func ruled() async throws {
        let cloud = try await ComputeCloud()
        let h = cloud.harness
        let id = await Self.make(cloud, "g")
        func rule(_ members: [String: JSON]) async -> Answer {
            await h.post(
                Self.rules,
                ["security_group_rule": .object(members.merging(["parent_group_id": .string(id)]) { own, _ in own })],
                as: .member)
        }
        let ssh = await rule(["ip_protocol": "tcp", "from_port": 22, "to_port": "22", "cidr": "10.0.0.0/8"])
        #expect(ssh.status == 200)
        #expect(
            ssh.json["security_group_rule"]?.objectValue?.filter { $0.key != "id" }
                == [
                    "parent_group_id": .string(id), "ip_protocol": "tcp", "from_port": 22, "to_port": 22,
                    "ip_range": ["cidr": "10.0.0.0/8"], "group": [:]
                ])
        #expect(await rule(["ip_protocol": "tcp", "from_port": 22, "to_port": 22, "cidr": "10.0.0.0/8"]).status == 400)
        let ping = await rule(["ip_protocol": "icmp", "from_port": -1, "to_port": -1])
        #expect(ping.json["security_group_rule"]?["from_port"] == -1)
        #expect(ping.json["security_group_rule"]?["ip_range"] == ["cidr": "0.0.0.0/0"])
        let group = await rule(["group_id": .string(id), "ip_protocol": "udp", "from_port": 1, "to_port": 2])
        #expect(group.json["security_group_rule"]?["group"]?["name"] == "g")
        for bad in [
            ["cidr": "10.0.0.0/8"], ["ip_protocol": "tcp", "from_port": 1],
            ["ip_protocol": "x", "from_port": 1, "to_port": 1],
            ["ip_protocol": "tcp", "from_port": 9, "to_port": 1],
            ["ip_protocol": "tcp", "from_port": 1, "to_port": 65_536],
            ["ip_protocol": "tcp", "from_port": 1, "to_port": 1, "cidr": "ten"],
            ["parent_group_id": "x", "ip_protocol": "tcp", "from_port": 1, "to_port": 1]
        ] as [[String: JSON]] {
            #expect(await rule(bad).status == 400, "\(bad)")
        }
        let made = ssh.json["security_group_rule"]?["id"]?.stringValue ?? ""
        #expect(await h.delete("\(Self.rules)/\(made)", as: .stranger).status == 404)
        #expect(await h.delete("\(Self.rules)/\(made)", as: .member).status == 202)
        #expect(await h.delete("\(Self.rules)/\(made)", as: .member).status == 404)
    }

    @Test("servers come into groups and leave them, and a group in use stays")
    func servers() async throws {
        let cloud = try await ComputeCloud()
        let h = cloud.harness
        let id = try await cloud.running()
        let group = await Self.make(cloud, "g")
        #expect(await cloud.act(id, ["addSecurityGroup": ["name": "g"]]).status == 202)
        #expect(await cloud.act(id, ["addSecurityGroup": ["name": "g"]], minor: 96).status == 202)
        #expect(await cloud.show(id)["security_groups"] == [["name": "default"], ["name": "g"]])
        let list = await h.get("/compute/v2.1/servers/\(id)/os-security-groups", as: .reader, ComputeCloud.version(96))
        #expect(
            list.json["security_groups"]?.arrayValue?.compactMap { $0["name"]?.stringValue } == ["default", "g"])
        #expect(await h.delete("\(Self.path)/\(group)", as: .member).status == 400)
        #expect(await cloud.act(id, ["removeSecurityGroup": ["name": .string(group)]]).status == 202)
        let again = await cloud.act(id, ["removeSecurityGroup": ["name": "g"]])
        #expect(again.status == 404)
        #expect(Self.message(again) == "Security group g not associated with the instance \(id)")
        #expect(await cloud.act(id, ["addSecurityGroup": ["name": "none"]]).status == 404)
        #expect(await cloud.act(id, ["addSecurityGroup": [:]]).status == 400)
        _ = await Self.make(cloud, "theirs", as: .stranger)
        #expect(await cloud.act(id, ["addSecurityGroup": ["name": "theirs"]]).status == 404)
        #expect(await h.delete("\(Self.path)/\(group)", as: .member).status == 202)
    }

    @Test("fixed addresses come and go by actions of old versions")
    func fixedAddresses() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        let add: JSON = ["addFixedIp": ["networkId": .string(cloud.network.text)]]
        #expect(await cloud.act(id, add, minor: 44).status == 400)
        #expect(await cloud.act(id, add, minor: 43).status == 202)
        try await cloud.report(id, .ready, power: .running)
        let addresses = await cloud.show(id)["addresses"]?["private"]?.arrayValue ?? []
        #expect(addresses.count == 2)
        let second = addresses.last?["addr"] ?? ""
        #expect(await cloud.act(id, ["removeFixedIp": ["address": second]]).status == 202)
        try await cloud.report(id, .ready, power: .running)
        #expect(await cloud.show(id)["addresses"]?["private"]?.arrayValue?.count == 1)
        #expect(await cloud.act(id, ["removeFixedIp": ["address": second]]).status == 400)
    }
}
