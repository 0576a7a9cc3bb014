import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("hosted resources, with a volume for an example")
struct HostedWorkflowTests {
    static let first = HostPlace(node: NodeID(high: 7, low: 1), hostname: "host-a", zone: "nova")
    static let second = HostPlace(node: NodeID(high: 7, low: 2), hostname: "host-b", zone: "nova")
    static let origin = HostedOrigin(
        requestID: "req-1", user: UserID(high: 2, low: 2), project: ProjectID(high: 1, low: 1))

    /// A database with volumes, and what works on them.
    struct Setting {
        let database: EmbeddedDatabase
        let plans = MemoryPlans()
        let kind: VolumeKind
        let workflow: HostedWorkflow<VolumeKind>
        let reports: HostedReports<VolumeKind>
        let id = AnyID(high: 9, low: 9)

        init(attempts: Int = 3) async throws {
            database = try await FleetFixture.database()
            try await database.write { try $0.execute(Volume.schema) }
            kind = VolumeKind(
                hosts: [HostedWorkflowTests.first, HostedWorkflowTests.second], plans: plans, buildAttempts: attempts)
            workflow = HostedWorkflow(kind, plans: plans)
            reports = HostedReports(workflow)
        }

        var key: ResourceKey { ResourceKey(kind: .network, id: id) }

        func create(at now: Int64 = 0, as other: AnyID? = nil) async throws {
            try await database.write { [workflow, kind, id] transaction in
                var volume = Volume(id: other ?? id)
                volume.actionID = try workflow.log.begin(
                    "create", on: volume.key, by: HostedWorkflowTests.origin, at: now, in: transaction)
                let refusal = try kind.rehost(&volume, at: now, in: transaction)
                #expect(refusal == nil)
                try Volume.table.insert(volume, in: transaction)
            }
        }

        func volume() async throws -> Volume {
            try await database.read { [id] in
                guard let volume = try Volume.table.find(id, in: $0) else { throw StoreError.corrupt("no volume") }
                return volume
            }
        }

        /// What a host says of the newest generation.
        func report(
            _ phase: ResourceStatus.Phase, from host: HostPlace = HostedWorkflowTests.first, sizeGiB: Int? = nil,
            error: StatusError? = nil, generation: Int64? = nil, at now: Int64 = 0
        ) async throws {
            let newest = plans.entries(key).last { $0.node == host.node }?.generation ?? 0
            let status = ResourceStatus(
                key: key, generation: generation ?? newest, phase: phase,
                details: sizeGiB.map { .server(ServerDetails(power: .none, domainName: String($0))) } ?? .none,
                error: error, steps: [StatusStep(name: "lvcreate", startedAt: now, durationMicroseconds: 7)])
            try await database.write { [reports] in
                try reports.consume(status, from: host.node, at: now, in: $0)
            }
        }

        func begin(_ task: Volume.Task, at now: Int64 = 0, isHostDown: Bool = false) async throws {
            try await database.write { [workflow, kind, id] transaction in
                guard var volume = try kind.find(id, in: transaction) else { return }
                try workflow.begin(
                    &volume, task.rawValue, task: task, by: HostedWorkflowTests.origin, at: now, in: transaction)
                switch task {
                case .deleting:
                    try workflow.remove(&volume, isHostDown: isHostDown, at: now, in: transaction)
                case .retyping: volume.operation = OperationID(high: 5, low: 5)
                case .creating, .extending:
                    volume.wantedGiB = 20
                    try workflow.plan(&volume, in: transaction)
                }
                try kind.save(&volume, at: now, in: transaction)
            }
        }

        func actions() async throws -> [HostedAction] {
            try await database.read { [workflow, key] in try workflow.log.actions(on: key, in: $0) }
        }

        func events(_ action: HostedAction) async throws -> [HostedEvent] {
            try await database.read { [workflow] in try workflow.log.events(of: action.id, in: $0) }
        }
    }

    private static let full = StatusError(code: .noSpace, message: "The pool is full.", detail: "ENOSPC vg0")

    @Test("made on its host, with an action that tells the steps")
    func creates() async throws {
        let setting = try await Setting()
        try await setting.create(at: 1)
        #expect(try await setting.volume().taskDeadline == 60_000_001)
        try await setting.report(.applying, at: 2)
        try await setting.report(.ready, sizeGiB: 10, at: 3)
        let volume = try await setting.volume()
        #expect(volume.state == .init(status: .available, task: nil, sizeGiB: 10))
        #expect(volume.taskDeadline == nil && volume.actionID == nil && volume.availableAt == 3)
        #expect(volume.host == Self.first && volume.attempts == 1)
        let action = try #require(try await setting.actions().first)
        #expect(action.name == "create" && action.requestID == "req-1" && action.message == nil)
        #expect(action.updatedAt == 3)
        let events = try await setting.events(action)
        #expect(events.map(\.name) == ["lvcreate"] && events.map(\.host) == ["host-a"])
        #expect(events.map(\.result) == ["Success"])
    }

    @Test("a build that fails goes to the next host, and to ERROR when none is left")
    func retries() async throws {
        let setting = try await Setting()
        try await setting.create()
        try await setting.report(.failed, error: Self.full, at: 5)
        var volume = try await setting.volume()
        #expect(volume.host == Self.second && volume.attempts == 2)
        #expect(volume.excluded == [Self.first.node: "The pool is full."])
        #expect(volume.taskDeadline == 60_000_005 && volume.state.task == .creating)
        #expect(setting.plans.entries(setting.key).map(\.isWanted) == [true, false, true])

        // The first host's late words change nothing.
        try await setting.report(.ready, sizeGiB: 10)
        try await setting.report(.gone)
        #expect(try await setting.volume().state.task == .creating)

        try await setting.report(.failed, from: Self.second, error: Self.full, at: 6)
        volume = try await setting.volume()
        #expect(volume.state.status == .error && volume.state.task == nil)
        #expect(volume.host == Self.second, "it may still hold remains")
        #expect(
            volume.fault
                == HostedFault(
                    message: "Build of volume \(setting.id) failed on 2 hosts. The pool is full. No other host fits: "
                        + "all were tried", details: "ENOSPC vg0", createdAt: 6))
        #expect(setting.kind.released.withLock { $0.isEmpty })
        try await setting.report(.gone, from: Self.second)
        #expect(setting.kind.released.withLock { $0 } == [setting.id])
        let action = try #require(try await setting.actions().first)
        #expect(action.message == "Error")
        let failures = try await setting.events(action).filter { $0.name == "creating_failed" }
        #expect(failures.map(\.details) == ["The pool is full.", "The pool is full."])
        #expect(failures.map(\.traceback) == ["ENOSPC vg0", "ENOSPC vg0"])
    }

    @Test("no more hosts are tried than the kind says")
    func bounded() async throws {
        let setting = try await Setting(attempts: 1)
        try await setting.create()
        try await setting.report(.failed, error: Self.full)
        let volume = try await setting.volume()
        #expect(volume.state.status == .error && volume.attempts == 1)
        #expect(volume.fault?.message == "Build of volume \(setting.id) failed on 1 host. The pool is full.")
    }

    @Test("a change that the host cannot make leaves it as it was, and the plan is set back")
    func reverts() async throws {
        let setting = try await Setting()
        try await setting.create()
        try await setting.report(.ready, sizeGiB: 10)
        try await setting.begin(.extending)
        let asked = try await setting.volume()
        #expect(asked.wantedGiB == 20)
        // A status of before the change ends nothing.
        try await setting.report(.ready, sizeGiB: 10, generation: asked.planGeneration - 1)
        #expect(try await setting.volume().state.task == .extending)
        try await setting.report(.failed, sizeGiB: 10, at: 9)
        let volume = try await setting.volume()
        #expect(volume.state == .init(status: .available, task: nil, sizeGiB: 10))
        #expect(volume.wantedGiB == 10 && volume.planGeneration > asked.planGeneration)
        #expect(volume.fault?.message == "The host reported a failure without giving a reason.")
    }

    @Test("what nobody ends is ended by its deadline, whatever it is")
    func overdue() async throws {
        for (task, status) in [(Volume.Task.extending, Volume.Status.available), (.retyping, .available)] {
            let setting = try await Setting()
            try await setting.create()
            try await setting.report(.ready, sizeGiB: 10)
            try await setting.begin(task, at: 100)
            let reports = setting.reports
            #expect(try await setting.database.write { try reports.expire(at: 30_000_099, in: $0) } == 0)
            #expect(try await setting.database.write { try reports.expire(at: 30_000_100, in: $0) } == 1)
            let volume = try await setting.volume()
            #expect(volume.state == .init(status: status, task: nil, sizeGiB: 10))
            #expect(
                volume.fault?.message == "The host did not report the end of '\(task.rawValue)' within 30 s.")
            #expect(volume.updatedAt == 30_000_100)
            #expect(try await setting.database.write { try reports.expire(at: .max, in: $0) } == 0)
        }
    }

    @Test("an operation ends with its own result, once")
    func operates() async throws {
        let setting = try await Setting()
        try await setting.create()
        try await setting.report(.ready, sizeGiB: 10)
        try await setting.begin(.retyping)
        let reports = setting.reports
        let action = Operation.Action.hardReboot(setting.id.cast())
        func end(_ id: OperationID, _ outcome: OperationResult.Outcome) async throws {
            try await setting.database.write {
                try reports.operationEnded(
                    OperationResult(id: id, outcome: outcome), action: action, from: Self.first.node, at: 4, in: $0)
            }
        }
        try await end(OperationID(high: 6, low: 6), .done(output: []))
        #expect(try await setting.volume().state.task == .retyping, "another one's result")
        try await end(OperationID(high: 5, low: 5), .expired)
        var volume = try await setting.volume()
        #expect(volume.state.task == nil && volume.fault?.message == setting.kind.words.operationExpired)
        try await setting.begin(.retyping)
        try await end(OperationID(high: 5, low: 5), .done(output: []))
        volume = try await setting.volume()
        #expect(volume.state.task == nil && volume.fault == nil && volume.operation == nil)
    }

    @Test("deleted when its host says so; what it holds is given back then and not before")
    func deletes() async throws {
        let setting = try await Setting()
        try await setting.create()
        try await setting.report(.ready, sizeGiB: 10)
        try await setting.begin(.deleting, at: 50)
        #expect(try await setting.volume().isDeleted == false)
        #expect(setting.plans.entries(setting.key).last?.isWanted == false)
        #expect(setting.kind.released.withLock { $0.isEmpty })
        try await setting.report(.gone, at: 60)
        let volume = try await setting.volume()
        #expect(volume.deletedAt == 60 && volume.state.status == .deleted && volume.host == nil)
        #expect(setting.kind.released.withLock { $0 } == [setting.id])
    }

    @Test("deleted for its owner at once where its host is down, or when the host is too long silent")
    func deletesWithoutHost() async throws {
        let down = try await Setting()
        try await down.create()
        try await down.begin(.deleting, at: 50, isHostDown: true)
        #expect(try await down.volume().deletedAt == 50)
        #expect(down.kind.released.withLock { $0.isEmpty })
        try await down.report(.gone, at: 70)
        #expect(down.kind.released.withLock { $0 } == [down.id])
        #expect(try await down.volume().deletedAt == 50)

        let silent = try await Setting()
        try await silent.create()
        try await silent.begin(.deleting, at: 50)
        let reports = silent.reports
        try await silent.database.write { _ = try reports.expire(at: 30_000_050, in: $0) }
        #expect(try await silent.volume().deletedAt == 30_000_050)
        #expect(silent.kind.released.withLock { $0.isEmpty }, "the host may still have it")
    }

    @Test("a host that goes down moves what was being built there and leaves the rest")
    func hostDown() async throws {
        let setting = try await Setting()
        try await setting.create()
        let reports = setting.reports
        func judge(_ verdict: HealthVerdict) async throws {
            try await setting.database.write {
                try reports.nodeHealthChanged(verdict, of: Self.first.node, at: 8, in: $0)
            }
        }
        try await judge(.suspect)
        #expect(try await setting.volume().host == Self.first)
        try await judge(.down)
        #expect(try await setting.volume().host == Self.second)
        #expect(try await setting.volume().excluded == [Self.first.node: "The host went down."])

        let idle = try await Setting()
        try await idle.create()
        try await idle.report(.ready, sizeGiB: 10)
        let before = try await idle.volume()
        let watching = idle.reports
        try await idle.database.write {
            try watching.nodeHealthChanged(.down, of: Self.first.node, at: 8, in: $0)
        }
        #expect(try await idle.volume().generation == before.generation)
    }

    @Test("a host that is removed for good: ERROR at that moment, and all is given back")
    func hostRemoved() async throws {
        let setting = try await Setting()
        try await setting.create()
        try await setting.report(.ready, sizeGiB: 10, at: 3)
        let reports = setting.reports
        try await setting.database.write { try reports.nodeRemoved(Self.first.node, at: 77, in: $0) }
        let volume = try await setting.volume()
        #expect(volume.state == .init(status: .error, task: nil, sizeGiB: 0))
        #expect(volume.host == nil && volume.updatedAt == 77)
        #expect(volume.fault?.message == "The volume's host is gone." && volume.fault?.createdAt == 77)
        #expect(setting.kind.released.withLock { $0 } == [setting.id])
        // What is on no host is deleted at once.
        try await setting.begin(.deleting, at: 80)
        #expect(try await setting.volume().deletedAt == 80)
    }

    @Test("what changes by itself is followed and told")
    func follows() async throws {
        let setting = try await Setting()
        try await setting.create()
        try await setting.report(.ready, sizeGiB: 10)
        let before = try await setting.volume().planGeneration
        try await setting.report(.ready, sizeGiB: 12, at: 4)
        let volume = try await setting.volume()
        #expect(volume.wantedGiB == 12 && volume.planGeneration > before)
        let action = try #require(try await setting.actions().first)
        #expect(action.name == "follow" && action.requestID.hasPrefix("req-") && action.requestID != "req-1")
        #expect(try await setting.events(action).map(\.name) == ["changed_on_host"])
    }

    @Test("explained: where, why, and each step")
    func explains() async throws {
        let setting = try await Setting()
        try await setting.create(at: 1_000_000)
        try await setting.report(.failed, error: Self.full, at: 2_000_000)
        let volume = try await setting.volume()
        let told = try await setting.database.read { try HostedExplanation().explain(volume, in: $0) }
        #expect(told["host"] == "host-b" && told["attempts"] == 2 && told["fault"] == .null)
        #expect(told["task_state"] == "creating" && told["task_deadline"] == "1970-01-01T00:01:02.000000Z")
        let action = told["actions"]?.arrayValue?.first
        #expect(action?["action"] == "create" && action?["started_at"] == "1970-01-01T00:00:01.000000Z")
        let steps = action?["steps"]?.arrayValue ?? []
        #expect(steps.compactMap { $0["name"]?.stringValue } == ["lvcreate", "creating_failed"])
        #expect(steps.first?["microseconds"] == 7 && steps.last?["operator_detail"] == "ENOSPC vg0")
    }

    @Test("forgotten with all that was done with it, once it is gone from its host and old")
    func forgets() async throws {
        let setting = try await Setting()
        try await setting.create()
        try await setting.report(.ready, sizeGiB: 10)
        try await setting.begin(.deleting, at: 50, isHostDown: true)
        let reports = setting.reports
        func forget(before time: Int64) async throws -> Int {
            try await setting.database.write { try reports.forget(deletedBefore: time, in: $0) }
        }
        #expect(try await forget(before: 1000) == 0, "its host may still have it")
        try await setting.report(.gone, at: 60)
        #expect(try await forget(before: 50) == 0)
        #expect(try await forget(before: 51) == 1)
        for table in ["test_volumes", "hosted_actions", "hosted_events"] {
            #expect(try await setting.database.read { try $0.count("SELECT COUNT(*) FROM \(table)") } == 0, "\(table)")
        }
    }

    @Test("actions are listed the newest first, a page at a time, and only one's own")
    func pages() async throws {
        let setting = try await Setting()
        let log = HostedLog()
        let other = ResourceKey(kind: .server, id: setting.id)
        try await setting.database.write { [key = setting.key] transaction in
            for number in 1...5 {
                let origin = HostedOrigin(
                    requestID: "req-\(number)", user: Self.origin.user, project: Self.origin.project)
                _ = try log.begin("a\(number)", on: key, by: origin, at: Int64(number), in: transaction)
            }
            _ = try log.begin("else", on: other, by: Self.origin, at: 9, in: transaction)
        }
        var query = ListQuery()
        query.limit = 2
        var seen: [String] = []
        while true {
            let page = try await setting.database.read { [query, key = setting.key] in
                try log.actions(on: key, query, in: $0)
            }
            guard let last = page.last else { break }
            seen += page.map(\.name)
            query.marker = last.requestID
        }
        #expect(seen == ["a5", "a4", "a3", "a2", "a1"])
        query = ListQuery()
        query.filters = [.init("updated_at", .greaterOrEqual, ["4"])]
        let recent = try await setting.database.read { [query, key = setting.key] in
            try log.actions(on: key, query, in: $0)
        }
        #expect(recent.map(\.name) == ["a5", "a4"])
        await #expect(throws: UnknownMarker.self) {
            try await setting.database.read { [key = setting.key] reader in
                var query = ListQuery()
                query.marker = "req-nobody"
                return try log.actions(on: key, query, in: reader)
            }
        }
    }
}
