import CoordinatorCompute
import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("servers in the database")
struct ServerRowTests {
    /// Every field with a value of its own, so that two columns that change places are found.
    static func full() -> ServerRecord {
        var server = ComputeFixture.server(1, "full")
        server.description = "a description"
        server.hostname = "a-hostname"
        server.state = ServerState(vm: .paused, task: .unpausing, power: .paused, hasLaunched: true)
        server.taskDeadline = 11
        server.host = ServerHost(node: ComputeFixture.node, hostname: "host-a", zone: "zone-a")
        server.planGeneration = 12
        server.power = .paused
        server.pinnedZone = "a zone"
        server.pinnedHost = "a host"
        server.keyName = "a key"
        server.publicKey = "ssh-ed25519 AAAA"
        server.userData = "IyEvYmluL3NoCg=="
        server.hasConfigDrive = true
        server.metadata = ["role": "web", "odd \"key\"": "ü"]
        server.adminPassword = "a password"
        server.accessIPv4 = "192.0.2.1"
        server.accessIPv6 = "2001:db8::1"
        server.diskConfig = "AUTO"
        server.launchIndex = 13
        server.reservationID = "r-12345678"
        server.lockedBy = "owner"
        server.lockedReason = "a reason"
        server.schedulerHints = #"{"group":"x"}"#
        server.updatedAt = 14
        server.launchedAt = 15
        server.terminatedAt = 16
        server.deletedAt = 17
        server.fault = ServerFault(code: 501, message: "a message", details: "details", createdAt: 18)
        server.attempts = 19
        server.excluded = [NodeID(high: 7, low: 1): "tried", NodeID(high: 7, low: 2): "tried too"]
        server.actionID = 20
        server.operation = OperationID(high: 8, low: 8)
        server.rootDiskVersion = 21
        server.diskImage = ImageSpec(id: ImageID(high: 6, low: 1), sha512: "d1", sizeBytes: 22, format: .raw)
        server.rescueVersion = 23
        server.rescue = ServerSpec.Rescue(
            version: 23, image: ImageSpec(id: ImageID(high: 6, low: 2), sha512: "d2", sizeBytes: 24, format: .iso),
            adminPassword: "a rescue password")
        server.upload = .init(image: ImageID(high: 6, low: 3), backupType: "daily", rotation: 25)
        server.shelvedImage = ImageID(high: 6, low: 4)
        server.shelvedAt = 26
        server.softDeletedAt = 27
        return server
    }

    @Test("what is written is read again, whole and blank", arguments: [full(), ComputeFixture.server(1)])
    func roundTrip(server: ServerRecord) async throws {
        let database = try await ComputeFixture.database()
        let store = ServerStore()
        let number = try await database.write { try store.insert(server, in: $0) }
        var expected = server
        expected.number = number
        #expect(try await database.read { try store.find(server.id, in: $0) } == expected)
    }

    @Test("a change writes what changes, counts, and tells the moment; what was written once stays")
    func changes() async throws {
        let database = try await ComputeFixture.database()
        let store = ServerStore()
        let first = ComputeFixture.server(1)
        try await ComputeFixture.insert([first], into: database)
        var changed = Self.full()
        changed.project = ComputeFixture.other
        changed.createdAt = 99
        let saved = try await database.write { [changed] transaction in
            var server = changed
            try store.save(&server, at: 55, in: transaction)
            return server
        }
        #expect(saved.generation == 2 && saved.updatedAt == 55)
        let read = try #require(try await database.read { try store.find(first.id, in: $0) })
        #expect(read.name == "full" && read.generation == 2 && read.updatedAt == 55 && read.metadata["role"] == "web")
        #expect(read.state == changed.state && read.fault == changed.fault && read.excluded == changed.excluded)
        #expect(read.project == first.project && read.keyName == "a key" && read.createdAt == first.createdAt)
    }

    @Test("who comes second with an old row changes nothing")
    func stale() async throws {
        let database = try await ComputeFixture.database()
        let store = ServerStore()
        try await ComputeFixture.insert([ComputeFixture.server(1)], into: database)
        let old = try #require(try await database.read { try store.find(ServerID(high: 9, low: 1), in: $0) })
        func save(_ name: String) async throws {
            try await database.write { transaction in
                var server = old
                server.name = name
                try store.save(&server, at: 1, in: transaction)
            }
        }
        try await save("winner")
        await #expect(throws: StoreError.self) { try await save("loser") }
        #expect(try await database.read { try store.find(old.id, in: $0) }?.name == "winner")
    }

    @Test("only overdue tasks are overdue, the longest first, a hundred at a time")
    func overdue() async throws {
        let database = try await ComputeFixture.database()
        let servers = (1...130).map { number in
            var server = ComputeFixture.server(UInt64(number))
            server.taskDeadline = number > 120 ? nil : Int64(1000 - number)
            return server
        }
        try await ComputeFixture.insert(servers, into: database)
        let found = try await database.read { try ServerStore().overdue(at: 990, in: $0) }.records
        #expect(found.count == 100)
        #expect(found.first?.taskDeadline == 880 && found.last?.taskDeadline == 979)
        #expect(try await database.read { try ServerStore().overdue(at: 879, in: $0) }.records.isEmpty)
    }

    @Test("a row that cannot be read keeps no other from its way out")
    func damaged() async throws {
        let database = try await ComputeFixture.database()
        let servers = (1...130).map { number in
            var server = ComputeFixture.server(UInt64(number))
            server.taskDeadline = Int64(number)
            return server
        }
        try await ComputeFixture.insert(servers, into: database)
        try await database.write { transaction in
            try transaction.execute("UPDATE servers SET vm_state = 'nonsense' WHERE task_deadline IN (1, 2)")
        }
        let first = try await database.read { try ServerStore().overdue(at: 990, in: $0) }
        #expect(first.count == 100 && first.records.count == 98 && first.failures.count == 2)
        let rest = try await database.read { try ServerStore().overdue(at: 990, skipping: 100, in: $0) }
        #expect(rest.records.map(\.taskDeadline) == (101...130).map { Int64($0) })
    }

    @Test("usage counts the living of a project, load the servers of each node")
    func sums() async throws {
        let database = try await ComputeFixture.database()
        var servers = (1...5).map { ComputeFixture.server($0) }
        servers[0].deletedAt = 5
        servers[1].host = ServerHost(node: ComputeFixture.node, hostname: "host-a", zone: "nova")
        servers[2].host = servers[1].host
        servers[2].state = ServerState(vm: .active, task: nil, power: .running, hasLaunched: true)
        servers[3].project = ComputeFixture.other
        servers[4].state.task = .deleting
        try await ComputeFixture.insert(servers, into: database)
        let store = ServerStore()
        let usage = try await database.read { try store.usage(of: ComputeFixture.project, in: $0) }
        #expect(usage == ["instances": 4 - 1, "cores": 6, "ram": 1536])
        #expect(try await database.read { try store.usage(of: ProjectID(high: 0, low: 9), in: $0) }["cores"] == 0)
        let load = try await database.read { try store.load(in: $0) }
        #expect(
            load == [ComputeFixture.node: NodeLoad(vcpus: 4, memoryMiB: 1024, diskGiB: 2, servers: 2, tasks: 1)])
        let owned = try await database.read { try store.owned(by: ComputeFixture.project, in: $0) }
        #expect(owned.map(\.id.low) == [2, 3], "neither the deleted nor what is asked to go")
        #expect(try await database.read { try store.countOwned(by: ComputeFixture.project, in: $0) } == 2)
        #expect(try await database.read { try store.residents(of: ComputeFixture.node, in: $0) }.map(\.name).count == 2)
    }

    static let periods: [(Int64, Int64, [UInt64])] = [
        (0, 10, []), (0, 11, [1]), (15, 25, [1, 2]), (30, 40, [2]), (31, 40, [2]), (29, 30, [1, 2])
    ]

    @Test("a period's servers are those that ran in a part of it", arguments: periods)
    func living(start: Int64, end: Int64, expected: [UInt64]) async throws {
        let database = try await ComputeFixture.database()
        var servers = (1...3).map { ComputeFixture.server($0) }
        servers[0].launchedAt = 10
        servers[0].terminatedAt = 30
        servers[1].launchedAt = 20
        try await ComputeFixture.insert(servers, into: database)
        let found = try await database.read {
            try ServerStore().living(from: start, to: end, project: ComputeFixture.project, in: $0)
        }
        #expect(found.map(\.id.low) == expected)
        let others = try await database.read {
            try ServerStore().living(from: start, to: end, project: ComputeFixture.other, in: $0)
        }
        #expect(others.isEmpty)
    }

    @Test("rows of the deleted go once they are old and on no host, with tags and decisions")
    func removes() async throws {
        let database = try await ComputeFixture.database()
        var servers = (1...4).map { ComputeFixture.server($0) }
        servers[0].deletedAt = 10
        servers[1].deletedAt = 20
        servers[2].deletedAt = 10
        servers[2].host = ServerHost(node: ComputeFixture.node, hostname: "host-a", zone: "nova")
        try await ComputeFixture.insert(servers, into: database)
        let store = ServerStore()
        let ids = servers.map(\.id)
        let gone = try await database.write { transaction in
            for id in ids { try store.tags.add("x", to: id, in: transaction) }
            return try store.removeRows(deletedBefore: 20, in: transaction)
        }
        #expect(gone == [ids[0]])
        #expect(try await database.read { try $0.count("SELECT COUNT(*) FROM servers") } == 3)
        #expect(try await database.read { try store.tags.tags(of: ids, in: $0) }.count == 3)
    }
}

@Suite("the schema's steps")
struct ComputeMigrationTests {
    @Test("actions and limits of an earlier release are found again in the tables of all services")
    func shared() async throws {
        let database = try EmbeddedDatabase(inMemory: .init())
        let before = PlatformMigrations.all + FleetSlice.migrations + ComputeSlice.migrations.prefix(3)
        try await Migrator(before).migrate(database, now: 0)
        let server = ServerID(high: 9, low: 1)
        let project = ComputeFixture.project
        try await database.write { transaction in
            for (id, name) in [(3, "create"), (8, "stop")] {
                try transaction.execute(
                    """
                    INSERT INTO server_actions
                        (id, server_uuid, action, request_id, user_id, project_id, started_at, updated_at, message)
                    VALUES (?, ?, ?, ?, ?, ?, 1, 2, ?)
                    """,
                    [
                        id, server, name, "req-\(id)", ComputeFixture.user, project,
                        name == "stop" ? "Error" : String?.none
                    ])
                try transaction.execute(
                    """
                    INSERT INTO server_events
                        (action_id, server_uuid, name, host, started_at, finished_at, result, details, traceback)
                    VALUES (?, ?, 'step', 'host-a', 1, 2, 'Success', 'detail', 'trace')
                    """, [id, server])
            }
            try transaction.execute(
                "INSERT INTO compute_quotas (project_id, resource, hard_limit) VALUES (?, 'cores', 7)",
                [project.compact])
        }
        try await Migrator(before + ComputeSlice.migrations.dropFirst(3)).migrate(database, now: 0)
        let log = HostedLog()
        let actions = try await database.read { try log.actions(on: .server(server), in: $0) }
        #expect(actions.map(\.id) == [8, 3] && actions.map(\.name) == ["stop", "create"])
        #expect(actions.map(\.message) == ["Error", nil] && actions.map(\.project) == [project, project])
        let events = try await database.read { try log.events(of: 8, in: $0) }
        #expect(events.map(\.name) == ["step"] && events.map(\.traceback) == ["trace"])
        let quotas = ComputeQuotas(settings: ComputeSettings(), servers: ServerStore())
        let limits = try await database.read { try quotas.ledger.limits(of: project, in: $0) }
        #expect(limits["cores"] == 7 && limits["instances"] == 10)
        // What comes next takes a number of its own.
        let origin = HostedOrigin(requestID: "req-9", user: ComputeFixture.user, project: project)
        let next = try await database.write { try log.begin("start", on: .server(server), by: origin, at: 3, in: $0) }
        #expect(next > 8)
    }
}
