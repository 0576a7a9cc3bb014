import CoordinatorCompute
import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("compute: server actions")
struct ComputeActionTests {
    /// Action, the power it asks the host for, what the host shows then, and the status.
    static let walk: [(action: String, power: ServerSpec.Power, shown: ServerDetails.PowerState, status: String)] = [
        ("os-stop", .stopped, .shutdown, "SHUTOFF"), ("os-start", .running, .running, "ACTIVE"),
        ("pause", .paused, .paused, "PAUSED"), ("unpause", .running, .running, "ACTIVE"),
        ("suspend", .suspended, .shutdown, "SUSPENDED"), ("resume", .running, .running, "ACTIVE")
    ]

    @Test("power actions go through the plan and back")
    func power() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        for step in Self.walk {
            #expect(await cloud.act(id, [step.action: nil]).status == 202, "\(step.action)")
            #expect(try await cloud.spec(id)?.power == step.power)
            try await cloud.report(id, .applying, power: .running)
            try await cloud.report(id, .ready, power: step.shown)
            #expect(await cloud.status(id) == step.status)
            #expect(await cloud.show(id)["OS-EXT-STS:task_state"] == .null)
        }
    }

    @Test("what the state does not allow is refused in the compute API's words")
    func refusals() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        let answer = await cloud.act(id, ["os-start": nil])
        #expect(answer.status == 409)
        #expect(
            answer.json["conflictingRequest"]
                == [
                    "code": 409,
                    "message": .string("Cannot 'start' instance \(id) while it is in vm_state active")
                ])
        _ = await cloud.act(id, ["os-stop": nil])
        #expect(
            await cloud.act(id, ["pause": nil]).json["conflictingRequest"]?["message"]
                == .string("Cannot 'pause' instance \(id) while it is in task_state powering-off"))
        let unknown = await cloud.act(id, ["dance": nil])
        #expect(unknown.status == 400)
        #expect(unknown.json["badRequest"]?["message"] == "There is no such action: dance")
    }

    @Test("a host that cannot do it leaves the server as it was, with an explanation")
    func failure() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        _ = await cloud.act(id, ["pause": nil])
        let error = StatusError(code: .hostFailure, message: "The guest cannot be paused.", detail: "virDomainSuspend")
        try await cloud.report(id, .failed, power: .running, error: error)
        #expect(await cloud.status(id) == "ACTIVE")
        #expect(try await cloud.spec(id)?.power == .running)
        let actions = await cloud.actions(id)
        #expect(actions.first?["action"] == "pause")
        #expect(actions.first?["message"] == "Error")
    }

    @Test("a host that says nothing does not leave the task hanging")
    func overdue() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        _ = await cloud.act(id, ["os-stop": nil])
        cloud.harness.clock.advance(by: .seconds(181))
        try await cloud.expire()
        let shown = await cloud.show(id)
        #expect(shown["status"] == "ACTIVE")
        #expect(shown["OS-EXT-STS:task_state"] == .null)
        #expect(try await cloud.spec(id)?.power == .running)
    }

    @Test("reboots are operations that end once", arguments: ["SOFT", "hard"])
    func reboot(type: String) async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        #expect(await cloud.act(id, ["reboot": ["type": .string(type)]]).status == 202)
        #expect(await cloud.status(id) == (type == "SOFT" ? "REBOOT" : "HARD_REBOOT"))
        let operation = try #require(try await cloud.hosts.pending().first)
        #expect(operation.action == (type == "SOFT" ? .softReboot(id, graceSeconds: 60) : .hardReboot(id)))
        try await cloud.end(operation.id, .done(output: []))
        #expect(await cloud.status(id) == "ACTIVE")
        try await cloud.end(operation.id, .interrupted)
        #expect(await cloud.status(id) == "ACTIVE")
        #expect(await cloud.act(id, ["reboot": ["type": "warm"]]).status == 400)
    }

    @Test("a lock stops its own project, not the administrator")
    func locks() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        #expect(await cloud.act(id, ["lock": ["locked_reason": "mine"]], minor: 73).status == 202)
        let shown = await cloud.show(id, minor: 73)
        #expect(shown["locked"] == true)
        #expect(shown["locked_reason"] == "mine")
        let refused = await cloud.act(id, ["os-stop": nil])
        #expect(refused.status == 409)
        #expect(refused.json["conflictingRequest"]?["message"] == .string("Instance \(id) is locked"))
        #expect(await cloud.harness.delete("/compute/v2.1/servers/\(id)", as: .member).status == 409)
        #expect(await cloud.act(id, ["unlock": nil]).status == 202)
        #expect(await cloud.act(id, ["os-stop": nil], as: .admin).status == 202)
    }

    @Test("the console is read from the host")
    func console() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        let answer = await cloud.act(id, ["os-getConsoleOutput": ["length": 10]])
        #expect(answer.status == 200)
        #expect(answer.json == ["output": "login: \n"])
        #expect(await cloud.act(id, ["os-getConsoleOutput": ["length": "x"]]).status == 400)
        try await cloud.hosts.goDown(cloud.first)
        #expect(await cloud.act(id, ["os-getConsoleOutput": [:]]).status == 409)
    }

    @Test("an administrator may declare a state")
    func reset() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        #expect(await cloud.act(id, ["os-resetState": ["state": "error"]]).status == 403)
        #expect(await cloud.act(id, ["os-resetState": ["state": "error"]], as: .admin).status == 202)
        #expect(await cloud.status(id) == "ERROR")
        #expect(await cloud.act(id, ["os-resetState": ["state": "active"]], as: .admin).status == 202)
        #expect(await cloud.status(id) == "ACTIVE")
    }

    @Test("actions tell their steps, with what only administrators see kept apart")
    func steps() async throws {
        let cloud = try await ComputeCloud()
        let id = try await cloud.running()
        let request = await cloud.actions(id).last?["request_id"]?.stringValue ?? ""
        let path = "/compute/v2.1/servers/\(id)/os-instance-actions/\(request)"
        let plain = await cloud.harness.get(path, as: .member)
        #expect(plain.json["instanceAction"]?["action"] == "create")
        #expect(plain.json["instanceAction"]?["events"] == nil)
        let told = await cloud.harness.get(path, as: .member, ComputeCloud.version(84))
        let events = told.json["instanceAction"]?["events"]?.arrayValue ?? []
        #expect(Set(events.compactMap { $0["event"]?.stringValue }) == ["schedule", "define"])
        #expect(events.allSatisfy { $0["traceback"] == nil && $0["host"] == nil && $0["result"] == "Success" })
        #expect(events.contains { $0["details"]?.stringValue?.contains("host-a") == true })
        let admin = await cloud.harness.get(path, as: .admin, ComputeCloud.version(84))
        #expect(admin.json["instanceAction"]?["events"]?.arrayValue?.first?["host"] == "host-a")

        let slice = cloud.slice
        let explained = try await cloud.harness.database.read { try slice.explain(id, in: $0) }
        #expect(explained?["decisions"]?.arrayValue?.first?["verdicts"]?.arrayValue?.count == 2)
        #expect(explained?["actions"]?.arrayValue?.first?["steps"]?.arrayValue?.count == 2)
    }
}

extension ComputeCloud {
    /// The newest first.
    func actions(_ id: ServerID) async -> [JSON] {
        await harness.get("/compute/v2.1/servers/\(id)/os-instance-actions", as: .member).json["instanceActions"]?
            .arrayValue ?? []
    }

    func end(_ operation: OperationID, _ outcome: OperationResult.Outcome) async throws {
        try await hosts.end(operation, outcome, at: harness.clock.now())
    }
}
