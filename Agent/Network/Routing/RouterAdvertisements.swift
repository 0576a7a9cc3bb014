import ProtocolModel

/// What dnsmasq is told in a router's namespace, where it does nothing but advertise the router. Pure.
enum RouterAdvertisements {
    /// Seconds between two advertisements, and how long one holds: three may be lost.
    private static let interval = 30
    private static let lifetime = 300
    private static let prefixLifetime = 86400

    static func isNeeded(_ router: RouterSpec) -> Bool {
        router.isAdminUp && router.interfaces.contains { $0.addresses.contains(where: \.isAdvertised) }
    }

    /// The configuration; `nil` where nothing is advertised.
    static func configuration(_ router: RouterSpec, directory: String, user: String) -> String? {
        guard isNeeded(router) else { return nil }
        var lines = [
            "user=\(user)", "pid-file=\(directory)/pid", "port=0", "except-interface=lo", "no-hosts", "no-resolv",
            "no-ping", "dhcp-leasefile=\(directory)/leases", "quiet-dhcp", "quiet-dhcp6", "quiet-ra", "enable-ra"
        ]
        for interface in router.interfaces.sorted(by: { $0.port < $1.port }) {
            let advertised = interface.addresses.filter(\.isAdvertised).sorted { $0.address < $1.address }
            if advertised.isEmpty { continue }
            let name = InterfaceName.routerInterface(interface.port)
            lines.append("interface=\(name)")
            lines.append("ra-param=\(name),mtu:\(interface.mtuBytes),\(interval),\(lifetime)")
            for address in advertised { lines += self.lines(address) }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func lines(_ address: RouterSpec.Address) -> [String] {
        guard let prefix = IPPrefix(address.address, length: address.prefixLength) else { return [] }
        let mode =
            switch address.raMode {
            case .slaac?: "ra-only"
            case .dhcpv6Stateless?: "ra-stateless"
            // Says that addresses come from DHCPv6; a rule keeps its own server from being asked.
            case .dhcpv6Stateful?, nil: "static"
            }
        let tag = "subnet-\(address.subnet)"
        // The address is there so that a change of it is a change of the file.
        var lines = [
            "# \(address.address)",
            "dhcp-range=set:\(tag),\(prefix.network),\(mode),\(prefix.length),\(prefixLifetime)s"
        ]
        let servers = address.dnsServers.filter { $0.family == .ipv6 }
        if !servers.isEmpty {
            lines.append(
                "dhcp-option=tag:\(tag),option6:dns-server,\(servers.map { "[\($0)]" }.joined(separator: ","))")
        }
        return lines
    }
}

extension RouterSpec.Address {
    fileprivate var isAdvertised: Bool { raMode != nil && address.family == .ipv6 }
}
