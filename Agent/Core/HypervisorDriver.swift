import ProtocolModel

/// What the hypervisor shows of one of our domains.
public struct DomainObservation: Hashable, Sendable {
    public var power: ServerDetails.PowerState
    /// The hypervisor is about to start it, and has not decided yet whether it runs.
    public var isStarting: Bool
    /// The digest of the definition the domain was last defined from, kept in its metadata element.
    public var definitionDigest: String
    /// `true` while a saved memory image waits on disk (`virDomainHasManagedSaveImage`).
    public var hasSavedState: Bool
    public var name: String
    public var devices: GuestDevices

    public init(
        power: ServerDetails.PowerState, isStarting: Bool = false, definitionDigest: String, hasSavedState: Bool,
        name: String, devices: GuestDevices = GuestDevices()
    ) {
        self.power = power
        self.isStarting = isStarting
        self.definitionDigest = definitionDigest
        self.hasSavedState = hasSavedState
        self.name = name
        self.devices = devices
    }
}

/// Everything a domain's definition is made from; the same value always gives the same definition.
public struct DomainDefinition: Hashable, Sendable {
    public var spec: ServerSpec
    /// Host paths in the order the guest sees the disks.
    public var disks: [DomainDisk]
    public var consoleLogPath: String

    public init(spec: ServerSpec, disks: [DomainDisk], consoleLogPath: String) {
        self.spec = spec
        self.disks = disks
        self.consoleLogPath = consoleLogPath
    }
}

public struct DomainDisk: Hashable, Sendable {
    public enum Role: Hashable, Sendable {
        case root, ephemeral, swap, configDrive, rescue
        case volume(ServerSpec.Volume)
    }

    public enum Format: String, Hashable, Sendable { case raw, qcow2 }

    public enum Source: Hashable, Sendable {
        case file(String)
        case block(String)
        /// NBD with mutual TLS; the export has the volume's id for a name.
        case nbd(node: NodeID, address: IPAddress, port: Int, export: String)
    }

    public var role: Role
    public var source: Source
    public var format: Format

    public init(role: Role, source: Source, format: Format) {
        self.role = role
        self.source = source
        self.format = format
    }

    public init(role: Role, path: String, format: Format) {
        self.init(role: role, source: .file(path), format: format)
    }

    /// On this host; empty for what is elsewhere.
    public var path: String {
        switch source {
        case .file(let path), .block(let path): path
        case .nbd: ""
        }
    }

    public var volume: ServerSpec.Volume? { if case .volume(let volume) = role { volume } else { nil } }
}

/// A hypervisor with domains in it. Implementations never touch a domain that does not carry our metadata element, and
/// every call is idempotent: asked for what is already so, it does nothing.
public protocol HypervisorDriver: Sendable {
    /// All domains that carry our metadata element.
    func observe() async throws(StatusError) -> [ServerID: DomainObservation]
    /// Defines or redefines the domain; a running guest keeps running as it was until it is next started.
    func define(_ definition: DomainDefinition) async throws(StatusError)
    /// The digest that ``define(_:)`` would leave in the metadata element.
    func digest(of definition: DomainDefinition) -> String
    /// - Parameter paused: The guest is there, with its taps open, and runs none of its code until ``resume(_:)``.
    func start(_ server: ServerID, paused: Bool) async throws(StatusError)
    /// Asks through ACPI and returns; the caller watches the power state.
    func requestShutdown(_ server: ServerID) async throws(StatusError)
    /// Ends the guest as pulling the plug would.
    func destroy(_ server: ServerID) async throws(StatusError)
    func pause(_ server: ServerID) async throws(StatusError)
    func resume(_ server: ServerID) async throws(StatusError)
    /// Writes memory to disk and stops (managed save); the next ``start(_:paused:)`` goes on from there.
    func save(_ server: ServerID) async throws(StatusError)
    /// Gives a running guest devices of its definition that it has not got yet; the definition itself is as it is.
    func attach(_ devices: [GuestDevice], of definition: DomainDefinition) async throws(StatusError)
    /// Asks a running guest to let go of devices and returns; ``DomainObservation/devices`` shows when it has.
    func detach(_ devices: [GuestDevice], from server: ServerID) async throws(StatusError)
    /// Puts one disk of a running guest, as it is at one moment, into a file that is there already; returns when all of it
    /// is there. A guest with an agent in it writes down first what it has in memory. Ends early when the task is
    /// cancelled.
    /// - Parameter path: The disk's, as the definition names it.
    func copyDisk(at path: String, of server: ServerID, to target: String, within limit: Duration)
        async throws(StatusError)
    /// Through the agent in the guest.
    func setPassword(_ password: String, of user: String, on server: ServerID) async throws(StatusError)
    func injectNMI(_ server: ServerID) async throws(StatusError)
    /// What a running guest takes.
    func diagnose(_ server: ServerID) async throws(StatusError) -> GuestDiagnostics
    /// Connects to a running guest's screen or serial port. A serial port takes one connection at a time, a screen many.
    func openConsole(_ kind: ConsoleKind, of server: ServerID) async throws(StatusError) -> any ByteChannel
    /// Resets a running guest as the reset button would.
    func reset(_ server: ServerID) async throws(StatusError)
    /// Removes the definition with its saved state and NVRAM; the domain must not be running.
    func undefine(_ server: ServerID) async throws(StatusError)
    /// A new value whenever a domain of ours changes its state; bounded, newest wins.
    func changes() -> AsyncStream<Void>
    func report() async throws(StatusError) -> HypervisorReport
}
