import AgentCore
import ProtocolModel
import Testing

@Suite struct AgentPlanTests {
    private let one = entry(.server(makeServer(1)), 1)
    private let two = entry(.server(makeServer(2)), 2)

    @Test("a delta is taken in once and only in its own history")
    func deltas() {
        var plan = AgentPlan()
        #expect(plan.merge(PlanUpdate(epoch: 7, revision: 2, isSnapshot: false, entries: [one])).isEmpty)
        #expect(plan.merge(PlanUpdate(epoch: 7, revision: 1, isSnapshot: true, entries: [one])).count == 1)
        #expect(plan.merge(PlanUpdate(epoch: 7, revision: 2, isSnapshot: false, entries: [two])).count == 1)
        #expect(
            plan.merge(PlanUpdate(epoch: 7, revision: 2, isSnapshot: false, entries: [removal(one.key, 9)])).isEmpty)
        #expect(plan.merge(PlanUpdate(epoch: 8, revision: 9, isSnapshot: false, entries: [])).isEmpty)
        #expect(plan.position == PlanPosition(epoch: 7, revision: 2))
        #expect(plan.server(id(1)) == makeServer(1))
    }

    @Test("what a snapshot does not name is to go")
    func snapshot() {
        var plan = AgentPlan(position: PlanPosition(epoch: 1, revision: 5), entries: [one, two])
        let changed = plan.merge(PlanUpdate(epoch: 2, revision: 1, isSnapshot: true, entries: [two]))
        #expect(Array(changed.keys) == [one.key])
        #expect(plan.entries[one.key] == removal(one.key, 1))
        #expect(plan.entries[two.key] == two)
    }

    @Test("an entry is forgotten only while it asks for removal at the generation meant")
    func forget() {
        var plan = AgentPlan(entries: [removal(one.key, 3), two])
        plan.forget(one.key, generation: 2)
        plan.forget(two.key, generation: 2)
        #expect(plan.entries.count == 2)
        plan.forget(one.key, generation: 3)
        #expect(Array(plan.entries.keys) == [two.key])
    }
}

@Suite struct NetworkSelectionTests {
    private let port = makePort(701, server: 1)

    private func select(server: ServerSpec?, present: Set<ServerID>?) -> NetworkSelection {
        var entries = [
            removal(.port(id(701)), 5), removal(.network(id(700)), 6), removal(.securityGroup(id(800)), 7)
        ]
        if let server { entries.append(entry(.server(server), 1)) }
        let lingering: [ResourceKey: ResourceSpec] = [
            .port(id(701)): .port(port), .network(id(700)): .network(network),
            .securityGroup(id(800)): .securityGroup(group)
        ]
        return NetworkSelection(plan: AgentPlan(entries: entries), lingering: lingering) {
            present?.contains($0) ?? true
        }
    }

    @Test("a port to be removed keeps its network and groups until its server is gone")
    func held() {
        let held = select(server: nil, present: [id(1)])
        #expect(held.removed.isEmpty)
        #expect(held.state.ports.count == 1 && held.state.networks.count == 1 && held.state.securityGroups.count == 1)
        #expect(select(server: nil, present: nil).removed.isEmpty)
        let free = select(server: nil, present: [])
        #expect(free.removed.count == 3 && free.state == NetworkState())
    }

    @Test("a port that its server no longer has goes at once")
    func detached() {
        #expect(select(server: makeServer(1), present: [id(1)]).removed.count == 3)
        #expect(select(server: makeServer(1, ports: [701]), present: [id(1)]).removed.isEmpty)
    }
}

@Suite struct RetryScheduleTests {
    private let error = StatusError(code: .hostFailure, message: "no", detail: "")

    @Test("delays double up to a limit, and end with the attempts or the deadline")
    func effort() {
        var schedule = RetrySchedule()
        var delays: [Duration] = []
        var now = Duration.zero
        while let delay = schedule.failed(error, isFinal: false, now: now, limits: .effort) {
            #expect(!schedule.isDue(now: now + delay - .milliseconds(1)) && schedule.isDue(now: now + delay))
            delays.append(delay)
            now += delay
        }
        #expect(delays == [1, 2, 4, 8, 16, 30].map { .seconds($0) })
        var slow = RetrySchedule()
        #expect(slow.failed(error, isFinal: false, now: .zero, limits: .effort) == .seconds(1))
        #expect(slow.failed(error, isFinal: false, now: .seconds(119), limits: .effort) == nil)
    }

    @Test("what cannot end otherwise is not tried again")
    func final() {
        var schedule = RetrySchedule()
        #expect(schedule.failed(error, isFinal: true, now: .zero, limits: .effort) == nil)
    }

    @Test("what must happen some time is tried for ever")
    func persistent() {
        var schedule = RetrySchedule()
        var last: Duration? = .zero
        for _ in 0..<200 {
            last = schedule.failed(error, isFinal: false, now: .seconds(1_000_000), limits: .persistent)
        }
        #expect(last == .seconds(60))
    }
}
