import CoordinatorPlatform
import Glibc
import Testing

@Suite("syslog sockets")
struct SyslogSocketTests {
    /// A socket that receives, and what it heard.
    private static func receive(_ descriptor: Int32) -> String {
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        return count < 0 ? "" : String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    @Test("a message goes through a Unix datagram socket")
    func unix() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/log"
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let server = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(server) }
        let bound = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(server, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        try SyslogSocket(.socket(path: path)).send(Array("<109>1 hello".utf8))
        #expect(Self.receive(server) == "<109>1 hello")
    }

    @Test("a message goes through UDP")
    func udp() throws {
        let server = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(server) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(server, $0, length)
                getsockname(server, $0, &length)
            }
            return Int(UInt16(bigEndian: pointer.pointee.sin_port))
        }
        try SyslogSocket(.udp(host: "127.0.0.1", port: port)).send(Array("<109>1 hello".utf8))
        #expect(Self.receive(server) == "<109>1 hello")
    }

    @Test("nobody at the path is told with it, and a path that is too long as well")
    func nobody() {
        let failure = #expect(throws: SyslogSocket.Failure.self) { try SyslogSocket(.socket(path: "/nonexistent/log")) }
        #expect(failure?.description == "'/nonexistent/log' cannot be used: No such file or directory")
        #expect(throws: SyslogSocket.Failure.self) {
            try SyslogSocket(.socket(path: "/" + String(repeating: "x", count: 200)))
        }
    }
}
