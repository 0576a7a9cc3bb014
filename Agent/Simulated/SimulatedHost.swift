import AgentCore
import ProtocolModel
import Synchronization

/// A host without a hypervisor: what its drivers do is only remembered. It outlives the agent that works on it, as a
/// real host does, so that restarts can be simulated too.
public final class SimulatedHost: Sendable {
    public let capacity: SimulatedCapacity
    let clock: any Clock<Duration>
    private let behaviorBox: Mutex<SimulatedBehavior>
    let guests = Mutex<[ServerID: SimulatedGuest]>([:])
    let disks = Mutex<SimulatedDisks>(SimulatedDisks())
    let network = Mutex<NetworkState>(NetworkState())
    let routers = Mutex<[RouterID: RouterSpec]>([:])
    let pools = Mutex<[String: SimulatedPool.Contents]>([:])
    let taps = Mutex<Set<PortID>>([])
    private let unfiltered = Mutex<Set<ServerID>>([])
    let watchers = Mutex<[Int: AsyncStream<Void>.Continuation]>([:])

    public init(
        capacity: SimulatedCapacity = SimulatedCapacity(), behavior: SimulatedBehavior = SimulatedBehavior(),
        clock: any Clock<Duration>
    ) {
        self.capacity = capacity
        self.clock = clock
        behaviorBox = Mutex(behavior)
    }

    public var behavior: SimulatedBehavior {
        get { behaviorBox.withLock { $0 } }
        set { behaviorBox.withLock { $0 = newValue } }
    }

    public var drivers: HostDrivers {
        let volumes = volumeDrivers
        return HostDrivers(
            compute: ComputeDrivers(
                hypervisor: SimulatedHypervisor(self), storage: SimulatedStorage(self),
                volumePaths: SimulatedVolumePaths(), volumeTurns: volumes.turns),
            network: SimulatedNetwork(self), routers: routerOwner, volumes: volumes)
    }

    public var routerOwner: @Sendable (EngineCore) -> any KindOwner {
        { core in KeyedReconciler(SimulatedRouters(self), core) }
    }

    /// A guest turns itself off.
    public func powerOff(_ server: ServerID) {
        change(server) { $0.power = .shutdown }
    }

    /// All guests are gone at once, their definitions and disks are not.
    public func loseThePower() {
        network.withLock { $0 = NetworkState() }
        routers.withLock { $0 = [:] }
        taps.withLock { $0 = [] }
        guests.withLock { guests in
            for server in guests.keys where guests[server]?.observation.isActive == true {
                let defined = guests[server]?.defined ?? GuestDevices()
                guests[server]?.observation.power = .shutdown
                guests[server]?.observation.devices = defined
            }
        }
        notify()
    }

    /// The file system with the disks is no longer mounted.
    /// - Returns: What was on it.
    public func loseDisks() -> [ServerID: ServerFiles] {
        disks.withLock { disks in
            defer { disks.files = [:] }
            return disks.files
        }
    }

    public func bringBack(_ files: [ServerID: ServerFiles]) { disks.withLock { $0.files.merge(files) { $1 } } }

    public func power(of server: ServerID) -> ServerDetails.PowerState? {
        guests.withLock { $0[server]?.observation.power }
    }

    /// The password that was set for a user of a guest.
    public func password(of user: String, on server: ServerID) -> String? {
        guests.withLock { $0[server]?.passwords[user] }
    }

    /// How often a guest was interrupted.
    public func interrupts(of server: ServerID) -> Int { guests.withLock { $0[server]?.interrupts ?? 0 } }

    /// Snapshots that were made and are not done with.
    public var snapshotsUnderWay: Set<OperationID> {
        disks.withLock { $0.snapshots.union($0.volumeCopies.keys) }
    }

    /// What a guest has now.
    public func devices(of server: ServerID) -> GuestDevices? {
        guests.withLock { $0[server]?.observation.devices }
    }

    /// Which servers the hypervisor knows.
    public var domains: Set<ServerID> { guests.withLock { Set($0.keys) } }
    /// Which servers have files.
    public var servers: Set<ServerID> { disks.withLock { Set($0.files.keys) } }
    /// The routers as they were last programmed.
    public var routerState: [RouterID: RouterSpec] { routers.withLock { $0 } }
    public var networkState: NetworkState { network.withLock { $0 } }
    /// Guests that were let run without what the network should have for their ports; none, ever.
    public var guestsLetRunUnconnected: Set<ServerID> { unfiltered.withLock { $0 } }

    func change(_ server: ServerID, _ body: (inout DomainObservation) -> Void) {
        let hasChanged = guests.withLock { guests in
            guard var guest = guests[server] else { return false }
            let before = guest.observation
            body(&guest.observation)
            if guest.observation.isActive, !before.isActive, !before.hasSavedState { guest.boots += 1 }
            if guest.observation.isActive != before.isActive { guest.observation.devices = guest.defined }
            if guest.observation.power == .running, before.power != .running {
                let connected = network.withLock { Set($0.ports.keys) }
                if !connected.isSuperset(of: guest.ports) { unfiltered.withLock { _ = $0.insert(server) } }
            }
            guests[server] = guest
            return guest.observation != before
        }
        if hasChanged { notify() }
    }

    func notify() {
        for watcher in watchers.withLock({ Array($0.values) }) { watcher.yield() }
    }
}

struct SimulatedGuest: Sendable {
    var observation: DomainObservation
    var ports: [PortID] = []
    /// What was set through the agent in it, by user.
    var passwords: [String: String] = [:]
    var interrupts = 0
    /// What its definition names: the guest has it from its next start on.
    var defined = GuestDevices()
    var boots = 0
}

struct SimulatedDisks: Sendable {
    var files: [ServerID: ServerFiles] = [:]
    var images: Set<String> = []
    var snapshots: Set<OperationID> = []
    /// Volumes that are copied for images, with their sizes.
    var volumeCopies: [OperationID: Int64] = [:]
}
