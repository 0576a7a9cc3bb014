import CoordinatorCompute
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("compute: server groups and hints of where servers go")
struct ComputeServerGroupTests {
    static let path = "/compute/v2.1/os-server-groups"

    private static func make(
        _ cloud: ComputeCloud, _ policy: String, most: Int? = nil, as caller: TestCaller = .member
    ) async -> String {
        var group: [String: JSON] = ["name": "g", "policy": .string(policy)]
        if let most { group["rules"] = ["max_server_per_host": JSON(most)] }
        let made = await cloud.harness.post(
            path, ["server_group": .object(group)], as: caller, ComputeCloud.version(64))
        return made.json["server_group"]?["id"]?.stringValue ?? "\(made.status) \(made.json.text)"
    }

    private static func create(
        _ cloud: ComputeCloud, _ hints: [String: JSON], _ more: [String: JSON] = [:]
    ) async -> Answer {
        let server = ComputeCloud.body(more).objectValue?["server"] ?? [:]
        return await cloud.harness.post(
            "/compute/v2.1/servers", ["server": server, "os:scheduler_hints": .object(hints)], as: .member)
    }

    private static func hosts(_ cloud: ComputeCloud) async -> [String] {
        let list = await cloud.harness.get("/compute/v2.1/servers/detail?all_tenants=1", as: .admin)
        return (list.json["servers"]?.arrayValue ?? []).compactMap { $0["OS-EXT-SRV-ATTR:host"]?.stringValue }.sorted()
    }

    @Test("made, shown as each version has it, listed, deleted")
    func life() async throws {
        let cloud = try await ComputeCloud()
        let h = cloud.harness
        let old: JSON = ["server_group": ["name": "g", "policies": ["affinity"]]]
        let made = await h.post(Self.path, old, as: .member)
        #expect(made.status == 200)
        let id = made.json["server_group"]?["id"]?.stringValue ?? ""
        #expect(
            made.json["server_group"]
                == ["id": .string(id), "name": "g", "policies": ["affinity"], "members": [], "metadata": [:]])
        let newest = await h.get("\(Self.path)/\(id)", as: .reader, ComputeCloud.version(64))
        #expect(
            newest.json["server_group"]
                == [
                    "id": .string(id), "name": "g", "policy": "affinity", "rules": [:], "members": [],
                    "project_id": .string(TestCaller.project.compact),
                    "user_id": .string(TestCaller.member.caller.user.compact)
                ])
        let other = await Self.make(cloud, "anti-affinity", most: 2, as: .stranger)
        let shown = await h.get("\(Self.path)/\(other)", as: .admin, ComputeCloud.version(64))
        #expect(shown.json["server_group"]?["rules"] == ["max_server_per_host": 2])
        #expect(await h.get("\(Self.path)/\(other)", as: .member).status == 404)
        #expect(await h.get(Self.path, as: .member).json["server_groups"]?.arrayValue?.count == 1)
        #expect(await h.get("\(Self.path)?all_projects=1", as: .admin).json["server_groups"]?.arrayValue?.count == 2)
        #expect(await h.get("\(Self.path)?all_projects=1", as: .member).json["server_groups"]?.arrayValue?.count == 1)
        #expect(
            await h.get("\(Self.path)?all_projects=1&offset=1&limit=5", as: .admin).json["server_groups"]?.arrayValue?
                .compactMap { $0["id"]?.stringValue } == [other])
        #expect(await h.get("\(Self.path)?limit=-1", as: .member).status == 400)
        #expect(await h.delete("\(Self.path)/\(id)", as: .reader).status == 403)
        #expect(await h.delete("\(Self.path)/\(id)", as: .member).status == 204)
        let gone = await h.delete("\(Self.path)/\(id)", as: .member)
        #expect(gone.json["itemNotFound"]?["message"] == .string("Instance group \(id) could not be found."))
    }

    static let bad: [(group: JSON, minor: Int)] = [
        (["name": "g"], 1), (["name": "g", "policies": []], 1), (["name": "g", "policies": ["soft-affinity"]], 14),
        (["name": "g", "policies": ["affinity", "anti-affinity"]], 15), (["name": "", "policies": ["affinity"]], 1),
        (["name": "g", "policy": "affinity"], 63), (["name": "g", "policies": ["affinity"]], 64),
        (["name": "g", "policy": "affinity", "rules": ["max_server_per_host": 2]], 64),
        (["name": "g", "policy": "anti-affinity", "rules": ["max_server_per_host": 0]], 64),
        (["name": "g", "policy": "anti-affinity", "rules": ["least": 1]], 64)
    ]

    @Test("what is no group is refused", arguments: bad.indices)
    func refused(_ index: Int) async throws {
        let cloud = try await ComputeCloud()
        let (group, minor) = Self.bad[index]
        let answer = await cloud.harness.post(
            Self.path, ["server_group": group], as: .member, ComputeCloud.version(minor))
        #expect(answer.status == 400, "\(answer.json.text)")
    }

    @Test("quotas of groups and of their members hold")
    func quotas() async throws {
        var settings = ComputeSettings()
        settings.quotas["server_groups"] = 1
        settings.quotas["server_group_members"] = 2
        let cloud = try await ComputeCloud(settings: settings)
        let id = await Self.make(cloud, "affinity")
        let second = await cloud.harness.post(
            Self.path, ["server_group": ["name": "g", "policies": ["affinity"]]], as: .member)
        #expect(second.status == 403)
        #expect(second.json["forbidden"]?["message"] == "Quota exceeded, too many server groups.")
        #expect(await Self.create(cloud, ["group": .string(id)], ["max_count": 2]).status == 202)
        let third = await Self.create(cloud, ["group": .string(id)])
        #expect(third.status == 403)
        #expect(third.json["forbidden"]?["message"] == "Quota exceeded, too many servers in group")
        let limits = await cloud.harness.get("/compute/v2.1/limits", as: .member)
        #expect(limits.json["limits"]?["absolute"]?["totalServerGroupsUsed"] == 1)
        let missing = await Self.create(cloud, ["group": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"])
        #expect(missing.status == 400)
        #expect(
            missing.json["badRequest"]?["message"]
                == "Instance group aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee could not be found.")
    }

    @Test("a hundred servers at once in a group that is to be apart are as many as there are hosts")
    func apart() async throws {
        var settings = ComputeSettings()
        for name in ["instances", "cores", "ram", "server_group_members"] { settings.quotas[name] = -1 }
        let cloud = try await ComputeCloud(settings: settings, hosts: ["host-a", "host-b", "host-c"])
        let id = await Self.make(cloud, "anti-affinity")
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<100 { group.addTask { await Self.create(cloud, ["group": .string(id)]).status } }
            for await status in group { #expect(status == 202) }
        }
        #expect(await Self.hosts(cloud) == ["host-a", "host-b", "host-c"])
        let shown = await cloud.harness.get("\(Self.path)/\(id)", as: .member)
        #expect(shown.json["server_group"]?["members"]?.arrayValue?.count == 100)
        let list = await cloud.harness.get("/compute/v2.1/servers/detail?status=ERROR&limit=1", as: .member)
        #expect(
            list.json["servers"]?.arrayValue?.first?["fault"]?["message"]
                == "No valid host was found. 3 hosts: 3 has another of the server group")
    }

    @Test("a server that went back to its old size is still in its group")
    func revertedResize() async throws {
        let cloud = try await ComputeCloud()
        let flavor: JSON = ["name": "m1.micro", "id": "2", "ram": 256, "vcpus": 2, "disk": 2]
        _ = await cloud.harness.post("/compute/v2.1/flavors", ["flavor": flavor], as: .admin)
        let group = await Self.make(cloud, "anti-affinity")
        let id = try ComputeCloud.id(await Self.create(cloud, ["group": .string(group)]))
        let steps: [(action: String?, power: ServerDetails.PowerState)] = [
            (nil, .running), ("resize", .shutdown), (nil, .running), ("revertResize", .shutdown), (nil, .running)
        ]
        for (action, power) in steps {
            let body: JSON = action == "resize" ? ["flavorRef": "2"] : nil
            if let action { #expect(await cloud.act(id, [action: body]).status == 202) }
            try await cloud.report(id, .ready, power: power)
        }
        #expect(await cloud.status(id) == "ACTIVE")
        for _ in 0..<2 { _ = await Self.create(cloud, ["group": .string(group)]) }
        #expect(await Self.hosts(cloud) == ["host-a", "host-b"])
    }

    @Test("two may be on a host where that is the rule, and a server that is gone leaves its place")
    func most() async throws {
        let cloud = try await ComputeCloud()
        let id = await Self.make(cloud, "anti-affinity", most: 2)
        for _ in 0..<5 { _ = await Self.create(cloud, ["group": .string(id)]) }
        #expect(await Self.hosts(cloud) == ["host-a", "host-a", "host-b", "host-b"])
        let members = await cloud.harness.get("\(Self.path)/\(id)", as: .member).json["server_group"]?["members"]
        let first = try #require(ServerID(members?.arrayValue?.first?.stringValue ?? ""))
        #expect(await cloud.show(first, minor: 71)["server_groups"] == [.string(id)])
        #expect(await cloud.show(first, minor: 70)["server_groups"] == nil)
        _ = await cloud.harness.delete("/compute/v2.1/servers/\(first)", as: .member)
        _ = await Self.create(cloud, ["group": .string(id)])
        #expect(await Self.hosts(cloud).count == 4, "its host may still have it")
        try await cloud.report(first, .gone)
        _ = await Self.create(cloud, ["group": .string(id)])
        #expect(await Self.hosts(cloud).count == 4)
        #expect(await cloud.harness.delete("\(Self.path)/\(id)", as: .member).status == 204)
    }

    @Test("together on one host, softly together, softly apart", arguments: ["affinity", "soft-affinity"])
    func together(_ policy: String) async throws {
        let cloud = try await ComputeCloud()
        let id = await Self.make(cloud, policy)
        for _ in 0..<4 { _ = await Self.create(cloud, ["group": .string(id)]) }
        #expect(Set(await Self.hosts(cloud)).count == 1)
        let soft = await Self.make(cloud, "soft-anti-affinity")
        for _ in 0..<4 { _ = await Self.create(cloud, ["group": .string(soft)]) }
        let hosts = await Self.hosts(cloud)
        #expect(hosts.count == 8)
        #expect(hosts.filter { $0 == "host-b" }.count == 2 || hosts.filter { $0 == "host-a" }.count == 2)
    }

    @Test("hints: the host of another server, and not")
    func hints() async throws {
        let cloud = try await ComputeCloud()
        let first = try ComputeCloud.id(await cloud.create())
        let host = await cloud.show(first, as: .admin)["OS-EXT-SRV-ATTR:host"]
        let same = try ComputeCloud.id(await Self.create(cloud, ["same_host": [.string(first.text)]]))
        #expect(await cloud.show(same, as: .admin)["OS-EXT-SRV-ATTR:host"] == host)
        let different = try ComputeCloud.id(await Self.create(cloud, ["different_host": .string(first.text)]))
        #expect(await cloud.show(different, as: .admin)["OS-EXT-SRV-ATTR:host"] != host)
        let nowhere = try ComputeCloud.id(
            await Self.create(cloud, ["same_host": ["aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"]]))
        #expect(await cloud.status(nowhere) == "ERROR")
        let far = try ComputeCloud.id(await Self.create(cloud, ["build_near_host_ip": "192.0.2.1", "cidr": "/24"]))
        #expect(
            await cloud.show(far)["fault"]?["message"]?.stringValue?.hasSuffix(
                "2 has no address in 192.0.2.0/24 (build_near_host_ip)") == true)
        let query = await Self.create(cloud, ["query": "[\">=\", \"$free_ram_mb\", 1024]"])
        #expect(query.status == 400)
    }
}
