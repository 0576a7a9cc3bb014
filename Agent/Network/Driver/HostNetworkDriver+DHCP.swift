import AgentNetlink
import Glibc
import ProtocolModel

extension HostNetworkDriver {
    /// Keeps one dnsmasq running for the network. It is a daemon of its own: it goes on when the agent ends, and the
    /// next agent finds it again.
    func serveDHCP(_ network: NetworkSpec, _ ports: [PortSpec]) async throws(StatusError) {
        let process = dhcpProcess(network.id)
        do {
            let change = try writeDocuments(network, ports, process.directory)
            if let pid = process.running(), process.isInside(pid) {
                switch change {
                case .none: return
                case .reload:
                    process.signal(pid, SIGHUP)
                    logger.info("DHCP reloaded", metadata: ["network": "\(network.id)"])
                    return
                case .restart: break
                }
            }
            guard await stopDHCP(process) else {
                throw HostFile.Failure("stop the DHCP server of", process.directory)
            }
            HostFile.remove(process.directory + "/leases")
            try await Command(namespace: process.namespace).run("dnsmasq", [process.configurationArgument])
            logger.info("DHCP started", metadata: ["network": "\(network.id)"])
        } catch {
            throw .host("run the network's DHCP server", "\(error)")
        }
    }

    /// - Returns: whether nothing of it runs any more.
    func stopDHCP(_ process: DHCPProcess) async -> Bool {
        guard let pid = process.running() else { return true }
        process.signal(pid, SIGTERM)
        for attempt in 0..<300 {
            if !process.isOurs(pid) { return true }
            if attempt == 200 { process.signal(pid, SIGKILL) }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return !process.isOurs(pid)
    }

    private enum DocumentChange { case none, reload, restart }

    private func writeDocuments(
        _ network: NetworkSpec, _ ports: [PortSpec], _ directory: String
    ) throws -> DocumentChange {
        try HostFile.makeDirectory(directory)
        let user = HostFile.isReachableByEverybody(directory) ? "nobody" : "root"
        let documents = DHCPDocuments(network: network, ports: ports, directory: directory, user: user)
        let previousHosts = HostFile.text(directory + "/hosts") ?? ""
        let previousOptions = HostFile.text(directory + "/options") ?? ""
        var change = DocumentChange.none
        for (name, text) in [("hosts", documents.hosts), ("options", documents.options), ("names", documents.names)]
        where HostFile.text("\(directory)/\(name)") != text {
            try HostFile.write("\(directory)/\(name)", text)
            change = .reload
        }
        // dnsmasq 2.90 does not survive to read some options of single guests again.
        if change == .reload, previousOptions.contains(DHCPDocuments.portTag) { change = .restart }
        let leases = HostFile.text(directory + "/leases") ?? ""
        if DHCPLeases.conflict(leases: leases, hosts: documents.hosts, previousHosts: previousHosts) {
            change = .restart
        }
        if HostFile.text(directory + "/conf") != documents.configuration {
            try HostFile.write(directory + "/conf", documents.configuration)
            change = .restart
        }
        return change
    }
}
