import AgentCore
import AgentNetlink
import Logging
import NIOCore
import ProtocolModel

/// Makes the host's network what the plan says: observes, lets the planners decide, applies, reports.
///
/// The actor runs on a thread of its own, in the host's namespace: what it calls without awaiting may block.
public actor HostNetworkDriver: NetworkDriver {
    let thread: NamespaceThread
    let configuration: HostNetworkConfiguration
    let logger: Logger
    let directory = MetadataDirectory()
    let group: any EventLoopGroup
    /// Monotonic; any origin.
    let now: @Sendable () -> Duration

    /// Opened on the actor's own thread by the first pass.
    var socket: NetlinkSocket?
    var listeners: [NetworkID: MetadataListener] = [:]
    var firewall = FirewallMemory()
    var routers: [RouterID: RouterMemory] = [:]
    /// Before then, no name is looked up for the sake of the tunnel address, again or at all.
    var lookUpTunnelAt: Duration = .zero
    private var isStopped = false

    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - group: serves the metadata listeners.
    ///   - now: a monotonic clock.
    public init(
        configuration: HostNetworkConfiguration, group: any EventLoopGroup, logger: Logger,
        now: (@Sendable () -> Duration)? = nil
    ) throws(NetlinkError) {
        thread = try NamespaceThread(namespace: configuration.hostNamespace)
        self.configuration = configuration
        self.group = group
        self.logger = logger
        let origin = ContinuousClock.now
        self.now = now ?? { ContinuousClock.now - origin }
    }

    deinit { thread.close() }

    public func prepare(_ desired: NetworkState) async -> Set<PortID> {
        guard !isStopped, let socket = try? openSocket() else { return [] }
        var failures: [ResourceKey: StatusError] = [:]
        // What cannot be made is reported by the full pass that follows.
        guard let plan = try? planLinks(desired, socket, &failures) else { return [] }
        let inTheWay = Set(plan.removals.map(\.name))
        let taps = plan.changes.filter { $0.makesTap && !inTheWay.contains($0.name) }
        LinkApplier(socket: socket, tapOwner: configuration.tapOwner, logger: logger).apply(taps, &failures)
        return Set(desired.ports.keys.filter { failures[.port($0)] == nil && !inTheWay.contains(.tap($0)) })
    }

    public func converge(_ desired: NetworkState) async -> NetworkOutcome {
        guard !isStopped else { return NetworkOutcome() }
        directory.replace(desired)
        do throws(StatusError) {
            let socket = try openSocket()
            return await pass(desired, socket)
        } catch {
            return NetworkOutcome(failures: Dictionary(uniqueKeysWithValues: desired.keys.map { ($0, error) }))
        }
    }

    public func physicalNetworks() async -> [String] {
        guard let socket = try? openSocket(), let links = try? socket.links() else { return [] }
        let present = Set(links.map(\.name))
        return configuration.physicalNetworks.filter { present.contains($0.value) }.keys.sorted()
    }

    public func tunnelAddress() async -> IPAddress? {
        // Whoever asks can wait; passes over the links cannot.
        if case .route(let host) = configuration.tunnel, IPAddress(host) == nil, now() >= lookUpTunnelAt {
            await lookUpTunnel(host)
        }
        guard let socket = try? openSocket(), let links = try? socket.links(), let addresses = try? socket.addresses()
        else { return nil }
        return findTunnel(links, addresses)
    }

    public func stop() async {
        isStopped = true
        for listener in listeners.values { await listener.close() }
        listeners = [:]
    }

    func openSocket() throws(StatusError) -> NetlinkSocket {
        if let socket { return socket }
        do throws(NetlinkError) {
            let fresh = try NetlinkSocket()
            socket = fresh
            return fresh
        } catch {
            throw StatusError(error, while: "talk to the kernel about networks")
        }
    }

    /// Services that go, then links that go, then the rules, then links that come, then services: so that no tap is
    /// ever in a bridge without its rules, and nothing is taken from under a service that still runs.
    private func pass(_ desired: NetworkState, _ socket: NetlinkSocket) async -> NetworkOutcome {
        var failures: [ResourceKey: StatusError] = [:]
        await removeServices(keeping: desired.networks.filter { $0.value.hasServices }, &failures)
        let plan: LinkPlanner.Plan
        do throws(StatusError) {
            plan = try planLinks(desired, socket, &failures)
        } catch {
            return NetworkOutcome(failures: Dictionary(uniqueKeysWithValues: desired.keys.map { ($0, error) }))
        }
        let links = LinkApplier(socket: socket, tapOwner: configuration.tapOwner, logger: logger)
        let hasLimits = releaseLimits(desired, socket)
        links.apply(plan.removals, &failures)
        removeNamespaces(keeping: desired.networks.filter { $0.value.hasServices }, &failures)
        // Rules name bridges: none for one that is somebody else's.
        var filtered = desired
        filtered.networks = desired.networks.filter { !plan.foreign.contains(.bridge($0.key)) }
        if let failure = await applyFirewall(filtered) {
            // A port without its rules must not be connected; what is connected keeps the rules it has.
            for port in desired.ports.keys where failures[.port(port)] == nil { failures[.port(port)] = failure }
            for id in desired.securityGroups.keys { failures[.securityGroup(id)] = failure }
        }
        createNamespaces(desired, &failures)
        links.apply(plan.changes, &failures)
        if hasLimits { limit(desired, socket, &failures) }
        forward(desired, socket, &failures)
        for network in desired.networks.values.sorted(by: { $0.id < $1.id })
        where network.hasServices && failures[.network(network.id)] == nil {
            do throws(StatusError) {
                try await serve(network, desired)
            } catch {
                failures[.network(network.id)] = error
            }
        }
        return NetworkOutcome(failures: Self.spread(failures, desired))
    }

    /// A port is not ready while its network is not; failures of what is not wanted are only logged.
    private static func spread(
        _ failures: [ResourceKey: StatusError], _ desired: NetworkState
    ) -> [ResourceKey: StatusError] {
        var spread = failures
        for port in desired.ports.values where spread[.port(port.id)] == nil {
            if let failure = failures[.network(port.network)] {
                spread[.port(port.id)] = failure.forPort(of: port.network)
            }
        }
        return spread
    }
}

extension NetworkState {
    /// What the driver answers for; servers are the hypervisor's.
    var keys: [ResourceKey] {
        networks.keys.map(ResourceKey.network) + ports.keys.map(ResourceKey.port)
            + securityGroups.keys.map(ResourceKey.securityGroup)
    }
}
