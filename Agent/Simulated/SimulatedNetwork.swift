import AgentCore
import ProtocolModel

/// A network that only remembers. A fault of ``SimulatedCall/Action/convergeNetwork`` befalls the whole pass.
public struct SimulatedNetwork: NetworkDriver {
    private let host: SimulatedHost
    private let names: [String]

    public init(_ host: SimulatedHost, physicalNetworks: [String] = []) {
        self.host = host
        names = physicalNetworks.sorted()
    }

    public func prepare(_ desired: NetworkState) async -> Set<PortID> {
        guard host.behavior.preparesTaps,
            (try? await host.behavior.enter(SimulatedCall(.prepareNetwork), clock: host.clock)) != nil
        else { return [] }
        let failures = failures(of: desired)
        let ports = Set(desired.ports.values.lazy.filter { failures[.network($0.network)] == nil }.map(\.id))
        host.taps.withLock { $0.formUnion(ports) }
        return ports
    }

    public func converge(_ desired: NetworkState) async -> NetworkOutcome {
        do throws(StatusError) {
            try await host.behavior.enter(SimulatedCall(.convergeNetwork), clock: host.clock)
        } catch {
            return NetworkOutcome(failures: Dictionary(keys(of: desired).map { ($0, error) }) { first, _ in first })
        }
        host.taps.withLock { $0 = Set(desired.ports.keys) }
        host.network.withLock { $0 = desired }
        return NetworkOutcome(failures: failures(of: desired))
    }

    /// Networks on a physical network that the host does not have, as a real host would refuse them.
    private func failures(of desired: NetworkState) -> [ResourceKey: StatusError] {
        guard !names.isEmpty else { return [:] }
        var failures: [ResourceKey: StatusError] = [:]
        for network in desired.networks.values {
            switch network.attachment {
            case .flat(let name), .vlan(let name, _):
                guard !names.contains(name) else { continue }
                failures[.network(network.id)] = StatusError(
                    code: .unsupported,
                    message: "The host has no physical network '\(name)': use another network or host.", detail: "")
            case .local, .vxlan: continue
            }
        }
        return failures
    }

    private func keys(of state: NetworkState) -> [ResourceKey] {
        state.networks.keys.map(ResourceKey.network) + state.ports.keys.map(ResourceKey.port)
            + state.securityGroups.keys.map(ResourceKey.securityGroup)
    }

    public func physicalNetworks() async -> [String] { names }

    public func stop() async {}
}
