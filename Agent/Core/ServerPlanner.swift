import ProtocolModel

/// Decides what one server needs next. Pure: the same view always gives the same decision.
///
/// Each decision leads nearer to what is wanted from whatever is there, so a pass that is cut off anywhere is made good
/// by the next one.
public enum ServerPlanner {
    /// What is to be known of one server on this host.
    public struct View: Sendable, Equatable {
        public var domain: DomainObservation?
        public var files: ServerFiles?
        public var settled: SettledState?
        public var bootID: String
        /// What defining the domain now would leave in ``DomainObservation/definitionDigest``.
        public var definitionDigest: String
        /// The digest of the config drive that is wanted; `nil` when none is.
        public var configDriveDigest: String?
        public var hasImage: Bool
        /// Whether the image of the rescue disk is here.
        public var hasRescueImage: Bool
        public var network: NetworkReadiness
        /// How far single devices are; one that is not named is ready.
        public var devices: [GuestDevice: NetworkReadiness]
        public var shutdown: ShutdownProgress
        public var detach: DetachProgress

        public init(
            domain: DomainObservation?, files: ServerFiles?, settled: SettledState? = nil, bootID: String,
            definitionDigest: String = "", configDriveDigest: String? = nil, hasImage: Bool = true,
            hasRescueImage: Bool = true, network: NetworkReadiness = .ready,
            devices: [GuestDevice: NetworkReadiness] = [:], shutdown: ShutdownProgress = .notAsked,
            detach: DetachProgress = .notAsked
        ) {
            self.domain = domain
            self.files = files
            self.settled = settled
            self.bootID = bootID
            self.definitionDigest = definitionDigest
            self.configDriveDigest = configDriveDigest
            self.hasImage = hasImage
            self.hasRescueImage = hasRescueImage
            self.network = network
            self.devices = devices
            self.shutdown = shutdown
            self.detach = detach
        }
    }

    /// How far the networks and ports of the server are.
    public enum NetworkReadiness: Sendable, Equatable {
        case ready
        /// Specs have not arrived: nothing can be made from them.
        case unknown
        /// Specs are here, the host is not as they want yet.
        case waiting
        /// The taps are there and lead nowhere yet: a guest can be started, and must not run.
        case prepared
        case failed(StatusError)
    }

    /// Where a guest is that was asked to go down.
    public enum ShutdownProgress: Sendable, Equatable {
        case notAsked, asked, graceOver
    }

    /// Where a guest is that was asked to let go of devices.
    public enum DetachProgress: Sendable, Equatable {
        case notAsked, asked
        /// It was asked often enough.
        case givenUp
    }

    /// What a server waits for once the steps are done.
    public enum Wait: Sendable, Equatable {
        case image, rescueImage, network, shutdown
        /// The guest is started and paused: the rules of its ports are not there yet.
        case connection
        /// The hypervisor is about to start the guest, for an agent that is no more.
        case hypervisor
        case networkFailed(StatusError)
        /// The root disk that the guest ran on is not on the host.
        case missingDisk
        /// The host has a root disk of a later version than the plan asks for.
        case laterDisk(Int)
        /// The guest has been asked to let go of devices, and has them still.
        case detachment
        /// The guest does not let go of these.
        case stuck([GuestDevice])
    }

    public struct Decision: Sendable, Equatable {
        public var steps: [ServerStep] = []
        public var wait: Wait?
        /// The wanted power is reached: to be remembered as ``SettledState``.
        public var isSettled = false
        /// The steps begin with a guest that did not run yet: what was reached before is to be forgotten first, or it would
        /// pass for one that turned itself off, or that somebody paused.
        public var isFresh = false
        /// What the steps about devices do.
        public var devices = DeviceChanges()

        /// As reported when nothing went wrong.
        public var phase: ResourceStatus.Phase {
            switch wait {
            case .networkFailed, .missingDisk, .laterDisk, .stuck: .failed
            case .image, .rescueImage, .network: steps.isEmpty ? .pending : .applying
            case .shutdown, .connection, .hypervisor, .detachment: .applying
            case nil: steps.isEmpty ? .ready : .applying
            }
        }
    }

    /// Nothing of the server shall be left. An empty decision means that nothing is.
    public static func planRemoval(domain: DomainObservation?, files: ServerFiles?) -> Decision {
        var decision = Decision()
        if let domain {
            if domain.isActive { decision.steps.append(.stop) }
            decision.steps.append(.undefine)
        }
        if files != nil { decision.steps.append(.removeFiles) }
        return decision
    }

    public static func plan(_ spec: ServerSpec, generation: Int64, view: View) -> Decision {
        var decision = steps(spec, generation: generation, view: view)
        decision.isFresh =
            decision.steps.contains(.createDisk) || decision.steps.contains(.startPaused)
            || view.domain == nil && decision.steps.contains(.define)
        return decision
    }

    private static func steps(_ spec: ServerSpec, generation: Int64, view: View) -> Decision {
        if view.domain?.isStarting == true { return Decision(wait: .hypervisor) }
        var decision = Decision()
        var domain = view.domain
        if let obstacle = diskObstacle(spec, view) {
            decision.wait = obstacle
            if spec.power == .stopped, domain?.isActive == true { decision.steps.append(.stop) }
            return decision
        }
        if needsNewDisks(spec, view) {
            guard view.hasImage else { return Decision(wait: .image) }
            // A rebuild: the guest lets go of the old disk first.
            turnOff(&domain, into: &decision)
            decision.steps.append(.createDisk)
        }
        guard planRescue(spec, view, &domain, into: &decision) else { return decision }
        let isOff = domain?.isActive != true && domain?.hasSavedState != true
        if isOff, !decision.steps.contains(.createDisk), hasOutgrownDisks(spec, view.files) {
            decision.steps.append(.resizeDisks)
        }
        if spec.hasConfigDrive, domain?.isActive != true,
            view.files?.configDriveDigest != view.configDriveDigest
                || view.files?.configDriveDigest == nil
        {
            guard view.configDriveDigest != nil else {
                decision.wait = wait(for: view.network) ?? .network
                return decision
            }
            decision.steps.append(.createConfigDrive)
        }
        if domain?.definitionDigest != view.definitionDigest { decision.steps.append(.define) }
        // No definition names it any more.
        if spec.rescue == nil, view.files?.rescueVersion != nil, domain?.isActive != true {
            decision.steps.append(.removeRescueDisk)
        }
        planPower(spec.power, generation: generation, domain: domain, view: view, into: &decision)
        planDevices(spec, domain: domain, view: view, into: &decision)
        return decision
    }

    /// Takes a guest from disks that are to be replaced; its saved memory belongs to those disks.
    private static func turnOff(_ domain: inout DomainObservation?, into decision: inout Decision) {
        guard let old = domain else { return }
        if old.isActive { decision.steps.append(.stop) }
        if old.hasSavedState {
            decision.steps.append(.undefine)
            domain = nil
        } else {
            domain?.power = .shutdown
        }
    }

    private static func planPower(
        _ wanted: ServerSpec.Power, generation: Int64, domain: DomainObservation?, view: View,
        into decision: inout Decision
    ) {
        let state = GuestState(domain)
        if domain?.power == .paused, view.settled?.bootID != view.bootID {
            // Nobody paused it: it was started before its rules were there, and has not run yet.
            if wanted == .stopped { return decision.steps.append(.stop) }
            if let wait = wait(for: view.network) {
                if wanted != .paused { decision.wait = wait == .network ? .connection : wait }
                return
            }
        }
        if state == GuestState(wanted: wanted) {
            decision.isSettled = decision.steps.isEmpty
            return
        }
        // What a guest, its owner or an operator on the host did after the wanted state was reached is the coordinator's
        // to judge. Only a guest that shall be off must not run: somebody may be about to use its disks.
        let wasReached =
            view.settled?.isReached(wanted, generation: generation, bootID: view.bootID) == true
            && view.domain != nil && !decision.steps.contains(.createDisk)
        if wasReached, !(wanted == .stopped && state.isActive) { return }
        if state == .crashed { decision.steps.append(.stop) }
        switch (wanted, state) {
        case (.running, .running), (.paused, .paused), (.suspended, .saved), (.stopped, .off): break
        case (.running, .paused): decision.steps.append(.resume)
        case (.running, .off), (.running, .crashed): startEarly(view, into: &decision)
        case (.running, .saved): start(view, into: &decision)
        case (.stopped, .running), (.stopped, .paused): shutDown(state, view, into: &decision)
        // Saved memory goes with the definition.
        case (.stopped, .saved): decision.steps += [.undefine, .define]
        case (.stopped, .crashed): break
        case (.paused, .running): decision.steps.append(.pause)
        case (.paused, .off), (.paused, .saved), (.paused, .crashed): start(view, then: .pause, into: &decision)
        case (.suspended, .running): decision.steps.append(.save)
        // A guest saved while paused would come back paused.
        case (.suspended, .paused): decision.steps += [.resume, .save]
        case (.suspended, .off), (.suspended, .crashed): start(view, then: .save, into: &decision)
        }
    }

    private static func start(_ view: View, then next: ServerStep? = nil, into decision: inout Decision) {
        if let wait = wait(for: view.network) {
            decision.wait = wait
            return
        }
        decision.steps.append(.start)
        if let next { decision.steps.append(next) }
    }

    /// Has the hypervisor begin while the network is being made. (Saved memory would be half restored then, as far as
    /// libvirt tells.)
    private static func startEarly(_ view: View, into decision: inout Decision) {
        guard view.network == .prepared else { return start(view, into: &decision) }
        decision.steps.append(.startPaused)
        decision.wait = .connection
    }

    static func shutDown(_ state: GuestState, _ view: View, into decision: inout Decision) {
        switch view.shutdown {
        case .notAsked:
            // A paused guest hears nothing.
            if state == .paused { decision.steps.append(.resume) }
            decision.steps.append(.requestShutdown)
            decision.wait = .shutdown
        case .asked:
            if state == .paused { decision.steps.append(.resume) }
            decision.wait = .shutdown
        case .graceOver: decision.steps.append(.stop)
        }
    }

    static func wait(for network: NetworkReadiness) -> Wait? {
        switch network {
        case .ready: nil
        case .unknown, .waiting, .prepared: .network
        case .failed(let error): .networkFailed(error)
        }
    }
}

/// What the planner tells apart.
enum GuestState: Equatable {
    case off, running, paused, saved, crashed

    init(_ domain: DomainObservation?) {
        guard let domain else {
            self = .off
            return
        }
        switch domain.power {
        case .running: self = .running
        case .paused: self = .paused
        case .crashed: self = .crashed
        // Without saved memory it is the guest that sleeps (ACPI S3), in a QEMU that runs.
        case .suspended: self = domain.hasSavedState ? .saved : .paused
        case .shutdown, .none: self = domain.hasSavedState ? .saved : .off
        }
    }

    init(wanted: ServerSpec.Power) {
        switch wanted {
        case .running: self = .running
        case .stopped: self = .off
        case .paused: self = .paused
        case .suspended: self = .saved
        }
    }

    var isActive: Bool { self == .running || self == .paused }
}

extension DomainObservation {
    /// Whether a QEMU process stands behind it; a crashed one may.
    public var isActive: Bool {
        switch power {
        case .running, .paused, .crashed: true
        case .suspended: !hasSavedState
        case .none, .shutdown: false
        }
    }
}
