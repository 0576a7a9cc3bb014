import AgentCore
import AgentSimulated
import ProtocolModel
import Testing

@Suite("hot plug", .timeLimit(.minutes(2))) struct HotPlugTests {
    private let key = ResourceKey.server(id(1))

    /// One that needs nothing of this host.
    private static let volume = ServerSpec.Volume(
        id: id(40), place: .remote(id(50), address: IPAddress("192.0.2.1")!, port: 10_809), device: "vdb")

    private func details(_ harness: EngineHarness) async -> ServerDetails? {
        guard case .server(let details)? = await harness.engine.statuses[key]?.details else { return nil }
        return details
    }

    @Test("interfaces and volumes come to a running guest and go again, and it is not started anew")
    func comeAndGo() async throws {
        let harness = try EngineHarness()
        try await harness.start()
        let before = makeServer(ports: [701])
        try await harness.snapshot(EngineHarness.serverEntries(before, from: 1))
        #expect(await harness.reaches(power: .running, before.id, generation: 1))
        var after = makeServer(ports: [701, 702])
        after.volumes = [Self.volume]
        try await harness.delta(
            [entry(.port(makePort(702, server: 1)), 2), entry(.server(after), 3)], revision: 3)
        #expect(await harness.reaches(power: .running, before.id, generation: 3))
        #expect(await details(harness)?.interfaces == [id(701), id(702)])
        #expect(await details(harness)?.volumes == [id(40)])
        try await harness.delta([entry(.server(before), 4)], revision: 4)
        #expect(await harness.reaches(power: .running, before.id, generation: 4))
        #expect(await details(harness)?.interfaces == [id(701)])
        #expect(await details(harness)?.volumes == [])
        let log = try await harness.host.drivers.compute?.storage.consoleLog(of: before.id, maximumBytes: 1_000)
        #expect(log.map { $0.count(where: { $0 == UInt8(ascii: "\n") }) } == 1)
        await harness.stop()
    }

    @Test("a guest that does not let go is asked a few times, then told of, and heeded whenever it does")
    func stuck() async throws {
        let harness = try EngineHarness(
            behavior: SimulatedBehavior(detachTakes: nil),
            settings: EngineSettings(detachGrace: .seconds(20), detachAttempts: 3, sendInterval: .zero))
        try await harness.start()
        var before = makeServer()
        before.volumes = [Self.volume]
        try await harness.snapshot(EngineHarness.serverEntries(before, from: 1))
        #expect(await harness.reaches(power: .running, before.id, generation: 1))
        try await harness.delta([entry(.server(makeServer()), 2)], revision: 2)
        let key = key
        #expect(
            await harness.until { harness in
                harness.clock.advance(by: .seconds(1))
                return await harness.phase(key) == .failed
            })
        let status = await harness.engine.statuses[key]
        #expect(status?.error?.message.contains("stop using it in the guest") == true)
        #expect(await details(harness)?.volumes == [id(40)])
        #expect(status?.steps.count { $0.name == "detach-devices" } == 3)
        // It went to the trouble in the end.
        let server = before.id
        harness.host.behavior.detachTakes = .zero
        try await harness.host.drivers.compute?.hypervisor.detach([.volume(id(40))], from: server)
        #expect(await harness.reaches(power: .running, server, generation: 2))
        await harness.stop()
    }

    @Test("a server waits for a volume of its host, and says so")
    func missingVolume() async throws {
        let harness = try EngineHarness(owners: { core in
            let host = SimulatedHost(clock: core.clock)
            return host.drivers.owners(core).filter { $0.kinds.isDisjoint(with: SilentOwner.all) } + [SilentOwner()]
        })
        try await harness.start()
        var server = makeServer()
        server.image = nil
        server.volumes = [makeVolume(2, bootIndex: 0)]
        let volume = VolumeSpec(id: id(2), project: id(900), pool: "local", sizeGiB: 1)
        try await harness.snapshot([entry(.volume(volume), 1), entry(.server(server), 2)])
        let key = key
        #expect(
            await harness.until { harness in
                guard let status = await harness.engine.statuses[key] else { return false }
                return status.phase == .pending && status.error?.message.contains("waits for volume") == true
            })
        await harness.stop()
    }

    /// Never gets to it.
    private struct SilentOwner: KindOwner {
        static let all: Set<ResourceKind> = [.volume, .volumeSnapshot]
        var kinds: Set<ResourceKind> { Self.all }
        func run() async {}
        func wake(_ cause: WakeCause) {}
    }

    @Test("a server is rescued and comes back to its own disk, which it had behind the other")
    func rescue() async throws {
        let harness = try EngineHarness()
        try await harness.start()
        let before = makeServer()
        try await harness.snapshot(EngineHarness.serverEntries(before, from: 1))
        #expect(await harness.reaches(power: .running, before.id, generation: 1))
        var rescued = before
        rescued.rescue = makeRescue(1)
        try await harness.delta([entry(.server(rescued), 2)], revision: 2)
        #expect(await harness.reaches(power: .running, before.id, generation: 2))
        #expect(harness.host.devices(of: before.id)?.rescueVersion == 1)
        try await harness.delta([entry(.server(before), 3)], revision: 3)
        #expect(await harness.reaches(power: .running, before.id, generation: 3))
        #expect(harness.host.devices(of: before.id)?.rescueVersion == nil)
        let files = try await harness.host.drivers.compute?.storage.observe()[before.id]
        #expect(files?.rescueVersion == nil && files?.rootDiskVersion == 0)
        await harness.stop()
    }
}
