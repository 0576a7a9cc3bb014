import AgentCore
import AgentSimulated
import ProtocolModel
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct OperationTests {
    private let server = makeServer(1, ports: [701])

    private func running(_ behavior: SimulatedBehavior = SimulatedBehavior()) async throws -> EngineHarness {
        let harness = try EngineHarness(behavior: behavior)
        try await harness.start()
        try await harness.snapshot(EngineHarness.serverEntries(server, from: 1))
        #expect(await harness.reaches(power: .running, server.id, generation: 1))
        return harness
    }

    private func operation(_ number: UInt64, _ action: Operation.Action, seconds: Int64 = 600) -> Operation {
        Operation(id: id(number), deadline: 1_700_000_000_000_000 + seconds * 1_000_000, action: action)
    }

    private func boots(_ harness: EngineHarness) async throws -> Int {
        let log = try await SimulatedStorage(harness.host).consoleLog(of: server.id, maximumBytes: 1 << 20)
        return log.count { $0 == UInt8(ascii: "\n") }
    }

    private func result(_ harness: EngineHarness, _ number: UInt64) async -> OperationResult? {
        _ = await harness.until { $0.session.results.contains { $0.id == id(number) } }
        return harness.session.results.last { $0.id == id(number) }
    }

    @Test("reboots start the guest once more, and a repeated order only repeats the answer")
    func reboots() async throws {
        let harness = try await running()
        await harness.engine.handle(operation(1, .softReboot(server.id, graceSeconds: 60)))
        #expect(await result(harness, 1)?.outcome == .done(output: []))
        #expect(try await boots(harness) == 2)
        await harness.engine.handle(operation(2, .hardReboot(server.id)))
        #expect(await result(harness, 2)?.outcome == .done(output: []))
        #expect(try await boots(harness) == 3)
        await harness.engine.handle(operation(2, .hardReboot(server.id)))
        #expect(await harness.until { $0.session.results.count { $0.id == id(2) } == 2 })
        #expect(try await boots(harness) == 3)
        #expect(await harness.reaches(power: .running, server.id, generation: 1))
        await harness.stop()
    }

    @Test("a guest that runs is rebooted also while its network has trouble")
    func rebootInTrouble() async throws {
        let harness = try await running()
        #expect(await harness.until { (try? await $0.store.settled().count) == 1 })
        let error = StatusError(code: .unsupported, message: "no DHCP server", detail: "")
        harness.host.behavior = SimulatedBehavior(fault: { $0.action == .convergeNetwork ? error : nil })
        harness.clock.advance(by: .seconds(60))
        #expect(await harness.reaches(.failed, .network(id(700))))
        await harness.engine.handle(operation(1, .hardReboot(server.id)))
        #expect(await result(harness, 1)?.outcome == .done(output: []))
        #expect(harness.host.power(of: server.id) == .running)
        #expect(try await boots(harness) == 2)
        await harness.stop()
    }

    @Test("a guest that has not run waits for its network before a reboot, for a while, and nothing is changed then")
    func rebootUnconnected() async throws {
        let error = StatusError(code: .unsupported, message: "no iptables", detail: "")
        let harness = try EngineHarness(
            behavior: SimulatedBehavior(fault: { $0.action == .convergeNetwork ? error : nil }))
        try await harness.start()
        try await harness.snapshot(EngineHarness.serverEntries(server, from: 1))
        #expect(await harness.reaches(.failed, .server(server.id)))
        await harness.engine.handle(operation(1, .hardReboot(server.id)))
        #expect(
            await harness.until { harness in
                harness.clock.advance(by: .seconds(1))
                return !harness.session.results.isEmpty
            })
        guard case .failed(let reason)? = harness.session.results.first?.outcome else {
            Issue.record("it was rebooted")
            return
        }
        #expect(reason.message.contains("not ready"))
        #expect(harness.host.power(of: server.id) == .shutdown)
        await harness.stop()
    }

    @Test("a guest that does not listen is reset after its time")
    func stubborn() async throws {
        let harness = try await running(SimulatedBehavior(shutdownTakes: nil))
        await harness.engine.handle(operation(1, .softReboot(server.id, graceSeconds: 30)))
        #expect(
            await harness.until { harness in
                harness.clock.advance(by: .milliseconds(500))
                return !harness.session.results.isEmpty
            })
        let steps = try #require(harness.session.results.first).steps.map(\.name)
        #expect(steps == ["request-shutdown", "await-shutdown", "reset-domain"])
        #expect(try await boots(harness) == 2)
        await harness.stop()
    }

    @Test("an order that comes too late is not carried out")
    func expired() async throws {
        let harness = try await running()
        await harness.engine.handle(operation(1, .hardReboot(server.id), seconds: -1))
        #expect(await result(harness, 1)?.outcome == .expired)
        #expect(try await boots(harness) == 1)
        await harness.stop()
    }

    @Test("what ran when the agent died is interrupted, kept until acknowledged, and not begun again")
    func interrupted() async throws {
        let harness = try EngineHarness()
        let order = operation(1, .hardReboot(server.id))
        #expect(try await harness.store.admit(order) == .run)
        try await harness.start()
        #expect(await result(harness, 1)?.outcome == .interrupted)
        await harness.engine.handle(order)
        #expect(await harness.until { $0.session.results.count == 2 })
        await harness.engine.acknowledge(order.id)
        #expect(try await harness.store.unacknowledged().isEmpty)
        await harness.stop()
    }

    @Test("how a guest is is told after an operation's result, also when it is as it was before")
    func statusAfterResult() async throws {
        let harness = try await running()
        harness.host.powerOff(server.id)
        let off: @Sendable (ResourceStatus) -> Bool = { status in
            if case .server(let details) = status.details { details.power == .shutdown } else { false }
        }
        #expect(await harness.until { $0.session.statuses.contains(where: off) })
        // It changes nothing, so that without the result nobody would say anything.
        await harness.engine.handle(operation(1, .hardReboot(server.id), seconds: -1))
        #expect(await result(harness, 1)?.outcome == .expired)
        #expect(await harness.until { $0.session.statusesSinceResult.contains(where: off) })
        await harness.stop()
    }

    @Test("a new session hears of what was done before it hears how things are")
    func resultsFirst() async throws {
        let harness = try await running()
        let order = operation(1, .hardReboot(server.id))
        await harness.engine.handle(order)
        #expect(await result(harness, 1)?.outcome == .done(output: []))
        #expect(await harness.until { !$0.session.statusesSinceResult.isEmpty })
        let next = RecordingSession()
        await harness.engine.disconnect()
        await harness.engine.connect(next)
        #expect(await harness.until { _ in next.results.count == 1 && !next.statuses.isEmpty })
        #expect(next.statusesSinceResult.count == next.statuses.count)
        await harness.stop()
    }

    @Test("the console's last lines are cut where lines begin")
    func console() async throws {
        let harness = try await running()
        await harness.engine.handle(operation(1, .hardReboot(server.id)))
        _ = await result(harness, 1)
        await harness.engine.handle(operation(2, .consoleOutput(server.id, lines: 1)))
        let line = "simulated guest \(server.id) boot 2\n"
        #expect(await result(harness, 2)?.outcome == .done(output: [UInt8](line.utf8)))
        #expect(try await harness.store.unacknowledged().map(\.id) == [id(1)])
        await harness.stop()
    }

    @Test("deletion does not wait for a guest that is asked to reboot")
    func deletedMeanwhile() async throws {
        let harness = try await running(SimulatedBehavior(shutdownTakes: nil))
        await harness.engine.handle(operation(1, .softReboot(server.id, graceSeconds: 3_000), seconds: 6_000))
        try await harness.delta([removal(.server(server.id), 2)], revision: 2)
        #expect(
            await harness.until { harness in
                harness.clock.advance(by: .milliseconds(500))
                return await harness.phase(.server(id(1))) == .gone
            })
        #expect(harness.clock.now.offset < .seconds(3_000))
        await harness.stop()
    }
}

@Suite struct KeyedTurnsTests {
    @Test("work on one resource goes one at a time, in order; others do not wait")
    func order() async {
        let turns = KeyedTurns()
        #expect(turns.tryTake(.server(id(1))) && turns.tryTake(.server(id(2))) && !turns.tryTake(.server(id(1))))
        let mark = turns.mark()
        #expect(!turns.isQuiet(.server(id(1)), since: mark) && turns.isQuiet(.server(id(3)), since: mark))
        let seen = Seen()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await turns.take(.server(id(1)))
                seen.list.withLock { $0.append(1) }
                turns.give(.server(id(1)))
            }
            group.addTask { turns.give(.server(id(1))) }
        }
        #expect(seen.list.withLock { $0 } == [1])
        #expect(!turns.isQuiet(.server(id(1)), since: mark))
        #expect(turns.isQuiet(.server(id(1)), since: turns.mark()))
    }
}

private final class Seen: Sendable {
    let list = Mutex<[Int]>([])
}
