import AgentNetlink
import Dispatch
import Glibc
import ProtocolModel

/// Where other hosts are to send the frames of overlay networks, as the operator says it.
public enum TunnelSource: Hashable, Sendable {
    case none
    case address(IPAddress)
    /// The interface's first address that reaches further than the link, IPv4 before IPv6.
    case interface(InterfaceName)
    /// The address from which the host reaches that other one, a name or an address.
    case route(to: String)

    /// What the configuration says; without it, `coordinator` decides.
    public init(configured: TunnelSource?, coordinator: String?) {
        self = configured ?? coordinator.map { .route(to: $0) } ?? .none
    }

    /// - Returns: `nil` unless the host has such an address.
    static func choose(_ interface: InterfaceName, _ links: [ObservedLink], _ addresses: [Int32: Set<ObservedAddress>])
        -> IPAddress?
    {
        guard let link = links.first(where: { $0.name == interface }) else { return nil }
        return addresses[link.index]?.map(\.address).filter { !$0.isLinkLocal && !$0.isLoopback }.min()
    }
}

extension HostNetworkDriver {
    /// The host's end of its tunnels; `nil`: it has none.
    func findTunnel(_ links: [ObservedLink], _ addresses: [Int32: Set<ObservedAddress>]) -> IPAddress? {
        let own = Set(addresses.values.flatMap { $0.map(\.address) })
        switch configuration.tunnel {
        case .none: return nil
        case .address(let address): return own.contains(address) ? address : nil
        case .interface(let name): return TunnelSource.choose(name, links, addresses)
        case .route(let host):
            if let literal = IPAddress(host) { return RouteLookup.source(to: literal).usable(own) }
            // A name may not be there to be asked for just when the host is on its own: what was found last holds for as
            // long as the host has it, and until it is found to be another.
            let known = HostFile.text(tunnelNote).flatMap { IPAddress($0.filter { $0 != "\n" }) }.usable(own)
            if now() >= lookUpTunnelAt { Task { await lookUpTunnel(host) } }
            return known
        }
    }

    private var tunnelNote: String { configuration.stateDirectory + "/tunnel-address" }

    /// Finds the address by a name, which may take seconds, on a thread of its own: nothing else waits for it.
    func lookUpTunnel(_ host: String) async {
        // Also while it is under way.
        lookUpTunnelAt = now() + .seconds(60)
        let namespace = configuration.hostNamespace
        let answer = await withCheckedContinuation { continuation in
            DispatchQueue.global(qos: .utility).async {
                continuation.resume(
                    returning: try? NamespaceThread.once(in: namespace) { RouteLookup.source(toHost: host) })
            }
        }
        guard let found = answer ?? nil, let addresses = try? openSocket().addresses(),
            let usable = IPAddress?.some(found).usable(Set(addresses.values.flatMap { $0.map(\.address) }))
        else { return }
        lookUpTunnelAt = now() + .seconds(600)
        guard HostFile.text(tunnelNote) != "\(usable)\n" else { return }
        try? HostFile.makeDirectory(configuration.stateDirectory)
        try? HostFile.write(tunnelNote, "\(usable)\n")
        logger.info("tunnel address found", metadata: ["address": "\(usable)", "host": "\(host)"])
    }
}

extension IPAddress? {
    /// An address of the host's that others can reach.
    fileprivate func usable(_ own: Set<IPAddress>) -> IPAddress? {
        flatMap { $0.isLoopback || $0.isLinkLocal || !own.contains($0) ? nil : $0 }
    }
}

/// Asks the kernel which address it would send from. Nothing is sent; a name is looked up, which may take seconds.
enum RouteLookup {
    static func source(to address: IPAddress) -> IPAddress? { source(toHost: address.description) }

    static func source(toHost host: String) -> IPAddress? {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "4789", &hints, &list) == 0 else { return nil }
        defer { freeaddrinfo(list) }
        var next = list
        while let candidate = next?.pointee {
            if let found = source(candidate) { return found }
            next = candidate.ai_next
        }
        return nil
    }

    private static func source(_ candidate: addrinfo) -> IPAddress? {
        let descriptor = socket(candidate.ai_family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard connect(descriptor, candidate.ai_addr, candidate.ai_addrlen) == 0 else { return nil }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard getsockname(descriptor, address, &length) == 0 else { return nil }
                let bytes = UnsafeRawBufferPointer(start: UnsafeRawPointer(address), count: Int(length))
                return switch Int32(address.pointee.sa_family) {
                case AF_INET: IPAddress(octets: bytes[4..<8])
                case AF_INET6: IPAddress(octets: bytes[8..<24])
                default: nil
                }
            }
        }
    }
}
