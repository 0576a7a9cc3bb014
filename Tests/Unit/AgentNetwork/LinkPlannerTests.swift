import AgentCore
import AgentNetlink
import AgentNetwork
import ProtocolModel
import Testing

@Suite("link plans")
struct LinkPlannerTests {
    private let network = Fixture.network()
    private let port = Fixture.port()

    private func desired(
        _ networks: [NetworkSpec], ports: [PortSpec] = [], actual: [Link] = [],
        addresses: [Int32: Set<InterfaceAddress>] = [:], tunnel: IPAddress? = nil
    ) -> (links: [DesiredLink], failures: [NetworkID: StatusError]) {
        let byID = Dictionary(uniqueKeysWithValues: networks.map { ($0.id, $0) })
        let bridges = BridgePlanner.plan(
            networks: byID, physicalNetworks: ["physnet1": Fixture.name("eth1")], actual: actual, addresses: addresses,
            tunnel: tunnel)
        let taps = PortPlanner.plan(
            ports: Dictionary(uniqueKeysWithValues: ports.map { ($0.id, $0) }), networks: byID,
            failedNetworks: bridges.failures)
        return (bridges.links + taps.links, bridges.failures)
    }

    /// The links of a host on which `network` and `port` are as wanted.
    private var settled: [Link] {
        [
            Link(
                index: 2, name: .bridge(network.id), kind: "bridge", mtuBytes: 1450, isUp: true,
                alias: "skerry:\(network.id)"),
            Link(
                index: 3, name: .serviceLink(network.id), kind: "veth", master: 2, mtuBytes: 1450, isUp: true,
                alias: "skerry-service:\(network.id)", isIsolated: true),
            Link(
                index: 4, name: .tap(port.id), kind: "tun", master: 2, mtuBytes: 1450, isUp: true,
                alias: "skerry-port:\(port.id)")
        ]
    }

    @Test("onto nothing: bridge, service link, tap")
    func fresh() {
        let plan = LinkPlanner.plan(desired: desired([network], ports: [port]).links, actual: [])
        #expect(plan.removals == [] && plan.failures == [:])
        #expect(
            plan.changes.map(\.name.text).reduce(into: []) { if $0.last != $1 { $0.append($1) } } == [
                "brq0000001a-1a", "sdh0000001a-1a", "tap0000002b-2b"
            ])
        #expect(
            plan.changes.filter { $0.name == .serviceLink(network.id) }.map(\.action) == [
                .create(.service(network.id), .service(network.id)), .setMTU(bytes: 1450), .join(.bridge(network.id)),
                .setIsolated(true), .setUp(true)
            ])
    }

    @Test("a tap that nobody wants goes; one that a guest has open leaves its bridge, and comes back into it")
    func heldTap() {
        var links = settled
        let only = desired([network]).links
        #expect(
            LinkPlanner.plan(desired: only, actual: links).removals == [
                .init(.tap(port.id), .delete, owner: .port(port.id))
            ])
        links[2].hasCarrier = true
        #expect(
            LinkPlanner.plan(desired: only, actual: links).removals == [
                .init(.tap(port.id), .release, owner: .port(port.id))
            ])
        links[2].master = nil
        #expect(LinkPlanner.plan(desired: only, actual: links) == LinkPlanner.Plan())
        let back = LinkPlanner.plan(desired: desired([network], ports: [port]).links, actual: links)
        #expect(back.removals == [] && back.changes.map(\.action) == [.join(.bridge(network.id))])
    }

    @Test("what is as wanted is left alone")
    func settledHost() {
        #expect(
            LinkPlanner.plan(desired: desired([network], ports: [port]).links, actual: settled) == LinkPlanner.Plan())
    }

    @Test("an administratively closed port's link goes down")
    func adminDown() {
        var closed = port
        closed.isAdminUp = false
        let plan = LinkPlanner.plan(desired: desired([network], ports: [closed]).links, actual: settled)
        #expect(plan.changes.map(\.action) == [.setUp(false)])
    }

    @Test("what nobody wants goes, ports before bridges, and only what carries our mark")
    func removal() {
        let theirs = Link(index: 9, name: Fixture.name("docker0"), kind: "bridge", alias: "theirs")
        let plan = LinkPlanner.plan(desired: [], actual: settled + [theirs])
        #expect(plan.removals.map(\.name.text) == ["sdh0000001a-1a", "tap0000002b-2b", "brq0000001a-1a"])
        #expect(plan.removals.allSatisfy { $0.action == .delete })
    }

    @Test("what is wanted but cannot be had keeps what it has")
    func keeping() {
        let plan = LinkPlanner.plan(desired: [], actual: settled, keeping: [.network(network.id), .port(port.id)])
        #expect(plan == LinkPlanner.Plan())
    }

    @Test("a bridge of that name without our mark is refused, and so is what would join it")
    func foreignBridge() {
        let theirs = Link(index: 2, name: .bridge(network.id), kind: "bridge")
        let plan = LinkPlanner.plan(desired: desired([network], ports: [port]).links, actual: [theirs])
        #expect(plan.removals == [] && plan.changes == [])
        #expect(plan.failures[.network(network.id)]?.code == .conflict)
        #expect(plan.failures[.port(port.id)]?.code == .conflict)
    }

    @Test("a flat network's uplink joins its bridge isolated, and leaves when the network turns local")
    func flatUplink() {
        var flat = network
        flat.attachment = .flat(physicalNetwork: "physnet1")
        let uplink = Link(index: 8, name: Fixture.name("eth1"), isUp: true)
        let plan = LinkPlanner.plan(desired: desired([flat], actual: [uplink]).links, actual: [uplink])
        #expect(
            plan.changes.filter { $0.name.text == "eth1" }.map(\.action) == [
                .join(.bridge(network.id)), .setIsolated(true)
            ])
        var joined = uplink
        joined.master = 2
        joined.isIsolated = true
        let actual = Array(settled.dropLast()) + [joined]
        #expect(LinkPlanner.plan(desired: desired([flat], actual: actual).links, actual: actual) == LinkPlanner.Plan())
        let release = LinkPlanner.plan(
            desired: desired([network], actual: actual).links, actual: actual, uplinks: [uplink.name])
        #expect(
            release.removals == [.init(uplink.name, .release, owner: .network(network.id))] && release.changes == [])
    }

    @Test("a VLAN network gets a device of its own, and the interface below stays as it is")
    func vlanUplink() {
        var vlan = network
        vlan.attachment = .vlan(physicalNetwork: "physnet1", tag: 100)
        let uplink = Link(index: 8, name: Fixture.name("eth1"), isUp: true)
        let plan = LinkPlanner.plan(desired: desired([vlan], actual: [uplink]).links, actual: [uplink])
        let device = Fixture.name("eth1.100")
        #expect(!plan.changes.contains { $0.name == uplink.name })
        #expect(
            plan.changes.first { $0.name == device }?.action
                == .create(.vlan(parent: uplink.name, tag: 100), .vlan(network.id)))
        #expect(InterfaceName.vlan(tag: 4094, on: Fixture.name("enp0s31f6dock")).text.utf8.count <= 15)
    }

    @Test("an overlay network gets a device with the host's tunnel address, made anew when that changes")
    func overlay() {
        var overlay = network
        overlay.attachment = .vxlan(vni: 77)
        let own = Fixture.address("192.0.2.1")
        let settings = VXLANSettings(vni: 77, local: own)
        let plan = LinkPlanner.plan(desired: desired([overlay], tunnel: own).links, actual: [])
        #expect(
            plan.changes.filter { $0.name == .vxlan(network.id) }.map(\.action) == [
                .create(.vxlan(settings), .vxlan(network.id)), .setMTU(bytes: 1450), .join(.bridge(network.id)),
                .setIsolated(true), .setOverlay, .setUp(true)
            ])
        let device = Link(
            index: 8, name: .vxlan(network.id), kind: "vxlan", master: 2, mtuBytes: 1450, isUp: true,
            alias: "skerry-vxlan:\(network.id)", isIsolated: true, isOverlay: true, vxlan: settings)
        let actual = Array(settled.dropLast()) + [device]
        #expect(
            LinkPlanner.plan(desired: desired([overlay], actual: actual, tunnel: own).links, actual: actual)
                == LinkPlanner.Plan())
        let moved = LinkPlanner.plan(
            desired: desired([overlay], actual: actual, tunnel: Fixture.address("192.0.2.9")).links, actual: actual)
        #expect(moved.removals == [.init(.vxlan(network.id), .delete, owner: .network(network.id))])
        var other = overlay
        other.id = Fixture.id(0x10)
        #expect(desired([overlay, other], actual: actual, tunnel: own).failures.keys.sorted() == [other.id])
    }

    @Test("without a tunnel address an overlay network stays on its host, and fails once it has ports elsewhere")
    func noTunnel() {
        var overlay = network
        overlay.attachment = .vxlan(vni: 77)
        let alone = desired([overlay])
        #expect(alone.failures == [:] && !alone.links.contains { $0.name == .vxlan(network.id) })
        overlay.remotePorts = [
            .init(mac: MACAddress(bits: 1), addresses: [], tunnel: Fixture.address("192.0.2.2"))
        ]
        #expect(desired([overlay]).failures[network.id]?.detail.contains("network.tunnel_address") == true)
        #expect(desired([overlay], tunnel: Fixture.address("2001:db8::1")).failures[network.id]?.code == .unsupported)
        #expect(desired([overlay], tunnel: Fixture.address("192.0.2.1")).failures == [:])
    }

    @Test("a router's link is nobody's uplink, and not this planner's to remove")
    func routerLink() {
        var overlay = network
        overlay.attachment = .vxlan(vni: 77)
        var other = overlay
        other.id = Fixture.id(0x10)
        let mark = RouterMark(router: Fixture.id(5), port: port.id)
        #expect(RouterMark(alias: mark.text) == mark && OwnershipMark(alias: mark.text) == nil)
        let link = Link(index: 9, name: .routerLink(port.id), kind: "veth", master: 2, alias: mark.text)
        #expect(LinkPlanner.plan(desired: [], actual: [link]) == LinkPlanner.Plan())
        #expect(desired([overlay, other], actual: settled + [link]).failures.keys.sorted() == [network.id])
    }

    @Test(
        "uplinks that cannot be used",
        arguments: [
            ("no such physical network", StatusError.Code.unsupported), ("no such interface", .unsupported),
            ("in another bridge", .conflict), ("with the host's address", .conflict), ("too small an MTU", .unsupported)
        ])
    func refusedUplinks(why: String, code: StatusError.Code) {
        var flat = network
        flat.attachment = .flat(physicalNetwork: why == "no such physical network" ? "physnet9" : "physnet1")
        var actual = [Link(index: 8, name: Fixture.name("eth1"), isUp: true)]
        var addresses: [Int32: Set<InterfaceAddress>] = [
            8: [InterfaceAddress(address: Fixture.address("fe80::1"), prefixLength: 64)]
        ]
        switch why {
        case "no such interface": actual = []
        case "in another bridge":
            actual[0].master = 9
            actual.append(Link(index: 9, name: Fixture.name("br0"), kind: "bridge"))
        case "with the host's address":
            addresses[8]?.insert(InterfaceAddress(address: Fixture.address("192.0.2.1"), prefixLength: 24))
        case "too small an MTU": actual[0].mtuBytes = 1400
        default: break
        }
        #expect(desired([flat], actual: actual, addresses: addresses).failures[network.id]?.code == code)
    }

    @Test("of two networks with one way out, the one that has it keeps it")
    func sharedAttachment() {
        var first = Fixture.network(0x10)
        var second = Fixture.network(0x20)
        first.attachment = .flat(physicalNetwork: "physnet1")
        second.attachment = .flat(physicalNetwork: "physnet1")
        var uplink = Link(index: 8, name: Fixture.name("eth1"), isUp: true)
        #expect(desired([first, second], actual: [uplink]).failures.keys.sorted() == [second.id])
        let bridge = Link(index: 2, name: .bridge(second.id), kind: "bridge", alias: "skerry:\(second.id)")
        uplink.master = 2
        #expect(desired([first, second], actual: [bridge, uplink]).failures.keys.sorted() == [first.id])
    }

    @Test("a service link whose other end is gone is made again")
    func severed() {
        let plan = LinkPlanner.plan(
            desired: desired([network], ports: [port]).links, actual: settled, severed: [.serviceLink(network.id)])
        #expect(plan.removals == [.init(.serviceLink(network.id), .delete, owner: .network(network.id))])
        #expect(plan.changes.first?.action == .create(.service(network.id), .service(network.id)))
    }
}
