import ProtocolModel

/// All that a host's network shall be.
public struct NetworkState: Hashable, Sendable {
    public var networks: [NetworkID: NetworkSpec]
    public var ports: [PortID: PortSpec]
    public var securityGroups: [SecurityGroupID: SecurityGroupSpec]
    /// The servers behind the ports: what the metadata service answers is made from these.
    public var servers: [ServerID: ServerSpec]

    public init(
        networks: [NetworkID: NetworkSpec] = [:], ports: [PortID: PortSpec] = [:],
        securityGroups: [SecurityGroupID: SecurityGroupSpec] = [:], servers: [ServerID: ServerSpec] = [:]
    ) {
        self.networks = networks
        self.ports = ports
        self.securityGroups = securityGroups
        self.servers = servers
    }
}

/// What came of one pass.
public struct NetworkOutcome: Sendable {
    /// What is not as wanted, and why. Whatever is wanted and not here is ready; whatever is neither is gone.
    public var failures: [ResourceKey: StatusError]

    public init(failures: [ResourceKey: StatusError] = [:]) { self.failures = failures }
}

/// The host's networking. Objects that the agent did not make are never changed.
public protocol NetworkDriver: Sendable {
    /// Makes what a hypervisor opens when it starts a guest, a tap for each port, connected to nothing yet. Takes a moment,
    /// where a full pass has programs to run; the pass connects them, once their rules are there.
    /// - Returns: The ports whose taps are there.
    func prepare(_ desired: NetworkState) async -> Set<PortID>
    /// One full pass: observe the host, plan, apply, for networks, ports, security groups, DHCP and metadata alike. Keeps
    /// going past one failed item; may be repeated at any moment; calls, ``prepare(_:)`` included, never overlap.
    func converge(_ desired: NetworkState) async -> NetworkOutcome
    /// The physical networks that the configuration maps and whose interface exists.
    func physicalNetworks() async -> [String]
    /// Where other hosts are to send the frames of overlay networks; `nil`: this one takes part in none.
    func tunnelAddress() async -> IPAddress?
    /// Ends the listeners of this process; leaves bridges, rules and DHCP as they are, since guests go on without us.
    func stop() async
}

extension NetworkDriver {
    public func tunnelAddress() async -> IPAddress? { nil }
}
