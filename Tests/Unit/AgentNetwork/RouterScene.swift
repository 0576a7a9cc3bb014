import AgentCore
import AgentNetlink
import AgentNetwork
import ProtocolModel
import Synchronization
import Testing

/// A host with a tenant's network, a flat network that leads outside, and two guests' ports.
struct RouterScene {
    let network: NetworkSpec
    let external: NetworkSpec
    /// Another of the tenant's, without services.
    let second: NetworkSpec
    let router: RouterSpec

    init() {
        let number = UInt64.random(in: 0x1000...0xFFFF_FFF0)
        var subnet6 = Fixture.subnet6
        (subnet6.ipv6AddressMode, subnet6.ipv6RAMode) = (.slaac, .slaac)
        network = Fixture.network(number, subnets: [Fixture.subnet4, subnet6])
        external = Fixture.network(number + 1, .flat(physicalNetwork: "physnet1"), mtuBytes: 1500, subnets: [])
        var subnet = Fixture.subnet4
        subnet.id = Fixture.id(0x43)
        subnet.prefix = Fixture.prefix("10.0.1.0/24")
        (subnet.gateway, subnet.serviceAddress) = (Fixture.address("10.0.1.1"), nil)
        second = Fixture.network(number + 2, subnets: [subnet])
        var router = RouterFixture.router(network: network.id, outside: external.id)
        router.id = Fixture.id(number)
        self.router = router
    }

    /// Two guests' on the first network, and one on the second that only the first of them may reach.
    var ports: [PortSpec] {
        let first = [
            Fixture.port(0x2b, network: network.id),
            Fixture.port(0x2c, network: network.id, address: "10.0.0.6")
        ].map { port in
            var port = port
            // As the guest makes it up itself.
            port.fixedIPs[1].address = Fixture.address("2001:db8::f816:3eff:fe00:\(String(port.id.low, radix: 16))")
            return port
        }
        var far = Fixture.port(0x2d, network: second.id, groups: [Self.closed.id])
        far.fixedIPs = [.init(subnet: Fixture.id(0x43), address: Fixture.address("10.0.1.5"))]
        return first + [far]
    }

    private static let closed = SecurityGroupSpec(
        id: Fixture.id(0x3d),
        rules: [
            Fixture.rule(7, .egress), Fixture.rule(8, .ingress, remote: .prefix(Fixture.prefix("10.0.0.5/32")))
        ], members: [])

    var state: NetworkState {
        var group = Fixture.defaultGroup
        group.rules += [Fixture.rule(5, .ingress), Fixture.rule(6, .ingress, .ipv6)]
        return NetworkState(
            networks: [network.id: network, external.id: external, second.id: second],
            ports: Dictionary(uniqueKeysWithValues: ports.map { ($0.id, $0) }),
            securityGroups: [group.id: group, Self.closed.id: Self.closed])
    }

    func stage() async throws -> Stage { try await Stage(self) }

    final class Stage {
        let scene: RouterScene
        let lab: NetworkLab
        private let provider: String

        var outside: Command { Command(namespace: NetworkNamespace.path(provider)) }
        var inside: Command { Command(namespace: NetworkNamespace.path(RouterNamespace.name(scene.router.id))) }

        init(_ scene: RouterScene) async throws {
            self.scene = scene
            lab = try NetworkLab(physicalNetworks: ["physnet1": Fixture.name("up0")])
            provider = "sktest-\(UInt32.random(in: .min ... .max))"
            try NetworkNamespace.create(provider)
            try await lab.host.run(
                "ip", ["link", "add", "up0", "type", "veth", "peer", "name", "eth0", "netns", provider])
            for command in [
                "ip link set lo up", "ip link set eth0 up", "ip address add 203.0.113.1/24 dev eth0",
                "ip address add 198.51.100.9/32 dev lo", "iptables -A INPUT -s 203.0.113.77",
                "iptables -A INPUT -s 203.0.113.10"
            ] {
                let words = command.split(separator: " ").map(String.init)
                try await outside.run(words[0], Array(words.dropFirst()))
            }
            #expect(await lab.driver.converge(scene.state).failures == [:])
        }

        func actions(_ router: RouterSpec) async throws -> [RouterPlanner.Action] {
            let seen = try await lab.driver.observeRouters()[router.id] ?? RouterSighting()
            return RouterPlanner.plan(router, seen)
        }

        /// As the router's owner does: looks, acts, and finds nothing left to do.
        func settle(_ router: RouterSpec) async throws {
            if try await !actions(router).isEmpty { try await lab.driver.program(router) }
            let left = try await actions(router)
            #expect(left == [])
        }

        func guest(_ number: UInt64) async throws -> FakeGuest {
            guard let port = scene.ports.first(where: { $0.id.low == number }) else { throw Missing() }
            let guest = try FakeGuest(port: port, lab: lab)
            try await guest.shell.run("ip", ["link", "set", "lo", "up"])
            try await guest.shell.run("ip", ["address", "add", "\(port.fixedIPs[0].address)/24", "dev", "eth0"])
            let gateway = port.network == scene.network.id ? "10.0.0.1" : "10.0.1.1"
            try await guest.shell.run("ip", ["route", "add", "default", "via", gateway])
            return guest
        }

        struct Missing: Error {}

        func ping(_ shell: Command, _ address: String) async -> Bool {
            (try? await shell.run("ping", ["-c", "1", "-W", "2", address])) != nil
        }

        /// Has the outside believe that the address is another machine's.
        func mislead(_ address: String) async throws {
            try await outside.run(
                "ip", ["neighbour", "replace", address, "lladdr", "02:00:00:00:00:99", "dev", "eth0", "nud", "stale"])
        }

        /// Whether it knows that the router has it.
        func isKnown(_ address: String) async throws -> Bool {
            try await outside.run("ip", ["neighbour", "show", address]).contains("fa:16:3e:00:00:52")
        }

        /// How many packets the outside got from there.
        func packets(from address: String) async throws -> Int {
            let lines = try await outside.run("iptables-save", ["-c"]).split(separator: "\n")
            let line = lines.first { $0.contains("-s \(address)/32") } ?? ""
            return Int(line.dropFirst().prefix { $0 != ":" }) ?? -1
        }

        /// What a guest's server on `port` says to whoever asks.
        func ask(_ guest: FakeGuest, port: Int, from client: Command, at address: String, _ outer: Int) async throws
            -> String
        {
            let shell = guest.shell
            let server = Task {
                try await shell.run("busybox", ["nc", "-l", "-p", "\(port)", "-e", "/bin/echo", "hello"])
            }
            defer { server.cancel() }
            for _ in 0..<20 {
                if let answer = try? await client.run("busybox", ["nc", "-w", "1", address, "\(outer)"]) {
                    return answer
                }
                try await Task.sleep(for: .milliseconds(50))
            }
            return ""
        }

        /// Where the router's translated connections went first.
        func connections() throws -> [IPAddress] {
            let found = Mutex<[IPAddress]>([])
            return try NamespaceThread.once(
                in: NetworkNamespace.path(RouterNamespace.name(scene.router.id))
            ) { () throws(NetlinkError) in
                try ConnectionTable.cut { connection in
                    found.withLock { $0.append(connection.destination) }
                    return false
                }
                return found.withLock { $0 }
            }
        }

        /// All that the router is, without what the kernel counts.
        func view() async throws -> [String] {
            var lines: [String] = []
            for (program, arguments) in [
                ("ip", ["-o", "address"]), ("ip", ["route"]), ("iptables-save", []), ("ip6tables-save", []),
                ("sysctl", ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"])
            ] {
                lines += try await inside.run(program, arguments).split(separator: "\n").map(String.init)
            }
            lines += try await lab.host.run("ip", ["-o", "link"]).split(separator: "\n").map(String.init).filter {
                $0.contains("rto")
            }.map { $0.replacing(/link\/ether \S+|link-netns \S+/, with: "") }
            return lines.filter { $0.wholeMatch(of: /#.*|:[A-Z]+ ACCEPT.*/) == nil }.map {
                $0.replacing(/^\d+: |@if\d+/, with: "")
            }.sorted()
        }

        func end() async {
            try? await lab.driver.removeRouter(scene.router.id)
            await lab.end()
            try? NetworkNamespace.delete(provider)
        }
    }
}
