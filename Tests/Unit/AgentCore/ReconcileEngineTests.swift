import AgentCore
import AgentSimulated
import AgentStore
import ProtocolModel
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct ReconcileEngineTests {
    private let server = makeServer(1, ports: [701])
    private var key: ResourceKey { .server(server.id) }

    @Test("a server comes up with its network, and every resource is reported ready once")
    func create() async throws {
        let harness = try EngineHarness()
        try await harness.start()
        try await harness.snapshot(EngineHarness.serverEntries(server, from: 3))
        #expect(await harness.reaches(power: .running, server.id, generation: 3))
        #expect(harness.host.networkState.ports.count == 1)
        let status = try #require(await harness.engine.statuses[key])
        #expect(status.steps.map(\.name) == ["fetch-image", "create-disk", "define-domain", "start-domain"])
        #expect(await harness.until { $0.session.statuses.last { $0.key == .server(id(1)) }?.phase == .ready })
        let ready = harness.session.statuses.filter { $0.phase == .ready }
        #expect(Set(ready.map(\.key)).count == ready.count)
        await harness.stop()
    }

    @Test("a guest is started while its network is made, and runs only once that is there")
    func startedEarly() async throws {
        let networksWhenRunning = Mutex<[Int]>([])
        let harness = try EngineHarness(
            behavior: SimulatedBehavior(
                delay: { $0.action == .convergeNetwork ? .seconds(5) : .zero }, preparesTaps: true))
        let host = harness.host
        host.behavior.fault = { call in
            if call.action == .resume { networksWhenRunning.withLock { $0.append(host.networkState.networks.count) } }
            return nil
        }
        try await harness.start()
        try await harness.snapshot(EngineHarness.serverEntries(server, from: 1))
        let server = server.id
        #expect(await harness.until { _ in host.power(of: server) == .paused })
        #expect(await harness.phase(key) != .ready)
        let runs = await harness.until { harness in
            harness.clock.advance(by: .seconds(1))
            return host.power(of: server) == .running
        }
        #expect(runs)
        #expect(networksWhenRunning.withLock { $0 } == [1] && host.guestsLetRunUnconnected.isEmpty)
        #expect(await harness.reaches(power: .running, server, generation: 1))
        let status = try #require(await harness.engine.statuses[key])
        #expect(status.steps.map(\.name).suffix(2) == ["start-domain-paused", "resume-domain"])
        await harness.stop()
    }

    @Test("a guest that ran before and is started again waits for its rules as a new one does")
    func startedEarlyAgain() async throws {
        let harness = try EngineHarness()
        try await harness.start()
        try await harness.snapshot(EngineHarness.serverEntries(server, from: 1))
        #expect(await harness.reaches(power: .running, server.id, generation: 1))
        #expect(await harness.until { (try? await $0.store.settled().count) == 1 })
        let error = StatusError(code: .hostFailure, message: "iptables is away", detail: "")
        let host = harness.host
        host.behavior = SimulatedBehavior(
            delay: { $0.action == .convergeNetwork ? .seconds(5) : .zero },
            fault: { $0.action == .convergeNetwork ? error : nil }, preparesTaps: true)
        var stopped = server
        stopped.power = .stopped
        try await harness.delta([entry(.server(stopped), 2)], revision: 2)
        #expect(await harness.reaches(power: .shutdown, server.id, generation: 2))
        // A port that changed has its rules to be made anew.
        try await harness.delta([entry(.port(makePort(701, server: 1)), 3), entry(.server(server), 4)], revision: 4)
        let guest = server.id
        #expect(
            await harness.until { harness in
                harness.clock.advance(by: .milliseconds(100))
                return host.power(of: guest) == .paused
            })
        await harness.engine.handle(Operation(id: id(9), deadline: .max, action: .hardReboot(guest)))
        // It waits, with all else about the server.
        try await Task.sleep(for: .milliseconds(5))
        #expect(harness.session.results.isEmpty && host.power(of: guest) == .paused)
        host.behavior = SimulatedBehavior(preparesTaps: true)
        #expect(
            await harness.until { harness in
                harness.clock.advance(by: .seconds(5))
                return host.power(of: guest) == .running
            })
        #expect(host.guestsLetRunUnconnected.isEmpty)
        #expect(await harness.until { !$0.session.results.isEmpty })
        #expect(await harness.reaches(power: .running, server.id, generation: 4))
        await harness.stop()
    }

    @Test("removal takes the guest first and its network after, and is forgotten once surely heard")
    func delete() async throws {
        let order = Mutex<[String]>([])
        let harness = try EngineHarness()
        try await harness.start()
        try await harness.snapshot(EngineHarness.serverEntries(server, from: 1))
        #expect(await harness.reaches(power: .running, server.id, generation: 1))
        let host = harness.host
        host.behavior = SimulatedBehavior(fault: { call in
            if call.action == .destroy {
                order.withLock { $0.append("destroy with \(host.networkState.ports.count) ports") }
            }
            return nil
        })
        let keys: [ResourceKey] = [.port(id(701)), .network(id(700)), .securityGroup(id(800)), key]
        try await harness.delta(keys.enumerated().map { removal($1, Int64($0) + 2) }, revision: 9)
        for key in keys { #expect(await harness.reaches(.gone, key), "\(key)") }
        #expect(order.withLock { $0 } == ["destroy with 1 ports"])
        #expect(host.domains.isEmpty && host.servers.isEmpty && host.networkState == NetworkState())
        #expect(try await harness.store.entries().count == 4)
        #expect(
            await harness.until { harness in
                harness.clock.advance(by: .seconds(30))
                return (try? await harness.store.entries().isEmpty) == true
            })
        #expect(try await harness.store.settled().isEmpty)
        await harness.stop()
    }

    @Test("a new session hears of what is gone again: the last one may have lost it")
    func goneAgain() async throws {
        let harness = try EngineHarness()
        try await harness.start(connected: false)
        try await harness.snapshot([removal(key, 1)])
        #expect(await harness.reaches(.gone, key))
        harness.clock.advance(by: .seconds(120))
        await harness.engine.connect(harness.session)
        #expect(await harness.until { $0.session.statuses.contains { $0.phase == .gone } })
        await harness.stop()
    }

    @Test("what waited to be sent when a session ended is told in the next one")
    func restBetweenMessages() async throws {
        let harness = try EngineHarness(settings: EngineSettings(sendInterval: .seconds(10)))
        try await harness.start()
        try await harness.snapshot([removal(key, 1)])
        #expect(await harness.until { $0.session.statuses.contains { $0.generation == 1 } })
        try await harness.delta([removal(key, 2)], revision: 2)
        #expect(await harness.until { $0.clock.nextDeadline.map { $0.offset <= .seconds(10) } ?? false })
        let next = RecordingSession()
        await harness.engine.disconnect()
        await harness.engine.connect(next)
        harness.clock.advance(by: .seconds(10))
        #expect(await harness.until { _ in next.statuses.contains { $0.generation == 2 && $0.phase == .gone } })
        #expect(!harness.session.statuses.contains { $0.generation == 2 })
        await harness.stop()
    }

    @Test("a removal that waits to be told is not forgotten for what was heard of an earlier one")
    func removedTwice() async throws {
        let harness = try EngineHarness(settings: EngineSettings(sendInterval: .seconds(60)))
        try await harness.start()
        try await harness.snapshot([removal(key, 1)])
        #expect(await harness.until { $0.session.statuses.contains { $0.generation == 1 } })
        try await harness.delta([removal(key, 2)], revision: 2)
        #expect(await harness.until { await $0.engine.statuses[.server(id(1))]?.generation == 2 })
        for _ in 0..<50 {
            harness.clock.advance(by: .seconds(1))
            try await Task.sleep(for: .milliseconds(1))
        }
        #expect(try await harness.store.entries().map(\.generation) == [2])
        harness.clock.advance(by: .seconds(20))
        #expect(await harness.until { $0.session.statuses.contains { $0.generation == 2 } })
        await harness.stop()
    }

    @Test(
        "each power that is asked for is reached",
        arguments: [
            [ServerSpec.Power.stopped, .running], [.paused, .running, .paused, .stopped], [.suspended, .running],
            [.paused, .suspended, .stopped, .running]
        ])
    func powers(_ powers: [ServerSpec.Power]) async throws {
        let seen: [ServerSpec.Power: ServerDetails.PowerState] = [
            .running: .running, .stopped: .shutdown, .paused: .paused, .suspended: .suspended
        ]
        let harness = try EngineHarness()
        try await harness.start()
        try await harness.snapshot(EngineHarness.serverEntries(server, from: 1))
        for (index, power) in powers.enumerated() {
            var spec = server
            spec.power = power
            let generation = Int64(index) + 2
            try await harness.delta([entry(.server(spec), generation)], revision: generation)
            #expect(await harness.reaches(power: try #require(seen[power]), server.id, generation: generation))
        }
        await harness.stop()
    }

    @Test("a guest that does not listen is stopped after its time")
    func forcedStop() async throws {
        let harness = try EngineHarness(behavior: SimulatedBehavior(shutdownTakes: nil))
        try await harness.start()
        try await harness.snapshot(EngineHarness.serverEntries(server, from: 1))
        #expect(await harness.reaches(power: .running, server.id, generation: 1))
        var spec = server
        spec.power = .stopped
        try await harness.delta([entry(.server(spec), 2)], revision: 2)
        #expect(
            await harness.until {
                await $0.engine.statuses[.server(id(1))]?.steps.contains { $0.name == "request-shutdown" } == true
                    || $0.clock.nextDeadline != nil
            })
        #expect(harness.host.power(of: server.id) == .running)
        #expect(
            await harness.until { harness in
                harness.clock.advance(by: .seconds(10))
                return harness.host.power(of: id(1)) == .shutdown
            })
        #expect(harness.clock.now.offset >= .seconds(60))
        #expect(await harness.reaches(power: .shutdown, server.id, generation: 2))
        await harness.stop()
    }

    @Test("a guest that turns itself off is reported and left; a host that lost its power starts it again")
    func selfPowerOffAndReboot() async throws {
        let harness = try EngineHarness()
        try await harness.start()
        try await harness.snapshot(EngineHarness.serverEntries(server, from: 1))
        #expect(await harness.reaches(power: .running, server.id, generation: 1))
        #expect(await harness.until { (try? await $0.store.settled().count) == 1 })
        harness.host.powerOff(server.id)
        #expect(await harness.reaches(power: .shutdown, server.id, generation: 1))
        await harness.stop()

        let sameBoot = try EngineHarness(host: harness.host, store: harness.store)
        try await sameBoot.start(connected: false)
        #expect(await sameBoot.reaches(power: .shutdown, server.id, generation: 1))
        await sameBoot.stop()

        harness.host.loseThePower()
        let nextBoot = try EngineHarness(host: harness.host, store: harness.store, bootID: "boot-2")
        try await nextBoot.start(connected: false)
        #expect(await nextBoot.reaches(power: .running, server.id, generation: 1))
        await nextBoot.stop()
    }

    @Test("a restarted agent adopts what runs and touches nothing")
    func adoption() async throws {
        let harness = try EngineHarness()
        try await harness.start()
        try await harness.snapshot(EngineHarness.serverEntries(server, from: 1))
        #expect(await harness.reaches(power: .running, server.id, generation: 1))
        await harness.stop()
        let calls = Mutex<Set<SimulatedCall.Action>>([])
        harness.host.behavior = SimulatedBehavior(fault: { call in
            calls.withLock { _ = $0.insert(call.action) }
            return nil
        })
        let again = try EngineHarness(host: harness.host, store: harness.store)
        try await again.start(connected: false)
        #expect(await again.reaches(power: .running, server.id, generation: 1))
        #expect(calls.withLock { $0 }.isSubset(of: [.observeDomains, .observeFiles, .convergeNetwork, .observeVolumes]))
        await again.stop()
    }

    @Test("an agent that lost its plan spares guests, and has others removed when it has a plan that wants them gone")
    func strays() async throws {
        let harness = try EngineHarness()
        try await harness.start()
        try await harness.snapshot(EngineHarness.serverEntries(server, from: 1))
        #expect(await harness.reaches(power: .running, server.id, generation: 1))
        await harness.stop()
        let amnesiac = try EngineHarness(host: harness.host)
        try await amnesiac.start()
        for _ in 0..<5 {
            amnesiac.clock.advance(by: .seconds(60))
            try await Task.sleep(for: .milliseconds(2))
        }
        #expect(harness.host.power(of: server.id) == .running && harness.host.networkState.ports.count == 1)
        try await amnesiac.snapshot([removal(key, 2)])
        #expect(await amnesiac.until { $0.host.domains.isEmpty && $0.host.servers.isEmpty })
        await amnesiac.stop()
    }

    @Test("a step that fails is tried again later, and given up with its reason in the end")
    func retries() async throws {
        let error = StatusError(code: .hostFailure, message: "libvirt is away", detail: "socket")
        let harness = try EngineHarness(behavior: SimulatedBehavior(fault: { $0.action == .start ? error : nil }))
        try await harness.start()
        try await harness.snapshot(EngineHarness.serverEntries(server, from: 1))
        #expect(await harness.until { await $0.engine.statuses[.server(id(1))]?.error == error })
        #expect(await harness.phase(key) == .applying)
        #expect(
            await harness.until { harness in
                harness.clock.advance(by: .seconds(5))
                return await harness.phase(.server(id(1))) == .failed
            })
        #expect(harness.clock.now.offset >= .seconds(60))
        // Only a change of the plan brings another attempt.
        harness.host.behavior = SimulatedBehavior()
        harness.clock.advance(by: .seconds(300))
        try await Task.sleep(for: .milliseconds(5))
        #expect(await harness.phase(key) == .failed)
        try await harness.delta([entry(.server(server), 2)], revision: 2)
        #expect(await harness.reaches(power: .running, server.id, generation: 2))
        await harness.stop()
    }

    @Test("a guest that dies whenever it is started is given up, not started for ever")
    func diesAtOnce() async throws {
        let starts = Mutex(0)
        let harness = try EngineHarness()
        let host = harness.host
        host.behavior = SimulatedBehavior(fault: { call in
            if call.action == .start { starts.withLock { $0 += 1 } }
            if call.action == .observeDomains { host.powerOff(id(1)) }
            return nil
        })
        try await harness.start()
        try await harness.snapshot(EngineHarness.serverEntries(server, from: 1))
        #expect(
            await harness.until { harness in
                harness.clock.advance(by: .seconds(2))
                return await harness.phase(.server(id(1))) == .failed
            })
        #expect(starts.withLock { $0 } < 15)
        await harness.stop()
    }

    @Test("a full disk fails the server at once")
    func permanentFailure() async throws {
        let error = StatusError(code: .noSpace, message: "The host's disk is full.", detail: "")
        let harness = try EngineHarness(behavior: SimulatedBehavior(fault: { $0.action == .makeDisks ? error : nil }))
        try await harness.start()
        try await harness.snapshot(EngineHarness.serverEntries(server, from: 1))
        #expect(await harness.reaches(.failed, key))
        #expect(await harness.engine.statuses[key]?.error == error)
        await harness.stop()
    }

    @Test("an image is fetched once for all who wait, and only when there is a session")
    func sharedImage() async throws {
        let fetches = Mutex(0)
        let harness = try EngineHarness(
            behavior: SimulatedBehavior(fault: { call in
                if call.action == .fetchImage { fetches.withLock { $0 += 1 } }
                return nil
            }))
        try await harness.start(connected: false)
        let servers = (1...5).map { makeServer($0) }
        try await harness.snapshot(servers.map { entry(.server($0), 1) })
        for server in servers { #expect(await harness.reaches(.pending, .server(server.id))) }
        await harness.engine.connect(harness.session)
        for server in servers { #expect(await harness.reaches(power: .running, server.id, generation: 1)) }
        #expect(fetches.withLock { $0 } == 1)
        await harness.stop()
    }

    @Test("a network that is refused fails its servers with the reason")
    func refusedNetwork() async throws {
        let error = StatusError(code: .unsupported, message: "no such physical network", detail: "")
        let harness = try EngineHarness(
            behavior: SimulatedBehavior(fault: { $0.action == .convergeNetwork ? error : nil }))
        try await harness.start()
        try await harness.snapshot(EngineHarness.serverEntries(server, from: 1))
        #expect(await harness.reaches(.failed, .network(id(700))))
        #expect(await harness.reaches(.failed, key))
        #expect(await harness.engine.statuses[key]?.error == error)
        // It heals by itself: a network is tried further, since a pass costs the same with or without it.
        harness.host.behavior = SimulatedBehavior()
        #expect(
            await harness.until { harness in
                harness.clock.advance(by: .seconds(10))
                return await harness.phase(.server(id(1))) == .ready
            })
        await harness.stop()
    }

    @Test(
        "a domain that crashes the agent's call order at any step ends as asked",
        arguments: [
            SimulatedCall.Action.fetchImage, .makeDisks, .define, .start, .convergeNetwork, .observeDomains,
            .observeFiles
        ])
    func faultsOnce(_ action: SimulatedCall.Action) async throws {
        let left = Mutex(2)
        let error = StatusError(code: .timedOut, message: "try again", detail: "")
        let harness = try EngineHarness(
            behavior: SimulatedBehavior(fault: { call in
                guard call.action == action else { return nil }
                return left.withLock { left in
                    guard left > 0 else { return nil }
                    left -= 1
                    return error
                }
            }))
        try await harness.start()
        try await harness.snapshot(EngineHarness.serverEntries(server, from: 1))
        #expect(
            await harness.until { harness in
                harness.clock.advance(by: .milliseconds(200))
                return await harness.phase(.server(id(1))) == .ready
            })
        await harness.stop()
    }
}
