import CoordinatorPlatform
import ProtocolModel

/// Where a router is and what its node says of it, for whoever wants to know why something does not work.
package struct RouterState: Sendable, Hashable {
    package struct Port: Sendable, Hashable {
        package var id: PortID
        package var mac: MACAddress
        package var addresses: [IPAddress]
        package var host: String
        package var status: String
    }

    /// `nil`: it waits for a node that can have it, or has nothing to route.
    package var node: NodeID?
    /// What the agent could not do.
    package var lastError: String?
    package var ports: [Port]
}

extension NetworkService {
    package func state(of router: RouterID, in reader: any SQLReader) throws -> RouterState {
        let place = try routers.places.find(router, in: reader)
        return RouterState(
            node: place?.node, lastError: place?.lastError,
            ports: try routers.ports(of: router, in: reader).map { port in
                RouterState.Port(
                    id: port.id, mac: port.mac, addresses: port.fixedIPs.map(\.address), host: port.host,
                    status: port.status.rawValue)
            })
    }
}
