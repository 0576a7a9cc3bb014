import AgentCore
import ProtocolModel
import Testing

@Suite struct AgentPlanTests {
    private let one = entry(.server(makeServer(1)), 1)
    private let two = entry(.server(makeServer(2)), 2)

    @Test("a delta is taken in once and only in its own history")
    func deltas() {
        var plan = AgentPlan()
        #expect(plan.merge(PlanUpdate(epoch: 7, revision: 2, isSnapshot: false, entries: [one]), at: 0).isEmpty)
        #expect(plan.merge(PlanUpdate(epoch: 7, revision: 1, isSnapshot: true, entries: [one]), at: 0).count == 1)
        #expect(plan.merge(PlanUpdate(epoch: 7, revision: 2, isSnapshot: false, entries: [two]), at: 0).count == 1)
        #expect(
            plan.merge(PlanUpdate(epoch: 7, revision: 2, isSnapshot: false, entries: [removal(one.key, 9)]), at: 0)
                .isEmpty)
        #expect(plan.merge(PlanUpdate(epoch: 8, revision: 9, isSnapshot: false, entries: []), at: 0).isEmpty)
        #expect(plan.position == PlanPosition(epoch: 7, revision: 2))
        #expect(plan.server(id(1)) == makeServer(1))
    }

    @Test("what a snapshot does not name is to go, but for a server: that is kept, with what it stands on")
    func snapshot() {
        let kept = [
            one, entry(.network(network), 3), entry(.port(makePort(701, server: 1)), 4), entry(.securityGroup(group), 5)
        ]
        let served = entry(.server(makeServer(1, ports: [701])), 1)
        var alone = network
        alone.id = id(777)
        let unused = entry(.network(alone), 6)
        var plan = AgentPlan(
            position: PlanPosition(epoch: 1, revision: 5), entries: [served, two, unused] + kept.dropFirst())
        let changed = plan.merge(PlanUpdate(epoch: 2, revision: 1, isSnapshot: true, entries: [two]), at: 40)
        #expect(Set(changed.keys) == Set(kept.map(\.key) + [unused.key]))
        #expect(plan.entries[unused.key] == removal(unused.key, 6) && plan.entries[two.key] == two)
        #expect(plan.entries[served.key] == served && kept.dropFirst().allSatisfy { plan.entries[$0.key] == $0 })
        #expect(
            plan.setAside == Dictionary(uniqueKeysWithValues: kept.map { ($0.key, SetAside(since: 40, isHeld: false)) })
        )
        // Still absent: its time goes on. Named again: it is taken back.
        plan.merge(PlanUpdate(epoch: 2, revision: 1, isSnapshot: true, entries: [two]), at: 90)
        #expect(plan.setAside[served.key]?.since == 40)
        var back = plan
        let taken = back.merge(PlanUpdate(epoch: 2, revision: 2, isSnapshot: false, entries: [served]), at: 99)
        #expect(Array(taken.keys) == [served.key] && back.setAside[served.key] == nil)
        #expect(back.entries[served.key] == served)
        // Removed explicitly: somebody decided that.
        plan.merge(PlanUpdate(epoch: 2, revision: 3, isSnapshot: true, entries: [removal(served.key, 3), two]), at: 99)
        #expect(plan.entries[served.key] == removal(served.key, 3) && plan.setAside.isEmpty)
        #expect(plan.entries[.port(id(701))]?.spec == nil)
    }

    @Test("what was kept goes when its time is over, and what only that stood on")
    func release() {
        let served = entry(.server(makeServer(1, ports: [701])), 1)
        let port = entry(.port(makePort(701, server: 1)), 2)
        var plan = AgentPlan(position: PlanPosition(epoch: 1, revision: 5), entries: [served, two, port])
        plan.merge(PlanUpdate(epoch: 2, revision: 1, isSnapshot: true, entries: []), at: 1_000_000)
        #expect(plan.due(at: 60_999_999, keepSeconds: 60).isEmpty)
        #expect(plan.due(at: 61_000_000, keepSeconds: 60) == [served.key, two.key])
        #expect(plan.release([two.key]).count == 1 && plan.entries[port.key] == port)
        #expect(Set(plan.release([served.key]).keys) == [served.key, port.key])
        #expect(plan.setAside.isEmpty && plan.entries.values.allSatisfy { $0.spec == nil })
        #expect(plan.release([served.key]).isEmpty)
    }

    @Test(
        "when more than a few, and more than a tenth, go at once, they stay until somebody says otherwise",
        arguments: [(3, 3, false), (4, 4, true), (4, 40, false), (5, 49, true), (20, 100, true)])
    func brake(gone: Int, total: Int, isHeld: Bool) {
        let servers = (1...total).map { entry(.server(makeServer(UInt64($0))), Int64($0)) }
        var plan = AgentPlan(position: PlanPosition(epoch: 1, revision: 5), entries: servers)
        plan.merge(
            PlanUpdate(epoch: 1, revision: 6, isSnapshot: true, entries: Array(servers.dropFirst(gone))), at: 0)
        #expect(plan.setAside.count == gone && plan.setAside.values.allSatisfy { $0.isHeld == isHeld })
        #expect(plan.due(at: .max, keepSeconds: 1).count == (isHeld ? 0 : gone))
        #expect(plan.release(Set(plan.setAside.keys)).count == gone)
        // The same of guests that the agent has no entries of, having lost its plan.
        var lost = AgentPlan(position: PlanPosition(epoch: 1, revision: 5))
        lost.keep(strays: servers.prefix(gone).map(\.key), of: total, at: 0)
        #expect(lost.setAside.values.allSatisfy { $0.isHeld == isHeld })
        #expect(lost.release([servers[0].key])[servers[0].key] == .some(nil))
        #expect(lost.entries[servers[0].key] == removal(servers[0].key, 0))
    }

    @Test("what is kept is told in few lines, with what becomes of it")
    func problems() {
        let servers = (1...20).map { entry(.server(makeServer(UInt64($0))), Int64($0)) }
        var plan = AgentPlan(position: PlanPosition(epoch: 1, revision: 5), entries: servers)
        #expect(plan.keptProblems(at: 0, keepSeconds: 7 * 86_400).isEmpty)
        plan.merge(PlanUpdate(epoch: 1, revision: 6, isSnapshot: true, entries: Array(servers.dropFirst())), at: 0)
        let one = plan.keptProblems(at: 86_400_000_000, keepSeconds: 7 * 86_400)
        #expect(one == ["server \(servers[0].key.id) is not in the plan and is kept: it is removed in 6 days"])
        plan.merge(PlanUpdate(epoch: 1, revision: 7, isSnapshot: true, entries: []), at: 0)
        let many = plan.keptProblems(at: 0, keepSeconds: 7 * 86_400)
        #expect(many.count == 9 && many[8] == "12 more resources are not in the plan and are kept")
        #expect(many[1].hasSuffix("until 'skerry-agent confirm-removals' is run on the host"))
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
