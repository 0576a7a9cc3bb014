import AgentCore
import AgentNetlink
import AgentNetwork
import Foundation
import Glibc
import ProtocolModel
import Testing

/// Limits of ports as guests feel them.
@Suite(
    "limits on a real kernel", .serialized, .enabled(if: getuid() == 0, "needs root, to make network namespaces"))
struct LimitTests {
    private let network = Fixture.network(UInt64.random(in: 0x1000...0xFFFF_FFFF))
    private let far: PortSpec

    init() {
        far = Fixture.port(0x2c, network: network.id, address: "10.0.0.6", isSecurityEnabled: false)
    }

    private func near(_ quality: PortSpec.Quality = .init()) -> PortSpec {
        var port = Fixture.port(network: network.id, isSecurityEnabled: false)
        port.quality = quality
        return port
    }

    private func state(_ quality: PortSpec.Quality) -> NetworkState {
        NetworkState(networks: [network.id: network], ports: [near().id: near(quality), far.id: far])
    }

    private func withGuests(_ body: (NetworkLab, FakeGuest, FakeGuest) async throws -> Void) async throws {
        let lab = try NetworkLab()
        do {
            #expect(await lab.driver.converge(state(.init())).failures == [:])
            let (first, second) = (try FakeGuest(port: near(), lab: lab), try FakeGuest(port: far, lab: lab))
            defer {
                first.end()
                second.end()
            }
            for (guest, address) in [(first, "10.0.0.5/24"), (second, "10.0.0.6/24")] {
                // As DHCP would tell it: larger frames do not get through.
                try await guest.shell.run("ip", ["link", "set", "eth0", "mtu", "\(network.mtuBytes)"])
                try await guest.shell.run("ip", ["address", "add", address, "dev", "eth0"])
            }
            try await body(lab, first, second)
        } catch {
            await lab.end()
            throw error
        }
        await lab.end()
    }

    /// What the host shows of queues and filters.
    private func queues(_ lab: NetworkLab) async throws -> [String] {
        try await lab.host.run("tc", ["qdisc"]).split(separator: "\n").map(String.init).filter {
            $0.contains("tbf") || $0.contains("ingress")
        }
    }

    /// Counts what one connection brings.
    private static let take = """
        import socket
        server = socket.create_server(("", 9000)); server.settimeout(15)
        connection, _ = server.accept(); connection.settimeout(15)
        count = 0
        while data := connection.recv(65536): count += len(data)
        print(count)
        """

    /// Sends as many bytes as are asked for to an address, once somebody listens there.
    private static let send = """
        import socket, sys, time
        for attempt in range(100):
            try: connection = socket.create_connection((sys.argv[1], 9000), 15); break
            except OSError: time.sleep(0.05)
        connection.sendall(bytes(int(sys.argv[2])))
        connection.close()
        """

    /// - Returns: Bits a second that TCP gets through.
    private func measure(
        from sender: FakeGuest, to receiver: FakeGuest, _ address: String, bytes: Int
    ) async throws -> Double {
        let shell = receiver.shell
        async let received = shell.run("python3", ["-c", Self.take])
        let start = ContinuousClock.now
        try await sender.shell.run("python3", ["-c", Self.send, address, "\(bytes)"])
        let count = Int(try await received.split(separator: "\n").first ?? "") ?? 0
        let took = ContinuousClock.now - start
        #expect(count == bytes)
        return Double(8 * count) / (took / .seconds(1))
    }

    @Test("a guest is held to its limits both ways, also by an agent that starts again, and let go without a trace")
    func both() async throws {
        try await withGuests { lab, guest, other in
            let bare = try await lab.snapshot()
            let rate = 4_000_000
            let limit = PortSpec.RateLimit(bitsPerSecond: rate, burstBytes: 10_000)
            let bytes = rate / 8 * 3
            let free = try await measure(from: guest, to: other, "10.0.0.6", bytes: bytes)
            #expect(free > Double(3 * rate), "without a limit it is no faster: nothing can be measured here")

            #expect(await lab.driver.converge(state(.init(fromGuest: limit))).failures == [:])
            let sent = try await measure(from: guest, to: other, "10.0.0.6", bytes: bytes)
            #expect(sent < Double(rate) * 1.1 && sent > Double(rate) / 2, "\(sent)")
            let back = try await measure(from: other, to: guest, "10.0.0.5", bytes: bytes)
            #expect(back > Double(2 * rate), "\(back): the other way is not limited")

            let before = try await queues(lab)
            #expect(before.count == 2, "\(before)")
            try await lab.restart()
            #expect(await lab.driver.converge(state(.init(fromGuest: limit))).failures == [:])
            #expect(try await queues(lab) == before, "a restarted agent finds its limits as they are")

            #expect(await lab.driver.converge(state(.init(toGuest: limit))).failures == [:])
            let got = try await measure(from: other, to: guest, "10.0.0.5", bytes: bytes)
            #expect(got < Double(rate) * 1.1 && got > Double(rate) / 2, "\(got)")
            let away = try await measure(from: guest, to: other, "10.0.0.6", bytes: bytes)
            #expect(away > Double(2 * rate), "\(away): the other way is not limited any more")

            #expect(await lab.driver.converge(state(.init())).failures == [:])
            #expect(try await queues(lab) == [])
            #expect(try await lab.snapshot().difference(from: bare).map(\.change) == [])
        }
    }

    @Test("a limit that somebody took away or changed is put back")
    func repair() async throws {
        try await withGuests { lab, _, _ in
            let limit = PortSpec.RateLimit(bitsPerSecond: 8_000_000_000_000, burstBytes: 1 << 40)
            let slow = PortSpec.RateLimit(bitsPerSecond: 1000, burstBytes: 1)
            for quality in [
                PortSpec.Quality(toGuest: limit, fromGuest: slow), PortSpec.Quality(toGuest: slow, fromGuest: limit)
            ] {
                #expect(await lab.driver.converge(state(quality)).failures == [:])
                let wanted = try await queues(lab)
                #expect(wanted.count == 3, "\(wanted)")
                #expect(await lab.driver.converge(state(quality)).failures == [:])
                #expect(try await queues(lab) == wanted, "a second pass changes nothing")
                let (tap, queue) = (InterfaceName.tap(near().id), InterfaceName.queue(near().id))
                for damage in [
                    ["qdisc", "del", "dev", tap.text, "root"], ["qdisc", "del", "dev", tap.text, "ingress"],
                    ["qdisc", "del", "dev", queue.text, "root"], ["filter", "del", "dev", tap.text, "ingress"]
                ] {
                    try await lab.host.run("tc", damage)
                    #expect(await lab.driver.converge(state(quality)).failures == [:])
                    #expect(try await queues(lab).sorted() == wanted.sorted(), "\(damage)")
                    let filters = try await lab.host.run("tc", ["filter", "show", "dev", tap.text, "ingress"])
                    #expect(filters.contains("Egress Redirect to device \(queue)"), "\(damage): \(filters)")
                }
                try await lab.host.run("ip", ["link", "del", queue.text])
                #expect(await lab.driver.converge(state(quality)).failures == [:])
                #expect(try await queues(lab).count == 3)
            }
        }
    }

    @Test("what a guest sends is marked, and nothing else")
    func marks() async throws {
        try await withGuests { lab, guest, other in
            #expect(await lab.driver.converge(state(.init(dscp: 46))).failures == [:])
            for (sender, receiver, address, isMarked) in [
                (guest, other, "10.0.0.6", true), (other, guest, "10.0.0.5", false)
            ] {
                try await receiver.shell.run(
                    "iptables",
                    [
                        "-A", "INPUT", "-p", "icmp", "--icmp-type", "echo-request", "-m", "dscp", "--dscp", "46", "-j",
                        "ACCEPT"
                    ])
                try await sender.shell.run("busybox", ["ping", "-c", "2", "-W", "2", address])
                let seen = try await receiver.shell.run("iptables", ["-L", "INPUT", "-v", "-x", "-n"])
                let counted = seen.split(separator: "\n").last.flatMap { $0.split(separator: " ").first } ?? ""
                #expect((Int(counted) ?? 0 > 0) == isMarked, "\(seen)")
            }
            #expect(await lab.driver.converge(state(.init())).failures == [:])
            #expect(try await lab.snapshot().contains { $0.contains("DSCP") } == false)
        }
    }
}
