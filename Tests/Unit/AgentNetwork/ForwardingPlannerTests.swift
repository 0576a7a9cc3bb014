import AgentNetlink
import AgentNetwork
import ProtocolModel
import Testing

@Suite("ways to other hosts")
struct ForwardingPlannerTests {
    private let network = Fixture.network(0x1a, .vxlan(vni: 77))
    private let links = [
        Link(
            index: 2, name: .bridge(Fixture.id(0x1a)), kind: "bridge", alias: "skerry:\(Fixture.id(0x1a) as NetworkID)"),
        Link(
            index: 3, name: .vxlan(Fixture.id(0x1a)), kind: "vxlan", master: 2,
            alias: "skerry-vxlan:\(Fixture.id(0x1a) as NetworkID)")
    ]
    private let mac = MACAddress(bits: 0xFA16_3E00_0001)
    private let address = Fixture.address("10.0.0.6")
    private let near = Fixture.address("192.0.2.2")
    private let far = Fixture.address("192.0.2.3")

    private func plan(_ ports: [NetworkSpec.RemotePort], _ actual: Set<ForwardingEntry> = []) -> ForwardingPlanner.Plan
    {
        var network = network
        network.remotePorts = ports
        return ForwardingPlanner.plan(networks: [network.id: network], links: links, actual: actual)
    }

    private func remote(_ mac: MACAddress, _ address: IPAddress, _ tunnel: IPAddress) -> NetworkSpec.RemotePort {
        .init(mac: mac, addresses: [address], tunnel: tunnel)
    }

    private func whole(_ mac: MACAddress, _ address: IPAddress, _ tunnel: IPAddress) -> Set<ForwardingEntry> {
        [
            .tunnel(device: 3, mac: .unspecified, host: tunnel), .tunnel(device: 3, mac: mac, host: tunnel),
            .port(device: 3, mac: mac), .neighbor(device: 2, address: address, mac: mac)
        ]
    }

    @Test("a port elsewhere: where its frames go, who answers for it, and one entry a host for all else")
    func fresh() {
        #expect(Set(plan([remote(mac, address, near)]).additions) == whole(mac, address, near))
        let second = MACAddress(bits: 0xFA16_3E00_0002)
        let plan = plan([remote(mac, address, near), remote(second, Fixture.address("10.0.0.7"), near)])
        #expect(plan.additions.count == 7 && plan.removals == [])
        #expect(plan.additions.last == .neighbor(device: 2, address: Fixture.address("10.0.0.7"), mac: second))
    }

    @Test("what is as wanted is left alone, and what is not ours as well")
    func settled() {
        let theirs: Set<ForwardingEntry> = [
            .tunnel(device: 9, mac: mac, host: far), .neighbor(device: 10, address: address, mac: mac)
        ]
        let actual = whole(mac, address, near).union(theirs)
        #expect(plan([remote(mac, address, near)], actual) == ForwardingPlanner.Plan())
        #expect(Set(plan([], actual).removals) == whole(mac, address, near))
    }

    @Test("a port that moves to another host: its entry is replaced, not taken away first")
    func moved() {
        let plan = plan([remote(mac, address, far)], whole(mac, address, near))
        #expect(
            plan.additions == [
                .tunnel(device: 3, mac: .unspecified, host: far), .tunnel(device: 3, mac: mac, host: far)
            ])
        #expect(plan.removals == [.tunnel(device: 3, mac: .unspecified, host: near)])
    }

    @Test("an address that moves to another port")
    func readdressed() {
        let second = MACAddress(bits: 0xFA16_3E00_0002)
        let plan = plan([remote(second, address, near)], whole(mac, address, near))
        #expect(
            plan.additions == [
                .tunnel(device: 3, mac: second, host: near), .port(device: 3, mac: second),
                .neighbor(device: 2, address: address, mac: second)
            ])
        #expect(plan.removals == [.tunnel(device: 3, mac: mac, host: near), .port(device: 3, mac: mac)])
    }

    @Test("nothing for a device that is not in its bridge")
    func unjoined() {
        var network = network
        network.remotePorts = [remote(mac, address, near)]
        var links = links
        links[1].master = nil
        #expect(
            ForwardingPlanner.plan(networks: [network.id: network], links: links, actual: [])
                == ForwardingPlanner.Plan())
    }
}
