import AgentCore
import AgentNetlink
import Glibc
import ProtocolModel

/// Namespaces, DHCP and metadata.
extension HostNetworkDriver {
    var dhcpRoot: String { configuration.stateDirectory + "/dhcp" }

    func dhcpDirectory(_ network: NetworkID) -> String { "\(dhcpRoot)/\(network)" }

    func dhcpProcess(_ network: NetworkID) -> DHCPProcess {
        DHCPProcess(
            directory: dhcpDirectory(network), namespace: NetworkNamespace.path(ServiceNamespace.name(network)))
    }

    /// Ends what serves networks that are not wanted any more, also what an earlier agent left.
    func removeServices(
        keeping wanted: [NetworkID: NetworkSpec], _ failures: inout [ResourceKey: StatusError]
    ) async {
        for id in listeners.keys where wanted[id] == nil {
            await listeners.removeValue(forKey: id)?.close()
        }
        for name in HostFile.names(in: dhcpRoot) {
            guard let id = NetworkID(name), id.text == name, wanted[id] == nil else { continue }
            if await stopDHCP(dhcpProcess(id)) {
                HostFile.removeDirectory(dhcpDirectory(id))
                logger.info("DHCP removed", metadata: ["network": "\(id)"])
            } else {
                failures[.network(id)] = .host("stop the network's DHCP server", "\(dhcpDirectory(id)): still running")
            }
        }
    }

    func removeNamespaces(
        keeping wanted: [NetworkID: NetworkSpec], _ failures: inout [ResourceKey: StatusError]
    ) {
        // By our own notes, not by name alone: agents of several hosts in one laboratory share the directory.
        for text in HostFile.names(in: configuration.stateDirectory + "/namespaces") {
            guard let id = NetworkID(text), wanted[id] == nil else { continue }
            do throws(NetlinkError) {
                try NetworkNamespace.delete(ServiceNamespace.name(id))
                HostFile.remove(namespaceRecord(id))
            } catch {
                failures[.network(id)] = StatusError(error, while: "remove the network's services")
            }
        }
    }

    func createNamespaces(_ desired: NetworkState, _ failures: inout [ResourceKey: StatusError]) {
        for network in desired.networks.values.sorted(by: { $0.id < $1.id })
        where network.hasServices && failures[.network(network.id)] == nil {
            let name = ServiceNamespace.name(network.id)
            if NetworkNamespace.exists(name), HostFile.identity(namespaceRecord(network.id)) != nil { continue }
            do throws(StatusError) {
                try createNamespace(network.id, name)
            } catch {
                failures[.network(network.id)] = error
            }
        }
    }

    /// Brings the inside of the namespace about, then DHCP, then metadata.
    func serve(_ network: NetworkSpec, _ desired: NetworkState) async throws(StatusError) {
        do throws(NetlinkError) {
            try address(network)
        } catch {
            throw StatusError(error, while: "give the network's services their addresses")
        }
        try await serveDHCP(network, desired.ports.values.filter { $0.network == network.id })
        let namespace = NetworkNamespace.path(ServiceNamespace.name(network.id))
        if let listener = listeners[network.id] {
            if listener.namespaceIdentity == HostFile.identity(namespace) { return }
            listeners[network.id] = nil
            await listener.close()
        }
        do {
            listeners[network.id] = try await MetadataListener.open(
                network: network.id, namespace: namespace, directory: directory, group: group)
        } catch {
            throw .host("open the network's metadata service", "\(error)")
        }
    }

    private func namespaceRecord(_ network: NetworkID) -> String {
        "\(configuration.stateDirectory)/namespaces/\(network)"
    }

    private func createNamespace(_ network: NetworkID, _ name: String) throws(StatusError) {
        do {
            try HostFile.makeDirectory(configuration.stateDirectory + "/namespaces")
            // Before the namespace: a crash in between leaves a note, not a namespace.
            try HostFile.write(namespaceRecord(network), "")
            try NetworkNamespace.create(name)
            try NamespaceThread.once(in: NetworkNamespace.path(name)) { () throws(NetlinkError) in
                // Nothing is routed through here, and no interface takes an address that we did not give it.
                for (setting, value) in [
                    ("ipv4/ip_forward", "0"), ("ipv6/conf/all/forwarding", "0"), ("ipv6/conf/default/accept_ra", "0"),
                    ("ipv6/conf/default/autoconf", "0"), ("ipv6/conf/default/addr_gen_mode", "1"),
                    ("ipv4/conf/all/rp_filter", "0"), ("ipv4/conf/default/rp_filter", "0")
                ] where KernelSetting.read(setting) != nil {
                    try KernelSetting.write(setting, value)
                }
            }
        } catch {
            throw .host("make the network's service namespace", "\(name): \(error)")
        }
    }

    private func address(_ network: NetworkSpec) throws(NetlinkError) {
        let service = ServiceNamespace(network)
        let path = NetworkNamespace.path(ServiceNamespace.name(network.id))
        // DHCP clients read frames before the kernel completes them, and many drop one without a checksum.
        try NamespaceThread.once(in: path) { () throws(NetlinkError) in
            try LinkFeatures.computeChecksums(ServiceNamespace.interface)
        }
        let inside = try NetlinkSocket.opened(inNamespace: path)
        let links = try inside.links()
        guard let link = links.first(where: { $0.name.text == ServiceNamespace.interface }) else {
            throw NetlinkError(operation: "find \(ServiceNamespace.interface) in \(path)", errno: ENODEV)
        }
        for loopback in links where loopback.name.text == "lo" && !loopback.isUp {
            try inside.change(loopback.index, named: loopback.name, .init(isUp: true))
        }
        if link.mtuBytes != network.mtuBytes {
            try inside.change(link.index, named: link.name, .init(mtuBytes: network.mtuBytes))
        }
        if !link.isUp { try inside.change(link.index, named: link.name, .init(isUp: true)) }
        let present = try inside.addresses()[link.index] ?? []
        for stale in present.subtracting(service.addresses) { try inside.removeAddress(stale, from: link.index) }
        for missing in service.addresses.subtracting(present) { try inside.addAddress(missing, to: link.index) }
        for route in service.routes { try inside.addRoute(route, through: link.index) }
    }
}
