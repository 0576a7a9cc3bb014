import AgentNetlink
import ProtocolModel

/// The namespace of one network in which DHCP and metadata are served, on every host alike. Pure.
public struct ServiceNamespace: Hashable, Sendable {
    public static let interface = "eth0"
    /// Where guests look for metadata: link-local by convention (EC2), and the IPv6 form of it that OpenStack uses.
    public static let metadataAddress = IPAddress(family: .ipv4, bits: 0xA9FE_A9FE)
    public static let metadataAddressIPv6 = IPAddress(family: .ipv6, bits: UInt128(0xFE80) << 112 | 0xA9FE_A9FE)
    static let prefix = "skerry-"

    public var network: NetworkSpec

    public init(_ network: NetworkSpec) { self.network = network }

    public static func name(_ network: NetworkID) -> String { prefix + network.text }

    /// The network whose namespace has that name; `nil` for somebody else's namespace.
    public static func network(named name: String) -> NetworkID? {
        guard name.hasPrefix(prefix), let id = NetworkID(name.dropFirst(prefix.count)), Self.name(id) == name else {
            return nil
        }
        return id
    }

    /// The same on every host, so that a guest that was moved need not learn it anew. `fa:16:3f` is next to the prefix
    /// that ports' addresses come from, and never one of them.
    static func mac(_ network: NetworkID) -> MACAddress {
        MACAddress(bits: 0xFA16_3F00_0000 | network.high >> 40)
    }

    var addresses: Set<InterfaceAddress> {
        var addresses: Set<InterfaceAddress> = [
            InterfaceAddress(address: Self.metadataAddress, prefixLength: 32),
            InterfaceAddress(address: Self.metadataAddressIPv6, prefixLength: 64)
        ]
        for subnet in network.servedSubnets {
            guard let address = subnet.serviceAddress else { continue }
            addresses.insert(InterfaceAddress(address: address, prefixLength: subnet.prefix.length))
        }
        return addresses
    }

    /// Subnets without an address of ours, which answers to their guests must find all the same.
    var routes: [OnLinkRoute] {
        let served = Set(network.servedSubnets.map(\.id))
        return network.subnets.filter { !served.contains($0.id) }.map { OnLinkRoute(destination: $0.prefix) }
    }
}
