import AgentCore
import ProtocolModel
import Synchronization

/// Says which server a request on a network comes from, and what it may know. Shared by the driver, which replaces the
/// content, and the listeners, which read it.
public final class MetadataDirectory: Sendable {
    private struct Content {
        var state = NetworkState()
        var servers: [NetworkID: [IPAddress: ServerID]] = [:]
    }

    private let content = Mutex(Content())

    public init() {}

    public func replace(_ state: NetworkState) {
        var servers: [NetworkID: [IPAddress: ServerID]] = [:]
        for port in state.ports.values.sorted(by: { $0.id < $1.id }) {
            guard let server = port.server, state.servers[server] != nil else { continue }
            // A guest asks from a fixed address or, over IPv6, from the link-local one of its MAC.
            for address in port.fixedIPs.map(\.address) + [port.mac.linkLocalAddress] {
                servers[port.network, default: [:]][address] = server
            }
        }
        let fresh = Content(state: state, servers: servers)
        content.withLock { $0 = fresh }
    }

    /// Whose address it is.
    public func guest(on network: NetworkID, at source: IPAddress) -> ServerID? {
        content.withLock { $0.servers[network]?[source] }
    }

    /// - Returns: ``GuestMetadata/Answer/notFound`` for an address that is no server's of ours on that network.
    public func answer(network: NetworkID, source: IPAddress, path: String) -> GuestMetadata.Answer {
        let current = content.withLock { $0 }
        guard let id = current.servers[network]?[source], let server = current.state.servers[id] else {
            return .notFound
        }
        return GuestMetadata(
            server: server, networks: current.state.networks, ports: current.state.ports,
            groupNames: current.state.securityGroups.mapValues(\.name)
        ).answer(path: path)
    }
}
