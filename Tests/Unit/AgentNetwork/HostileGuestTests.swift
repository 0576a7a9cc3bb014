import AgentCore
import AgentNetlink
import AgentNetwork
import Glibc
import ProtocolModel
import Testing

/// What a guest sends that no honest one would, and what its neighbour takes for true.
@Suite(
    "hostile guests on a real kernel", .serialized,
    .enabled(if: getuid() == 0, "needs root, to make network namespaces"))
struct HostileGuestTests {
    private let network = Fixture.network(UInt64.random(in: 0x1000...0xFFFF_FFFF))

    /// Runs with a guest that may do as it likes, and the neighbours that another one has then.
    private func neighbours(
        isSecurityEnabled: Bool = true, after forge: (FakeGuest, PortSpec) -> Void
    ) async throws -> String {
        let port = Fixture.port(network: network.id, isSecurityEnabled: isSecurityEnabled)
        let victim = Fixture.port(0x2c, network: network.id, address: "10.0.0.6")
        let lab = try NetworkLab()
        var seen = ""
        do {
            let wanted = NetworkState(
                networks: [network.id: network], ports: [port.id: port, victim.id: victim],
                securityGroups: [Fixture.defaultGroup.id: Fixture.defaultGroup])
            #expect(await lab.driver.converge(wanted).failures == [:])
            let guest = try FakeGuest(port: port, lab: lab)
            let other = try FakeGuest(port: victim, lab: lab)
            defer {
                guest.end()
                other.end()
            }
            // It learns from whatever reaches it.
            try await other.shell.run(
                "sh",
                [
                    "-c",
                    """
                    ip address add 10.0.0.6/24 dev eth0
                    cd /proc/sys/net && echo 1 > ipv4/conf/eth0/arp_accept && echo 1 > ipv6/conf/eth0/forwarding
                    echo 1 > ipv6/conf/eth0/accept_untracked_na
                    """
                ])
            for _ in 0..<3 {
                forge(guest, port)
                try await Task.sleep(for: .milliseconds(200))
            }
            seen = try await other.shell.run("ip", ["neigh"])
        } catch {
            await lab.end()
            throw error
        }
        await lab.end()
        return seen
    }

    private func ethernet(_ port: PortSpec, to: [UInt8], tags: [UInt8] = [], type: [UInt8]) -> [UInt8] {
        to + port.mac.bytes + tags + type
    }

    /// "This address is at my MAC", to all.
    private func arp(_ port: PortSpec, _ address: String, tags: [UInt8] = []) -> [UInt8] {
        let address = Fixture.address(address).bytes
        let head = ethernet(port, to: [UInt8](repeating: 0xFF, count: 6), tags: tags, type: [8, 6])
        return head + [0, 1, 8, 0, 6, 4, 0, 2] + port.mac.bytes + address + [UInt8](repeating: 0xFF, count: 6) + address
    }

    /// The same of IPv6: an advertisement from the port's own link-local address, with a target of choice.
    private func advertisement(_ port: PortSpec, _ target: String) -> [UInt8] {
        let octets = port.mac.bytes
        let local = [0xFE, 0x80] + [UInt8](repeating: 0, count: 6) + [octets[0] ^ 2] + octets[1...2] + [0xFF, 0xFE]
        let source = local + octets[3...5]
        let all: [UInt8] = [0xFF, 0x02] + [UInt8](repeating: 0, count: 13) + [1]
        var message: [UInt8] = [136, 0, 0, 0, 0x20, 0, 0, 0] + Fixture.address(target).bytes + [2, 1] + octets
        let pseudo = source + all + [0, 0, 0, UInt8(message.count), 0, 0, 0, 58] + message
        var sum = stride(from: 0, to: pseudo.count, by: 2).reduce(UInt32(0)) {
            $0 + UInt32(pseudo[$1]) << 8 + UInt32(pseudo[$1 + 1])
        }
        while sum > 0xFFFF { sum = sum & 0xFFFF + sum >> 16 }
        message[2] = UInt8(truncatingIfNeeded: ~sum >> 8)
        message[3] = UInt8(truncatingIfNeeded: ~sum)
        return ethernet(port, to: [0x33, 0x33, 0, 0, 0, 1], type: [0x86, 0xDD])
            + [0x60, 0, 0, 0, 0, UInt8(message.count), 58, 255] + source + all + message
    }

    @Test("ARP in frames with VLAN tags reaches nobody, whatever the port's security")
    func tagged() async throws {
        for isSecurityEnabled in [true, false] {
            let seen = try await neighbours(isSecurityEnabled: isSecurityEnabled) { guest, port in
                guest.send(arp(port, "10.0.0.5"))
                guest.send(arp(port, "10.0.0.71", tags: [0x81, 0, 0, 0]))
                guest.send(arp(port, "10.0.0.72", tags: [0x88, 0xA8, 0, 0]))
                guest.send(arp(port, "10.0.0.73", tags: [0x81, 0, 0, 0, 0x81, 0, 0, 0]))
                guest.send(arp(port, "10.0.0.74", tags: [0x81, 0, 0xE0, 0]))
            }
            #expect(seen.contains("10.0.0.5 "), "what is honest is heard")
            #expect(!seen.contains("10.0.0.7"), "\(seen)")
        }
    }

    @Test("ARP and neighbour advertisements for another's address reach nobody")
    func forgedNeighbours() async throws {
        let seen = try await neighbours { guest, port in
            guest.send(arp(port, "10.0.0.1"))
            guest.send(advertisement(port, "2001:db8::2b"))
            guest.send(advertisement(port, "2001:db8::1"))
        }
        #expect(seen.contains("2001:db8::2b "), "what is honest is heard")
        #expect(!seen.contains("10.0.0.1 ") && !seen.contains("2001:db8::1 "), "\(seen)")
    }
}

extension MACAddress {
    fileprivate var bytes: [UInt8] { (0..<6).map { UInt8(truncatingIfNeeded: bits >> UInt64(40 - $0 * 8)) } }
}

extension IPAddress {
    fileprivate var bytes: [UInt8] {
        let count = family.bitCount / 8
        return (0..<count).map { UInt8(truncatingIfNeeded: bits >> UInt128((count - 1 - $0) * 8)) }
    }
}
