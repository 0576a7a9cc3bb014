import AgentNetlink
import Glibc
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix
import ProtocolModel

/// The metadata service of one network. Its sockets are opened inside the service namespace and stay there, whatever
/// thread serves them.
struct MetadataListener {
    private static let backlog: Int32 = 128

    /// The namespace the sockets are in, to tell when a name stands for another one.
    let namespaceIdentity: UInt?
    private let channels: [any Channel]

    static func open(
        network: NetworkID, namespace: String, directory: MetadataDirectory, group: any EventLoopGroup
    ) async throws -> MetadataListener {
        let sockets = try NamespaceThread.once(in: namespace) { () throws(NetlinkError) in
            let first = try listen(ServiceNamespace.metadataAddress)
            do throws(NetlinkError) {
                return [first, try listen(ServiceNamespace.metadataAddressIPv6)]
            } catch {
                // A host without IPv6 still serves IPv4.
                return [first]
            }
        }
        let shares = NIOLockedValueBox(ConnectionShares())
        let bootstrap = ServerBootstrap(group: group).childChannelInitializer { channel in
            let source = channel.remoteAddress?.ipAddress.flatMap { IPAddress($0) }
            let guest = source.flatMap { directory.guest(on: network, at: $0) }
            guard shares.withLockedValue({ $0.admit(guest) }) else { return channel.close() }
            channel.closeFuture.whenComplete { _ in shares.withLockedValue { $0.leave(guest) } }
            return channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(IdleStateHandler(allTimeout: .seconds(30)))
                try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                try channel.pipeline.syncOperations.addHandler(MetadataHandler(network: network, directory: directory))
            }
        }
        var channels: [any Channel] = []
        for socket in sockets { channels.append(try await bootstrap.withBoundSocket(socket).get()) }
        return MetadataListener(namespaceIdentity: HostFile.identity(namespace), channels: channels)
    }

    func close() async {
        for channel in channels { try? await channel.close() }
    }

    private static func listen(_ address: IPAddress) throws(NetlinkError) -> Int32 {
        let operation = "listen on [\(address)]:80"
        let family = address.family == .ipv4 ? AF_INET : AF_INET6
        let descriptor = socket(
            family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw NetlinkError(operation: operation, errno: errno) }
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard bind(descriptor, address) == 0, Glibc.listen(descriptor, backlog) == 0 else {
            let failure = NetlinkError(operation: operation, errno: errno)
            Glibc.close(descriptor)
            throw failure
        }
        return descriptor
    }

    private static func bind(_ descriptor: Int32, _ address: IPAddress) -> Int32 {
        let octets = address.octets
        switch address.family {
        case .ipv4:
            var socketAddress = sockaddr_in()
            socketAddress.sin_family = sa_family_t(AF_INET)
            socketAddress.sin_port = in_port_t(80).bigEndian
            withUnsafeMutableBytes(of: &socketAddress.sin_addr) { $0.copyBytes(from: octets) }
            return bind(descriptor, &socketAddress)
        case .ipv6:
            var socketAddress = sockaddr_in6()
            socketAddress.sin6_family = sa_family_t(AF_INET6)
            socketAddress.sin6_port = in_port_t(80).bigEndian
            socketAddress.sin6_scope_id = if_nametoindex(ServiceNamespace.interface)
            withUnsafeMutableBytes(of: &socketAddress.sin6_addr) { $0.copyBytes(from: octets) }
            return bind(descriptor, &socketAddress)
        }
    }

    private static func bind<Address>(_ descriptor: Int32, _ address: inout Address) -> Int32 {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }
}
