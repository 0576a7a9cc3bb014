import AgentNetlink
import AgentNetwork
import ProtocolModel
import Testing

@Suite("router plans")
struct RouterPlannerTests {
    static let router = RouterFixture.router(network: Fixture.id(0x1a), outside: Fixture.id(0x1b))
    private let router = RouterPlannerTests.router
    private let inside = InterfaceName.routerInterface(Fixture.id(0x51))
    private let outer = InterfaceName.routerInterface(Fixture.id(0x52))

    /// A host on which the router is as wanted.
    private func settled(_ router: RouterSpec) -> RouterSighting {
        var seen = RouterSighting(directory: "/var/lib/r")
        seen.isPrepared = true
        for action in RouterPlanner.plan(router, seen) { RouterFixture.carryOut(action, router, on: &seen) }
        return seen
    }

    private func name(_ action: RouterPlanner.Action) -> String {
        let text = "\(action)"
        return String(text.prefix(upTo: text.firstIndex(of: "(") ?? text.endIndex))
    }

    @Test("onto nothing: rules before links, forwarding when all is there, announcements last")
    func fresh() {
        let actions = RouterPlanner.plan(router, RouterSighting())
        #expect(actions.first == .prepare)
        let order = actions.map(name).reduce(into: [String]()) { if $0.last != $1 { $0.append($1) } }
        let link = [
            "addLink", "setOutsideMTU", "setInsideMTU", "addAddress", "setInsideUp", "join", "setOutsideUp"
        ]
        #expect(order == ["prepare", "restore"] + link + link + ["addRoute", "setForwarding", "announce"])
        #expect(actions.contains(.addLink(Fixture.id(0x51), Fixture.mac("fa:16:3e:00:00:51"))))
        #expect(
            actions.contains(
                .addRoute(
                    RouterRoute(
                        destination: Fixture.prefix("0.0.0.0/0"), nextHop: Fixture.address("203.0.113.1"),
                        interface: outer))))
    }

    @Test("what is as wanted is left alone, also what a cut-off pass left half-way is carried on with")
    func settledHost() {
        var seen = RouterSighting(directory: "/var/lib/r")
        seen.isPrepared = true
        let whole = RouterPlanner.plan(router, seen)
        for action in whole {
            RouterFixture.carryOut(action, router, on: &seen)
            var later = seen
            for action in RouterPlanner.plan(router, later) { RouterFixture.carryOut(action, router, on: &later) }
            #expect(RouterPlanner.plan(router, later) == [])
        }
        #expect(RouterPlanner.plan(router, seen) == [])
    }

    @Test("connections of which nobody knows whether the rules would have let them begin are looked at")
    func unknownConnections() {
        var seen = settled(router)
        seen.areConnectionsChecked = false
        #expect(RouterPlanner.plan(router, seen) == [.cutConnections])
        seen.isPrepared = false
        #expect(!RouterPlanner.plan(router, seen).contains(.cutConnections))
    }

    @Test("admin down stops forwarding first and nothing else")
    func adminDown() {
        var down = router
        down.isAdminUp = false
        #expect(RouterPlanner.plan(down, settled(router)) == [.setForwarding(false)])
        #expect(RouterPlanner.plan(router, settled(down)) == [.setForwarding(true)])
    }

    @Test("a floating IP that comes: its rules, its address, and word of it")
    func floatingIP() throws {
        var more = router
        let address = Fixture.address("203.0.113.78")
        more.floatingIPs.append(
            .init(id: Fixture.id(0x62), address: address, fixedAddress: Fixture.address("10.0.0.7")))
        let actions = RouterPlanner.plan(more, settled(router))
        #expect(actions.count == 4)
        guard case .restore(.ipv4, let script)? = actions.first else { throw Missing() }
        #expect(script.contains("-A skerry-dnat -d 203.0.113.78/32 -j DNAT --to-destination 10.0.0.7"))
        #expect(!script.contains("*filter") && !script.contains("*mangle"))
        let own = InterfaceAddress(address: address, prefixLength: 32)
        #expect(
            actions.dropFirst() == [
                .addAddress(outer, own), .cutConnections,
                .announce(.init(interface: outer, address: address, mac: Fixture.mac("fa:16:3e:00:00:52")))
            ])
        let back = RouterPlanner.plan(router, settled(more))
        #expect(back.dropFirst() == [.removeAddress(outer, own), .cutConnections])
    }

    private struct Missing: Error {}

    @Test("an interface that goes, one whose MAC changed, and a bridge that was made anew")
    func links() {
        var fewer = router
        fewer.interfaces = []
        #expect(RouterPlanner.plan(fewer, settled(router)) == [.removeLink(.routerLink(Fixture.id(0x51)))])
        var other = router
        other.interfaces[0].mac = Fixture.mac("fa:16:3e:00:00:99")
        let actions = RouterPlanner.plan(other, settled(router))
        #expect(actions.first == .removeLink(.routerLink(Fixture.id(0x51))))
        #expect(actions.contains(.addLink(Fixture.id(0x51), Fixture.mac("fa:16:3e:00:00:99"))))
        var back = settled(router)
        back.inside[inside]?.mac = Fixture.mac("fa:16:3e:00:00:99")
        #expect(
            RouterPlanner.plan(router, back).last
                == .announce(
                    .init(
                        interface: inside, address: Fixture.address("10.0.0.1"), mac: Fixture.mac("fa:16:3e:00:00:51")
                    )), "a new link knows nothing yet")
        var seen = settled(router)
        seen.outside[0].bridge = nil
        let link = seen.outside[0].name
        #expect(RouterPlanner.plan(router, seen) == [.join(link, bridge: .bridge(Fixture.id(0x1a)))])
        var isolated = settled(router)
        isolated.outside[0].isIsolated = true
        #expect(RouterPlanner.plan(router, isolated) == [.admit(link)])
    }

    @Test("routes: of the tenant's, replaced, removed, and a next hop that no prefix says is near")
    func routes() {
        var more = router
        more.routes = [
            HostRoute(destination: Fixture.prefix("172.16.0.0/12"), nextHop: Fixture.address("10.0.0.9"))
        ]
        let extra = RouterRoute(
            destination: Fixture.prefix("172.16.0.0/12"), nextHop: Fixture.address("10.0.0.9"), interface: inside)
        #expect(RouterPlanner.plan(more, settled(router)) == [.addRoute(extra)])
        #expect(RouterPlanner.plan(router, settled(more)) == [.removeRoute(extra)])
        var moved = more
        moved.routes[0].nextHop = Fixture.address("10.0.0.10")
        var replaced = extra
        replaced.nextHop = Fixture.address("10.0.0.10")
        #expect(RouterPlanner.plan(moved, settled(more)) == [.addRoute(replaced)])
        var far = router
        far.gateway?.nextHops = [Fixture.address("198.51.100.1")]
        let onLink = RouterRoute(
            destination: Fixture.prefix("0.0.0.0/0"), nextHop: Fixture.address("198.51.100.1"), interface: outer,
            isOnLink: true)
        #expect(RouterPlanner.plan(far, settled(router)) == [.addRoute(onLink)])
    }

    @Test("an IPv6 subnet is advertised in its mode, and no longer when the router is down")
    func advertisements() throws {
        var six = router
        six.interfaces[0].addresses.append(
            .init(
                subnet: Fixture.id(0x61), address: Fixture.address("2001:db8::1"), prefixLength: 64,
                raMode: .dhcpv6Stateless, dnsServers: [Fixture.address("2001:db8::53")]))
        let actions = RouterPlanner.plan(six, settled(router))
        guard case .advertise(let text?)? = actions.first(where: { "\($0)".hasPrefix("advertise") }) else {
            throw Missing()
        }
        let lines = text.split(separator: "\n")
        #expect(lines.contains("interface=\(inside)") && lines.contains("port=0") && lines.contains("enable-ra"))
        #expect(
            lines.contains("dhcp-range=set:subnet-\(Fixture.id(0x61) as SubnetID),2001:db8::,ra-stateless,64,86400s"))
        #expect(lines.contains { $0.hasSuffix("option6:dns-server,[2001:db8::53]") })
        #expect(lines.contains("ra-param=\(inside),mtu:1450,30,300"))
        var seen = settled(six)
        #expect(RouterPlanner.plan(six, seen) == [])
        seen.advertiser?.isRunning = false
        #expect(RouterPlanner.plan(six, seen) == [.advertise(text)])
        var down = six
        down.isAdminUp = false
        #expect(RouterPlanner.plan(down, settled(six)).contains(.advertise(nil)))
    }

    @Test(
        "connections that outlived what they were translated by",
        arguments: [
            ("to a floating IP", "198.51.100.9", "203.0.113.77", "10.0.0.5", "198.51.100.9", 22, false),
            ("to one that stands for another", "198.51.100.9", "203.0.113.77", "10.0.0.6", "198.51.100.9", 22, true),
            ("to one that went", "198.51.100.9", "203.0.113.99", "10.0.0.5", "198.51.100.9", 22, true),
            ("from a guest with a floating IP", "10.0.0.5", "198.51.100.9", "198.51.100.9", "203.0.113.77", 22, false),
            ("by an address that went", "10.0.0.5", "198.51.100.9", "198.51.100.9", "203.0.113.99", 22, true),
            ("by the router's own", "10.0.0.6", "198.51.100.9", "198.51.100.9", "203.0.113.10", 22, false),
            ("to a forwarded port", "198.51.100.9", "203.0.113.88", "10.0.0.6", "198.51.100.9", 8080, false),
            ("to a port that is not", "198.51.100.9", "203.0.113.88", "10.0.0.6", "198.51.100.9", 9090, true)
        ])
    func connections(
        what: String, source: String, destination: String, replySource: String, replyDestination: String, port: Int,
        isStale: Bool
    ) {
        let connection = TranslatedConnection(
            source: Fixture.address(source), destination: Fixture.address(destination), protocolNumber: 6,
            destinationPort: port, replySource: Fixture.address(replySource),
            replyDestination: Fixture.address(replyDestination))
        #expect(router.hasOutlived(connection) == isStale)
    }
}

/// A router between a tenant's network and the outside.
enum RouterFixture {
    static func router(network: NetworkID, outside: NetworkID) -> RouterSpec {
        RouterSpec(
            id: Fixture.id(0x71), project: Fixture.id(1), isAdminUp: true,
            interfaces: [
                .init(
                    port: Fixture.id(0x51), network: network, mac: Fixture.mac("fa:16:3e:00:00:51"), mtuBytes: 1450,
                    addresses: [
                        .init(subnet: Fixture.id(0x41), address: Fixture.address("10.0.0.1"), prefixLength: 24)
                    ])
            ],
            gateway: .init(
                interface: .init(
                    port: Fixture.id(0x52), network: outside, mac: Fixture.mac("fa:16:3e:00:00:52"), mtuBytes: 1500,
                    addresses: [
                        .init(subnet: Fixture.id(0x42), address: Fixture.address("203.0.113.10"), prefixLength: 24)
                    ]), nextHops: [Fixture.address("203.0.113.1")], isSNATEnabled: true),
            floatingIPs: [
                .init(
                    id: Fixture.id(0x61), address: Fixture.address("203.0.113.77"),
                    fixedAddress: Fixture.address("10.0.0.5"))
            ],
            portForwardings: [
                .init(
                    id: Fixture.id(0x63), protocolNumber: 6, externalAddress: Fixture.address("203.0.113.88"),
                    externalPorts: 8080...8081, internalAddress: Fixture.address("10.0.0.6"), firstInternalPort: 80)
            ])
    }

    /// What the kernel shows after the action.
    static func carryOut(_ action: RouterPlanner.Action, _ router: RouterSpec, on seen: inout RouterSighting) {
        func outside(_ name: InterfaceName, _ change: (inout RouterSighting.Outside) -> Void) {
            for at in seen.outside.indices where seen.outside[at].name == name { change(&seen.outside[at]) }
        }
        switch action {
        case .prepare: seen.isPrepared = true
        case .setForwarding(let isOn): seen.isForwarding = isOn
        case .removeLink(let name): seen.outside.removeAll { $0.name == name }
        case .addLink(let port, let mac):
            seen.outside.append(
                .init(port: port, name: .routerLink(port), bridge: nil, mtuBytes: 1500, isUp: false))
            seen.inside[.routerInterface(port)] = .init(mac: mac, mtuBytes: 1500, isUp: false, addresses: [])
        case .restore(let family, _):
            seen.rules[family] = SavedRules(written: RouterRules.tables(router)[family] ?? [], family)
            seen.areConnectionsChecked = false
        case .cutConnections: seen.areConnectionsChecked = true
        case .setOutsideMTU(let name, let bytes): outside(name) { $0.mtuBytes = bytes }
        case .join(let name, let bridge): outside(name) { $0.bridge = bridge }
        case .setOutsideUp(let name): outside(name) { $0.isUp = true }
        case .admit(let name): outside(name) { $0.isIsolated = false }
        case .setInsideMTU(let name, let bytes): seen.inside[name]?.mtuBytes = bytes
        case .removeAddress(let name, let address): seen.inside[name]?.addresses.remove(address)
        case .addAddress(let name, let address): seen.inside[name]?.addresses.insert(address)
        case .setInsideUp(let name): seen.inside[name]?.isUp = true
        case .addRoute(let route):
            seen.routes = seen.routes.filter { $0.destination != route.destination }.union([route])
        case .removeRoute(let route): seen.routes.remove(route)
        case .advertise(let text): seen.advertiser = text.map { .init(configuration: $0, isRunning: true) }
        case .announce(let announced): seen.announced.insert(announced)
        }
    }
}
