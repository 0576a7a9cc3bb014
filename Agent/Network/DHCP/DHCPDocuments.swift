import ProtocolModel

/// The files dnsmasq reads for one network. Pure: the same network and ports always give the same text.
///
/// `configuration` is read once, at start; `hosts`, `options` and `names` again at each SIGHUP.
public struct DHCPDocuments: Hashable, Sendable {
    public var configuration: String
    /// `dhcp-hostsfile`: an address for each MAC.
    public var hosts: String
    /// `dhcp-optsfile`: what goes with each subnet.
    public var options: String
    /// `addn-hosts`: names for DNS.
    public var names: String

    /// - Parameters:
    ///   - directory: where the files will lie, readable by `user`.
    ///   - user: whom dnsmasq becomes once its sockets are open.
    public init(network: NetworkSpec, ports: [PortSpec], directory: String, user: String) {
        // Tenants choose names, and a line of these files is not a place for whatever they come up with.
        var network = network
        if !network.dnsDomain.isDomainName { network.dnsDomain = "" }
        let ports = ports.sorted { $0.id < $1.id }.map { port in
            var port = port
            if !port.hostname.isDomainName { port.hostname = "" }
            return port
        }
        configuration = Self.configuration(network, directory, user)
        hosts = Self.hosts(network, ports)
        options = (network.servedSubnets.flatMap { Self.options($0, network) } + ports.flatMap(Self.options)).lines
        names = Self.names(network, ports)
    }

    /// What the tags of ports begin with; only ports with options of their own have one.
    static let portTag = "port-"

    /// Seconds a lease lasts. Addresses never move, so this only says how soon a guest hears of changed options.
    private static let leaseSeconds = 86400

    private static func configuration(_ network: NetworkSpec, _ directory: String, _ user: String) -> String {
        var lines = [
            // A change of address must restart the server, which binds to each address.
            "# \(network.servedSubnets.compactMap(\.serviceAddress).map(\.description).joined(separator: " "))",
            "user=\(user)",
            "pid-file=\(directory)/pid",
            "interface=\(ServiceNamespace.interface)",
            "except-interface=lo",
            "bind-interfaces",
            "no-hosts",
            "no-resolv",
            "no-ping",
            "dhcp-authoritative",
            "dhcp-lease-max=65536",
            "dhcp-leasefile=\(directory)/leases",
            "dhcp-hostsfile=\(directory)/hosts",
            "dhcp-optsfile=\(directory)/options",
            "addn-hosts=\(directory)/names",
            "quiet-dhcp",
            "quiet-dhcp6",
            "quiet-ra",
            "dhcp-option-force=option:mtu,\(network.mtuBytes)"
        ]
        if !network.dnsDomain.isEmpty {
            lines += ["domain=\(network.dnsDomain)", "local=/\(network.dnsDomain)/"]
        }
        let subnets = network.servedSubnets
        lines += subnets.map(range)
        if subnets.contains(where: { $0.ipv6RAMode == .dhcpv6Stateful }) { lines.append("enable-ra") }
        if subnets.contains(where: { $0.ipv6RAMode != nil }) {
            // A lifetime of 0: the sender is no router. Routers advertise themselves.
            lines.append("ra-param=\(ServiceNamespace.interface),mtu:\(network.mtuBytes),30,0")
        }
        return lines.lines
    }

    private static func range(_ subnet: SubnetSpec) -> String {
        let prefix = subnet.prefix
        let start = "dhcp-range=set:\(subnet.tag),\(prefix.network)"
        guard prefix.family == .ipv6 else { return "\(start),static,\(prefix.netmask),\(leaseSeconds)s" }
        return switch (subnet.ipv6RAMode, subnet.ipv6AddressMode) {
        case (.slaac?, _): "\(start),ra-only,\(prefix.length),\(leaseSeconds)s"
        case (.dhcpv6Stateless?, _): "\(start),ra-stateless,\(prefix.length),\(leaseSeconds)s"
        case (.dhcpv6Stateful?, _), (nil, _): "\(start),static,\(prefix.length),\(leaseSeconds)s"
        }
    }

    private static func hosts(_ network: NetworkSpec, _ ports: [PortSpec]) -> String {
        let leased = Dictionary(
            network.servedSubnets.lazy.filter(\.leasesAddresses).map { ($0.id, $0) }
        ) { first, _ in first }
        return ports.flatMap { port in
            port.fixedIPs.filter { leased[$0.subnet] != nil }.map { fixed in
                let address = fixed.address.family == .ipv4 ? "\(fixed.address)" : "[\(fixed.address)]"
                let tag = port.dhcpOptions.isEmpty ? [] : ["set:\(port.tag)"]
                return ([port.mac.description] + tag + [address] + (port.hostname.isEmpty ? [] : [port.hostname]))
                    .joined(separator: ",")
            }
        }.lines
    }

    private static func options(_ subnet: SubnetSpec, _ network: NetworkSpec) -> [String] {
        let tag = "tag:\(subnet.tag)"
        let servers = subnet.dnsServers.filter { $0.family == subnet.prefix.family }
        if subnet.prefix.family == .ipv6 {
            guard !servers.isEmpty else { return [] }
            return ["\(tag),option6:dns-server,\(servers.map { "[\($0)]" }.joined(separator: ","))"]
        }
        // Without a value the option is left out; dnsmasq would otherwise name itself.
        var lines = [subnet.gateway.map { "\(tag),option:router,\($0)" } ?? "\(tag),option:router"]
        if !servers.isEmpty {
            lines.append("\(tag),option:dns-server,\(servers.map(\.description).joined(separator: ","))")
        }
        let routes = classlessRoutes(subnet, network).map { "\($0),\($1)" }.joined(separator: ",")
        // RFC 3442, and the number Windows knew it by before.
        return lines + ["\(tag),option:classless-static-route,\(routes)", "\(tag),249,\(routes)"]
    }

    /// What one guest is told, which comes before what its subnet is told.
    private static func options(_ port: PortSpec) -> [String] {
        port.dhcpOptions.filter { ($0.name + $0.value).isOneLine && !$0.hasForeignAddress }.map { option in
            let isNumber = option.name.utf8.allSatisfy { (48...57).contains($0) }
            let kind = isNumber ? "" : option.family == .ipv4 ? "option:" : "option6:"
            let values = option.value.split(separator: ",", omittingEmptySubsequences: false).map { part in
                option.family == .ipv6 && IPAddress(part) != nil ? "[\(part)]" : String(part)
            }
            return "tag:\(port.tag),\(kind)\(option.name),\(values.joined(separator: ","))"
        }
    }

    /// Clients that read option 121 ignore the router option, so the default route is among them.
    private static func classlessRoutes(_ subnet: SubnetSpec, _ network: NetworkSpec) -> [(IPPrefix, IPAddress)] {
        var routes: [(IPPrefix, IPAddress)] = []
        if let service = subnet.serviceAddress, let metadata = IPPrefix(ServiceNamespace.metadataAddress, length: 32) {
            routes.append((metadata, service))
        }
        routes += subnet.hostRoutes.filter { $0.destination.family == .ipv4 }.map { ($0.destination, $0.nextHop) }
        // The network's other subnets are on the same link.
        let onLink = IPAddress(family: .ipv4, bits: 0)
        routes += network.subnets.filter { $0.id != subnet.id && $0.prefix.family == .ipv4 }.map { ($0.prefix, onLink) }
        let hasDefault = routes.contains { $0.0.length == 0 }
        if let gateway = subnet.gateway, !hasDefault, let all = IPPrefix(onLink, length: 0) {
            routes.append((all, gateway))
        }
        return routes
    }

    private static func names(_ network: NetworkSpec, _ ports: [PortSpec]) -> String {
        ports.filter { !$0.hostname.isEmpty }.flatMap { port in
            port.fixedIPs.map { fixed in
                let full = network.dnsDomain.isEmpty ? [] : ["\(port.hostname).\(network.dnsDomain)"]
                return ([fixed.address.description] + full + [port.hostname]).joined(separator: " ")
            }
        }.lines
    }
}

extension SubnetSpec {
    /// The name of the subnet in dnsmasq's rules.
    fileprivate var tag: String { "subnet-\(id)" }

    /// Whether guests are given their addresses, rather than making them up from an advertised prefix.
    var leasesAddresses: Bool {
        prefix.family == .ipv4 || ipv6AddressMode == .dhcpv6Stateful
            || ipv6AddressMode == nil && ipv6RAMode == .dhcpv6Stateful
    }
}

extension PortSpec {
    /// The name of the port in dnsmasq's rules.
    fileprivate var tag: String { "\(DHCPDocuments.portTag)\(id)" }
}

extension PortSpec.DHCPOption {
    /// An address of the other IP version, which the server does not take where it wants addresses. Texts may be any.
    fileprivate var hasForeignAddress: Bool {
        let texts: Set = ["tftp-server", "bootfile-name", "bootfile-url", "root-path", "vendor-class", "user-class"]
        guard !texts.contains(name) else { return false }
        return value.split(separator: ",").contains { part in IPAddress(part).map { $0.family != family } ?? false }
    }
}

extension [String] {
    /// Each element on a line of its own, also the last one.
    fileprivate var lines: String { isEmpty ? "" : joined(separator: "\n") + "\n" }
}

extension String {
    /// Nothing that would end a line of dnsmasq's files, or begin something else on it.
    fileprivate var isOneLine: Bool { utf8.allSatisfy { (32..<127).contains($0) && ![34, 35, 92].contains($0) } }

    /// Letters, digits, hyphens and dots, and no more than DNS takes (RFC 1035 section 2.3.4).
    fileprivate var isDomainName: Bool {
        utf8.count <= 253
            && utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 45
                    || byte == 46
            }
    }
}
