import ProtocolModel

/// Says which tap each port needs, and the queue of what its guest sends where that is limited. Pure.
public enum PortPlanner {
    public struct Outcome: Hashable, Sendable {
        public var links: [DesiredLink] = []
        public var failures: [PortID: StatusError] = [:]
    }

    /// - Parameter failedNetworks: networks that cannot be had, whose ports therefore cannot either.
    public static func plan(
        ports: [PortID: PortSpec], networks: [NetworkID: NetworkSpec], failedNetworks: [NetworkID: StatusError]
    ) -> Outcome {
        var outcome = Outcome()
        for port in ports.values.sorted(by: { $0.id < $1.id }) {
            if let failure = failedNetworks[port.network] {
                outcome.failures[port.id] = failure.forPort(of: port.network)
                continue
            }
            guard let network = networks[port.network] else {
                outcome.failures[port.id] = .host(
                    "find the port's network", "network \(port.network) is not in the plan")
                continue
            }
            if port.quality.fromGuest != nil {
                // Before the tap: a port that cannot be held to its limit is not to begin without.
                outcome.links.append(
                    DesiredLink(
                        name: .queue(port.id), kind: .queue, mark: .queue(port.id), mtuBytes: network.mtuBytes,
                        owner: .port(port.id)))
            }
            outcome.links.append(
                DesiredLink(
                    name: .tap(port.id), kind: .tap, mark: .port(port.id), mtuBytes: network.mtuBytes,
                    master: .bridge(network.id), isUp: port.isAdminUp, owner: .port(port.id)))
        }
        return outcome
    }
}
