import AgentCore
import AgentSimulated
import AgentStore
import Logging
import ProtocolModel
import Testing

@Suite("simulated routers", .timeLimit(.minutes(1)))
struct SimulatedRouterTests {
    private let network = NetworkID(high: 1, low: 1)
    private let router = RouterSpec(
        id: RouterID(high: 2, low: 2), project: ProjectID(high: 0, low: 1), isAdminUp: true,
        interfaces: [
            .init(
                port: PortID(high: 3, low: 3), network: NetworkID(high: 1, low: 1), mac: MACAddress(bits: 1),
                mtuBytes: 1450, addresses: [])
        ], gateway: nil)

    @Test("a router waits for its network, is ready, is changed, and goes")
    func life() async throws {
        let clock = ManualClock()
        let host = SimulatedHost(clock: clock)
        let engine = try ReconcileEngine(
            store: try SQLitePlanStore(), drivers: host.drivers, clock: clock, wallClock: clock.wall, bootID: "boot",
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await engine.load()
        let running = Task { try await engine.run() }
        let key = ResourceKey.router(router.id)
        func reaches(_ phase: ResourceStatus.Phase, _ generation: Int64) async throws -> Bool {
            for _ in 0..<2_000 {
                let status = await engine.statuses[key]
                if status?.phase == phase, status?.generation == generation { return true }
                try await Task.sleep(for: .milliseconds(2))
            }
            return false
        }
        let first = PlanEntry(key: key, generation: 1, spec: .router(router))
        _ = try await engine.apply(PlanUpdate(epoch: 1, revision: 1, isSnapshot: true, entries: [first]))
        #expect(try await reaches(.applying, 1))
        #expect(host.routerState == [:])
        let spec = NetworkSpec(
            id: network, project: router.project, attachment: .vxlan(vni: 7), mtuBytes: 1450, subnets: [],
            dnsDomain: "")
        let networkEntry = PlanEntry(key: .network(network), generation: 2, spec: .network(spec))
        _ = try await engine.apply(PlanUpdate(epoch: 1, revision: 2, isSnapshot: false, entries: [networkEntry]))
        #expect(try await reaches(.ready, 1))
        #expect(host.routerState == [router.id: router])
        var changed = router
        changed.isAdminUp = false
        let second = PlanEntry(key: key, generation: 3, spec: .router(changed))
        _ = try await engine.apply(PlanUpdate(epoch: 1, revision: 3, isSnapshot: false, entries: [second]))
        #expect(try await reaches(.ready, 3))
        #expect(host.routerState == [router.id: changed])
        let removal = PlanEntry(key: key, generation: 4, spec: nil)
        _ = try await engine.apply(PlanUpdate(epoch: 1, revision: 4, isSnapshot: false, entries: [removal]))
        #expect(try await reaches(.gone, 4))
        #expect(host.routerState == [:])
        running.cancel()
        _ = await running.result
    }
}
