import AgentCore
import AgentStore
import ProtocolModel
import Synchronization
import Testing

/// Nothing of a tenant's data is deleted because it is missing from a plan.
@Suite struct KeptTests {
    private let server = makeServer(1, ports: [701])
    private var key: ResourceKey { .server(server.id) }
    private let settings = EngineSettings(
        keepSeconds: 7 * 86_400, keepCaution: .seconds(3_600), sendInterval: .zero)

    /// An agent whose guest runs and whose coordinator then does not know it.
    private func forgotten() async throws -> EngineHarness {
        let harness = try EngineHarness(settings: settings)
        try await harness.start()
        try await harness.snapshot(EngineHarness.serverEntries(server, from: 1))
        #expect(await harness.reaches(power: .running, server.id, generation: 1))
        #expect(await harness.until { (try? await $0.store.settled().count) == 1 })
        _ = try await harness.engine.apply(PlanUpdate(epoch: 2, revision: 1, isSnapshot: true, entries: []))
        return harness
    }

    private func expectUntouched(_ harness: EngineHarness) async throws {
        for _ in 0..<5 {
            harness.clock.advance(by: .seconds(61))
            try await Task.sleep(for: .milliseconds(3))
        }
        #expect(harness.host.power(of: server.id) == .running && harness.host.servers == [server.id])
        #expect(harness.host.networkState.ports.count == 1 && harness.host.networkState.securityGroups.count == 1)
    }

    @Test("a guest that a snapshot does not name runs on with its network, over restarts, and is taken back as it is")
    func forgottenByCoordinator() async throws {
        let harness = try await forgotten()
        try await expectUntouched(harness)
        #expect(await harness.engine.problems.count == 1)
        #expect(await harness.engine.statuses[key] == nil)
        await harness.stop()
        let again = try EngineHarness(
            host: harness.host, clock: harness.clock, store: harness.store, settings: settings)
        try await again.start()
        try await expectUntouched(again)
        let boots = harness.host.guestsLetRunUnconnected.count
        _ = try await again.engine.apply(
            PlanUpdate(
                epoch: 2, revision: 2, isSnapshot: false, entries: EngineHarness.serverEntries(server, from: 1)))
        #expect(await again.reaches(power: .running, server.id, generation: 1))
        #expect(await again.engine.problems.isEmpty)
        #expect(harness.host.guestsLetRunUnconnected.count == boots)
        await again.stop()
    }

    @Test("a guest that nobody knows any more, neither agent nor coordinator, is kept")
    func forgottenByAll() async throws {
        let harness = try await forgotten()
        await harness.stop()
        let again = try EngineHarness(
            host: harness.host, clock: harness.clock, store: try SQLitePlanStore(), settings: settings)
        try await again.start()
        try await again.snapshot([])
        #expect(await again.until { (try? await $0.store.setAside().count) == 1 })
        #expect(harness.host.power(of: server.id) == .running && harness.host.servers == [server.id])
        // Named again, it is adopted.
        try await again.delta(EngineHarness.serverEntries(server, from: 5), revision: 9)
        #expect(await again.reaches(power: .running, server.id, generation: 5))
        #expect(try await again.store.setAside().isEmpty)
        await again.stop()
    }

    @Test("what was kept goes when its time is over, in a session that has gone on for a while")
    func timeIsOver() async throws {
        let harness = try await forgotten()
        await harness.engine.disconnect()
        harness.clock.advance(by: .seconds(8 * 86_400))
        try await expectUntouched(harness)
        await harness.engine.connect(harness.session)
        try await expectUntouched(harness)
        harness.clock.advance(by: .seconds(3_600))
        let host = harness.host
        let isGone = await harness.until { harness in
            harness.clock.advance(by: .seconds(5))
            return host.servers.isEmpty && host.domains.isEmpty && host.networkState.ports.isEmpty
        }
        #expect(isGone)
        let isForgotten = await harness.until { harness in
            harness.clock.advance(by: .seconds(5))
            return (try? await harness.store.entries().count) == 0
        }
        #expect(isForgotten)
        await harness.stop()
    }

    @Test("its time is the agent's running time, over restarts; a host that was off for a year takes none of it away")
    func runningTime() async throws {
        let harness = try await forgotten()
        let since = try await harness.store.setAside()[key]?.since
        harness.clock.advance(by: .seconds(4 * 86_400))
        #expect(await harness.until { (try? await $0.store.runningTime()) ?? 0 >= 4 * 86_400_000_000 })
        await harness.stop()
        // The host is off.
        harness.clock.advance(by: .seconds(365 * 86_400))
        let again = try EngineHarness(
            host: harness.host, clock: harness.clock, store: harness.store, settings: settings)
        try await again.start()
        again.clock.advance(by: .seconds(2 * 86_400))
        try await expectUntouched(again)
        #expect(try await again.store.setAside()[key]?.since == since)
        let host = again.host
        let isGone = await again.until { harness in
            harness.clock.advance(by: .seconds(3_600))
            return host.servers.isEmpty
        }
        #expect(isGone)
        await again.stop()
    }

    @Test("a confirmation that could not be written down is not heeded, and says so")
    func fullDisk() async throws {
        let store = FullStore(base: try SQLitePlanStore())
        let harness = try EngineHarness(store: store, settings: settings)
        try await harness.start()
        try await harness.snapshot(EngineHarness.serverEntries(server, from: 1))
        #expect(await harness.reaches(power: .running, server.id, generation: 1))
        _ = try await harness.engine.apply(PlanUpdate(epoch: 2, revision: 1, isSnapshot: true, entries: []))
        #expect(await harness.engine.confirmRemoval(of: [server.id]) == false)
        try await expectUntouched(harness)
        store.hasRoom.withLock { $0 = true }
        #expect(await harness.engine.confirmRemoval(of: [server.id]))
        let host = harness.host
        #expect(await harness.until { _ in host.servers.isEmpty })
        await harness.stop()
    }

    @Test("an operator on the host may end it at once")
    func confirmed() async throws {
        let harness = try await forgotten()
        try await expectUntouched(harness)
        #expect(await harness.engine.confirmRemoval(of: [server.id.cast(), id(4)]))
        let host = harness.host
        #expect(await harness.until { _ in host.servers.isEmpty && host.domains.isEmpty })
        #expect(try await harness.store.setAside().isEmpty)
        await harness.stop()
    }

    @Test("a disk that is gone from under a server fails it, and is not made anew")
    func missingDisk() async throws {
        let harness = try EngineHarness(settings: settings)
        try await harness.start()
        try await harness.snapshot(EngineHarness.serverEntries(server, from: 1))
        #expect(await harness.reaches(power: .running, server.id, generation: 1))
        #expect(await harness.until { (try? await $0.store.settled().count) == 1 })
        await harness.stop()
        harness.host.loseThePower()
        let files = harness.host.loseDisks()
        let again = try EngineHarness(
            host: harness.host, clock: harness.clock, store: harness.store, bootID: "boot-2", settings: settings)
        try await again.start()
        #expect(await again.reaches(.failed, key))
        #expect(await again.engine.statuses[key]?.error?.message.contains("root disk is missing") == true)
        #expect(again.host.servers.isEmpty && again.host.power(of: server.id) == .shutdown)
        // The folder is mounted again.
        again.host.bringBack(files)
        let guest = server.id
        let runs = await again.until { harness in
            harness.clock.advance(by: .seconds(30))
            return harness.host.power(of: guest) == .running
        }
        #expect(runs)
        #expect(await again.reaches(power: .running, server.id, generation: 1))
        await again.stop()
    }
}

/// A store whose disk has no room for a release.
private final class FullStore: PlanStore {
    let base: SQLitePlanStore
    let hasRoom = Mutex(false)

    init(base: SQLitePlanStore) { self.base = base }

    func release(_ keys: Set<ResourceKey>) async throws {
        guard hasRoom.withLock({ $0 }) else { throw PlanStoreError.damaged("no room") }
        try await base.release(keys)
    }

    func position() async throws -> PlanPosition { try await base.position() }
    func entries() async throws -> [PlanEntry] { try await base.entries() }
    func apply(_ update: PlanUpdate, at now: Int64) async throws { try await base.apply(update, at: now) }
    func runningTime() async throws -> Int64 { try await base.runningTime() }
    func note(runningTime: Int64) async throws { try await base.note(runningTime: runningTime) }
    func setAside() async throws -> [ResourceKey: SetAside] { try await base.setAside() }
    func keep(strays: [ResourceKey], of total: Int, at now: Int64) async throws {
        try await base.keep(strays: strays, of: total, at: now)
    }
    func forget(_ key: ResourceKey, generation: Int64) async throws {
        try await base.forget(key, generation: generation)
    }
    func settled() async throws -> [ResourceKey: SettledState] { try await base.settled() }
    func settle(_ key: ResourceKey, _ state: SettledState?) async throws { try await base.settle(key, state) }
    func admit(_ operation: Operation) async throws -> OperationAdmission { try await base.admit(operation) }
    func finish(_ result: OperationResult) async throws { try await base.finish(result) }
    func unacknowledged() async throws -> [OperationResult] { try await base.unacknowledged() }
    func acknowledge(_ operation: OperationID) async throws { try await base.acknowledge(operation) }
    func interruptRunning() async throws { try await base.interruptRunning() }
}
