import ProtocolModel

/// Says which links each network needs: its bridge, its uplink, and the way into its service namespace. Pure.
public enum BridgePlanner {
    public struct Outcome: Hashable, Sendable {
        /// In order of making.
        public var links: [DesiredLink] = []
        public var failures: [NetworkID: StatusError] = [:]
    }

    /// - Parameters:
    ///   - physicalNetworks: the agent's configuration: which interface leads to which physical network.
    ///   - addresses: the addresses of the host's interfaces.
    ///   - tunnel: the host's end of its tunnels.
    public static func plan(
        networks: [NetworkID: NetworkSpec], physicalNetworks: [String: InterfaceName], actual: [ObservedLink],
        addresses: [Int32: Set<ObservedAddress>] = [:], tunnel: IPAddress? = nil
    ) -> Outcome {
        var outcome = Outcome()
        let holders = attachmentHolders(networks, actual)
        let uplinks = Uplinks(
            physicalNetworks: physicalNetworks, actual: actual, addresses: addresses, tunnel: tunnel)
        for network in networks.values.sorted(by: { $0.id < $1.id }) {
            if network.attachment != .local, let holder = holders[network.attachment], holder != network.id {
                outcome.failures[network.id] = .attachmentTaken(network.attachment, by: holder)
                continue
            }
            do throws(StatusError) {
                let uplink = try uplinks.links(for: network)
                outcome.links.append(bridge(network))
                outcome.links += uplink
                if network.hasServices { outcome.links.append(service(network)) }
            } catch {
                outcome.failures[network.id] = error
            }
        }
        return outcome
    }

    /// Who has each way out of the host: the network that is on it already, else the one with the lowest identifier.
    private static func attachmentHolders(
        _ networks: [NetworkID: NetworkSpec], _ actual: [ObservedLink]
    ) -> [NetworkSpec.Attachment: NetworkID] {
        let present = Set(
            actual.compactMap { link -> NetworkID? in
                guard case .bridge(let id)? = OwnershipMark(alias: link.alias) else { return nil }
                // Only a bridge with a port that is neither a tap nor a service link holds its attachment.
                let hasUplink = actual.contains {
                    guard $0.master == link.index else { return false }
                    switch OwnershipMark(alias: $0.alias) {
                    case .vlan, .vxlan: return true
                    case nil: return RouterMark(alias: $0.alias) == nil
                    default: return false
                    }
                }
                return hasUplink ? id : nil
            })
        var holders: [NetworkSpec.Attachment: NetworkID] = [:]
        for network in networks.values.sorted(by: { $0.id < $1.id }) {
            if let holder = holders[network.attachment], present.contains(holder) || !present.contains(network.id) {
                continue
            }
            holders[network.attachment] = network.id
        }
        return holders
    }

    private static func bridge(_ network: NetworkSpec) -> DesiredLink {
        DesiredLink(
            name: .bridge(network.id), kind: .bridge, mark: .bridge(network.id), mtuBytes: network.mtuBytes,
            owner: .network(network.id))
    }

    /// Isolated like the uplink, so that nothing passes between the two: what this host serves stays on this host.
    private static func service(_ network: NetworkSpec) -> DesiredLink {
        DesiredLink(
            name: .serviceLink(network.id), kind: .service(network.id), mark: .service(network.id),
            mtuBytes: network.mtuBytes, master: .bridge(network.id), isIsolated: true, owner: .network(network.id))
    }
}

/// Finds the interface that carries a network's frames off the host.
private struct Uplinks {
    let physicalNetworks: [String: InterfaceName]
    let actual: [ObservedLink]
    let addresses: [Int32: Set<ObservedAddress>]
    let tunnel: IPAddress?

    func links(for network: NetworkSpec) throws(StatusError) -> [DesiredLink] {
        switch network.attachment {
        case .local: return []
        case .vxlan(let vni):
            guard let tunnel else {
                // A host that has all of the network's ports needs no way to others.
                if network.remotePorts.isEmpty { return [] }
                throw .noTunnel
            }
            if let other = network.remotePorts.first(where: { $0.tunnel.family != tunnel.family })?.tunnel {
                throw .tunnelFamily(tunnel, other)
            }
            return [
                DesiredLink(
                    name: .vxlan(network.id), kind: .vxlan(VXLANSettings(vni: vni, local: tunnel)),
                    mark: .vxlan(network.id), mtuBytes: network.mtuBytes, master: .bridge(network.id), isIsolated: true,
                    owner: .network(network.id))
            ]
        case .flat(let physicalNetwork):
            let link = try physical(physicalNetwork, for: network)
            try checkIsFree(link, for: network)
            return [
                DesiredLink(
                    name: link.name, kind: .physical, mark: nil, mtuBytes: nil, master: .bridge(network.id),
                    isIsolated: true, owner: .network(network.id))
            ]
        case .vlan(let physicalNetwork, let tag):
            let link = try physical(physicalNetwork, for: network)
            return [
                DesiredLink(
                    name: link.name, kind: .physical, mark: nil, mtuBytes: nil, owner: .network(network.id)),
                DesiredLink(
                    name: .vlan(tag: tag, on: link.name), kind: .vlan(parent: link.name, tag: tag),
                    mark: .vlan(network.id), mtuBytes: network.mtuBytes, master: .bridge(network.id), isIsolated: true,
                    owner: .network(network.id))
            ]
        }
    }

    private func physical(_ physicalNetwork: String, for network: NetworkSpec) throws(StatusError) -> ObservedLink {
        guard let name = physicalNetworks[physicalNetwork] else { throw .unmapped(physicalNetwork) }
        guard let link = actual.first(where: { $0.name == name }) else { throw .missingInterface(name) }
        guard link.mtuBytes >= network.mtuBytes else {
            throw .uplinkMTU(name, link.mtuBytes, wanted: network.mtuBytes)
        }
        return link
    }

    private func checkIsFree(_ link: ObservedLink, for network: NetworkSpec) throws(StatusError) {
        if let master = link.master.flatMap({ index in actual.first { $0.index == index } }) {
            guard case .bridge? = OwnershipMark(alias: master.alias) else {
                throw .foreignMaster(link.name, master.name.text)
            }
            return
        }
        if let own = addresses[link.index]?.map(\.address).filter({ !$0.isLinkLocal }).min() {
            throw .addressedUplink(link.name, own)
        }
    }
}

extension InterfaceName {
    /// The 802.1Q device: `eth1.100`, or a name made from a digest where that would be too long.
    package static func vlan(tag: Int, on parent: InterfaceName) -> Self {
        if let name = try? InterfaceName("\(parent).\(tag)") { return name }
        var hash: UInt32 = 2_166_136_261
        for byte in parent.text.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        let digits = String(hash & 0xFFFFFF, radix: 16)
        // Three letters, six digits, a dot and at most four digits: always short enough.
        return (try? InterfaceName("skv\(digits).\(tag)")) ?? parent
    }
}

extension NetworkSpec {
    /// The subnets that DHCP and router advertisements are served for.
    var servedSubnets: [SubnetSpec] { subnets.filter { $0.isDHCPEnabled && $0.serviceAddress != nil } }

    /// Whether the network has a service namespace: with DHCP, as without it a guest has no way to be told of metadata.
    var hasServices: Bool { !servedSubnets.isEmpty }
}
