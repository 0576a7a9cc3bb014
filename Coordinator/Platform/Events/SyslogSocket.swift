import Glibc

/// Sends datagrams to a syslog server. Blocks for at most a second: for threads of its own.
public final class SyslogSocket: Sendable {
    /// Why a message was not taken.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        public var description: String
    }

    private let descriptor: Int32

    /// - Throws: ``Failure`` when there is nobody at a socket's path, or a host's name cannot be resolved.
    public init(_ destination: SyslogDestination) throws(Failure) {
        switch destination {
        case .socket(let path): descriptor = try Self.unix(path)
        case .udp(let host, let port): descriptor = try Self.udp(host, port)
        }
        var limit = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    public func send(_ message: [UInt8]) throws(Failure) {
        while true {
            let sent = Glibc.send(descriptor, message, message.count, Int32(MSG_NOSIGNAL))
            if sent >= 0 { return }
            if errno != EINTR { throw Self.failure("a message cannot be sent") }
        }
    }

    private static func unix(_ path: String) throws(Failure) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw Failure(description: "the path '\(path)' is too long for a socket")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure("no socket can be made") }
        let result = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else {
            let failure = failure("'\(path)' cannot be used")
            close(descriptor)
            throw failure
        }
        return descriptor
    }

    private static func udp(_ host: String, _ port: Int) throws(Failure) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(host, String(port), &hints, &found)
        guard result == 0, let first = found else {
            throw Failure(description: "'\(host)' cannot be resolved: \(String(cString: gai_strerror(result)))")
        }
        defer { freeaddrinfo(first) }
        let descriptor = socket(first.pointee.ai_family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure("no socket can be made") }
        guard connect(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0 else {
            let failure = failure("'\(host)' cannot be reached")
            close(descriptor)
            throw failure
        }
        return descriptor
    }

    private static func failure(_ what: String) -> Failure {
        Failure(description: "\(what): \(String(cString: strerror(errno)))")
    }
}
