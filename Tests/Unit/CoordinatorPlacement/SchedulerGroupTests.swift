import CoordinatorPlacement
import ProtocolModel
import Testing

@Suite("groups of consumers, and hosts that are asked for")
struct SchedulerGroupTests {
    private static func node(_ number: UInt64) -> NodeID { NodeID(high: 0, low: number) }

    private static func decide(
        _ policy: PlacementGroup.Policy, most: Int = 1, members: [NodeID: Int], hosts: [HostState]
    ) -> PlacementDecision {
        let request = makeRequest { request in
            PlacementGroup(id: AnyID(high: 9, low: 9), policy: policy, mostPerHost: most)
                .apply(to: &request, members: members)
        }
        return Scheduler.decide(request, among: hosts, tieBreak: 7)
    }

    private static let hosts = [makeHost(1), makeHost(2, memory: (65_536, 0)), makeHost(3, zone: "b")]

    @Test("apart: hosts with as many as may be are dropped, and told of")
    func apart() {
        let full = Self.decide(
            .antiAffinity, members: [Self.node(1): 1, Self.node(2): 2, Self.node(3): 1], hosts: Self.hosts)
        #expect(full.host == nil)
        #expect(full.summary == "3 hosts: 3 has another of the server group")
        let second = Self.decide(
            .antiAffinity, most: 2, members: [Self.node(1): 1, Self.node(2): 2, Self.node(3): 2], hosts: Self.hosts)
        #expect(second.host?.hostname == "host-1")
        #expect(second.groups.contains { $0.summary == "2 has 2 of the server group (at most 2)" })
    }

    @Test("together: the first may go anywhere, others where it is, or nowhere")
    func together() {
        #expect(Self.decide(.affinity, members: [:], hosts: Self.hosts).host?.hostname == "host-2")
        #expect(Self.decide(.affinity, members: [Self.node(3): 1], hosts: Self.hosts).host?.hostname == "host-3")
        let full = Self.decide(
            .affinity, members: [Self.node(4): 1], hosts: Self.hosts + [makeHost(4, memory: (256, 0))])
        #expect(
            full.summary
                == "4 hosts: 1 short of memory (need 512 MiB, has 256), "
                + "3 not the host of the others of its server group")
    }

    @Test("softly: the group goes before the numbers, and a full host stands in nobody's way")
    func softly() {
        let members = [Self.node(1): 2, Self.node(3): 1]
        #expect(Self.decide(.softAffinity, members: members, hosts: Self.hosts).host?.hostname == "host-1")
        #expect(Self.decide(.softAntiAffinity, members: members, hosts: Self.hosts).host?.hostname == "host-2")
        let weight = Self.decide(.softAffinity, members: members, hosts: Self.hosts).groups.first?.samples.first?.reason
        #expect(weight?.hasSuffix("server group 1.00") == true)
        let alone = Self.decide(.softAntiAffinity, members: [Self.node(1): 5], hosts: [makeHost(1)])
        #expect(alone.host?.hostname == "host-1")
    }

    @Test("several sets of hosts narrow each other, and each host is dropped for one reason")
    func narrowed() {
        var request = makeRequest()
        request.among = [
            .init([Self.node(1), Self.node(3)], reason: "not one"), .init([Self.node(3)], reason: "not two")
        ]
        let found = Scheduler.decide(request, among: Self.hosts, tieBreak: 0)
        #expect(found.host?.hostname == "host-3")
        #expect(found.groups.map(\.count).reduce(0, +) == 3)
        request.host = "host-1"
        let none = Scheduler.decide(request, among: Self.hosts, tieBreak: 0)
        #expect(none.host == nil)
        #expect(none.summary == "3 hosts: 1 not two, 2 not the host asked for (host-1)")
        request = makeRequest()
        request.apart = [Self.node(1): "x", Self.node(2): "x"]
        request.excluded = [Self.node(1): "it broke"]
        #expect(
            Scheduler.decide(request, among: Self.hosts, tieBreak: 0).groups.dropFirst().map(\.summary)
                == ["1 tried before: it broke", "1 x"])
    }
}
