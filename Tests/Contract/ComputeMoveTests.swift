import CoordinatorCompute
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("compute: evacuations, migrations, and what reaches into guests")
struct ComputeMoveTests {
    private static func scene() async throws -> (ComputeCloud, ServerID) {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        try await cloud.hosts.goDown(cloud.first)
        return (cloud, id)
    }

    private static func claims(_ cloud: ComputeCloud, _ type: String) async throws -> [String] {
        try await cloud.harness.database.read { reader in
            try reader.query(
                """
                SELECT p.name FROM placement_consumers c JOIN placement_allocations a ON a.consumer_id = c.id
                JOIN placement_providers p ON p.id = a.provider_id
                WHERE c.consumer_type = ? AND a.resource_class = 'VCPU' ORDER BY p.name
                """, [type]
            ) { $0.text(0) }
        }
    }

    @Test("a server of a host that is down is made anew elsewhere, and is never on two")
    func evacuate() async throws {
        let (cloud, id) = try await Self.scene()
        let answer = await cloud.act(id, ["evacuate": [:]], as: .admin, minor: 14)
        #expect(answer.status == 200 && answer.bytes.isEmpty)
        #expect(await cloud.status(id) == "REBUILD")
        #expect(try await cloud.entry(id, on: cloud.first)?.isWanted == false)
        #expect(try await cloud.spec(id, on: cloud.first) == nil)
        let spec = try #require(try await cloud.spec(id, on: cloud.second))
        #expect(spec.power == .running && spec.rootDiskVersion == 1)
        #expect(try await cloud.portHost(id) == "host-b")
        #expect(try await Self.claims(cloud, "INSTANCE") == ["host-b"])
        #expect(try await Self.claims(cloud, "MIGRATION") == ["host-a"])
        // The old host does not know yet that the server is gone from it: nobody listens.
        try await cloud.report(id, .ready, power: .running, from: cloud.first)
        #expect(await cloud.status(id) == "REBUILD")
        try await cloud.report(id, .ready, power: .running, from: cloud.second)
        #expect(await cloud.status(id) == "ACTIVE")
        #expect(await cloud.migrations("?instance_uuid=\(id)").map { $0["status"] } == ["done"])
        try await cloud.report(id, .gone, from: cloud.first)
        #expect(try await Self.claims(cloud, "MIGRATION") == [])
        let migration = try #require(await cloud.migrations("?host=host-b", minor: 80).first)
        #expect(migration["status"] == "completed" && migration["migration_type"] == "evacuation")
        #expect(migration["source_compute"] == "host-a" && migration["dest_compute"] == "host-b")
        #expect(migration["project_id"] == .string(TestCaller.project.compact) && migration["uuid"] != nil)
        #expect(await cloud.status(id) == "ACTIVE")
    }

    @Test("the power it had, or off from 2.95 on", arguments: [(false, 14), (false, 95), (true, 14)])
    func power(isStopped: Bool, minor: Int) async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        if isStopped {
            _ = await cloud.act(id, ["os-stop": nil])
            try await cloud.report(id, .ready, power: .shutdown)
        }
        try await cloud.hosts.goDown(cloud.first)
        let body: JSON = ["evacuate": ["host": "host-b", "adminPass": "new"]]
        #expect(await cloud.act(id, body, as: .admin, minor: minor).status == 200)
        let spec = try await cloud.spec(id, on: cloud.second)
        let isOff = isStopped || minor == 95
        #expect(spec?.power == (isOff ? .stopped : .running) && spec?.adminPassword == "new")
        try await cloud.report(id, .ready, power: isOff ? .shutdown : .running, from: cloud.second)
        #expect(await cloud.status(id) == (isOff ? "SHUTOFF" : "ACTIVE"))
    }

    @Test("an evacuation that fails leaves an ERROR in the new place, and the old host's copy is not run again")
    func failure() async throws {
        let (cloud, id) = try await Self.scene()
        _ = await cloud.act(id, ["evacuate": [:]], as: .admin, minor: 14)
        try await cloud.report(
            id, .failed, power: .none, error: StatusError(code: .noSpace, message: "No space.", detail: ""),
            from: cloud.second)
        #expect(await cloud.status(id) == "ERROR")
        #expect(await cloud.migrations("").first?["status"] == "error")
        #expect(try await cloud.entry(id, on: cloud.first)?.isWanted == false)
    }

    @Test("without a host that fits, the server stays where it is, and says why")
    func noHost() async throws {
        let (cloud, id) = try await Self.scene()
        try await cloud.hosts.goDown(cloud.second)
        #expect(await cloud.act(id, ["evacuate": [:]], as: .admin, minor: 14).status == 200)
        #expect(await cloud.status(id) == "ACTIVE")
        #expect(try await cloud.entry(id, on: cloud.first)?.isWanted == true)
        #expect(try await Self.claims(cloud, "INSTANCE") == ["host-a"])
        let action = await cloud.actions(id).first
        #expect(action?["action"] == "evacuate" && action?["message"] == "Error")
    }

    @Test("evacuations that are refused, in Nova's words")
    func refusals() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        func evacuate(_ body: JSON, minor: Int = 14, as caller: TestCaller = .admin) async -> (Int, String) {
            let answer = await cloud.act(id, ["evacuate": body], as: caller, minor: minor)
            let message = answer.json.objectValue?.values.first?["message"]?.stringValue ?? ""
            return (answer.status, message)
        }
        #expect(await evacuate([:], as: .member).0 == 403)
        #expect(await evacuate([:]) == (400, "Compute service of host-a is still in use."))
        #expect(await evacuate(["host": "host-x"]) == (404, "Compute host host-x not found."))
        #expect(await evacuate(["host": "host-a"]) == (400, "The target host can't be the same one."))
        #expect(await evacuate([:], minor: 13).0 == 400)
        #expect(await evacuate(["onSharedStorage": true], minor: 14).0 == 400)
        #expect(
            await evacuate(["onSharedStorage": true, "adminPass": "x"], minor: 13)
                == (400, "admin password can't be changed on existing disk"))
        #expect(
            await evacuate(["force": true], minor: 29) == (400, "Can't force to a non-provided destination"))
        #expect(await evacuate(["force": true, "host": "host-b"], minor: 68).0 == 400)
        _ = await cloud.act(id, ["pause": nil])
        try await cloud.report(id, .ready, power: .paused)
        #expect(
            await evacuate([:]) == (409, "Cannot 'evacuate' instance \(id) while it is in vm_state paused"))
    }

    // MARK: Other moves

    @Test("migrations that are refused, in Nova's words, change nothing; running guests are not moved")
    func migrate() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        #expect(await cloud.act(id, ["migrate": nil]).status == 403)
        let cases: [(body: JSON, minor: Int, message: String)] = [
            (["migrate": ["host": "host-a"]], 56, "Cannot migrate to the host where the server exists."),
            (["migrate": ["host": "host-x"]], 56, "Compute host host-x could not be found."),
            (["migrate": ["host": "host-b"]], 55, "Additional properties are not allowed ('host' was unexpected)"),
            (
                ["os-migrateLive": ["host": nil, "block_migration": true, "disk_over_commit": false]], 1,
                "Migration pre-check error:"
            ),
            (
                ["os-migrateLive": ["host": "host-a", "block_migration": "auto"]], 34,
                "Unable to migrate instance (\(id)) to current host (host-a)."
            ),
            (
                ["os-migrateLive": ["host": "host-x", "block_migration": "auto"]], 25,
                "Compute host host-x could not be found."
            ),
            (
                ["os-migrateLive": ["host": nil, "block_migration": "auto", "force": true]], 30,
                "Can't force to a non-provided destination"
            ),
            (["os-migrateLive": ["host": nil, "block_migration": "auto"]], 24, "Invalid input for field/attribute")
        ]
        for (body, minor, message) in cases {
            let answer = await cloud.act(id, body, as: .admin, minor: minor)
            let told = answer.json["badRequest"]?["message"]?.stringValue ?? ""
            #expect(answer.status == 400 && told.contains(message), "\(body.text): \(told)")
        }
        let paused = await cloud.act(id, ["pause": nil])
        #expect(paused.status == 202)
        let busy = await cloud.act(id, ["migrate": nil], as: .admin)
        #expect(
            busy.json["conflictingRequest"]?["message"]
                == .string("Cannot 'migrate' instance \(id) while it is in task_state pausing"))
    }

    @Test("resizes are listed as what they are, by pages and filters")
    func list() async throws {
        let cloud = try await ComputeCloud()
        let flavor: JSON = ["name": "m1.micro", "id": "2", "ram": 256, "vcpus": 2, "disk": 2]
        _ = await cloud.harness.post("/compute/v2.1/flavors", ["flavor": flavor], as: .admin)
        var ids: [ServerID] = []
        for _ in 0..<3 {
            let id = try await cloud.running()
            _ = await cloud.act(id, ["resize": ["flavorRef": "2"]])
            ids.append(id)
            cloud.harness.clock.advance(by: .seconds(1))
        }
        let old = await cloud.migrations("")
        #expect(old.count == 3)
        #expect(
            Set(old.first?.objectValue.map { Array($0.keys) } ?? []) == [
                "id", "instance_uuid", "status", "source_compute", "source_node", "dest_compute", "dest_node",
                "dest_host", "old_instance_type_id", "new_instance_type_id", "created_at", "updated_at"
            ])
        #expect(old.allSatisfy { $0["status"] == "migrating" && $0["new_instance_type_id"] == 2 })
        #expect(await cloud.migrations("", minor: 23).allSatisfy { $0["migration_type"] == "resize" })
        let page = await cloud.harness.get(
            "/compute/v2.1/os-migrations?limit=2", as: .admin, ComputeCloud.version(59))
        let shown = page.json["migrations"]?.arrayValue?.compactMap { $0["instance_uuid"]?.stringValue }
        #expect(shown == ids.reversed().prefix(2).map(\.text))
        let next = page.json["migrations_links"]?.arrayValue?.first?["href"]?.stringValue ?? ""
        #expect(next.contains("marker="))
        #expect(await cloud.migrations("?status=finished", minor: 59).isEmpty)
        #expect(await cloud.migrations("?instance_uuid=\(ids[0])", minor: 59).count == 1)
        let paths: [(path: String, caller: TestCaller, minor: Int, status: Int)] = [
            ("?marker=\(AnyID.random())", .admin, 59, 400), ("?unknown=1", .admin, 59, 400),
            ("?unknown=1", .admin, 58, 200), ("?project_id=x", .admin, 79, 400), ("", .member, 80, 403),
            ("", .manager, 80, 403), ("?project_id=\(TestCaller.project.compact)", .manager, 80, 200)
        ]
        for (path, caller, minor, status) in paths {
            let answer = await cloud.harness.get(
                "/compute/v2.1/os-migrations" + path, as: caller, ComputeCloud.version(minor))
            #expect(answer.status == status, "\(path) as \(caller) at \(minor): \(answer.json.text)")
        }
        let own = await cloud.harness.get(
            "/compute/v2.1/os-migrations?project_id=\(TestCaller.project.compact)", as: .manager,
            ComputeCloud.version(80))
        #expect(own.json["migrations"]?.arrayValue?.first?["source_compute"] == .null)
    }

    @Test("there are no live migrations to list, to complete or to abort")
    func live() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        let path = "/compute/v2.1/servers/\(id)/migrations"
        let version = ComputeCloud.version(24)
        #expect(await cloud.harness.get(path, as: .admin, version).json == ["migrations": []])
        #expect(await cloud.harness.get(path, as: .admin).status == 404)
        #expect(await cloud.harness.get(path + "/1", as: .admin, version).status == 404)
        let abort = await cloud.harness.send(
            .delete, path + "/1", nil, as: .admin, headers: version)
        #expect(abort.status == 409)
        let complete = await cloud.harness.post(path + "/1/action", ["force_complete": nil], as: .admin, version)
        #expect(complete.status == 409)
        #expect(
            complete.json["conflictingRequest"]?["message"]
                == .string("Instance \(id) is in an invalid state for 'force_complete'"))
    }

    @Test("what reaches into a guest, or is gone from Nova")
    func reaching() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        let password = await cloud.act(id, ["changePassword": ["adminPass": "x"]])
        #expect(password.status == 409)
        #expect(password.json["conflictingRequest"]?["message"] == "QEMU guest agent is not enabled")
        #expect(await cloud.act(id, ["changePassword": [:]]).status == 400)
        #expect(await cloud.act(id, ["trigger_crash_dump": nil], minor: 16).status == 404)
        #expect(await cloud.act(id, ["trigger_crash_dump": [:]], minor: 17).status == 400)
        #expect(await cloud.act(id, ["trigger_crash_dump": nil], minor: 17).status == 202)
        #expect(await cloud.actions(id).first?["action"] == "trigger_crash_dump")
        #expect(await cloud.act(id, ["injectNetworkInfo": nil]).status == 403)
        let before = try #require(try await cloud.entry(id))
        #expect(await cloud.act(id, ["injectNetworkInfo": nil], as: .admin).status == 202)
        #expect(try await cloud.entry(id)?.generation ?? 0 > before.generation)
        #expect(await cloud.act(id, ["resetNetwork": nil], as: .admin).status == 410)
        _ = await cloud.act(id, ["os-stop": nil])
        try await cloud.report(id, .ready, power: .shutdown)
        #expect(
            await cloud.act(id, ["changePassword": ["adminPass": "x"]]).json["conflictingRequest"]?["message"]
                == .string("Cannot 'changePassword' instance \(id) while it is in vm_state stopped"))
    }

    @Test("a declared state is held against the host: a guest that is off makes a stopped server")
    func reset() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        _ = await cloud.act(id, ["os-stop": nil])
        try await cloud.report(id, .ready, power: .shutdown)
        #expect(await cloud.act(id, ["os-resetState": ["state": "active"]], as: .admin).status == 202)
        #expect(await cloud.status(id) == "ACTIVE")
        #expect(try await cloud.spec(id)?.power == .stopped)
        try await cloud.report(id, .ready, power: .shutdown)
        #expect(await cloud.status(id) == "SHUTOFF")
        #expect(await cloud.actions(id).contains { $0["action"] == "resetState" })
    }
}

extension ComputeCloud {
    /// What the list of migrations shows an administrator.
    func migrations(_ query: String, minor: Int = 1) async -> [JSON] {
        await harness.get("/compute/v2.1/os-migrations\(query)", as: .admin, Self.version(minor)).json["migrations"]?
            .arrayValue ?? []
    }
}
