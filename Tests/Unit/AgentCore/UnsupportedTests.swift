import AgentCore
import AgentSimulated
import AgentStore
import ProtocolModel
import Testing
import TestsSupportRandomness

@Suite("entries of a newer release")
struct UnsupportedTests {
    static let strange = ResourceKey(kind: ResourceKind(rawValue: 77), id: AnyID(high: 0, low: 1))

    private func opaque(_ key: ResourceKey, _ generation: Int64) -> PlanEntry {
        PlanEntry(
            key: key, generation: generation,
            spec: .opaque(OpaqueSpec(key: key, bytes: [0xEA, 0x04, 0x01, 0x07], problem: "a field of tomorrow")))
    }

    @Test("are reported as such, one by one, and the host goes on")
    func unknownKind() async throws {
        let harness = try EngineHarness()
        try await harness.start()
        let server = makeServer(ports: [10])
        try await harness.snapshot(EngineHarness.serverEntries(server, from: 1) + [opaque(Self.strange, 1)])
        #expect(await harness.reaches(.ready, .server(server.id)))
        #expect(await harness.reaches(.failed, Self.strange))
        let error = try #require(await harness.engine.statuses[Self.strange]?.error)
        #expect(error.code == .unsupported)
        #expect(error.message.contains(Release.version) && error.message.contains("9.9.9"))
        #expect(error.detail.contains("77"))
        // Nor does anything pass for removed that nobody here can remove, or be taken off by a coordinator that
        // does not know it either.
        try await harness.snapshot(EngineHarness.serverEntries(server, from: 2), revision: 2)
        #expect(await harness.engine.statuses[Self.strange]?.phase == .failed)
        #expect(try await harness.store.entries().contains { $0.key == Self.strange && $0.spec != nil })
        try await harness.delta([PlanEntry(key: Self.strange, generation: 3, spec: nil)], revision: 3)
        #expect(await harness.reaches(.failed, Self.strange, generation: 3))
        await harness.stop()
    }

    @Test("a guest whose new spec cannot be read runs on as it was, through a restart as well")
    func unreadable() async throws {
        let harness = try EngineHarness()
        try await harness.start()
        let server = makeServer(ports: [10])
        try await harness.snapshot(EngineHarness.serverEntries(server, from: 1))
        #expect(await harness.reaches(power: .running, server.id, generation: 1))
        let port = ResourceKey.port(server.interfaces[0].port)
        try await harness.delta([opaque(.server(server.id), 2), opaque(port, 2)], revision: 2)
        #expect(await harness.reaches(.failed, .server(server.id), generation: 2))
        #expect(await harness.reaches(.failed, port, generation: 2))
        #expect(await harness.engine.statuses[port]?.error?.code == .unsupported)
        #expect(harness.host.power(of: server.id) == .running)
        #expect(harness.host.networkState.ports.count == 1)
        await harness.stop()

        let again = try EngineHarness(host: harness.host, store: harness.store)
        try await again.start()
        #expect(await again.reaches(.failed, .server(server.id), generation: 2))
        harness.host.loseThePower()
        await again.stop()
        let rebooted = try EngineHarness(host: harness.host, store: harness.store, bootID: "boot-2")
        try await rebooted.start()
        #expect(await rebooted.until { $0.host.power(of: server.id) == .running }, "by the spec that could be read")
        // And goes, when it is to.
        try await rebooted.delta([PlanEntry(key: .server(server.id), generation: 3, spec: nil)], revision: 3)
        #expect(await rebooted.reaches(.gone, .server(server.id), generation: 3))
        await rebooted.stop()
    }

    @Test("a server that was never seen in words of this release is neither made nor removed")
    func neverReadable() async throws {
        let harness = try EngineHarness()
        try await harness.start()
        let key = ResourceKey.server(ServerID(high: 0, low: 9))
        try await harness.snapshot([opaque(key, 1)])
        #expect(await harness.reaches(.failed, key, generation: 1))
        #expect(harness.host.domains.isEmpty)
        await harness.stop()
    }

    @Test("what the coordinator withholds is told in its words")
    func withheld() async throws {
        let harness = try EngineHarness()
        try await harness.start()
        let key = ResourceKey.securityGroup(group.id)
        let spec = OpaqueSpec(key: key, bytes: [], problem: "Make it smaller.", isWithheld: true)
        try await harness.snapshot([PlanEntry(key: key, generation: 1, spec: .opaque(spec))])
        #expect(await harness.reaches(.failed, key))
        #expect(await harness.engine.statuses[key]?.error?.message == "Make it smaller.")
        await harness.stop()
    }

    @Test("an operation that is not known is refused by its id")
    func operation() async throws {
        let harness = try EngineHarness()
        try await harness.start()
        let operation = Operation(
            id: .fresh(), deadline: .max, action: .unknown(Operation.UnknownAction(number: 77, bytes: [])))
        await harness.engine.handle(operation)
        guard case .failed(let error)? = harness.session.results.first?.outcome else { return #expect(Bool(false)) }
        #expect(error.code == .unsupported && harness.session.results.first?.id == operation.id)
        await harness.stop()
    }
}
