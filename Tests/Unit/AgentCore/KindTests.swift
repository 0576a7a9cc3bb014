import AgentCore
import AgentSimulated
import AgentStore
import ProtocolModel
import Synchronization
import Testing

@Suite("kinds of resources and their owners", .timeLimit(.minutes(1)))
struct KindTests {
    private static let key = ExampleHost.key(1)
    private static let hostFailure = StatusError(code: .hostFailure, message: "not now", detail: "")

    /// An agent with the kind of the tests' own; a server waits for one of it where `foundations` says so.
    private func harness(
        _ kinds: [ResourceKind] = [ExampleHost.kind], foundations: [ResourceKey] = [], store: (any PlanStore)? = nil
    ) throws -> (EngineHarness, [ExampleHost]) {
        let clock = ManualClock()
        let hosts = kinds.map { _ in ExampleHost(clock) }
        let host = SimulatedHost(clock: clock)
        var drivers = host.drivers
        drivers.compute?.foundations = ServerFoundations(kinds: Set(kinds)) { _ in foundations }
        for (kind, example) in zip(kinds, hosts) {
            drivers.others.append { KeyedReconciler(ExampleKind(example, kind: kind), $0) }
        }
        return (try EngineHarness(host: host, drivers: drivers, clock: clock, store: store), hosts)
    }

    @Test("one is made, changed, tried again, adopted and removed, without a line of its own for any of it")
    func life() async throws {
        let (harness, hosts) = try harness()
        let host = hosts[0]
        host.put(9, as: AnyID(high: 0, low: 99))  // A stray of ours: from a plan that is no more.
        host.behave(fault: { $0 == .make ? Self.hostFailure : nil })
        try await harness.start()
        #expect(await harness.until { _ in host.made.count == 1 }, "nothing is removed before there is a plan")
        try await harness.snapshot([ExampleHost.entry(Self.key, size: 5, 1)])
        #expect(await harness.reaches(.applying, Self.key))
        #expect(await harness.until { await $0.engine.statuses[Self.key]?.error == Self.hostFailure })
        host.behave()
        // The next attempt may be set a moment after the failure is told.
        let isMade = await harness.until { harness in
            harness.clock.advance(by: .milliseconds(100))
            return host.made == [Self.key.id: 5]
        }
        #expect(isMade)
        #expect(await harness.reaches(.ready, Self.key, generation: 1))
        #expect(await harness.engine.statuses[Self.key]?.steps.map(\.name).suffix(1) == ["make-example"])
        try await harness.delta([ExampleHost.entry(Self.key, size: 6, 2)], revision: 2)
        #expect(await harness.reaches(.ready, Self.key, generation: 2))
        await harness.stop()

        let (again, hostsAgain) = try self.harness(store: harness.store)
        hostsAgain[0].put(6, as: Self.key.id)
        hostsAgain[0].behave(fault: { $0 == .make ? Self.hostFailure : nil })
        try await again.start()
        #expect(await again.reaches(.ready, Self.key, generation: 2), "what is there is adopted")
        try await again.delta([PlanEntry(key: Self.key, generation: 3, spec: nil)], revision: 3)
        #expect(await again.reaches(.gone, Self.key, generation: 3))
        #expect(hostsAgain[0].made.isEmpty)
        await again.stop()
    }

    @Test("steps that have no effect are given up")
    func inVain() async throws {
        let (harness, hosts) = try harness()
        let host = hosts[0]
        try await harness.start()
        // What is asked for is one thing, what is made another.
        host.behave(delay: { call in
            if call == .observe { host.put(1, as: Self.key.id) }
            return .zero
        })
        try await harness.snapshot([ExampleHost.entry(Self.key, size: 5, 1)])
        #expect(
            await harness.until { harness in
                harness.clock.advance(by: .seconds(30))
                return await harness.phase(Self.key) == .failed
            })
        #expect(await harness.engine.statuses[Self.key]?.error?.detail.contains("no effect") == true)
        await harness.stop()
    }

    @Test("a host that cannot be looked at is looked at again at one pace, however often somebody asks")
    func oneAlarm() async throws {
        let (harness, hosts) = try harness()
        let looks = Mutex(0)
        hosts[0].behave(fault: { call in
            if call == .observe { looks.withLock { $0 += 1 } }
            return Self.hostFailure
        })
        try await harness.start()
        for revision in 1...20 as ClosedRange<Int64> {
            let before = looks.withLock { $0 }
            try await harness.snapshot([ExampleHost.entry(Self.key, size: 5, revision)], revision: revision)
            #expect(await harness.until { _ in looks.withLock { $0 } > before })
            harness.clock.advance(by: .milliseconds(50))
        }
        let before = looks.withLock { $0 }
        for _ in 0..<80 {
            harness.clock.advance(by: .milliseconds(50))
            try await Task.sleep(for: .milliseconds(2))
        }
        #expect(looks.withLock { $0 } - before <= 6)
        await harness.stop()
    }

    @Test("what is begun is on the host, for those who hold on to something for its sake")
    func presence() async throws {
        let clock = ManualClock()
        let example = ExampleHost(clock)
        let host = SimulatedHost(clock: clock)
        let cores = Mutex<EngineCore?>(nil)
        var drivers = host.drivers
        drivers.others.append { core in
            cores.withLock { $0 = core }
            return KeyedReconciler(ExampleKind(example), core)
        }
        let seen = Mutex<[Bool]>([])
        example.behave(fault: { call in
            guard call == .make, let core = cores.withLock({ $0 }) else { return nil }
            seen.withLock { $0.append(core.isPresent(Self.key)) }
            return nil
        })
        let harness = try EngineHarness(host: host, drivers: drivers, clock: clock)
        try await harness.start()
        #expect(await harness.until { _ in cores.withLock { $0?.isPresent(Self.key) } == false })
        try await harness.snapshot([ExampleHost.entry(Self.key, size: 5, 1)])
        #expect(await harness.reaches(.ready, Self.key))
        #expect(seen.withLock { $0 } == [true])
        await harness.stop()
    }

    @Test("a server waits for one as for its port, and starts when it is there")
    func waiting() async throws {
        let (harness, hosts) = try harness(foundations: [Self.key])
        hosts[0].behave(delay: { $0 == .make ? .seconds(20) : .zero })
        try await harness.start()
        let server = makeServer(1, ports: [701])
        try await harness.snapshot(
            EngineHarness.serverEntries(server, from: 1) + [ExampleHost.entry(Self.key, size: 5, 1)])
        #expect(await harness.reaches(.ready, .port(id(701))))
        #expect(await harness.until { $0.host.domains.contains(server.id) })
        #expect(await harness.phase(.server(server.id)) != .ready)
        #expect(harness.host.power(of: server.id) == .shutdown)
        #expect(
            await harness.until { harness in
                harness.clock.advance(by: .seconds(1))
                return await harness.phase(.server(server.id)) == .ready
            })
        #expect(hosts[0].made.count == 1)
        await harness.stop()
    }

    @Test("a server whose foundation fails says so, and goes on when that is mended")
    func failing() async throws {
        let (harness, hosts) = try harness(foundations: [Self.key])
        let full = StatusError(code: .noSpace, message: "The pool is full.", detail: "")
        hosts[0].behave(fault: { $0 == .make ? full : nil })
        try await harness.start()
        let server = makeServer(1, ports: [701])
        try await harness.snapshot(
            EngineHarness.serverEntries(server, from: 1) + [ExampleHost.entry(Self.key, size: 5, 1)])
        #expect(await harness.reaches(.failed, Self.key))
        #expect(await harness.until { await $0.engine.statuses[.server(server.id)]?.error == full })
        hosts[0].behave()
        try await harness.delta([ExampleHost.entry(Self.key, size: 4, 2)], revision: 2)
        #expect(await harness.reaches(.ready, .server(server.id)))
        await harness.stop()
    }

    @Test("a kind that hangs, in a look or in a step, delays no other", arguments: [ExampleHost.Call.observe, .make])
    func slowness(call: ExampleHost.Call) async throws {
        let quick = ResourceKind(rawValue: 901)
        let (harness, hosts) = try harness([ExampleHost.kind, quick])
        hosts[0].behave(delay: { $0 == call ? .seconds(1_000_000) : .zero })
        try await harness.start()
        let server = makeServer(1, ports: [701])
        let quickKey = ExampleHost.key(1, kind: quick)
        try await harness.snapshot(
            EngineHarness.serverEntries(server, from: 1)
                + [ExampleHost.entry(Self.key, size: 5, 1), ExampleHost.entry(quickKey, size: 5, 1)])
        #expect(await harness.reaches(.ready, .server(server.id)))
        #expect(await harness.reaches(.ready, quickKey))
        #expect(await harness.phase(Self.key) != .ready)
        try await harness.delta([PlanEntry(key: quickKey, generation: 2, spec: nil)], revision: 2)
        #expect(await harness.reaches(.gone, quickKey, generation: 2))
        await harness.stop()
    }

    @Test("a network that hangs delays nothing that does not stand on it")
    func slowNetwork() async throws {
        let (harness, _) = try harness()
        harness.host.behavior = SimulatedBehavior(
            delay: { $0.action == .convergeNetwork ? .seconds(1_000_000) : .zero })
        try await harness.start()
        let server = makeServer(1)
        try await harness.snapshot(
            [entry(.server(server), 1), entry(.network(network), 1), ExampleHost.entry(Self.key, size: 5, 1)])
        #expect(await harness.reaches(.ready, .server(server.id)))
        #expect(await harness.reaches(.ready, Self.key))
        await harness.stop()
    }

    // MARK: Operations

    /// Machines without a hypervisor: all that can be done is to press their buttons.
    private final class BareMachines: KindOwner {
        let kinds: Set<ResourceKind> = [.server]
        let pressed = Mutex<[ResourceKey]>([])
        func wake(_ cause: WakeCause) {}
        func run() async {}
        func perform(_ operation: Operation, on key: ResourceKey) async -> OperationResult {
            pressed.withLock { $0.append(key) }
            return OperationResult(id: operation.id, outcome: .done(output: []))
        }
    }

    @Test("an operation is carried out by whoever owns the kind, hypervisor or not, and once")
    func operation() async throws {
        let machines = BareMachines()
        let clock = ManualClock()
        let host = SimulatedHost(clock: clock)
        let harness = try EngineHarness(host: host, clock: clock) { core in
            [
                machines,
                AbsentRole(Set(ResourceKind.allCases).subtracting([.server]), error: Self.hostFailure, core: core)
            ]
        }
        try await harness.start()
        let operation = Operation(id: id(1), deadline: .max, action: .hardReboot(id(7)))
        await harness.engine.handle(operation)
        #expect(await harness.until { $0.session.results.count == 1 })
        await harness.engine.handle(operation)
        #expect(await harness.until { $0.session.results.count == 2 })
        #expect(harness.session.results.allSatisfy { $0.outcome == .done(output: []) })
        #expect(machines.pressed.withLock { $0 } == [.server(id(7))])
        await harness.stop()
    }

    @Test("a host without the role refuses what is asked, and has nothing left of what is to go")
    func absentRole() async throws {
        let clock = ManualClock()
        let harness = try EngineHarness(
            host: SimulatedHost(clock: clock), drivers: HostDrivers(compute: nil, network: nil), clock: clock)
        try await harness.start()
        let server = makeServer(1, ports: [701])
        try await harness.snapshot(
            EngineHarness.serverEntries(server, from: 1) + [removal(.server(id(2)), 1), removal(.port(id(3)), 1)])
        for key: ResourceKey in [.server(server.id), .port(id(701)), .network(id(700)), .securityGroup(id(800))] {
            #expect(await harness.reaches(.failed, key))
            #expect(await harness.engine.statuses[key]?.error?.code == .unsupported)
        }
        #expect(await harness.reaches(.gone, .server(id(2))))
        #expect(await harness.reaches(.gone, .port(id(3))))
        await harness.engine.handle(Operation(id: id(1), deadline: .max, action: .hardReboot(server.id)))
        #expect(await harness.until { $0.session.results.count == 1 })
        guard case .failed? = harness.session.results.first?.outcome else { return #expect(Bool(false)) }
        await harness.stop()
    }

    // MARK: The registry

    @Test("an agent in which a kind has no owner, or two, cannot be made")
    func registry() throws {
        let clock = ManualClock()
        func problem(_ owners: @escaping @Sendable (EngineCore) -> [any KindOwner]) -> KindRegistryError? {
            do {
                _ = try EngineHarness(host: SimulatedHost(clock: clock), clock: clock, owners: owners)
                return nil
            } catch {
                return error as? KindRegistryError
            }
        }
        let all = Set(ResourceKind.allCases)
        let role: @Sendable (Set<ResourceKind>, EngineCore) -> any KindOwner = {
            AbsentRole($0, error: Self.hostFailure, core: $1)
        }
        #expect(problem { [role(all, $0)] } == nil)
        #expect(problem { [role(all.subtracting([.port]), $0)] }?.kind == .port)
        #expect(problem { [role(all, $0), role([.server], $0)] }?.problem == "has two owners")
    }
}
