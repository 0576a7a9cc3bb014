import AgentCore
import AgentNetlink
import AgentNetwork
import Foundation
import Glibc
import Logging
import NIOPosix
import ProtocolModel
import Synchronization

/// A host of its own: a network namespace, a state directory and a driver in them.
final class NetworkLab {
    let name: String
    let state: String
    private var group: MultiThreadedEventLoopGroup
    private(set) var driver: HostNetworkDriver
    private let physicalNetworks: [String: InterfaceName]
    private let verify: Duration
    private let tunnel: TunnelSource

    var path: String { NetworkNamespace.path(name) }
    var host: Command { Command(namespace: path) }

    init(
        physicalNetworks: [String: InterfaceName] = [:], verify: Duration = .zero, tunnel: TunnelSource = .none
    ) throws {
        self.verify = verify
        self.tunnel = tunnel
        name = "sktest-\(UInt32.random(in: .min ... .max))"
        state = NSTemporaryDirectory() + name
        self.physicalNetworks = physicalNetworks
        try NetworkNamespace.create(name)
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        driver = try Self.makeDriver(physicalNetworks, state, name, group, verify, tunnel)
    }

    private static func makeDriver(
        _ physicalNetworks: [String: InterfaceName], _ state: String, _ name: String,
        _ group: MultiThreadedEventLoopGroup,
        _ verify: Duration, _ tunnel: TunnelSource
    ) throws -> HostNetworkDriver {
        try HostNetworkDriver(
            configuration: HostNetworkConfiguration(
                physicalNetworks: physicalNetworks, stateDirectory: state, hostNamespace: NetworkNamespace.path(name),
                tunnel: tunnel, verifyRulesEvery: verify),
            group: group, logger: Logger(label: "network") { _ in SwiftLogNoOpLogHandler() })
    }

    /// What a crash and a new start of the agent come to.
    func restart() async throws {
        await driver.stop()
        driver = try Self.makeDriver(physicalNetworks, state, name, group, verify, tunnel)
    }

    /// All that a host shows of its network: a line for each link, rule, chain and set. What the kernel makes by itself
    /// (its own chains, timers, seeds of hash tables) is left out.
    func snapshot() async throws -> [String] {
        var lines: [String] = []
        for (program, arguments) in [
            ("ip", ["-d", "-o", "link"]), ("iptables-save", []), ("ip6tables-save", []), ("ebtables-save", []),
            ("ipset", ["save"])
        ] {
            lines += try await host.run(program, arguments).split(separator: "\n").map(String.init)
        }
        let isKernels = /#.*|\*.*|COMMIT|:[A-Z]+ ACCEPT.*/
        return lines.filter { $0.wholeMatch(of: isKernels) == nil }.map {
            $0.replacing(/initval 0x[0-9a-f]+|(\w+_timer|forward_delay) +[0-9.]+/, with: "")
        }
    }

    /// The processes that serve DHCP for this host.
    func servers() -> [Int32] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.compactMap(Int32.init).filter { pid in
            guard let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { return false }
            return String(decoding: line, as: UTF8.self).contains("--conf-file=\(state)/")
        }.sorted()
    }

    /// Removes the host with all that is on it, also after a failed test.
    func end() async {
        _ = await driver.converge(NetworkState())
        await driver.stop()
        try? NetworkNamespace.delete(name)
        try? await group.shutdownGracefully()
        try? FileManager.default.removeItem(atPath: state)
    }
}

/// A guest without a hypervisor: an interface in a namespace, whose frames two descriptors carry to and from the tap of
/// its port, as QEMU would.
final class FakeGuest {
    let name: String
    private let isEnded = End()
    private let outside: Int32
    var shell: Command { Command(namespace: NetworkNamespace.path(name)) }

    init(port: PortSpec, lab: NetworkLab) throws {
        name = "sktest-\(UInt32.random(in: .min ... .max))"
        try NetworkNamespace.create(name)
        let tap = InterfaceName.tap(port.id)
        let card = Fixture.name("eth0")
        outside = try NamespaceThread.once(in: lab.path) { () throws(NetlinkError) in try TapDevice.open(tap) }
        let mac = port.mac
        let inside = try NamespaceThread.once(in: NetworkNamespace.path(name)) { () throws(NetlinkError) -> Int32 in
            let descriptor = try TapDevice.open(card)
            let socket = try NetlinkSocket()
            guard let index = try socket.index(of: card) else { return -1 }
            try socket.change(index, named: card, .init(isUp: true, mac: mac))
            return descriptor
        }
        Self.relay(inside, outside, isEnded)
    }

    /// Sends a frame past the guest's own kernel, which would not.
    func send(_ frame: [UInt8]) { _ = write(outside, frame, frame.count) }

    func end() {
        isEnded.flag.store(true, ordering: .relaxed)
        try? NetworkNamespace.delete(name)
    }

    private final class End: Sendable {
        let flag = Atomic<Bool>(false)
    }

    /// Asks for an address as a guest's DHCP client does and takes it.
    /// - Returns: what the server said, by the names that busybox gives it.
    func askForAddress() async throws -> [String: String] {
        let folder = NSTemporaryDirectory() + name
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let script = """
            #!/bin/sh
            [ "$1" = bound ] || exit 0
            env > \(folder)/answer
            ip address add "$ip/$mask" dev eth0
            set -- $staticroutes
            ip route add "$1" via "$2"
            """
        try script.write(toFile: folder + "/script", atomically: true, encoding: .utf8)
        chmod(folder + "/script", 0o755)
        try await shell.run(
            "busybox",
            [
                "udhcpc", "-i", "eth0", "-n", "-q", "-f", "-t", "5", "-T", "1", "-O", "121", "-O", "26", "-O", "66",
                "-O", "67", "-s",
                folder + "/script"
            ])
        let answer = try String(contentsOfFile: folder + "/answer", encoding: .utf8)
        return Dictionary(
            answer.split(separator: "\n").compactMap { line in
                line.firstIndex(of: "=").map { (String(line[..<$0]), String(line[line.index(after: $0)...])) }
            }
        ) { first, _ in first }
    }

    /// - Parameter host: as nc takes it.
    func fetch(_ path: String, from host: String = "169.254.169.254") async throws -> String {
        try await shell.run(
            "busybox", ["nc", "-w", "5", host, "80"], input: "GET \(path) HTTP/1.0\r\nHost: metadata\r\n\r\n")
    }

    private static func relay(_ first: Int32, _ second: Int32, _ isEnded: End) {
        Thread.detachNewThread {
            var buffer = [UInt8](repeating: 0, count: 65536)
            while !isEnded.flag.load(ordering: .relaxed) {
                var watched = [
                    pollfd(fd: first, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: second, events: Int16(POLLIN), revents: 0)
                ]
                guard poll(&watched, 2, 100) >= 0 else { break }
                for (at, to) in [(0, second), (1, first)] where watched[at].revents & Int16(POLLIN) != 0 {
                    let count = read(watched[at].fd, &buffer, buffer.count)
                    if count > 0 { _ = write(to, buffer, count) }
                }
            }
            close(first)
            close(second)
        }
    }
}
