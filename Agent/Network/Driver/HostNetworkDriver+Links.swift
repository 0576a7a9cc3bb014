import AgentCore
import AgentNetlink
import Glibc
import Logging
import ProtocolModel

extension HostNetworkDriver {
    /// Observes the links and has the planners decide.
    func planLinks(
        _ desired: NetworkState, _ socket: NetlinkSocket, _ failures: inout [ResourceKey: StatusError]
    ) throws(StatusError) -> LinkPlanner.Plan {
        do throws(NetlinkError) {
            var actual = try socket.links()
            // A link that an earlier agent was making when it ended.
            for link in actual where link.name == .draft && link.alias == nil {
                try socket.deleteLink(link.index, named: link.name)
            }
            actual.removeAll { $0.name == .draft && $0.alias == nil }
            let addresses = try socket.addresses()
            let bridges = BridgePlanner.plan(
                networks: desired.networks, physicalNetworks: configuration.physicalNetworks, actual: actual,
                addresses: addresses,
                tunnel: desired.networks.values.contains(where: \.isOverlay) ? findTunnel(actual, addresses) : nil)
            let ports = PortPlanner.plan(
                ports: desired.ports, networks: desired.networks, failedNetworks: bridges.failures)
            for (id, failure) in bridges.failures { failures[.network(id)] = failure }
            for (id, failure) in ports.failures { failures[.port(id)] = failure }
            let plan = LinkPlanner.plan(
                desired: bridges.links + ports.links, actual: actual,
                uplinks: Set(configuration.physicalNetworks.values), severed: severedLinks(desired),
                keeping: Set(failures.keys))
            failures.merge(plan.failures) { first, _ in first }
            return plan
        } catch {
            throw StatusError(error, while: "list its network interfaces")
        }
    }

    /// Service links whose namespace lost its end, or is not there at all.
    private func severedLinks(_ desired: NetworkState) -> Set<InterfaceName> {
        Set(
            desired.networks.values.filter(\.hasServices).compactMap { network in
                let name = ServiceNamespace.name(network.id)
                if NetworkNamespace.exists(name), (try? serviceInterface(network.id)) != nil {
                    return nil
                }
                return .serviceLink(network.id)
            })
    }

    /// The link inside the service namespace.
    func serviceInterface(_ network: NetworkID) throws(NetlinkError) -> Link? {
        let path = NetworkNamespace.path(ServiceNamespace.name(network))
        return try NetlinkSocket.opened(inNamespace: path).links().first { $0.name.text == ServiceNamespace.interface }
    }
}

extension InterfaceName {
    /// The name of a link that has not got its mark yet.
    static let draft = (try? InterfaceName("skerry-draft")) ?? .bridge(NetworkID(high: 0, low: 0))
}

/// Carries out what ``LinkPlanner`` decided.
struct LinkApplier {
    let socket: NetlinkSocket
    let tapOwner: TapDevice.Owner?
    let logger: Logger

    /// Goes on past a failed step; the later steps of the same owner are left out.
    func apply(_ steps: [LinkPlanner.Step], _ failures: inout [ResourceKey: StatusError]) {
        for step in steps {
            if let owner = step.owner, failures[owner] != nil, step.action != .delete { continue }
            do throws(NetlinkError) {
                try apply(step)
                logger.info("link changed", metadata: ["link": "\(step.name)", "change": "\(step.action)"])
            } catch {
                logger.warning("link not changed", metadata: ["link": "\(step.name)", "error": "\(error)"])
                if let owner = step.owner {
                    failures[owner] = StatusError(error, while: "set up its network interfaces")
                }
            }
        }
    }

    private func apply(_ step: LinkPlanner.Step) throws(NetlinkError) {
        if case .create(let kind, let mark) = step.action { return try create(step.name, kind, mark) }
        guard let index = try socket.index(of: step.name) else {
            if step.action == .delete { return }
            throw NetlinkError(operation: "find link \(step.name)", errno: ENODEV)
        }
        switch step.action {
        case .create: break
        case .delete: try socket.deleteLink(index, named: step.name)
        case .release: try socket.change(index, named: step.name, .init(master: 0))
        case .setMTU(let bytes): try socket.change(index, named: step.name, .init(mtuBytes: bytes))
        case .setUp(let isUp): try socket.change(index, named: step.name, .init(isUp: isUp))
        case .setOverlay: try socket.setOverlay(index, named: step.name)
        case .setIsolated(let isIsolated): try socket.setIsolated(index, named: step.name, isIsolated)
        case .join(let master):
            guard let masterIndex = try socket.index(of: master) else {
                throw NetlinkError(operation: "find bridge \(master)", errno: ENODEV)
            }
            try socket.change(index, named: step.name, .init(master: masterIndex))
        }
    }

    private func create(
        _ name: InterfaceName, _ kind: DesiredLink.Kind, _ mark: OwnershipMark
    ) throws(NetlinkError) {
        if kind == .tap {
            return try TapDevice.create(name, owner: tapOwner, socket: socket) { index throws(NetlinkError) in
                try Self.silence(name)
                try socket.change(index, named: name, .init(alias: mark.text))
            }
        }
        // The kernel takes no alias at creation. Until it has its mark the link goes by a name that is only used for
        // this moment, so that a crash leaves nothing that could be taken for somebody else's.
        let draft = InterfaceName.draft
        switch kind {
        case .bridge: try socket.createBridge(draft)
        case .vlan(let parent, let tag):
            guard let below = try socket.index(of: parent) else {
                throw NetlinkError(operation: "find link \(parent)", errno: ENODEV)
            }
            try socket.createVLAN(draft, parent: below, tag: tag)
        case .vxlan(let settings): try socket.createVXLAN(draft, settings)
        case .queue: try socket.createQueue(draft)
        case .service(let network):
            guard let peer = try? InterfaceName(ServiceNamespace.interface) else { return }
            try socket.createVeth(
                draft, peer: peer, peerMAC: ServiceNamespace.mac(network),
                inNamespace: NetworkNamespace.path(ServiceNamespace.name(network)))
        case .tap, .physical: return
        }
        guard let index = try socket.index(of: draft) else {
            throw NetlinkError(operation: "find link \(draft)", errno: ENODEV)
        }
        do throws(NetlinkError) {
            try Self.silence(draft)
            try socket.change(index, named: draft, .init(alias: mark.text))
            try socket.change(index, named: draft, .init(name: name))
        } catch {
            try socket.deleteLink(index, named: draft)
            throw error
        }
    }

    /// The host does not take part in guests' networks: no IPv6 address of its own, no answers to ARP.
    static func silence(_ name: InterfaceName) throws(NetlinkError) {
        for (setting, value) in [("ipv6/conf/\(name)/disable_ipv6", "1"), ("ipv4/conf/\(name)/arp_ignore", "8")]
        where KernelSetting.read(setting) != nil {
            try KernelSetting.write(setting, value)
        }
    }
}
