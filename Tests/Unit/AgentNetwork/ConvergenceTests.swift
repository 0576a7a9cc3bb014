import AgentCore
import AgentNetlink
import AgentNetwork
import Glibc
import ProtocolModel
import Testing

/// The driver on a real kernel, each test on a host of its own.
@Suite(
    "convergence on a real kernel", .serialized, .enabled(if: getuid() == 0, "needs root, to make network namespaces"))
struct ConvergenceTests {
    private let network = Fixture.network(UInt64.random(in: 0x1000...0xFFFF_FFFF))

    private func state(ports: [PortSpec]) -> NetworkState {
        NetworkState(
            networks: [network.id: network], ports: Dictionary(uniqueKeysWithValues: ports.map { ($0.id, $0) }),
            securityGroups: [Fixture.defaultGroup.id: Fixture.defaultGroup],
            servers: Dictionary(
                uniqueKeysWithValues: ports.compactMap { port in
                    port.server.map { ($0, Fixture.server(port.id.low, network: network.id)) }
                }))
    }

    private func withLab(
        _ physicalNetworks: [String: InterfaceName] = [:], _ body: (NetworkLab) async throws -> Void
    ) async throws {
        let lab = try NetworkLab(physicalNetworks: physicalNetworks)
        do {
            try await body(lab)
        } catch {
            await lab.end()
            throw error
        }
        await lab.end()
    }

    @Test("a second pass changes nothing, and an empty plan leaves nothing")
    func twiceAndNothing() async throws {
        try await withLab { lab in
            let before = try await lab.snapshot()
            let wanted = state(ports: [
                Fixture.port(network: network.id),
                Fixture.port(0x2c, network: network.id, address: "10.0.0.6", isSecurityEnabled: false)
            ])
            #expect(await lab.driver.converge(wanted).failures == [:])
            let first = try await lab.snapshot()
            let servers = lab.servers()
            #expect(
                first.contains { $0.hasPrefix(":sk-i0000002b-2b") } && first.contains { $0.contains("tap0000002b-2b") })
            #expect(servers.count == 1)
            #expect(await lab.driver.converge(wanted).failures == [:])
            #expect(try await lab.snapshot().difference(from: first).map(\.change) == [])
            #expect(lab.servers() == servers)

            try await lab.restart()
            #expect(await lab.driver.converge(wanted).failures == [:])
            #expect(try await lab.snapshot().difference(from: first).map(\.change) == [])
            #expect(lab.servers() == servers, "a restarted agent takes over the server that runs")

            try await lab.restart()
            #expect(await lab.driver.converge(NetworkState()).failures == [:])
            #expect(try await lab.snapshot().difference(from: before).map(\.change) == [])
            #expect(lab.servers() == [])
            #expect(!NetworkNamespace.exists(ServiceNamespace.name(network.id)))
        }
    }

    @Test("a tap that is made ahead is in no bridge until its rules are there, and goes like any other")
    func preparedTaps() async throws {
        try await withLab { lab in
            let before = try await lab.snapshot()
            let wanted = state(ports: [Fixture.port(network: network.id)])
            for _ in 0..<2 {
                #expect(await lab.driver.prepare(wanted) == Set(wanted.ports.keys))
                let added = try await lab.snapshot().difference(from: before).map(\.change)
                let tap = try #require(added.first)
                #expect(added.count == 1 && tap.contains("tap0000002b-2b") && !tap.contains("master"))
                #expect(tap.contains("DOWN") && tap.contains("alias"))
            }
            #expect(await lab.driver.converge(wanted).failures == [:])
            let whole = try await lab.snapshot()
            #expect(whole.contains { $0.contains("tap0000002b-2b") && $0.contains("master brq") })
            #expect(await lab.driver.prepare(wanted) == Set(wanted.ports.keys))
            #expect(try await lab.snapshot().difference(from: whole).map(\.change) == [])
            #expect(await lab.driver.converge(NetworkState()).failures == [:])

            _ = await lab.driver.prepare(wanted)
            try await lab.restart()
            #expect(await lab.driver.converge(NetworkState()).failures == [:])
            #expect(try await lab.snapshot().difference(from: before).map(\.change) == [])

            try await lab.host.run("ip", ["tuntap", "add", "tap0000002b-2b", "mode", "tap"])
            #expect(await lab.driver.prepare(wanted) == [], "somebody else's is left alone")
            try await lab.host.run("ip", ["link", "delete", "tap0000002b-2b"])
        }
    }

    @Test("a guest is told the options of its port, before those of its subnet, and its neighbour is not")
    func optionsOfPorts() async throws {
        try await withLab { lab in
            var port = Fixture.port(network: network.id)
            let other = Fixture.port(0x2c, network: network.id, address: "10.0.0.6")
            port.dhcpOptions = [
                .init(family: .ipv4, name: "bootfile-name", value: "linux 6/pxelinux.0"),
                .init(family: .ipv4, name: "tftp-server", value: "tftp.example.org"),
                .init(family: .ipv4, name: "router", value: "10.0.0.77"),
                .init(family: .ipv4, name: "server-ip-address", value: "2001:db8::2"),
                .init(family: .ipv4, name: "root-path", value: "x\ndhcp-option=3,10.0.0.66"),
                .init(family: .ipv6, name: "bootfile-url", value: "tftp://[2001:db8::1]/x")
            ]
            #expect(await lab.driver.converge(state(ports: [port, other])).failures == [:])
            let (guest, neighbour) = (try FakeGuest(port: port, lab: lab), try FakeGuest(port: other, lab: lab))
            defer {
                guest.end()
                neighbour.end()
            }
            let answer = try await guest.askForAddress()
            #expect(
                answer["boot_file"] == "linux 6/pxelinux.0" || answer["bootfile"] == "linux 6/pxelinux.0", "\(answer)")
            #expect(answer["tftp"] == "tftp.example.org" && answer["router"] == "10.0.0.77", "\(answer)")
            #expect(answer["dns"] == "9.9.9.9" && answer["ip"] == "10.0.0.5")
            let plain = try await neighbour.askForAddress()
            #expect(plain["tftp"] == nil && plain["router"] == "10.0.0.1" && plain["ip"] == "10.0.0.6", "\(plain)")

            port.dhcpOptions = []
            #expect(await lab.driver.converge(state(ports: [port, other])).failures == [:])
            #expect(try await guest.askForAddress()["router"] == "10.0.0.1")
        }
    }

    @Test("a guest gets its address, its routes and its metadata, also after a restart of the agent")
    func guestIsServed() async throws {
        try await withLab { lab in
            let port = Fixture.port(network: network.id)
            let wanted = state(ports: [port])
            #expect(await lab.driver.converge(wanted).failures == [:])
            let guest = try FakeGuest(port: port, lab: lab)
            defer { guest.end() }
            let answer = try await guest.askForAddress()
            #expect(answer["ip"] == "10.0.0.5" && answer["mask"] == "24" && answer["serverid"] == "10.0.0.2")
            #expect(answer["router"] == "10.0.0.1" && answer["dns"] == "9.9.9.9" && answer["mtu"] == "1450")
            #expect(answer["hostname"] == "guest-2b" && answer["domain"] == "example.org")
            #expect(
                answer["staticroutes"]
                    == "169.254.169.254/32 10.0.0.2 172.16.0.0/12 10.0.0.9 0.0.0.0/0 10.0.0.1")
            let name = try await guest.fetch("/latest/meta-data/local-hostname")
            #expect(name.hasPrefix("HTTP/1.0 200 OK") && name.hasSuffix("guest-2b.example.org"))
            #expect(try await guest.fetch("/no/such/thing").hasPrefix("HTTP/1.0 404"))

            try await lab.restart()
            #expect(await lab.driver.converge(wanted).failures == [:])
            #expect(try await guest.fetch("/openstack/latest/meta_data.json").contains("guest-2b"))
            #expect(try await guest.askForAddress()["ip"] == "10.0.0.5")
        }
    }

    @Test("an address that moves to another port is leased to that one")
    func addressMoves() async throws {
        try await withLab { lab in
            for number: UInt64 in [0x2b, 0x2c] {
                let port = Fixture.port(number, network: network.id)
                #expect(await lab.driver.converge(state(ports: [port])).failures == [:])
                let guest = try FakeGuest(port: port, lab: lab)
                defer { guest.end() }
                #expect(try await guest.askForAddress()["ip"] == "10.0.0.5")
            }
        }
    }

    @Test("security groups and anti-spoofing hold between guests")
    func filtering() async throws {
        try await withLab { lab in
            let first = Fixture.port(network: network.id)
            // In no group that anybody's rules admit, but free to send.
            let outsiders = SecurityGroupSpec(id: Fixture.id(0x3d), rules: [Fixture.rule(9, .egress)], members: [])
            let second = Fixture.port(0x2c, network: network.id, address: "10.0.0.6", groups: [outsiders.id])
            var wanted = state(ports: [first, second])
            wanted.securityGroups[outsiders.id] = outsiders
            #expect(await lab.driver.converge(wanted).failures == [:])
            let inside = try FakeGuest(port: first, lab: lab)
            let outside = try FakeGuest(port: second, lab: lab)
            defer {
                inside.end()
                outside.end()
            }
            _ = try await inside.askForAddress()
            _ = try await outside.askForAddress()
            func ping(_ guest: FakeGuest, _ address: String) async -> Bool {
                (try? await guest.shell.run("ping", ["-c", "1", "-W", "1", address])) != nil
            }
            #expect(await !ping(outside, "10.0.0.5"), "not a member, so not admitted")
            #expect(await !ping(inside, "10.0.0.6"), "no rule admits anybody there")

            var admitted = Fixture.defaultGroup
            admitted.members.append(Fixture.address("10.0.0.6"))
            wanted.securityGroups[admitted.id] = admitted
            #expect(await lab.driver.converge(wanted).failures == [:])
            #expect(await ping(outside, "10.0.0.5"), "a member now")

            try await outside.shell.run("ip", ["address", "add", "10.0.0.77/24", "dev", "eth0"])
            try await outside.shell.run("ip", ["address", "del", "10.0.0.6/24", "dev", "eth0"])
            #expect(await !ping(outside, "10.0.0.5"), "an address that is not the port's")
            #expect(try await inside.shell.run("ip", ["neighbour"]).contains("10.0.0.77") == false, "nor its ARP")
        }
    }

    @Test("what belongs to others stays, and stands in the way with an error")
    func foreignObjects() async throws {
        try await withLab { lab in
            try await lab.host.run("ip", ["link", "add", InterfaceName.bridge(network.id).text, "type", "bridge"])
            try await lab.host.run("iptables", ["-A", "FORWARD", "-s", "192.0.2.1", "-j", "ACCEPT"])
            try await lab.host.run("ipset", ["create", "theirs", "hash:ip"])
            let before = try await lab.snapshot()
            let outcome = await lab.driver.converge(state(ports: [Fixture.port(network: network.id)]))
            #expect(outcome.failures[.network(network.id)]?.code == .conflict)
            #expect(outcome.failures[.port(Fixture.id(0x2b))]?.code == .conflict)
            #expect(await lab.driver.converge(NetworkState()).failures == [:])
            #expect(try await lab.snapshot().difference(from: before).map(\.change) == [])
        }
    }

    @Test("a guest makes up its IPv6 address, takes no default route from us, and finds metadata without IPv4")
    func autoconfiguration() async throws {
        try await withLab { lab in
            var port = Fixture.port(network: network.id)
            var subnet = Fixture.subnet6
            (subnet.ipv6AddressMode, subnet.ipv6RAMode) = (.slaac, .slaac)
            port.fixedIPs = [.init(subnet: subnet.id, address: Fixture.address("2001:db8::f816:3eff:fe00:2b"))]
            var wanted = state(ports: [port])
            wanted.networks[network.id]?.subnets = [subnet]
            #expect(await lab.driver.converge(wanted).failures == [:])
            let guest = try FakeGuest(port: port, lab: lab)
            defer { guest.end() }
            var addresses = ""
            for _ in 0..<100 where !addresses.contains("2001:db8::f816:3eff:fe00:2b/64 scope global dynamic") {
                try await Task.sleep(for: .milliseconds(100))
                addresses = try await guest.shell.run(
                    "ip", ["-6", "-o", "address", "show", "dev", "eth0", "-tentative"])
            }
            #expect(addresses.contains("2001:db8::f816:3eff:fe00:2b/64"))
            #expect(try await guest.shell.run("ip", ["-6", "route", "show", "default"]) == "")
            let request = "GET /latest/meta-data/local-hostname HTTP/1.0\\r\\n\\r\\n"
            let ask = "exec 3<>/dev/tcp/fe80::a9fe:a9fe%eth0/80; printf '\(request)' >&3; cat <&3"
            #expect(try await guest.shell.run("bash", ["-c", ask]).hasSuffix("guest-2b.example.org"))
        }
    }

    @Test("a DHCP server that somebody ended, a bridge that somebody deleted and flushed rules are put back")
    func repairs() async throws {
        try await withLab { lab in
            let wanted = state(ports: [Fixture.port(network: network.id)])
            #expect(await lab.driver.converge(wanted).failures == [:])
            let before = try await lab.snapshot().filter { !$0.contains("link/ether") }
            for pid in lab.servers() { kill(pid, SIGKILL) }
            try await lab.host.run("ip", ["link", "delete", InterfaceName.bridge(network.id).text])
            try await lab.host.run("ip", ["link", "delete", InterfaceName.serviceLink(network.id).text])
            try await lab.host.run("iptables", ["--flush"])
            #expect(await lab.driver.converge(wanted).failures == [:])
            #expect(lab.servers().count == 1)
            let after = try await lab.snapshot().filter { !$0.contains("link/ether") }
            #expect(after.difference(from: before).map(\.change) == [])
        }
    }

    @Test("an agent that ended while it made a link leaves nothing behind")
    func interrupted() async throws {
        try await withLab { lab in
            try await lab.host.run("ip", ["link", "add", "skerry-draft", "type", "bridge"])
            try await lab.host.run("ip", ["link", "add", "brq00000077-77", "type", "bridge"])
            try await lab.host.run(
                "ip", ["link", "set", "brq00000077-77", "alias", "skerry:\(NetworkID(high: 0x77_7700_0000, low: 7))"])
            #expect(await lab.driver.converge(NetworkState()).failures == [:])
            let links = try await lab.host.run("ip", ["-o", "link"])
            #expect(!links.contains("skerry-draft") && !links.contains("brq"))
        }
    }

    @Test("a flat network reaches its physical network, and what the host serves does not")
    func flatNetwork() async throws {
        let uplink = Fixture.name("up0")
        try await withLab(["physnet1": uplink]) { lab in
            // The other end of the cable, with a machine of the provider's.
            let provider = "sktest-\(UInt32.random(in: .min ... .max))"
            try NetworkNamespace.create(provider)
            defer { try? NetworkNamespace.delete(provider) }
            let outside = Command(namespace: NetworkNamespace.path(provider))
            try await lab.host.run(
                "ip", ["link", "add", "up0", "type", "veth", "peer", "name", "eth0", "netns", provider])
            try await outside.run("ip", ["link", "set", "eth0", "up"])
            try await outside.run("ip", ["address", "add", "10.0.0.200/24", "dev", "eth0"])
            #expect(await lab.driver.physicalNetworks() == ["physnet1"])

            var flat = network
            flat.attachment = .flat(physicalNetwork: "physnet1")
            let port = Fixture.port(network: network.id)
            var wanted = state(ports: [port])
            wanted.networks = [network.id: flat]
            #expect(await lab.driver.converge(wanted).failures == [:])
            let guest = try FakeGuest(port: port, lab: lab)
            defer { guest.end() }
            _ = try await guest.askForAddress()
            try await guest.shell.run("ping", ["-c", "1", "-W", "2", "10.0.0.200"])
            await #expect(throws: Command.Failure.self, "the service address is this host's alone") {
                try await outside.run("ping", ["-c", "1", "-W", "1", "10.0.0.2"])
            }
            #expect(await lab.driver.converge(NetworkState()).failures == [:])
            let left = try await lab.host.run("ip", ["-o", "link"])
            #expect(left.contains("up0") && !left.contains("brq"))
        }
    }
}

extension CollectionDifference.Change where ChangeElement == String {
    var change: String {
        switch self {
        case .insert(_, let line, _): "+ \(line)"
        case .remove(_, let line, _): "- \(line)"
        }
    }
}
