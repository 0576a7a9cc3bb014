import AgentCore
import AgentNetlink
import AgentNetwork
import Glibc
import ProtocolModel
import Testing

/// A router between a tenant's network and the outside, on a real kernel.
@Suite("routers on a real kernel", .serialized, .enabled(if: getuid() == 0, "needs root, to make network namespaces"))
struct RouterTests {
    private let scene = RouterScene()

    private func withScene(_ body: (RouterScene.Stage) async throws -> Void) async throws {
        let stage = try await scene.stage()
        do {
            try await body(stage)
        } catch {
            await stage.end()
            throw error
        }
        await stage.end()
    }

    @Test("guests get out, are reached by floating IP and forwarded port, and reach each other by them")
    func traffic() async throws {
        try await withScene { stage in
            try await stage.settle(scene.router)
            let (first, second) = (try await stage.guest(0x2b), try await stage.guest(0x2c))
            defer {
                first.end()
                second.end()
            }
            #expect(await stage.ping(second.shell, "198.51.100.9"), "out, with the router's address")
            #expect(await stage.ping(first.shell, "198.51.100.9"), "out, with the floating IP")
            #expect(try await stage.packets(from: "203.0.113.77") == 1)
            #expect(try await stage.packets(from: "203.0.113.10") == 1)
            #expect(await stage.ping(stage.outside, "203.0.113.77"), "in, by the floating IP")
            #expect(try await stage.packets(from: "203.0.113.77") == 2, "and answered from it")
            #expect(await stage.ping(second.shell, "203.0.113.77"), "to a neighbour by its floating IP")
            #expect(await stage.ping(first.shell, "203.0.113.77"), "to itself")
            #expect(
                try await stage.ask(second, port: 80, from: stage.outside, at: "203.0.113.88", 8080).hasPrefix("hello"))
            #expect(
                try await stage.ask(second, port: 81, from: stage.outside, at: "203.0.113.88", 8081).hasPrefix("hello"))

            var less = scene.router
            less.gateway?.isSNATEnabled = false
            try await stage.settle(less)
            #expect(await !stage.ping(second.shell, "198.51.100.9"), "nobody outside knows the way back")
            #expect(await stage.ping(first.shell, "198.51.100.9"), "a floating IP is not SNAT's to take")
            less.isAdminUp = false
            try await stage.settle(less)
            #expect(await !stage.ping(first.shell, "198.51.100.9"))
            #expect(await !stage.ping(stage.outside, "203.0.113.77"))
        }
    }

    @Test("a floating IP that goes takes its connections along, and one that moves brings word of where it is")
    func floatingIPMoves() async throws {
        try await withScene { stage in
            // The router was elsewhere a moment ago.
            try await stage.mislead("203.0.113.10")
            try await stage.settle(scene.router)
            let (first, second) = (try await stage.guest(0x2b), try await stage.guest(0x2c))
            defer {
                first.end()
                second.end()
            }
            try await Task.sleep(for: .milliseconds(1500))
            #expect(try await stage.isKnown("203.0.113.10"))
            #expect(await stage.ping(stage.outside, "203.0.113.77"))
            #expect(try stage.connections().contains { "\($0)" == "203.0.113.77" })
            var moved = scene.router
            moved.floatingIPs[0].fixedAddress = Fixture.address("10.0.0.6")
            try await stage.settle(moved)
            #expect(try !stage.connections().contains { "\($0)" == "203.0.113.77" })
            #expect(await stage.ping(stage.outside, "203.0.113.77"))

            // The address was another machine's a moment ago, and the outside still believes so.
            moved.floatingIPs[0].address = Fixture.address("203.0.113.99")
            try await stage.mislead("203.0.113.99")
            try await stage.settle(moved)
            try await Task.sleep(for: .milliseconds(1500))
            #expect(try await stage.isKnown("203.0.113.99"))
        }
    }

    @Test("what somebody broke is put back, a restarted agent adopts what it finds, and removal leaves nothing")
    func repairs() async throws {
        try await withScene { stage in
            let before = try await stage.lab.snapshot()
            var router = scene.router
            router.routes = [
                HostRoute(destination: Fixture.prefix("172.16.0.0/12"), nextHop: Fixture.address("10.0.0.9"))
            ]
            try await stage.settle(router)
            let whole = try await stage.view()
            #expect(whole.contains { $0.contains("172.16.0.0/12 via 10.0.0.9") })
            try await stage.lab.restart()
            #expect(try await stage.actions(router).allSatisfy(\.isOfRestart))

            let link = InterfaceName.routerLink(Fixture.id(0x51)).text
            for command in [
                "host ip link delete \(link)", "host ip link set \(link) nomaster", "host ip link set \(link) down",
                "router iptables -t nat --flush", "router iptables -t nat -F skerry-snat",
                "router ip route delete default", "router ip route replace default via 203.0.113.3",
                "router ip address delete 203.0.113.77/32 dev rti00000052-52", "router ip link set rti00000052-52 down",
                "router ip link set rti00000051-51 address fa:16:3e:00:00:99",
                "router sysctl -qw net.ipv4.ip_forward=0",
                "host ip link delete \(InterfaceName.bridge(scene.network.id))",
                "router ip link set lo down"
            ] {
                let words = command.split(separator: " ").map(String.init)
                let shell = words[0] == "host" ? stage.lab.host : stage.inside
                try await shell.run(words[1], Array(words.dropFirst(2)))
                #expect(await stage.lab.driver.converge(scene.state).failures == [:])
                try await stage.settle(router)
                let changes = try await stage.view().difference(from: whole).map(\.change)
                #expect(changes == [], "after \(command)")
            }
            try await stage.lab.restart()
            try await stage.lab.driver.removeRouter(router.id)
            let left = try await stage.lab.snapshot().filter(isLasting).difference(from: before.filter(isLasting))
            #expect(left.map(\.change) == [])
            #expect(!NetworkNamespace.exists(RouterNamespace.name(router.id)))
            #expect(try await stage.lab.driver.observeRouters() == [:])
        }
    }

    /// Bridges and their links are made anew in between, with other numbers and addresses.
    private func isLasting(_ line: String) -> Bool { !line.contains("link/ether") }

    @Test(
        "two networks of one host reach each other through the router with their own addresses, filtered at both ends")
    func eastWest() async throws {
        try await withScene { stage in
            var router = scene.router
            router.interfaces.append(
                .init(
                    port: Fixture.id(0x53), network: scene.second.id, mac: Fixture.mac("fa:16:3e:00:00:53"),
                    mtuBytes: 1450,
                    addresses: [
                        .init(subnet: Fixture.id(0x43), address: Fixture.address("10.0.1.1"), prefixLength: 24)
                    ]))
            try await stage.settle(router)
            let (near, far) = (try await stage.guest(0x2b), try await stage.guest(0x2d))
            defer {
                near.end()
                far.end()
            }
            // The far guest lets in only who comes with the near one's address.
            #expect(await stage.ping(near.shell, "10.0.1.5"))
            #expect(await stage.ping(far.shell, "10.0.0.5"))
            #expect(await stage.ping(far.shell, "203.0.113.77"), "by its floating IP, and back through the router")
            #expect(try await stage.ask(far, port: 80, from: near.shell, at: "10.0.1.5", 80).hasPrefix("hello"))
            let other = try await stage.guest(0x2c)
            defer { other.end() }
            #expect(await !stage.ping(other.shell, "10.0.1.5"))
            // Nobody takes the router's place.
            try await other.shell.run("ip", ["address", "add", "10.0.0.1/24", "dev", "eth0"])
            try await other.shell.run("ip", ["link", "set", "eth0", "address", "fa:16:3e:00:00:51"])
            #expect(await !stage.ping(other.shell, "10.0.0.5"))
            #expect(await stage.ping(near.shell, "10.0.1.5"))
        }
    }

    @Test("the network's own pass leaves a router's link alone, whatever goes around it")
    func besidesThePass() async throws {
        try await withScene { stage in
            try await stage.settle(scene.router)
            let whole = try await stage.lab.snapshot()
            #expect(await stage.lab.driver.converge(scene.state).failures == [:])
            let changes = try await stage.lab.snapshot().difference(from: whole).map(\.change)
            #expect(changes == [])
            #expect(await stage.lab.driver.converge(NetworkState()).failures == [:])
            let left = try await stage.lab.host.run("ip", ["-o", "link"])
            #expect(left.contains("rto00000051-51") && !left.contains("brq"))
            #expect(await stage.lab.driver.converge(scene.state).failures == [:])
            try await stage.settle(scene.router)
            #expect(await stage.ping(stage.inside, "203.0.113.1"))
        }
    }

    @Test("a router advertises itself in an IPv6 subnet, and a guest takes its route from it")
    func advertisements() async throws {
        try await withScene { stage in
            var router = scene.router
            router.interfaces[0].addresses.append(
                .init(
                    subnet: Fixture.subnet6.id, address: Fixture.address("2001:db8::1"), prefixLength: 64,
                    raMode: .slaac, dnsServers: []))
            try await stage.settle(router)
            #expect(stage.lab.servers().count == 2, "DHCP's, and the router's")
            let guest = try await stage.guest(0x2b)
            defer { guest.end() }
            var routes = ""
            for _ in 0..<100 where !routes.contains("via") {
                try await Task.sleep(for: .milliseconds(100))
                routes = try await guest.shell.run("ip", ["-6", "route", "show", "default"])
            }
            #expect(routes.contains("via fe80::f816:3eff:fe00:51 dev eth0 proto ra"))
            var isReached = false
            // The guest first sees whether others have its address.
            for _ in 0..<5 where !isReached { isReached = await stage.ping(guest.shell, "2001:db8::1") }
            #expect(isReached)
            router.isAdminUp = false
            try await stage.settle(router)
            #expect(stage.lab.servers().count == 1)
            router.isAdminUp = true
            try await stage.settle(router)
            try await stage.lab.restart()
            #expect(try await stage.actions(router).allSatisfy(\.isOfRestart))
            try await stage.lab.driver.removeRouter(router.id)
            #expect(stage.lab.servers().count == 1)
        }
    }
}

extension RouterPlanner.Action {
    /// What an agent does that finds a router as it shall be: it knows neither who was told of it nor which connections
    /// began before.
    fileprivate var isOfRestart: Bool {
        switch self {
        case .announce, .cutConnections: true
        default: false
        }
    }
}
