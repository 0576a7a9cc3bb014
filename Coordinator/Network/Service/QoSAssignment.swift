import CoordinatorPlatform
import ProtocolModel

/// Which policy ports and networks have.
extension NetworkService {
    /// The policy that a call asks for, which the caller has to see; and to take one away, they have to see that.
    /// - Parameter wanted: `.some(nil)` takes it away, `nil` says nothing.
    func checkedPolicy(
        _ wanted: QoSPolicyID??, replacing old: QoSPolicyID?, viewer: Viewer, in reader: any SQLReader
    ) throws -> QoSPolicyID? {
        guard let wanted, wanted != old else { return old }
        if let old, try qosListing.first(old.text, viewer: viewer, in: reader) == nil {
            throw APIError.qosPolicyHeld(old)
        }
        guard let wanted else { return nil }
        return try qosListing.record(wanted.text, viewer: viewer, in: reader).id
    }

    /// Nothing can be limited inside a router: a port that a policy speaks of is none of one.
    func checkQoS(of port: PortRecord, in reader: any SQLReader) throws {
        guard let policy = port.qosPolicy, port.deviceOwner.hasPrefix("network:"),
            let rule = try qos.rules(of: [policy], in: reader)[policy]?.first
        else { return }
        throw APIError.qosUnsupported(rule.kind, port.id)
    }

    /// How the traffic of ports is treated: by their own policy, else by their network's.
    func qualities(of ports: [PortRecord], in reader: any SQLReader) throws -> [PortID: PortSpec.Quality] {
        let following = Set(ports.filter { $0.qosPolicy == nil }.map(\.network))
        let networks = try qos.policies(ofNetworks: following.sorted(), in: reader)
        let policies = Set(ports.compactMap(\.qosPolicy)).union(networks.values)
        guard !policies.isEmpty else { return [:] }
        let rules = try qos.rules(of: policies.sorted(), in: reader)
        var result: [PortID: PortSpec.Quality] = [:]
        for port in ports {
            guard let policy = port.qosPolicy ?? networks[port.network], let own = rules[policy] else { continue }
            result[port.id] = PortSpec.Quality(own)
        }
        return result
    }

    /// Ports of the network that have no policy of their own are treated otherwise from now on.
    func networkQoSChanged(_ network: NetworkID, in transaction: any SQLTransaction) throws {
        for port in try qos.boundPorts(following: network, in: transaction) {
            try plan.touch(.port(port), in: transaction)
        }
    }
}
