import AgentCore
import ProtocolModel
import Testing

/// A host of one server on which steps are done at once: what planner and host make of each other.
struct PlannedHost: Sendable {
    var domain: DomainObservation?
    var files: ServerFiles?
    /// What the definition names.
    var defined = GuestDevices()
    /// Whether the guest heeds a request to let go of devices.
    var letsGo = true
    var isSettled = false

    static func digest(_ spec: ServerSpec) -> String {
        let devices = spec.interfaces.map(\.port.text) + spec.volumes.map(\.id.text)
        return "\(spec.rootDiskVersion) \(spec.vcpus) \(spec.rescue?.version ?? -1) \(devices.joined(separator: " "))"
    }

    func view(_ spec: ServerSpec) -> ServerPlanner.View {
        ServerPlanner.View(domain: domain, files: files, bootID: "boot-1", definitionDigest: Self.digest(spec))
    }

    /// One pass, of which so many steps are done before the agent dies.
    mutating func pass(_ spec: ServerSpec, steps limit: Int = .max) -> [ServerStep] {
        let decision = ServerPlanner.plan(spec, generation: 1, view: view(spec))
        isSettled = decision.isSettled && decision.phase == .ready
        for step in decision.steps.prefix(limit) { obey(step, spec, decision.devices) }
        return decision.steps
    }

    private mutating func obey(_ step: ServerStep, _ spec: ServerSpec, _ changes: DeviceChanges) {
        switch step {
        case .createDisk, .resizeDisks, .createRescueDisk, .removeRescueDisk, .removeFiles: work(step, spec)
        case .define: define(spec)
        case .undefine: domain = nil
        case .start, .startPaused: turn(step == .start ? .running : .paused, devices: defined)
        case .stop, .requestShutdown: turn(.shutdown, devices: defined)
        case .resume: domain?.power = .running
        case .pause: domain?.power = .paused
        case .save:
            turn(.shutdown, devices: defined)
            domain?.hasSavedState = true
        case .attachDevices:
            for case .interface(let port) in changes.attach { domain?.devices.interfaces.insert(port) }
            for case .volume(let volume) in changes.attach { domain?.devices.volumes.insert(volume) }
        case .detachDevices where letsGo:
            for case .interface(let port) in changes.detach { domain?.devices.interfaces.remove(port) }
            for case .volume(let volume) in changes.detach { domain?.devices.volumes.remove(volume) }
        default: break
        }
    }

    private mutating func work(_ step: ServerStep, _ spec: ServerSpec) {
        if files == nil { files = ServerFiles(rootDiskVersion: nil, configDriveDigest: nil) }
        switch step {
        case .createRescueDisk: files?.rescueVersion = spec.rescue?.version
        case .removeRescueDisk: files?.rescueVersion = nil
        case .removeFiles: files = nil
        default:
            if spec.image != nil { files?.rootDiskVersion = spec.rootDiskVersion }
            let rootBytes = files?.rootBytes ?? 0
            files?.rootBytes = max(rootBytes, Int64(spec.rootGiB) << 30)
            if spec.ephemeralGiB > 0 {
                files?.ephemeral = .init(version: spec.rootDiskVersion, bytes: Int64(spec.ephemeralGiB) << 30)
            }
            files?.swap =
                spec.swapMiB > 0 ? .init(version: spec.rootDiskVersion, bytes: Int64(spec.swapMiB) << 20) : nil
        }
    }

    private mutating func define(_ spec: ServerSpec) {
        defined = GuestDevices(
            interfaces: Set(spec.interfaces.map(\.port)), volumes: Set(spec.volumes.map(\.id)),
            rescueVersion: spec.rescue?.version)
        if domain == nil {
            domain = DomainObservation(
                power: .shutdown, definitionDigest: "", hasSavedState: false, name: spec.domainName)
        }
        domain?.definitionDigest = Self.digest(spec)
        if domain?.isActive == false { domain?.devices = defined }
    }

    private mutating func turn(_ power: ServerDetails.PowerState, devices: GuestDevices) {
        domain?.power = power
        domain?.hasSavedState = false
        domain?.devices = devices
    }

    /// Passes until nothing is left to be done.
    mutating func settle(_ spec: ServerSpec) -> [[ServerStep]] {
        var passes: [[ServerStep]] = []
        for _ in 0..<12 {
            let steps = pass(spec)
            if isSettled { return passes }
            passes.append(steps)
        }
        Issue.record("never settles: \(passes.suffix(2))")
        return passes
    }

    static func running(_ spec: ServerSpec) -> PlannedHost {
        var host = PlannedHost()
        _ = host.settle(spec)
        return host
    }
}

/// A change of what is wanted of a guest that runs.
struct GuestChange: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var before: ServerSpec
    var after: ServerSpec
    /// Of each pass.
    var passes: [[ServerStep]]

    init(
        _ name: String, before: (inout ServerSpec) -> Void = { _ in }, after: (inout ServerSpec) -> Void,
        _ passes: [[ServerStep]]
    ) {
        testDescription = name
        self.before = makeServer(ports: [10])
        before(&self.before)
        self.after = self.before
        after(&self.after)
        self.passes = passes
    }
}

@Suite("changes of a guest") struct GuestChangeTests {
    static let changes: [GuestChange] = [
        .init("a volume comes", after: { $0.volumes = [makeVolume(2)] }, [[.define, .attachDevices]]),
        .init(
            "a volume goes", before: { $0.volumes = [makeVolume(2)] }, after: { $0.volumes = [] },
            [[.define, .detachDevices]]),
        .init(
            "one volume in another's place", before: { $0.volumes = [makeVolume(2)] },
            after: { $0.volumes = [makeVolume(3)] }, [[.define, .detachDevices], [.attachDevices]]),
        .init(
            "an interface comes and one goes", after: { $0.interfaces = makeServer(ports: [11]).interfaces },
            [[.define, .detachDevices, .attachDevices]]),
        .init("more processors wait for the next start", after: { $0.vcpus = 2 }, [[.define]]),
        .init("a larger disk waits for the next start", after: { $0.rootGiB = 2 }, []),
        .init(
            "a larger flavor and a stop",
            after: {
                $0.power = .stopped
                ($0.vcpus, $0.rootGiB, $0.swapMiB, $0.ephemeralGiB) = (2, 2, 64, 1)
            }, [[.define, .requestShutdown], [.resizeDisks]]),
        .init(
            "rescue", after: { $0.rescue = makeRescue(1) },
            [[.requestShutdown], [.createRescueDisk, .define, .start]]),
        .init(
            "the end of a rescue", before: { $0.rescue = makeRescue(1) }, after: { $0.rescue = nil },
            [[.stop, .define, .removeRescueDisk, .start]]),
        .init(
            "another rescue", before: { $0.rescue = makeRescue(1) }, after: { $0.rescue = makeRescue(2) },
            [[.requestShutdown], [.createRescueDisk, .define, .start]]),
        .init(
            "a rebuild", after: { $0.rootDiskVersion = 1 }, [[.stop, .createDisk, .define, .start]]),
        .init(
            "a rebuild of one with a volume", before: { $0.volumes = [makeVolume(2)] },
            after: { $0.rootDiskVersion = 1 }, [[.stop, .createDisk, .define, .start]]),
        .init(
            "a stop with a device that comes",
            after: {
                $0.power = .stopped
                $0.volumes = [makeVolume(2)]
            }, [[.define, .requestShutdown]])
    ]

    @Test("each change takes these steps and no others", arguments: changes)
    func steps(_ change: GuestChange) {
        var host = PlannedHost.running(change.before)
        #expect(host.settle(change.after) == change.passes)
        #expect(host.domain?.devices == host.defined && host.defined.volumes == Set(change.after.volumes.map(\.id)))
        #expect(host.files?.rescueVersion == change.after.rescue?.version)
    }

    @Test("an agent that dies after any of the steps ends in the same place", arguments: changes)
    func crash(_ change: GuestChange) {
        var straight = PlannedHost.running(change.before)
        _ = straight.settle(change.after)
        for first in 0..<5 {
            for second in 0..<3 {
                var host = PlannedHost.running(change.before)
                _ = host.pass(change.after, steps: first)
                _ = host.pass(change.after, steps: second)
                _ = host.settle(change.after)
                #expect(host.domain == straight.domain && host.files == straight.files, "\(first), \(second)")
            }
        }
    }

    @Test("a server without an image starts from its volume, once that is ready, and has no root disk")
    func bootFromVolume() {
        var spec = makeServer()
        spec.image = nil
        spec.volumes = [makeVolume(2, bootIndex: 0)]
        var host = PlannedHost()
        let waiting = ServerPlanner.plan(
            spec, generation: 1,
            view: ServerPlanner.View(domain: nil, files: nil, bootID: "boot-1", network: .waiting))
        #expect(waiting.steps == [.createDisk, .define] && waiting.wait == .network)
        #expect(host.settle(spec) == [[.createDisk, .define, .start]], "its folder is for its console")
        #expect(host.files?.rootDiskVersion == nil)
        spec.id = id(2)
        spec.swapMiB = 64
        var other = PlannedHost()
        #expect(other.settle(spec) == [[.createDisk, .define, .start]])
        // Its disks are its volumes: another root disk version changes nothing of those.
        spec.rootDiskVersion = 1
        #expect(other.settle(spec) == [[.stop, .createDisk, .define, .start]])
    }

    @Test("a device that is not ready is waited for, one that cannot be had is told, and others are not kept back")
    func deviceReadiness() {
        let before = makeServer(ports: [10])
        var after = makeServer(ports: [10, 11])
        after.volumes = [makeVolume(2)]
        let error = StatusError(code: .hostFailure, message: "gone", detail: "")
        var view = PlannedHost.running(before).view(after)
        view.devices = [.interface(id(11)): .waiting]
        let waiting = ServerPlanner.plan(after, generation: 1, view: view)
        #expect(waiting.steps == [.define, .attachDevices] && waiting.devices.attach == [.volume(id(2))])
        #expect(waiting.wait == .network && waiting.phase == .applying && !waiting.isSettled)
        view.devices = [.interface(id(11)): .ready, .volume(id(2)): .failed(error)]
        let failed = ServerPlanner.plan(after, generation: 1, view: view)
        #expect(failed.devices.attach == [.interface(id(11))])
        #expect(failed.wait == .networkFailed(error) && failed.phase == .failed)
    }

    @Test("a guest that does not let go is asked again and then told of, while its power counts as reached")
    func stuck() {
        var before = makeServer()
        before.volumes = [makeVolume(2)]
        let after = makeServer()
        var host = PlannedHost.running(before)
        host.letsGo = false
        #expect(host.pass(after) == [.define, .detachDevices])
        var view = host.view(after)
        view.detach = .asked
        let asked = ServerPlanner.plan(after, generation: 1, view: view)
        #expect(asked.steps == [] && asked.wait == .detachment && asked.phase == .applying && asked.isSettled)
        view.detach = .notAsked
        #expect(ServerPlanner.plan(after, generation: 1, view: view).steps == [.detachDevices])
        view.detach = .givenUp
        let stuck = ServerPlanner.plan(after, generation: 1, view: view)
        #expect(stuck.steps == [] && stuck.wait == .stuck([.volume(id(2))]) && stuck.phase == .failed)
        // It is still wanted: what happens to the guest next takes the device from it.
        var stopped = after
        stopped.power = .stopped
        #expect(host.settle(stopped) == [[.requestShutdown]])
        #expect(host.domain?.devices.volumes == [])
    }

    @Test("neither is a guest rescued, nor taken down for it, before the image is here")
    func rescueImage() {
        let before = makeServer()
        var after = before
        after.rescue = makeRescue(1)
        var view = PlannedHost.running(before).view(after)
        view.hasRescueImage = false
        let waiting = ServerPlanner.plan(after, generation: 2, view: view)
        #expect(waiting.steps == [] && waiting.wait == .rescueImage && waiting.phase == .pending)
        view.hasRescueImage = true
        view.shutdown = .graceOver
        #expect(
            ServerPlanner.plan(after, generation: 2, view: view).steps
                == [.stop, .createRescueDisk, .define, .start])
        view.domain?.power = .shutdown
        view.domain?.hasSavedState = true
        #expect(
            ServerPlanner.plan(after, generation: 2, view: view).steps
                == [.createRescueDisk, .undefine, .define, .start])
    }

    @Test("a plan of an earlier day never replaces a later root disk")
    func laterDisk() {
        let host = PlannedHost.running(makeServer(diskVersion: 3))
        let stale = makeServer(diskVersion: 2)
        let decision = ServerPlanner.plan(stale, generation: 9, view: host.view(stale))
        #expect(decision.steps == [] && decision.wait == .laterDisk(3) && decision.phase == .failed)
        let off = ServerPlanner.plan(
            makeServer(power: .stopped, diskVersion: 2), generation: 9, view: host.view(stale))
        #expect(off.steps == [.stop])
    }
}
