import AgentCore
import CLibvirt
import Logging
import ProtocolModel
import Synchronization

/// Guests through libvirtd. Calls run on a few threads of the driver's own; a connection that libvirtd's restart cut is
/// opened anew by the next call.
public final class LibvirtDriver: HypervisorDriver {
    private let uri: String
    let settings: HypervisorSettings
    private let logger: Logger
    private let workers: BlockingWorkers
    private let watchers = ChangeWatchers()
    let ownership = OwnershipCache()
    private let connection = Mutex<LibvirtConnection?>(nil)
    private let reported = Mutex<HypervisorReport?>(nil)

    /// Connects at the first call, so that an agent starts without libvirtd too.
    /// - Parameter workers: How many calls run at once; some, a managed save among them, take long. libvirtd serves five
    ///   of one client at a time by default.
    public init(uri: String = "qemu:///system", settings: HypervisorSettings, logger: Logger, workers: Int = 4) {
        self.uri = uri
        self.settings = settings
        self.logger = logger
        self.workers = BlockingWorkers(label: "skerry.libvirt", count: workers)
    }

    public func observe() async throws(StatusError) -> [ServerID: DomainObservation] {
        try await perform { driver, connection throws(StatusError) in try driver.observe(on: connection) }
    }

    public func digest(of definition: DomainDefinition) -> String {
        DomainXML(definition, settings: settings).digest
    }

    public func define(_ definition: DomainDefinition) async throws(StatusError) {
        let xml = DomainXML(definition, settings: settings)
        if let refusal = xml.refusal { throw refusal }
        let id = definition.spec.id
        try await perform { driver, connection throws(StatusError) in
            let digest = xml.digest
            if try driver.find(id, on: connection) != nil, driver.ownership[id] == .ours(digest: digest) { return }
            driver.ownership.invalidate(id)
            let epoch = driver.ownership.epoch
            guard let defined = virDomainDefineXML(connection.pointer, xml.text) else {
                throw LibvirtFailure.last().statusError(doing: "define the server", call: "virDomainDefineXML(\(id))")
            }
            virDomainFree(defined)
            driver.ownership.store(.ours(digest: digest), for: id, readIn: epoch)
        }
    }

    public func start(_ server: ServerID, paused: Bool) async throws(StatusError) {
        let flags = paused ? VIR_DOMAIN_START_PAUSED.rawValue : VIR_DOMAIN_NONE.rawValue
        try await command(server, "start the server", "virDomainCreate", done: [.running, .paused]) { domain in
            // A guest that went to sleep by itself has its memory still, and cannot be created again.
            guard DomainState(of: domain)?.power == .suspended else { return virDomainCreateWithFlags(domain, flags) }
            return virDomainPMWakeup(domain, 0)
        }
    }

    public func requestShutdown(_ server: ServerID) async throws(StatusError) {
        try await command(server, "shut the server down", "virDomainShutdown", done: [.shutdown], missingIsDone: true) {
            virDomainShutdownFlags($0, VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN.rawValue)
        }
    }

    public func destroy(_ server: ServerID) async throws(StatusError) {
        try await command(server, "stop the server", "virDomainDestroy", done: [.shutdown], missingIsDone: true) {
            virDomainDestroy($0)
        }
    }

    public func pause(_ server: ServerID) async throws(StatusError) {
        try await command(server, "pause the server", "virDomainSuspend", done: [.paused]) { virDomainSuspend($0) }
    }

    public func resume(_ server: ServerID) async throws(StatusError) {
        try await command(server, "resume the server", "virDomainResume", done: [.running]) { domain in
            guard DomainState(of: domain)?.power == .suspended else { return virDomainResume(domain) }
            return virDomainPMWakeup(domain, 0)
        }
    }

    public func save(_ server: ServerID) async throws(StatusError) {
        try await command(server, "suspend the server", "virDomainManagedSave", done: []) { domain in
            // A save that was done before the agent died is not to be done again.
            if virDomainIsActive(domain) == 0, virDomainHasManagedSaveImage(domain, 0) == 1 { return 0 }
            return virDomainManagedSave(domain, VIR_DOMAIN_SAVE_RUNNING.rawValue)
        }
    }

    public func reset(_ server: ServerID) async throws(StatusError) {
        try await command(server, "reset the server", "virDomainReset", done: []) { virDomainReset($0, 0) }
    }

    public func undefine(_ server: ServerID) async throws(StatusError) {
        let flags =
            VIR_DOMAIN_UNDEFINE_MANAGED_SAVE.rawValue | VIR_DOMAIN_UNDEFINE_NVRAM.rawValue
            | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA.rawValue | VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA.rawValue
        let ownership = ownership
        try await command(server, "remove the server", "virDomainUndefine", done: [], missingIsDone: true) { domain in
            defer { ownership.invalidate(server) }
            return virDomainUndefineFlags(domain, flags)
        }
    }

    public func changes() -> AsyncStream<Void> { watchers.stream() }

    public func report() async throws(StatusError) -> HypervisorReport {
        if let known = reported.withLock({ $0 }) { return known }
        return try await perform { driver, connection throws(StatusError) in
            let report = try connection.report(virtType: driver.settings.virtType)
            driver.reported.withLock { $0 = report }
            return report
        }
    }
}

extension LibvirtDriver {
    /// Runs `body` on a thread that may block, and once more on a new connection if the old one broke under it: every
    /// call here may be repeated.
    func perform<Value: Sendable>(
        _ body: @escaping @Sendable (LibvirtDriver, LibvirtConnection) throws(StatusError) -> Value
    ) async throws(StatusError) -> Value {
        try await workers.run { () throws(StatusError) -> Value in
            let first = try self.connected()
            do throws(StatusError) {
                return try body(self, first)
            } catch {
                guard !first.isAlive else { throw error }
                return try body(self, try self.connected())
            }
        }
    }

    private func connected() throws(StatusError) -> LibvirtConnection {
        let (ownership, watchers, logger) = (ownership, watchers, logger)
        // Threads that come while one opens the connection would only open more of them.
        let opened: Result<LibvirtConnection, StatusError> = connection.withLock { connection in
            if let connection, connection.isAlive { return .success(connection) }
            do throws(StatusError) {
                let fresh = try LibvirtConnection(uri: uri) { event in
                    Self.handle(event, ownership: ownership, watchers: watchers, logger: logger)
                }
                ownership.invalidateAll()
                reported.withLock { $0 = nil }
                connection = fresh
                logger.info("connected to libvirt", metadata: ["uri": "\(uri)"])
                return .success(fresh)
            } catch {
                connection = nil
                return .failure(error)
            }
        }
        return try opened.get()
    }

    private static func handle(
        _ event: LibvirtEvent, ownership: OwnershipCache, watchers: ChangeWatchers, logger: Logger
    ) {
        switch event {
        case .connectionLost: logger.warning("libvirt closed the connection: the next call opens it anew")
        case .definition(let domain): ownership.invalidate(domain)
        case .state(let domain): if ownership[domain] == .foreign { return }
        case .devices(let domain): ownership.invalidateDevices(of: domain)
        }
        watchers.notify()
    }

    /// One call on one of our domains.
    /// - Parameter done: The states in which there is nothing left to do when the call fails.
    private func command(
        _ server: ServerID, _ doing: String, _ call: String, done: Set<ServerDetails.PowerState>,
        missingIsDone: Bool = false, _ body: @escaping @Sendable (OpaquePointer) -> Int32
    ) async throws(StatusError) {
        try await perform { driver, connection throws(StatusError) in
            guard let domain = try driver.find(server, on: connection) else {
                if missingIsDone { return }
                throw StatusError(
                    code: .hostFailure, message: "The host's hypervisor could not \(doing): it is not defined there.",
                    detail: "\(call)(\(server)): no such domain")
            }
            guard body(domain.pointer) < 0 else { return }
            let failure = LibvirtFailure.last()
            if missingIsDone, failure.isMissingDomain { return }
            if let state = DomainState(of: domain.pointer), done.contains(state.power) { return }
            throw failure.statusError(doing: doing, call: "\(call)(\(server))")
        }
    }
}
