import AgentCore
import AgentSimulated
import ProtocolModel
import Synchronization
import Testing

@Suite("volumes in the engine", .timeLimit(.minutes(1)))
struct VolumeKindTests {
    static let volume: VolumeID = id(1)
    static let snapshot: VolumeSnapshotID = id(2)
    static let clone: VolumeID = id(3)
    static let pool = SimulatedHost.poolName

    static func entry(
        _ generation: Int64, _ id: VolumeID = volume, sizeGiB: Int = 1, from source: VolumeSpec.Source = .empty,
        reversion: Int? = nil
    ) -> PlanEntry {
        let spec = VolumeSpec(
            id: id, project: AgentCoreTests.id(9), pool: pool, sizeGiB: sizeGiB, source: source,
            reversion: reversion.map { .init(version: $0, snapshot: snapshot) })
        return PlanEntry(key: .volume(id), generation: generation, spec: .volume(spec))
    }

    static func snapshotEntry(_ generation: Int64) -> PlanEntry {
        PlanEntry(
            key: .volumeSnapshot(snapshot), generation: generation,
            spec: .volumeSnapshot(VolumeSnapshotSpec(id: snapshot, volume: volume, project: id(9), pool: pool)))
    }

    static func removal(_ key: ResourceKey, _ generation: Int64) -> PlanEntry {
        PlanEntry(key: key, generation: generation, spec: nil)
    }

    @Test("a volume, its snapshot and a clone are made in that order, change, and go in the other")
    func life() async throws {
        let harness = try EngineHarness()
        let host = harness.host
        try await harness.start()
        try await harness.snapshot([
            Self.entry(1, Self.clone, sizeGiB: 2, from: .snapshot(Self.snapshot, of: Self.volume)),
            Self.snapshotEntry(1), Self.entry(1)
        ])
        #expect(await harness.reaches(.ready, .volume(Self.clone)))
        #expect(host.volumes.mapValues(\.sizeBytes) == [Self.volume: 1 << 30, Self.clone: 2 << 30])
        #expect(Array(host.snapshots.keys) == [Self.snapshot])
        let details = await harness.engine.statuses[.volume(Self.clone)]?.details
        #expect(details == .volume(VolumeDetails(sizeGiB: 2, allocatedBytes: 0)))

        try await harness.delta([Self.entry(2, sizeGiB: 4, reversion: 1)], revision: 2)
        #expect(await harness.reaches(.ready, .volume(Self.volume), generation: 2))
        #expect(host.volumes[Self.volume] == StoredVolume(sizeBytes: 4 << 30, reversion: 1))

        try await harness.delta(
            [
                Self.removal(.volume(Self.volume), 3), Self.removal(.volumeSnapshot(Self.snapshot), 3),
                Self.removal(.volume(Self.clone), 3)
            ], revision: 3)
        for key in [ResourceKey.volume(Self.volume), .volume(Self.clone), .volumeSnapshot(Self.snapshot)] {
            #expect(await harness.reaches(.gone, key))
        }
        #expect(host.volumes.isEmpty && host.snapshots.isEmpty)
        await harness.stop()
    }

    private func upload(_ harness: EngineHarness, within: Int64 = 600_000_000) async -> OperationResult? {
        let deadline = harness.clock.wall.now() + within
        await harness.engine.handle(
            Operation(
                id: id(8), deadline: deadline, action: .uploadVolume(Self.volume, image: id(77), format: .qcow2)))
        _ = await harness.until { harness in
            harness.clock.advance(by: .milliseconds(500))
            return !harness.session.results.isEmpty
        }
        return harness.session.results.first
    }

    @Test("a volume is sent as an image once, and nothing of that stays, however it ended")
    func uploads() async throws {
        let refusal = StatusError(code: .badImage, message: "The project's quota is used up.", detail: "")
        for (failures, outcome) in [
            ([], OperationResult.Outcome.done(output: [])), ([.interrupted("cut")], .done(output: [])),
            ([UploadFailure.refused(refusal)], .failed(refusal)),
            ([UploadFailure](repeating: .interrupted("cut"), count: 1_000), .expired)
        ] {
            let harness = try EngineHarness()
            try await harness.start()
            try await harness.snapshot([Self.entry(1)])
            #expect(await harness.reaches(.ready, .volume(Self.volume)))
            harness.session.failUploads(failures)
            let result = await upload(harness, within: 20_000_000)
            #expect(result?.outcome == outcome)
            #expect(result?.steps.map(\.name) == ["keep-volume", "copy-volume", "upload-image"])
            #expect(harness.host.snapshotsUnderWay.isEmpty)
            #expect((harness.session.uploads[id(77)] != nil) == (outcome == .done(output: [])))
            await harness.stop()
        }
    }

    @Test("what is not here is not sent")
    func uploadsNothing() async throws {
        let harness = try EngineHarness()
        try await harness.start()
        try await harness.snapshot([])
        guard case .failed(let error)? = await upload(harness)?.outcome else {
            Issue.record("sent")
            return
        }
        #expect(error.code == .conflict)
        await harness.stop()
    }

    @Test("what was begun under a guest is brought to its end, however often that fails first")
    func finishes() async throws {
        let isBroken = Mutex(false)
        let failure = StatusError(code: .hostFailure, message: "m", detail: "d")
        let harness = try EngineHarness(
            behavior: SimulatedBehavior(fault: { call in
                call.action == .snapshotVolume && isBroken.withLock { $0 } ? failure : nil
            }))
        try await harness.start()
        try await harness.snapshot([Self.entry(1)])
        #expect(await harness.reaches(.ready, .volume(Self.volume)))
        isBroken.withLock { $0 = true }
        harness.host.leaveUnfinished(Self.volume)
        try await harness.delta([Self.entry(2)], revision: 2)
        // Far beyond what anybody waits for.
        for _ in 0..<40 {
            harness.clock.advance(by: .seconds(60))
            try await Task.sleep(for: .milliseconds(20))
            #expect(await harness.engine.statuses[.volume(Self.volume)]?.phase != .failed)
        }
        isBroken.withLock { $0 = false }
        _ = await harness.until { harness in
            harness.clock.advance(by: .seconds(30))
            return harness.host.volumes[Self.volume]?.isUnfinished == false
        }
        #expect(await harness.reaches(.ready, .volume(Self.volume), generation: 2))
        await harness.stop()
    }

    @Test("what is to be made from a snapshot keeps it; it goes when that is done")
    func source() async throws {
        let isSlow = Mutex(true)
        let failure = StatusError(code: .hostFailure, message: "m", detail: "d")
        let harness = try EngineHarness(
            behavior: SimulatedBehavior(fault: { call in
                call.action == .createVolume && isSlow.withLock { $0 } ? failure : nil
            }))
        try await harness.start()
        isSlow.withLock { $0 = false }
        try await harness.snapshot([Self.snapshotEntry(1), Self.entry(1)])
        #expect(await harness.reaches(.ready, .volumeSnapshot(Self.snapshot)))
        isSlow.withLock { $0 = true }
        try await harness.delta(
            [
                Self.entry(2, Self.clone, from: .snapshot(Self.snapshot, of: Self.volume)),
                Self.removal(.volumeSnapshot(Self.snapshot), 2)
            ], revision: 2)
        #expect(await harness.reaches(.applying, .volumeSnapshot(Self.snapshot), generation: 2))
        #expect(harness.host.snapshots.count == 1)
        isSlow.withLock { $0 = false }
        let isDone = await harness.until { harness in
            harness.clock.advance(by: .seconds(2))
            return harness.host.volumes[Self.clone] != nil && harness.host.snapshots.isEmpty
        }
        #expect(isDone)
        await harness.stop()
    }

    @Test("an image is fetched for a volume, and awaited by nobody else")
    func image() async throws {
        let harness = try EngineHarness()
        try await harness.start(connected: false)
        let image = ImageSpec(id: id(5), sha512: "ab", sizeBytes: 10, format: .raw)
        try await harness.snapshot([Self.entry(1, from: .image(image))])
        #expect(await harness.reaches(.pending, .volume(Self.volume)))
        #expect(harness.host.volumes.isEmpty)
        await harness.engine.connect(harness.session)
        #expect(await harness.reaches(.ready, .volume(Self.volume)))
        let steps = await harness.engine.statuses[.volume(Self.volume)]?.steps.map(\.name)
        #expect(steps == ["fetch-image", "create-volume"])
        await harness.stop()
    }

    @Test("a plan that lacks volumes and snapshots keeps them; taken back, they are as they were")
    func kept() async throws {
        let harness = try EngineHarness(settings: EngineSettings(keepSeconds: 7 * 86_400, sendInterval: .zero))
        try await harness.start()
        let entries = [Self.entry(1), Self.snapshotEntry(1)]
        try await harness.snapshot(entries)
        #expect(await harness.reaches(.ready, .volumeSnapshot(Self.snapshot)))
        _ = try await harness.engine.apply(PlanUpdate(epoch: 2, revision: 1, isSnapshot: true, entries: []))
        for _ in 0..<5 {
            harness.clock.advance(by: .seconds(61))
            try await Task.sleep(for: .milliseconds(3))
        }
        #expect(harness.host.volumes.count == 1 && harness.host.snapshots.count == 1)
        #expect(await harness.engine.problems.count == 2)
        #expect(await harness.engine.statuses.isEmpty)
        // An operator may end it for one of them.
        #expect(await harness.engine.confirmRemoval(of: [Self.snapshot.cast()]))
        #expect(await harness.until { $0.host.snapshots.isEmpty })
        _ = try await harness.engine.apply(
            PlanUpdate(epoch: 2, revision: 2, isSnapshot: false, entries: [Self.entry(5)]))
        #expect(await harness.reaches(.ready, .volume(Self.volume), generation: 5))
        #expect(harness.host.volumes.count == 1)
        await harness.stop()
    }

    @Test("an agent without a plan keeps what it finds")
    func strays() async throws {
        let first = try EngineHarness()
        try await first.start()
        try await first.snapshot([Self.entry(1), Self.snapshotEntry(1)])
        #expect(await first.reaches(.ready, .volumeSnapshot(Self.snapshot)))
        await first.stop()
        let second = try EngineHarness(host: first.host, clock: first.clock)
        try await second.start()
        try await second.snapshot([])
        #expect(await second.until { await $0.engine.problems.count == 2 })
        #expect(second.host.volumes.count == 1 && second.host.snapshots.count == 1)
        await second.stop()
    }

    @Test("a volume that was there and is not any more fails, and is not made anew")
    func lost() async throws {
        let harness = try EngineHarness()
        try await harness.start()
        try await harness.snapshot([Self.entry(1), Self.snapshotEntry(1)])
        #expect(await harness.until { (try? await $0.store.settled().count) == 2 })
        harness.host.loseVolumes()
        for key in [ResourceKey.volume(Self.volume), .volumeSnapshot(Self.snapshot)] {
            let hasFailed = await harness.until { harness in
                harness.clock.advance(by: .seconds(31))
                return await harness.phase(key) == .failed
            }
            #expect(hasFailed)
        }
        #expect(harness.host.volumes.isEmpty && harness.host.snapshots.isEmpty)
        await harness.stop()
    }

    @Test("a pool that cannot be looked at says nothing of its volumes: nothing is made, and nothing is gone")
    func blind() async throws {
        let isBlind = Mutex(false)
        let failure = StatusError(code: .hostFailure, message: "m", detail: "d")
        let harness = try EngineHarness(
            behavior: SimulatedBehavior(fault: { call in
                call.action == .observeVolumes && isBlind.withLock { $0 } ? failure : nil
            }))
        try await harness.start()
        try await harness.snapshot([Self.entry(1)])
        #expect(await harness.reaches(.ready, .volume(Self.volume)))
        isBlind.withLock { $0 = true }
        try await harness.delta(
            [Self.removal(.volume(Self.volume), 2), Self.entry(2, Self.clone)], revision: 2)
        #expect(await harness.reaches(.applying, .volume(Self.volume), generation: 2))
        #expect(await harness.reaches(.applying, .volume(Self.clone), generation: 2))
        #expect(Array(harness.host.volumes.keys) == [Self.volume])
        isBlind.withLock { $0 = false }
        let isOver = await harness.until { harness in
            harness.clock.advance(by: .seconds(31))
            return await harness.phase(.volume(Self.volume)) == .gone
        }
        #expect(isOver)
        await harness.stop()
    }

    @Test("a host without the role refuses volumes")
    func absent() async throws {
        let clock = ManualClock()
        let harness = try EngineHarness(
            host: SimulatedHost(clock: clock), drivers: HostDrivers(compute: nil, network: nil), clock: clock)
        try await harness.start()
        try await harness.snapshot([Self.entry(1), Self.snapshotEntry(1)])
        #expect(await harness.reaches(.failed, .volume(Self.volume)))
        #expect(await harness.reaches(.failed, .volumeSnapshot(Self.snapshot)))
        await harness.stop()
    }

    @Test("a server waits for its volume, and a volume goes only when no server is to have it any more")
    func server() async throws {
        let isSlow = Mutex(true)
        let failure = StatusError(code: .hostFailure, message: "m", detail: "d")
        let harness = try EngineHarness(
            behavior: SimulatedBehavior(fault: { call in
                call.action == .createVolume && isSlow.withLock { $0 } ? failure : nil
            }))
        try await harness.start()
        var server = makeServer(1)
        server.volumes = [.init(id: Self.volume, place: .pool(Self.pool), device: "vdb")]
        try await harness.snapshot(EngineHarness.serverEntries(server, from: 1) + [Self.entry(1)])
        #expect(await harness.until { await $0.engine.statuses[.volume(Self.volume)]?.error != nil })
        #expect(harness.host.power(of: server.id) != .running)
        isSlow.withLock { $0 = false }
        let guest = server.id
        let runs = await harness.until { harness in
            harness.clock.advance(by: .seconds(1))
            return harness.host.power(of: guest) == .running
        }
        #expect(runs)
        try await harness.delta([Self.removal(.volume(Self.volume), 2)], revision: 2)
        #expect(await harness.reaches(.applying, .volume(Self.volume), generation: 2))
        #expect(harness.host.volumes.count == 1)
        server.volumes = []
        try await harness.delta([AgentCoreTests.entry(.server(server), 3)], revision: 3)
        #expect(await harness.reaches(.gone, .volume(Self.volume), generation: 2))
        #expect(harness.host.volumes.isEmpty)
        await harness.stop()
    }

    @Test("pools are reported with what they have and promise")
    func report() async throws {
        let clock = ManualClock()
        let host = SimulatedHost(clock: clock)
        let drivers = host.volumeDrivers
        try await drivers.pools[Self.pool]?.create(
            VolumeSpec(id: Self.volume, project: id(9), pool: Self.pool, sizeGiB: 7))
        let capacity = host.capacity.diskGiB
        let expected = StoragePool(
            name: Self.pool, backend: "file", totalGiB: capacity, freeGiB: capacity, provisionedGiB: 7)
        #expect(await drivers.report() == [expected])
    }
}
