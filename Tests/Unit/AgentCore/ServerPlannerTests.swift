import AgentCore
import ProtocolModel
import Testing

/// The state a case starts from, in few words.
struct Guest: Sendable, CustomTestStringConvertible {
    var power: ServerDetails.PowerState?
    var isSaved = false
    var digest = "d"

    static let absent = Guest(power: nil)
    static let off = Guest(power: .shutdown)
    static let running = Guest(power: .running)
    static let paused = Guest(power: .paused)
    static let saved = Guest(power: .shutdown, isSaved: true)
    static let crashed = Guest(power: .crashed)
    static let asleep = Guest(power: .suspended)

    var observation: DomainObservation? {
        power.map { DomainObservation(power: $0, definitionDigest: digest, hasSavedState: isSaved, name: "instance-1") }
    }
    var testDescription: String { "\(power.map { "\($0)" } ?? "absent")\(isSaved ? ", saved" : "")" }
}

struct Transition: Sendable {
    var wanted: ServerSpec.Power
    var guest: Guest
    var steps: [ServerStep]
    var wait: ServerPlanner.Wait?

    init(_ wanted: ServerSpec.Power, _ guest: Guest, _ steps: [ServerStep], wait: ServerPlanner.Wait? = nil) {
        self.wanted = wanted
        self.guest = guest
        self.steps = steps
        self.wait = wait
    }
}

@Suite struct ServerPlannerTests {
    static func view(
        _ guest: Guest, settled: SettledState? = nil, network: ServerPlanner.NetworkReadiness = .ready,
        shutdown: ServerPlanner.ShutdownProgress = .notAsked, hasFiles: Bool = true, hasImage: Bool = true
    ) -> ServerPlanner.View {
        ServerPlanner.View(
            domain: guest.observation, files: hasFiles ? ServerFiles(rootDiskVersion: 0, configDriveDigest: nil) : nil,
            settled: settled, bootID: "boot-1", definitionDigest: "d", hasImage: hasImage, network: network,
            shutdown: shutdown)
    }

    static let transitions: [Transition] = [
        .init(.running, .absent, [.define, .start]), .init(.running, .off, [.start]),
        .init(.running, .running, []), .init(.running, .paused, [.resume]), .init(.running, .saved, [.start]),
        .init(.running, .crashed, [.stop, .start]), .init(.running, .asleep, [.resume]),
        .init(.stopped, .absent, [.define]), .init(.stopped, .off, []),
        .init(.stopped, .running, [.requestShutdown], wait: .shutdown),
        .init(.stopped, .paused, [.stop]),
        .init(.stopped, .saved, [.undefine, .define]), .init(.stopped, .crashed, [.stop]),
        .init(.paused, .absent, [.define, .start, .pause]), .init(.paused, .off, [.start, .pause]),
        .init(.paused, .running, [.pause]), .init(.paused, .paused, []), .init(.paused, .saved, [.start, .pause]),
        .init(.suspended, .running, [.save]), .init(.suspended, .paused, [.resume, .save]),
        .init(.suspended, .saved, []), .init(.suspended, .off, [.start, .save])
    ]

    @Test("every wanted power is reached from every state", arguments: transitions)
    func transition(_ item: Transition) {
        let decision = ServerPlanner.plan(makeServer(power: item.wanted), generation: 1, view: Self.view(item.guest))
        #expect(decision.steps == item.steps)
        #expect(decision.wait == item.wait)
        #expect(decision.isSettled == item.steps.isEmpty)
        #expect(decision.phase == (item.steps.isEmpty ? .ready : .applying))
    }

    @Test("a guest that does not listen is stopped once its time is over")
    func shutdownGrace() {
        let spec = makeServer(power: .stopped)
        let asked = ServerPlanner.plan(spec, generation: 1, view: Self.view(.running, shutdown: .asked))
        #expect(asked.steps == [] && asked.wait == .shutdown && asked.phase == .applying)
        let over = ServerPlanner.plan(spec, generation: 1, view: Self.view(.running, shutdown: .graceOver))
        #expect(over.steps == [.stop])
    }

    @Test("a guest that turned itself off stays off in the same generation and boot only")
    func selfPowerOff() {
        let spec = makeServer()
        let reached = SettledState(power: .running, generation: 4, bootID: "boot-1")
        let same = ServerPlanner.plan(spec, generation: 4, view: Self.view(.off, settled: reached))
        #expect(same.steps == [] && same.phase == .ready && !same.isSettled)
        #expect(ServerPlanner.plan(spec, generation: 5, view: Self.view(.off, settled: reached)).steps == [.start])
        let earlierBoot = SettledState(power: .running, generation: 4, bootID: "boot-0")
        #expect(ServerPlanner.plan(spec, generation: 4, view: Self.view(.off, settled: earlierBoot)).steps == [.start])
        #expect(
            ServerPlanner.plan(spec, generation: 4, view: Self.view(.absent, settled: reached)).steps
                == [.define, .start])
    }

    @Test("a guest that shall be off is stopped again, one that shall be paused is left to the coordinator")
    func unplannedRunning() {
        let stopped = SettledState(power: .stopped, generation: 1, bootID: "boot-1")
        let wantedOff = ServerPlanner.plan(
            makeServer(power: .stopped), generation: 1, view: Self.view(.running, settled: stopped))
        #expect(wantedOff.steps == [.requestShutdown])
        let paused = SettledState(power: .paused, generation: 1, bootID: "boot-1")
        let wantedPaused = ServerPlanner.plan(
            makeServer(power: .paused), generation: 1, view: Self.view(.running, settled: paused))
        #expect(wantedPaused.steps == [] && wantedPaused.phase == .ready)
    }

    @Test("a new server waits for its image, then for its network, doing what it can meanwhile")
    func creation() {
        let spec = makeServer()
        let noImage = ServerPlanner.plan(
            spec, generation: 1, view: Self.view(.absent, network: .waiting, hasFiles: false, hasImage: false))
        #expect(noImage.steps == [] && noImage.wait == .image && noImage.phase == .pending)
        let noNetwork = ServerPlanner.plan(
            spec, generation: 1, view: Self.view(.absent, network: .waiting, hasFiles: false))
        #expect(noNetwork.steps == [.createDisk, .define] && noNetwork.wait == .network)
        let prepared = ServerPlanner.plan(spec, generation: 1, view: Self.view(.off, network: .waiting))
        #expect(prepared.steps == [] && prepared.phase == .pending)
        let all = ServerPlanner.plan(spec, generation: 1, view: Self.view(.absent, hasFiles: false))
        #expect(all.steps == [.createDisk, .define, .start])
    }

    static let unconnected: [Transition] = [
        .init(.running, .off, [.startPaused], wait: .connection),
        .init(.running, .crashed, [.stop, .startPaused], wait: .connection),
        .init(.running, .saved, [], wait: .network), .init(.running, .running, []),
        .init(.running, .paused, [], wait: .connection), .init(.running, .asleep, [.resume]),
        .init(.paused, .off, [], wait: .network), .init(.paused, .paused, []),
        .init(.suspended, .off, [], wait: .network), .init(.suspended, .paused, [], wait: .connection),
        .init(.stopped, .paused, [.stop]), .init(.stopped, .off, []),
        .init(.stopped, .running, [.requestShutdown], wait: .shutdown)
    ]

    @Test("while its taps lead nowhere a guest is started and not let run", arguments: unconnected)
    func prepared(_ item: Transition) {
        let view = Self.view(item.guest, network: .prepared)
        let decision = ServerPlanner.plan(makeServer(power: item.wanted), generation: 1, view: view)
        #expect(decision.steps == item.steps && decision.wait == item.wait)
        let isKept = item.wanted == .paused && item.guest.power == .paused
        #expect(decision.isSettled == (item.steps.isEmpty && item.wait == nil && !isKept))
        #expect(decision.isFresh == item.steps.contains(.startPaused))
    }

    @Test("a guest that was started and cannot have its network never runs")
    func preparedInVain() {
        let error = StatusError(code: .unsupported, message: "no such network", detail: "")
        let view = Self.view(.paused, network: .failed(error))
        for power in [ServerSpec.Power.running, .suspended] {
            let wanted = ServerPlanner.plan(makeServer(power: power), generation: 1, view: view)
            #expect(wanted.steps == [] && wanted.wait == .networkFailed(error) && wanted.phase == .failed)
        }
        let unwanted = ServerPlanner.plan(makeServer(power: .stopped), generation: 2, view: view)
        #expect(unwanted.steps == [.stop] && unwanted.wait == nil)
    }

    @Test("a guest that ran in this boot and was paused keeps what network it has, whatever becomes of the rest")
    func pausedByItsUser() {
        let error = StatusError(code: .hostFailure, message: "no DHCP server", detail: "")
        for network in [ServerPlanner.NetworkReadiness.waiting, .prepared, .failed(error)] {
            for power in [ServerSpec.Power.running, .paused] {
                let settled = SettledState(power: power, generation: 1, bootID: "boot-1")
                let view = Self.view(.paused, settled: settled, network: network)
                let running = ServerPlanner.plan(makeServer(power: .running), generation: 2, view: view)
                #expect(running.steps == [.resume])
                let stopped = ServerPlanner.plan(makeServer(power: .stopped), generation: 2, view: view)
                #expect(stopped.steps == [.resume, .requestShutdown])
            }
        }
    }

    @Test("what the hypervisor is about to start is waited for, and settles nothing")
    func starting() {
        var view = Self.view(.running, network: .prepared)
        view.domain?.isStarting = true
        for power in [ServerSpec.Power.running, .paused, .stopped] {
            let decision = ServerPlanner.plan(makeServer(power: power), generation: 1, view: view)
            #expect(decision.steps == [] && decision.wait == .hypervisor && decision.phase == .applying)
            #expect(!decision.isSettled)
        }
    }

    @Test("what was reached before says nothing of a disk, a domain or a start that is new")
    func freshness() {
        let settled = SettledState(power: .running, generation: 1, bootID: "boot-1")
        func isFresh(_ guest: Guest, network: ServerPlanner.NetworkReadiness = .ready, version: Int = 0) -> Bool {
            let view = Self.view(guest, settled: settled, network: network)
            return ServerPlanner.plan(makeServer(diskVersion: version), generation: 2, view: view).isFresh
        }
        #expect(isFresh(.absent) && isFresh(.off, network: .prepared) && isFresh(.off, version: 1))
        var waiting = Self.view(.running, settled: settled)
        waiting.configDriveDigest = nil
        let rebuilt = ServerPlanner.plan(makeServer(diskVersion: 1, hasConfigDrive: true), generation: 1, view: waiting)
        #expect(rebuilt.steps == [.stop, .createDisk] && rebuilt.isFresh)
        #expect(!isFresh(.off) && !isFresh(.running) && !isFresh(.paused) && !isFresh(.saved))
    }

    @Test("a network that failed fails the server, but not a guest that runs already")
    func failedNetwork() {
        let error = StatusError(code: .unsupported, message: "no such network", detail: "")
        let off = ServerPlanner.plan(makeServer(), generation: 1, view: Self.view(.off, network: .failed(error)))
        #expect(off.wait == .networkFailed(error) && off.phase == .failed)
        let running = ServerPlanner.plan(
            makeServer(), generation: 1, view: Self.view(.running, network: .failed(error)))
        #expect(running.phase == .ready)
    }

    @Test("a rebuild takes the disk from the guest first, and saved memory goes with the old disk")
    func rebuild() {
        let spec = makeServer(diskVersion: 1)
        let running = ServerPlanner.plan(spec, generation: 2, view: Self.view(.running))
        #expect(running.steps == [.stop, .createDisk, .start])
        let saved = ServerPlanner.plan(spec, generation: 2, view: Self.view(.saved))
        #expect(saved.steps == [.undefine, .createDisk, .define, .start])
    }

    @Test(
        "a disk that the guest ran on is never made anew: it is missing, until it is back or a rebuild asks for another"
    )
    func missingDisk() {
        let settled = SettledState(power: .running, generation: 1, bootID: "boot-0", rootDiskVersion: 0)
        for guest in [Guest.absent, .off, .running, .saved] {
            let lost = ServerPlanner.plan(
                makeServer(), generation: 1, view: Self.view(guest, settled: settled, hasFiles: false))
            #expect(lost.steps == [] && lost.wait == .missingDisk && lost.phase == .failed && !lost.isSettled)
            // Without the note that it ran, its definition tells.
            let forgotten = ServerPlanner.plan(makeServer(), generation: 1, view: Self.view(guest, hasFiles: false))
            #expect((forgotten.wait == .missingDisk) == (guest.power != nil))
        }
        var old = Self.view(.off, settled: settled)
        old.files?.rootDiskVersion = 7
        #expect(ServerPlanner.plan(makeServer(), generation: 1, view: old).wait == .laterDisk(7))
        #expect(
            ServerPlanner.plan(makeServer(), generation: 1, view: Self.view(.off, settled: settled)).steps == [.start])
        var rebuilding = Self.view(.off, settled: settled, hasFiles: false)
        rebuilding.definitionDigest = "of the new disk"
        let rebuilt = ServerPlanner.plan(makeServer(diskVersion: 1), generation: 2, view: rebuilding)
        #expect(rebuilt.steps == [.createDisk, .define, .start])
        let unwanted = ServerPlanner.plan(
            makeServer(power: .stopped), generation: 2, view: Self.view(.running, settled: settled, hasFiles: false))
        #expect(unwanted.steps == [.stop] && unwanted.phase == .failed)
    }

    @Test("another definition is written down at once, also under a running guest")
    func redefinition() {
        var guest = Guest.running
        guest.digest = "older"
        let decision = ServerPlanner.plan(makeServer(), generation: 2, view: Self.view(guest))
        #expect(decision.steps == [.define] && !decision.isSettled)
    }

    @Test("a config drive is made before the start and left alone while the guest runs")
    func configDrive() {
        var view = Self.view(.off)
        view.configDriveDigest = "c"
        let spec = makeServer(hasConfigDrive: true)
        #expect(ServerPlanner.plan(spec, generation: 1, view: view).steps == [.createConfigDrive, .start])
        view.files?.configDriveDigest = "old"
        #expect(ServerPlanner.plan(spec, generation: 1, view: view).steps == [.createConfigDrive, .start])
        view.domain?.power = .running
        #expect(ServerPlanner.plan(spec, generation: 1, view: view).steps == [])
        var unknown = Self.view(.off, network: .unknown)
        unknown.configDriveDigest = nil
        let waiting = ServerPlanner.plan(spec, generation: 1, view: unknown)
        #expect(waiting.steps == [] && waiting.wait == .network)
    }

    @Test("removal stops, undefines and clears, and is done when nothing is left")
    func removal() {
        let files = ServerFiles(rootDiskVersion: nil, configDriveDigest: nil)
        #expect(
            ServerPlanner.planRemoval(domain: Guest.running.observation, files: files).steps
                == [.stop, .undefine, .removeFiles])
        #expect(ServerPlanner.planRemoval(domain: Guest.saved.observation, files: nil).steps == [.undefine])
        #expect(ServerPlanner.planRemoval(domain: nil, files: files).steps == [.removeFiles])
        #expect(ServerPlanner.planRemoval(domain: nil, files: nil).steps == [])
    }

    @Test("whatever is wanted, following the plan leads there and then changes nothing more", arguments: transitions)
    func converges(_ item: Transition) {
        let spec = makeServer(power: item.wanted)
        var guest = item.guest.observation
        for _ in 0..<6 {
            let view = ServerPlanner.View(
                domain: guest, files: ServerFiles(rootDiskVersion: 0, configDriveDigest: nil), bootID: "boot-1",
                definitionDigest: "d")
            let decision = ServerPlanner.plan(spec, generation: 1, view: view)
            if decision.isSettled { return }
            for step in decision.steps { Self.obey(step, &guest) }
        }
        Issue.record("never settles")
    }

    private static func obey(_ step: ServerStep, _ guest: inout DomainObservation?) {
        switch step {
        case .define: guest = guest ?? Guest.off.observation
        case .undefine: guest = nil
        case .start, .resume:
            guest?.power = .running
            guest?.hasSavedState = false
        case .pause: guest?.power = .paused
        case .save:
            guest?.power = .shutdown
            guest?.hasSavedState = true
        case .stop, .requestShutdown: guest?.power = .shutdown
        default: break
        }
    }
}
