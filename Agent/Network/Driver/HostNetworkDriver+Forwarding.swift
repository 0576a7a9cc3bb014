import AgentCore
import AgentNetlink
import ProtocolModel

extension HostNetworkDriver {
    /// Brings the forwarding tables of overlay networks about, once their links are there.
    func forward(_ desired: NetworkState, _ socket: NetlinkSocket, _ failures: inout [ResourceKey: StatusError]) {
        let overlays = desired.networks.filter { $0.value.isOverlay && failures[.network($0.key)] == nil }
        guard !overlays.isEmpty else { return }
        var owners: [Int32: NetworkID] = [:]
        do throws(NetlinkError) {
            let links = try socket.links()
            let plan = ForwardingPlanner.plan(
                networks: overlays, links: links, actual: try socket.forwardingEntries())
            for link in links {
                switch OwnershipMark(alias: link.alias) {
                case .bridge(let id), .vxlan(let id): owners[link.index] = id
                default: continue
                }
            }
            admitIPv6(plan.additions, links)
            for (entry, isWanted) in plan.additions.map({ ($0, true) }) + plan.removals.map({ ($0, false) }) {
                do throws(NetlinkError) {
                    if isWanted { try socket.add(entry) } else { try socket.remove(entry) }
                } catch {
                    logger.warning("forwarding not changed", metadata: ["error": "\(error)"])
                    if let owner = owners[entry.device] {
                        failures[.network(owner)] = StatusError(error, while: "set up the ways to other hosts")
                    }
                }
            }
            if plan != ForwardingPlanner.Plan() {
                logger.info(
                    "forwarding changed",
                    metadata: ["added": "\(plan.additions.count)", "removed": "\(plan.removals.count)"])
            }
        } catch {
            for id in overlays.keys {
                failures[.network(id)] = StatusError(error, while: "list the ways to other hosts")
            }
        }
    }

    /// A bridge has IPv6 neighbours only while it speaks IPv6 at all. It gets no address by that.
    private func admitIPv6(_ entries: [ForwardingEntry], _ links: [ObservedLink]) {
        let bridges = Set(
            entries.compactMap { entry -> Int32? in
                guard case .neighbor(let device, let address, _) = entry, address.family == .ipv6 else { return nil }
                return device
            })
        for link in links where bridges.contains(link.index) {
            for (setting, value) in [("addr_gen_mode", "1"), ("accept_ra", "0"), ("disable_ipv6", "0")] {
                try? KernelSetting.write("ipv6/conf/\(link.name)/\(setting)", value)
            }
        }
    }
}
