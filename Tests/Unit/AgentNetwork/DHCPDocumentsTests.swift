import AgentCore
import AgentNetwork
import ProtocolModel
import Testing

@Suite("DHCP files")
struct DHCPDocumentsTests {
    private func documents(_ subnets: [SubnetSpec] = [Fixture.subnet4, Fixture.subnet6]) -> DHCPDocuments {
        DHCPDocuments(
            network: Fixture.network(subnets: subnets),
            ports: [Fixture.port(0x2c, address: "10.0.0.6"), Fixture.port()],
            directory: "/d", user: "nobody")
    }

    @Test("hosts: a line for each leased address, in an order that does not change")
    func hosts() {
        #expect(
            documents().hosts == """
                fa:16:3e:00:00:2b,10.0.0.5,guest-2b
                fa:16:3e:00:00:2b,[2001:db8::2b],guest-2b
                fa:16:3e:00:00:2c,10.0.0.6,guest-2c
                fa:16:3e:00:00:2c,[2001:db8::2c],guest-2c

                """)
    }

    @Test("options: router, DNS servers, and routes with metadata first and the default last")
    func options() {
        let tag = "tag:subnet-\(Fixture.subnet4.id)"
        let routes = "169.254.169.254/32,10.0.0.2,172.16.0.0/12,10.0.0.9,0.0.0.0/0,10.0.0.1"
        #expect(
            documents().options == """
                \(tag),option:router,10.0.0.1
                \(tag),option:dns-server,9.9.9.9
                \(tag),option:classless-static-route,\(routes)
                \(tag),249,\(routes)

                """)
    }

    @Test("a subnet without gateway and DNS servers sends no router, and names itself for DNS")
    func noGateway() {
        var subnet = Fixture.subnet4
        subnet.gateway = nil
        subnet.dnsServers = []
        subnet.hostRoutes = []
        let tag = "tag:subnet-\(subnet.id)"
        #expect(
            documents([subnet]).options == """
                \(tag),option:router
                \(tag),option:classless-static-route,169.254.169.254/32,10.0.0.2
                \(tag),249,169.254.169.254/32,10.0.0.2

                """)
    }

    @Test("options of a port go by a tag of its own; what could end a line is left out")
    func optionsOfPorts() {
        var port = Fixture.port()
        port.dhcpOptions = [
            .init(family: .ipv4, name: "210", value: "/boot/"), .init(family: .ipv4, name: "router", value: "10.0.0.9"),
            .init(family: .ipv6, name: "ntp-server", value: "2001:db8::9,2001:db8::8"),
            .init(family: .ipv4, name: "ntp-server", value: "2001:db8::9"),
            .init(family: .ipv4, name: "root-path", value: "a\nb"),
            .init(family: .ipv4, name: "nis-domain", value: "\"")
        ]
        let documents = DHCPDocuments(
            network: Fixture.network(), ports: [port], directory: "/d", user: "nobody")
        let tag = "port-\(port.id)"
        #expect(documents.hosts.split(separator: "\n").first == "fa:16:3e:00:00:2b,set:\(tag),10.0.0.5,guest-2b")
        #expect(
            documents.options.split(separator: "\n").suffix(3) == [
                "tag:\(tag),210,/boot/", "tag:\(tag),option:router,10.0.0.9",
                "tag:\(tag),option6:ntp-server,[2001:db8::9],[2001:db8::8]"
            ])
        #expect(!documents.options.contains("root-path") && !documents.options.contains("nis-domain"))
    }

    @Test("a name that is none cannot say anything to the server")
    func hostileNames() {
        var network = Fixture.network()
        network.dnsDomain = "x\ndhcp-script=/bin/sh"
        var port = Fixture.port()
        port.hostname = "x,ignore"
        let documents = DHCPDocuments(network: network, ports: [port], directory: "/d", user: "nobody")
        #expect(!documents.configuration.contains("script") && !documents.configuration.contains("domain="))
        #expect(documents.hosts.hasPrefix("fa:16:3e:00:00:2b,10.0.0.5\n") && documents.names == "")
    }

    @Test("names for DNS, with and without the domain")
    func names() {
        #expect(
            documents().names.hasPrefix("10.0.0.5 guest-2b.example.org guest-2b\n2001:db8::2b guest-2b.example.org"))
    }

    @Test(
        "IPv6 ranges by how guests come to their addresses",
        arguments: [
            (SubnetSpec.IPv6Mode?.some(.slaac), SubnetSpec.IPv6Mode?.some(.slaac), "ra-only,64", false, true),
            (.dhcpv6Stateless, .dhcpv6Stateless, "ra-stateless,64", false, true),
            (.dhcpv6Stateful, .dhcpv6Stateful, "static,64", true, true),
            (.dhcpv6Stateful, nil, "static,64", false, false)
        ])
    func ipv6(address: SubnetSpec.IPv6Mode?, ra: SubnetSpec.IPv6Mode?, range: String, isEnabled: Bool, isSent: Bool) {
        var subnet = Fixture.subnet6
        subnet.ipv6AddressMode = address
        subnet.ipv6RAMode = ra
        let documents = documents([subnet])
        #expect(
            documents.configuration.contains("dhcp-range=set:subnet-\(subnet.id),2001:db8::,\(range),86400s\n"))
        #expect(documents.configuration.contains("enable-ra\n") == isEnabled)
        #expect(documents.configuration.contains("ra-param=eth0,mtu:1450,30,0\n") == isSent)
        #expect(documents.hosts.isEmpty == (address != .dhcpv6Stateful))
    }

    @Test(
        "leases in the way",
        arguments: [
            ("the same owner", "1 fa:16:3e:00:00:2b 10.0.0.5 guest *", "", false),
            ("another owner", "1 fa:16:3e:00:00:2c 10.0.0.5 guest *", "", true),
            ("another address", "1 fa:16:3e:00:00:2c 10.0.0.6 guest *", "", false),
            ("no change of owner", "1 fa:16:3e:00:00:2c 10.0.0.5 guest *", "fa:16:3e:00:00:2b,10.0.0.5,guest\n", false),
            ("IPv6 known before", "1 4711 2001:db8::5 guest 00:01", "fa:16:3e:00:00:2b,[2001:db8::5],guest\n", false),
            ("IPv6 of another", "1 4711 2001:db8::5 guest 00:01", "", true)
        ])
    func leases(_: String, leases: String, previous: String, isConflict: Bool) {
        let hosts = "fa:16:3e:00:00:2b,10.0.0.5,guest\nfa:16:3e:00:00:2b,[2001:db8::5],guest\n"
        #expect(
            DHCPLeases.conflict(leases: leases + "\nduid 00:01\n", hosts: hosts, previousHosts: previous) == isConflict)
    }

    @Test("the namespace's addresses and its name")
    func namespace() {
        let network = Fixture.network()
        #expect(ServiceNamespace.network(named: ServiceNamespace.name(network.id)) == network.id)
        #expect(ServiceNamespace.network(named: "skerry-x") == nil && ServiceNamespace.network(named: "qdhcp") == nil)
    }
}

@Suite("who asks for metadata")
struct MetadataDirectoryTests {
    @Test("by network and address, over IPv6 also by the link-local one; anybody else learns nothing")
    func sources() {
        let directory = MetadataDirectory()
        let port = Fixture.port()
        directory.replace(
            NetworkState(
                networks: [port.network: Fixture.network()], ports: [port.id: port],
                servers: [Fixture.server().id: Fixture.server()]))
        func answer(_ network: NetworkID, _ source: String) -> GuestMetadata.Answer {
            directory.answer(
                network: network, source: Fixture.address(source), path: "/latest/meta-data/local-hostname")
        }
        let own = GuestMetadata.Answer.text("guest-2b.example.org")
        #expect(answer(port.network, "10.0.0.5") == own)
        #expect(answer(port.network, "fe80::f816:3eff:fe00:2b") == own)
        #expect(answer(port.network, "10.0.0.6") == .notFound)
        #expect(answer(Fixture.id(0x99), "10.0.0.5") == .notFound)
    }
}
