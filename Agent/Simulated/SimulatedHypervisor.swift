import AgentCore
import ProtocolModel

/// A hypervisor that only remembers.
public struct SimulatedHypervisor: HypervisorDriver {
    private let host: SimulatedHost

    public init(_ host: SimulatedHost) { self.host = host }

    public func observe() async throws(StatusError) -> [ServerID: DomainObservation] {
        try await enter(.observeDomains)
        return host.guests.withLock { $0.mapValues(\.observation) }
    }

    public func define(_ definition: DomainDefinition) async throws(StatusError) {
        let server = definition.spec.id
        try await enter(.define, server)
        let digest = digest(of: definition)
        host.guests.withLock { guests in
            if guests[server] == nil {
                guests[server] = SimulatedGuest(
                    observation: DomainObservation(
                        power: .shutdown, definitionDigest: digest, hasSavedState: false,
                        name: definition.spec.domainName))
            }
            guests[server]?.observation.definitionDigest = digest
            guests[server]?.ports = definition.spec.interfaces.map(\.port)
            let devices = GuestDevices(
                interfaces: Set(definition.spec.interfaces.map(\.port)),
                volumes: Set(definition.spec.volumes.map(\.id)), rescueVersion: definition.spec.rescue?.version)
            guests[server]?.defined = devices
            if guests[server]?.observation.isActive == false { guests[server]?.observation.devices = devices }
        }
    }

    public func attach(_ devices: [GuestDevice], of definition: DomainDefinition) async throws(StatusError) {
        let server = definition.spec.id
        try await enter(.attachDevices, server)
        let taps = host.taps.withLock { $0 }
        for case .interface(let port) in devices where !taps.contains(port) {
            throw StatusError(code: .hostFailure, message: "A tap is not there.", detail: "attach \(port) \(server)")
        }
        host.change(server) { guest in
            guard guest.isActive else { return }
            for device in devices { guest.devices.insert(device) }
        }
    }

    public func detach(_ devices: [GuestDevice], from server: ServerID) async throws(StatusError) {
        try await enter(.detachDevices, server)
        guard let time = host.behavior.detachTakes else { return }
        let host = host
        let detach: @Sendable () -> Void = {
            host.change(server) { guest in
                guard guest.power == .running else { return }
                for device in devices { guest.devices.remove(device) }
            }
        }
        guard time > .zero else { return detach() }
        Task {
            try? await host.clock.sleep(for: time)
            detach()
        }
    }

    /// As a real definition, it does not tell wanted powers apart.
    public func digest(of definition: DomainDefinition) -> String {
        var digest = StableDigest()
        let spec = definition.spec
        for text in [spec.name, spec.flavorName, spec.machineType, spec.diskBus, spec.firmware.rawValue] {
            digest.combine(text.utf8.count)
            digest.combine(text.utf8)
        }
        for number in [spec.vcpus, spec.memoryMiB, spec.interfaces.count] { digest.combine(number) }
        for interface in spec.interfaces {
            digest.combine(interface.port.text.utf8)
            digest.combine(interface.mtuBytes)
        }
        for volume in spec.volumes { digest.combine(volume.id.text.utf8) }
        if let rescue = spec.rescue { digest.combine(rescue.version) }
        return digest.text
    }

    public func start(_ server: ServerID, paused: Bool) async throws(StatusError) {
        try await enter(.start, server)
        guard let guest = host.guests.withLock({ $0[server] }) else { throw Self.unknown(server) }
        guard host.taps.withLock({ $0.isSuperset(of: guest.ports) }) else {
            throw StatusError(
                code: .hostFailure, message: "A tap of the server is not there.", detail: "start \(server)")
        }
        host.change(server) {
            guard !$0.isActive else { return }
            $0.power = paused ? .paused : .running
            $0.hasSavedState = false
        }
    }

    public func requestShutdown(_ server: ServerID) async throws(StatusError) {
        try await enter(.requestShutdown, server)
        guard let time = host.behavior.shutdownTakes else { return }
        guard time > .zero else { return host.change(server) { if $0.power == .running { $0.power = .shutdown } } }
        let host = host
        Task {
            try? await host.clock.sleep(for: time)
            host.change(server) { if $0.power == .running { $0.power = .shutdown } }
        }
    }

    public func destroy(_ server: ServerID) async throws(StatusError) {
        try await enter(.destroy, server)
        host.change(server) { if $0.isActive { $0.power = .shutdown } }
    }

    public func pause(_ server: ServerID) async throws(StatusError) {
        try await enter(.pause, server)
        host.change(server) { if $0.power == .running { $0.power = .paused } }
    }

    public func resume(_ server: ServerID) async throws(StatusError) {
        try await enter(.resume, server)
        host.change(server) { if $0.power == .paused { $0.power = .running } }
    }

    public func save(_ server: ServerID) async throws(StatusError) {
        try await enter(.save, server)
        host.change(server) {
            guard $0.isActive else { return }
            $0.power = .shutdown
            $0.hasSavedState = true
        }
    }

    public func reset(_ server: ServerID) async throws(StatusError) {
        try await enter(.reset, server)
        host.guests.withLock { guests in
            if guests[server]?.observation.isActive == true { guests[server]?.boots += 1 }
        }
    }

    public func copyDisk(
        at path: String, of server: ServerID, to target: String, within limit: Duration
    ) async throws(StatusError) {
        try await enter(.copyDisk, server)
        guard host.power(of: server) != .shutdown else {
            throw StatusError(code: .hostFailure, message: "The guest was stopped meanwhile.", detail: "copy \(path)")
        }
    }

    public func setPassword(_ password: String, of user: String, on server: ServerID) async throws(StatusError) {
        try await enter(.setPassword, server)
        host.guests.withLock { $0[server]?.passwords[user] = password }
    }

    public func injectNMI(_ server: ServerID) async throws(StatusError) {
        try await enter(.injectNMI, server)
        host.guests.withLock { $0[server]?.interrupts += 1 }
    }

    public func diagnose(_ server: ServerID) async throws(StatusError) -> GuestDiagnostics {
        try await enter(.diagnose, server)
        guard let guest = host.guests.withLock({ $0[server] }), guest.observation.isActive else {
            throw StatusError(code: .conflict, message: "The server does not run.", detail: "diagnose \(server)")
        }
        return GuestDiagnostics(
            power: guest.observation.power, virtType: "simulated", processorTimes: [1_000_000],
            maximumMemoryMiB: 64, usedMemoryMiB: 64,
            disks: [.init(readBytes: 4_096, readRequests: 1, writeBytes: 0, writeRequests: 0)],
            interfaces: guest.ports.map { port in
                let none = GuestDiagnostics.Traffic(octets: 0, packets: 0, errors: 0, drops: 0)
                return .init(tap: InterfaceName.tap(port).text, received: none, sent: none)
            })
    }

    public func undefine(_ server: ServerID) async throws(StatusError) {
        try await enter(.undefine, server)
        let isActive = host.guests.withLock { guests in
            guard guests[server]?.observation.isActive != true else { return true }
            guests[server] = nil
            return false
        }
        guard !isActive else {
            throw StatusError(
                code: .hostFailure, message: "The server still runs: stop it first.", detail: "undefine \(server)")
        }
        host.notify()
    }

    public func changes() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let key = host.watchers.withLock { watchers in
            let key = (watchers.keys.max() ?? 0) + 1
            watchers[key] = continuation
            return key
        }
        let host = host
        continuation.onTermination = { _ in host.watchers.withLock { _ = $0.removeValue(forKey: key) } }
        return stream
    }

    public func report() async throws(StatusError) -> HypervisorReport {
        HypervisorReport(
            type: "simulated", version: 1_000_000, virtType: "simulated", cpuModel: "simulated", cpuVendor: "simulated",
            cpuArchitecture: "x86_64", cpuFeatures: [], cpuSockets: 1, cpuCores: host.capacity.vcpus, cpuThreads: 1,
            machineTypes: ["pc", "q35"], hasUEFI: true)
    }

    private func enter(_ action: SimulatedCall.Action, _ server: ServerID? = nil) async throws(StatusError) {
        try await host.behavior.enter(SimulatedCall(action, server), clock: host.clock)
    }

    func enterConsole(_ server: ServerID) async throws(StatusError) { try await enter(.openConsole, server) }

    func isActive(_ server: ServerID) -> Bool {
        host.guests.withLock { $0[server]?.observation.isActive == true }
    }

    private static func unknown(_ server: ServerID) -> StatusError {
        StatusError(code: .hostFailure, message: "The host does not know the server.", detail: "start \(server)")
    }
}

/// Any pool that a server's volumes are said to be in.
public struct SimulatedVolumePaths: VolumePaths {
    public init() {}

    public func location(of volume: VolumeID, pool: String) -> VolumeLocation? {
        VolumeLocation(path: "/simulated/\(pool)/\(volume)", format: .qcow2)
    }
}

extension GuestDevices {
    fileprivate mutating func insert(_ device: GuestDevice) {
        switch device {
        case .interface(let port): interfaces.insert(port)
        case .volume(let volume): volumes.insert(volume)
        }
    }

    fileprivate mutating func remove(_ device: GuestDevice) {
        switch device {
        case .interface(let port): interfaces.remove(port)
        case .volume(let volume): volumes.remove(volume)
        }
    }
}
