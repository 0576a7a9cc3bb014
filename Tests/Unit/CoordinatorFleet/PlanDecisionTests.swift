import CoordinatorFleet
import ProtocolModel
import Testing

@Suite("what an agent is sent, and what its word means")
struct PlanDecisionTests {
    @Test(
        "a delta only within one history",
        arguments: [
            (PlanPosition(epoch: 7, revision: 5), PlanDelivery.Choice.delta(after: 5)),
            (PlanPosition(epoch: 7, revision: 9), .delta(after: 9)),
            // We were restored from a backup: the agent knows more than we do.
            (PlanPosition(epoch: 7, revision: 10), .snapshot),
            // The agent was: it once confirmed more than it holds now.
            (PlanPosition(epoch: 7, revision: 3), .snapshot), (PlanPosition(epoch: 6, revision: 5), .snapshot),
            (.none, .snapshot)
        ])
    func choice(agent: PlanPosition, expected: PlanDelivery.Choice) {
        let plan = PlanStore.Position(epoch: 7, revision: 9, acknowledged: 4)
        #expect(PlanDelivery.choose(agent: agent, plan: plan) == expected)
    }

    static let key = ResourceKey.server(.init(high: 1, low: 2))

    @Test("statuses are judged by the entry they speak of")
    func verdicts() {
        func judge(_ phase: ResourceStatus.Phase, _ generation: Int64, wanted: Bool?) -> StatusVerdict {
            let status = ResourceStatus(key: Self.key, generation: generation, phase: phase)
            let entry = wanted.map { PlanStore.Entry(key: Self.key, generation: 5, isWanted: $0) }
            return StatusVerdict.judge(status, entry: entry)
        }
        #expect(judge(.ready, 5, wanted: true) == .consume)
        #expect(judge(.ready, 4, wanted: true) == .consume)
        #expect(judge(.ready, 6, wanted: true) == .ignore)
        #expect(judge(.ready, 5, wanted: nil) == .ignore)
        #expect(judge(.gone, 5, wanted: false) == .finish)
        // It went in an earlier life, before it was wanted and unwanted again.
        #expect(judge(.gone, 4, wanted: false) == .ignore)
        #expect(judge(.ready, 5, wanted: false) == .ignore)
        #expect(judge(.gone, 5, wanted: true) == .resend)
        #expect(judge(.gone, 4, wanted: true) == .ignore)
    }

    @Test("a silent node is suspected, then down; one sign of life in a session brings it up")
    func health() {
        let tracker = NodeHealthTracker()
        let second: Int64 = 1_000_000
        func verdict(_ current: HealthVerdict, connected: Bool, silence: Int64) -> HealthVerdict {
            tracker.verdict(current: current, isConnected: connected, silence: silence * second)
        }
        #expect(verdict(.down, connected: true, silence: 0) == .up)
        #expect(verdict(.up, connected: true, silence: 14) == .up)
        #expect(verdict(.up, connected: true, silence: 15) == .suspect)
        #expect(verdict(.up, connected: false, silence: 5) == .up)
        #expect(verdict(.up, connected: false, silence: 15) == .suspect)
        #expect(verdict(.suspect, connected: false, silence: 59) == .suspect)
        #expect(verdict(.suspect, connected: false, silence: 60) == .down)
        // Hysteresis: down stays down until there is a session again.
        #expect(verdict(.down, connected: false, silence: 1) == .down)
        #expect(verdict(.down, connected: false, silence: 20) == .down)
    }
}
