import AgentCore
import AgentSimulated
import ProtocolModel
import Testing

@Suite("snapshots and questions", .timeLimit(.minutes(2))) struct SnapshotTests {
    private let key = ResourceKey.server(id(1))
    private let image: ImageID = id(77)

    private func running(_ behavior: SimulatedBehavior = SimulatedBehavior()) async throws -> EngineHarness {
        let harness = try EngineHarness(behavior: behavior)
        try await harness.start()
        try await harness.snapshot(EngineHarness.serverEntries(makeServer(ports: [701]), from: 1))
        #expect(await harness.reaches(power: .running, id(1), generation: 1))
        return harness
    }

    private func ask(_ harness: EngineHarness, _ action: Operation.Action, within: Int64 = 600_000_000) async
        -> OperationResult?
    {
        let deadline = harness.clock.wall.now() + within
        await harness.engine.handle(Operation(id: id(9), deadline: deadline, action: action))
        _ = await harness.until { harness in
            harness.clock.advance(by: .milliseconds(500))
            return !harness.session.results.isEmpty
        }
        return harness.session.results.first
    }

    @Test("a snapshot of a running guest, and of one that is off, arrives whole and leaves nothing on the host")
    func snapshot() async throws {
        for power in [ServerSpec.Power.running, .stopped] {
            let harness = try await running()
            if power == .stopped {
                try await harness.delta([entry(.server(makeServer(power: .stopped, ports: [701])), 2)], revision: 2)
                #expect(await harness.reaches(power: .shutdown, id(1), generation: 2))
            }
            let result = await ask(harness, .snapshot(id(1), image: image))
            #expect(result?.outcome == .done(output: []))
            #expect(result?.steps.map(\.name) == ["copy-disk", "compress-disk", "upload-image"])
            #expect(harness.session.uploads[image]?.starts(with: [0x51, 0x46, 0x49, 0xFB]) == true)
            #expect(harness.host.snapshotsUnderWay.isEmpty)
            #expect(harness.host.power(of: id(1)) == (power == .running ? .running : .shutdown))
            await harness.stop()
        }
    }

    @Test("a cut link begins the sending anew, a refusal and the deadline end it, and the file is gone each time")
    func sending() async throws {
        let error = StatusError(code: .badImage, message: "The project's quota is used up.", detail: "")
        for (failures, outcome) in [
            ([.interrupted("cut"), .interrupted("cut")], OperationResult.Outcome.done(output: [])),
            ([UploadFailure.refused(error)], .failed(error)),
            ([UploadFailure](repeating: .interrupted("cut"), count: 1_000), .expired)
        ] {
            let harness = try await running()
            harness.session.failUploads(failures)
            #expect(await ask(harness, .snapshot(id(1), image: image), within: 20_000_000)?.outcome == outcome)
            #expect(harness.host.snapshotsUnderWay.isEmpty)
            #expect((harness.session.uploads[image] != nil) == (outcome == .done(output: [])))
            await harness.stop()
        }
    }

    @Test("a disk that cannot be copied fails the operation, and the server is free again")
    func failedCopy() async throws {
        let error = StatusError(code: .noSpace, message: "full", detail: "")
        let harness = try await running(
            SimulatedBehavior(fault: { $0.action == .copyDisk ? error : nil }))
        #expect(await ask(harness, .snapshot(id(1), image: image))?.outcome == .failed(error))
        #expect(harness.host.snapshotsUnderWay.isEmpty)
        try await harness.delta([entry(.server(makeServer(power: .stopped, ports: [701])), 2)], revision: 2)
        #expect(await harness.reaches(power: .shutdown, id(1), generation: 2))
        await harness.stop()
    }

    @Test("a server that is deleted does not wait for its snapshot")
    func deletedMeanwhile() async throws {
        let harness = try await running(
            SimulatedBehavior(delay: { $0.action == .copyDisk ? .seconds(300) : .zero }))
        let deadline = harness.clock.wall.now() + 600_000_000
        await harness.engine.handle(
            Operation(id: id(9), deadline: deadline, action: .snapshot(id(1), image: image)))
        try await Task.sleep(for: .milliseconds(20))
        try await harness.delta([removal(key, 2)], revision: 2)
        let key = key
        #expect(
            await harness.until { harness in
                harness.clock.advance(by: .milliseconds(100))
                return await harness.phase(key) == .gone
            })
        #expect(harness.clock.now.offset < .seconds(300) && harness.host.snapshotsUnderWay.isEmpty)
        await harness.stop()
    }

    @Test("a server that starts from a volume has no disk to take a snapshot of")
    func noRootDisk() async throws {
        let harness = try EngineHarness()
        try await harness.start()
        var server = makeServer()
        server.image = nil
        try await harness.snapshot(EngineHarness.serverEntries(server, from: 1))
        #expect(await harness.reaches(power: .running, id(1), generation: 1))
        guard case .failed(let error)? = await ask(harness, .snapshot(id(1), image: image))?.outcome else {
            Issue.record("no failure")
            return
        }
        #expect(error.code == .unsupported)
        await harness.stop()
    }

    @Test("a password is set, an interrupt injected, and diagnostics are in the shape of microversion 2.48")
    func questions() async throws {
        let changing = try await running()
        let changed = await ask(changing, .changePassword(id(1), user: "root", password: "s3cret"))
        #expect(changed?.outcome == .done(output: []) && changing.host.password(of: "root", on: id(1)) == "s3cret")
        await changing.stop()
        let interrupting = try await running()
        #expect(await ask(interrupting, .injectNMI(id(1)))?.outcome == .done(output: []))
        #expect(interrupting.host.interrupts(of: id(1)) == 1)
        await interrupting.stop()
        let diagnosing = try await running()
        guard case .done(let output)? = await ask(diagnosing, .diagnostics(id(1)))?.outcome else {
            Issue.record("no diagnostics")
            return
        }
        #expect(
            String(decoding: output, as: UTF8.self) == """
                {"state": "running", "driver": "libvirt", "hypervisor": "simulated", "hypervisor_os": "linux", \
                "uptime": null, "config_drive": false, "num_cpus": 1, "num_disks": 1, "num_nics": 1, \
                "memory_details": {"maximum": 64, "used": 64}, \
                "cpu_details": [{"id": 0, "time": 1000000, "utilisation": null}], \
                "disk_details": [{"read_bytes": 4096, "read_requests": 1, "write_bytes": 0, "write_requests": 0, \
                "errors_count": null}], \
                "nic_details": [{"mac_address": "fa:16:3e:00:00:01", "rx_octets": 0, "rx_packets": 0, "rx_errors": 0, \
                "rx_drop": 0, "rx_rate": null, "tx_octets": 0, "tx_packets": 0, "tx_errors": 0, "tx_drop": 0, \
                "tx_rate": null}]}
                """)
        await diagnosing.stop()
    }
}
