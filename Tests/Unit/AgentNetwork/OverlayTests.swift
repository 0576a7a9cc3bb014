import AgentCore
import AgentNetlink
import AgentNetwork
import Glibc
import ProtocolModel
import Testing

/// Two hosts with a cable between them, on a real kernel.
@Suite("overlay networks on a real kernel", .serialized, .enabled(if: getuid() == 0, "needs root, to make namespaces"))
struct OverlayTests {
    private let network = {
        var network = Fixture.network(UInt64.random(in: 0x1000...0xFFFF_FFFF), .vxlan(vni: 77))
        // Service namespaces have one name on all hosts, and these share a directory of names.
        for at in network.subnets.indices { network.subnets[at].isDHCPEnabled = false }
        return network
    }()

    private func withHosts(
        family: IPAddress.Family = .ipv4, _ body: (NetworkLab, NetworkLab) async throws -> Void
    ) async throws {
        let cable = Fixture.name("u0")
        let first = try NetworkLab(tunnel: .interface(cable))
        let second = try NetworkLab(tunnel: .address(Self.tunnel(2, family)))
        do {
            try await first.host.run(
                "ip", ["link", "add", "u0", "type", "veth", "peer", "name", "u0", "netns", second.name])
            for (number, lab) in [(1, first), (2, second)] {
                try await lab.host.run(
                    "ip",
                    ["address", "add", "\(Self.tunnel(number, family))/\(family == .ipv4 ? 24 : 64)", "dev", "u0"]
                        + (family == .ipv6 ? ["nodad"] : []))
                try await lab.host.run("ip", ["link", "set", "u0", "up"])
            }
            try await body(first, second)
        } catch {
            await first.end()
            await second.end()
            throw error
        }
        await first.end()
        await second.end()
    }

    private static func tunnel(_ number: Int, _ family: IPAddress.Family) -> IPAddress {
        Fixture.address(family == .ipv4 ? "192.0.2.\(number)" : "2001:db8:f::\(number)")
    }

    private func state(_ port: PortSpec, remote: [(PortSpec, IPAddress)]) -> NetworkState {
        var network = network
        network.remotePorts = remote.map { port, tunnel in
            .init(mac: port.mac, addresses: port.fixedIPs.map(\.address), tunnel: tunnel)
        }
        var group = Fixture.defaultGroup
        group.members = ["10.0.0.5", "10.0.0.6", "10.0.0.77", "2001:db8::2b", "2001:db8::2c"].map(Fixture.address)
        return NetworkState(
            networks: [network.id: network], ports: [port.id: port], securityGroups: [group.id: group])
    }

    private func guest(_ port: PortSpec, _ lab: NetworkLab) async throws -> FakeGuest {
        let guest = try FakeGuest(port: port, lab: lab)
        for fixed in port.fixedIPs {
            let isOld = fixed.address.family == .ipv4
            try await guest.shell.run(
                "ip",
                ["address", "add", "\(fixed.address)/\(isOld ? 24 : 64)", "dev", "eth0"] + (isOld ? [] : ["nodad"]))
        }
        return guest
    }

    private func ping(_ guest: FakeGuest, _ address: String) async -> Bool {
        (try? await guest.shell.run("ping", ["-c", "1", "-W", "2", address])) != nil
    }

    @Test("guests on two hosts reach each other over tunnels of either family", arguments: IPAddress.Family.allCases)
    func reach(family: IPAddress.Family) async throws {
        try await withHosts(family: family) { first, second in
            let before = try await first.snapshot()
            let near = Fixture.port(network: network.id)
            var far = Fixture.port(0x2c, network: network.id, address: "10.0.0.6")
            // An address that the plan's neighbour entries do not know: it is asked for everywhere.
            far.allowedPairs = [.init(prefix: Fixture.prefix("10.0.0.77/32"), mac: nil)]
            let here = state(near, remote: [(far, Self.tunnel(2, family))])
            let there = state(far, remote: [(near, Self.tunnel(1, family))])
            #expect(await first.driver.converge(here).failures == [:])
            #expect(await second.driver.converge(there).failures == [:])
            #expect(await first.driver.tunnelAddress() == Self.tunnel(1, family))
            let inside = try await guest(near, first)
            let other = try await guest(far, second)
            defer {
                inside.end()
                other.end()
            }
            #expect(await ping(inside, "10.0.0.6"))
            #expect(await ping(inside, "2001:db8::2c"))
            #expect(await ping(other, "10.0.0.5"))
            try await other.shell.run("ip", ["address", "add", "10.0.0.77/24", "dev", "eth0"])
            #expect(await ping(inside, "10.0.0.77"), "unknown addresses are asked for on all hosts")

            let learned = try await first.host.run("bridge", ["fdb", "show"]).split(separator: "\n").filter {
                $0.contains("dev vxl") && !$0.contains("permanent") && !$0.contains("static")
            }
            #expect(learned == [])
            let settled = try await snapshot(first)
            #expect(await first.driver.converge(here).failures == [:])
            try await first.restart()
            #expect(await first.driver.converge(here).failures == [:])
            #expect(try await snapshot(first) == settled)

            // Frames in tunnels go past the rules of ports: from a host that the plan does not name, none is taken.
            let stranger = state(near, remote: [(far, Self.tunnel(9, family))])
            #expect(await first.driver.converge(stranger).failures == [:])
            #expect(await ping(other, "10.0.0.5") == false)
            let counted = try await first.host.run(
                family == .ipv4 ? "iptables" : "ip6tables", ["-w", "-nvxL", "skerry-in"])
            let dropped = counted.split(separator: "\n").first { $0.contains("4789") && $0.contains("DROP") }
            #expect(dropped.flatMap { Int($0.split(separator: " ")[0]) } ?? 0 > 0, "\(counted)")
            #expect(await first.driver.converge(here).failures == [:])

            // Nobody is there to answer: what answers is the guest's own host.
            #expect(await second.driver.converge(NetworkState()).failures == [:])
            try await inside.shell.run("ip", ["neighbour", "flush", "dev", "eth0"])
            for address in ["10.0.0.6", "2001:db8::2c"] {
                #expect(await !ping(inside, address))
                #expect(
                    try await inside.shell.run("ip", ["neighbour", "show", address]).contains("fa:16:3e:00:00:2c"))
            }

            #expect(await first.driver.converge(state(near, remote: [])).failures == [:])
            #expect(try await !snapshot(first).joined().contains("fa:16:3e:00:00:2c"))
            // The guest has its tap open: it stays for it, and leads nowhere.
            #expect(await first.driver.converge(NetworkState()).failures == [:])
            let tap = try await first.host.run("ip", ["-o", "link", "show", InterfaceName.tap(near.id).text])
            #expect(!tap.contains("master"))
            inside.end()
            try await Task.sleep(for: .milliseconds(500))
            #expect(await first.driver.converge(NetworkState()).failures == [:])
            // The cable itself is up or not, as it comes.
            let left = try await first.snapshot().filter { !$0.contains(" u0@") }.difference(
                from: before.filter { !$0.contains(" u0@") })
            #expect(left.map(\.change) == [])
        }
    }

    /// Forwarding and neighbour entries of our devices that do not go by themselves.
    private func snapshot(_ lab: NetworkLab) async throws -> [String] {
        let forwarding = try await lab.host.run("bridge", ["fdb", "show"]).split(separator: "\n").filter {
            $0.contains("dev vxl") && ($0.contains("dst") || $0.contains("static"))
        }
        let neighbors = try await lab.host.run("ip", ["neighbour", "show", "nud", "permanent"]).split(separator: "\n")
        return (forwarding + neighbors.filter { $0.contains("brq") }).map(String.init).sorted()
    }

    @Test("entries that somebody put on our devices go, and on others' stay")
    func foreignEntries() async throws {
        try await withHosts { first, _ in
            let near = Fixture.port(network: network.id)
            let far = Fixture.port(0x2c, network: network.id, address: "10.0.0.6")
            let wanted = state(near, remote: [(far, Self.tunnel(2, .ipv4))])
            #expect(await first.driver.converge(wanted).failures == [:])
            let settled = try await snapshot(first)
            let device = InterfaceName.vxlan(network.id).text
            for command in [
                "bridge fdb append 00:00:00:00:00:00 dev \(device) dst 192.0.2.9 self",
                "bridge fdb replace fa:16:3e:00:00:2c dev \(device) dst 192.0.2.9 self",
                "ip neighbour replace 10.0.0.9 lladdr fa:16:3e:00:00:99 dev \(InterfaceName.bridge(network.id)) nud permanent",
                "ip neighbour del 10.0.0.6 dev \(InterfaceName.bridge(network.id))",
                "ip neighbour add 192.0.2.77 lladdr fa:16:3e:00:00:99 dev u0 nud permanent"
            ] {
                let words = command.split(separator: " ").map(String.init)
                try await first.host.run(words[0], Array(words.dropFirst()))
            }
            #expect(try await snapshot(first) != settled)
            #expect(await first.driver.converge(wanted).failures == [:])
            #expect(try await snapshot(first) == settled)
            #expect(try await first.host.run("ip", ["neighbour", "show", "dev", "u0"]).contains("192.0.2.77"))
        }
    }

    @Test("a host without a tunnel address keeps its own ports together, and says what is missing for others'")
    func noTunnel() async throws {
        let lab = try NetworkLab(tunnel: .route(to: "127.0.0.1"))
        try await lab.host.run("ip", ["link", "set", "lo", "up"])
        let near = Fixture.port(network: network.id)
        #expect(await lab.driver.tunnelAddress() == nil)
        #expect(await lab.driver.converge(state(near, remote: [])).failures == [:])
        let far = Fixture.port(0x2c, network: network.id, address: "10.0.0.6")
        let failures = await lab.driver.converge(state(near, remote: [(far, Self.tunnel(2, .ipv4))])).failures
        #expect(failures[.network(network.id)]?.detail.contains("network.tunnel_address") == true)
        #expect(failures[.port(near.id)] != nil)
        #expect(try await lab.host.run("ip", ["-o", "link"]).contains("tap0000002b-2b"), "what is there stays")
        await lab.end()
    }

    @Test("the way to the coordinator gives the tunnel address, and what a name gave is remembered")
    func routedTunnel() async throws {
        for target in ["192.0.2.99", "localhost"] {
            let lab = try NetworkLab(tunnel: .route(to: target))
            try await lab.host.run("ip", ["link", "set", "lo", "up"])
            try await lab.host.run("ip", ["link", "add", "u0", "type", "bridge"])
            try await lab.host.run("ip", ["address", "add", "192.0.2.1/24", "dev", "u0"])
            try await lab.host.run("ip", ["link", "set", "u0", "up"])
            let found = await lab.driver.tunnelAddress()
            #expect(found == (target == "localhost" ? nil : Fixture.address("192.0.2.1")))
            await lab.end()
        }
    }
}
