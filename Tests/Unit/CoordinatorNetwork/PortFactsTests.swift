import CoordinatorNetwork
import ProtocolModel
import Testing

@Suite("what keeps packets from a port")
struct PortFactsTests {
    /// A port that works.
    private static var good: PortFacts {
        var facts = PortFacts()
        facts.hasServer = true
        facts.isActive = true
        facts.host = PortFacts.Host(name: "h1", physicalNetworks: ["physnet1"])
        facts.physicalNetwork = "physnet1"
        facts.families = [.ipv4]
        facts.groupCount = 1
        facts.allowed = [.ingress: [.ipv4], .egress: [.ipv4]]
        facts.hasWayOut = true
        return facts
    }

    static let cases: [(@Sendable (inout PortFacts) -> Void, [String])] = [
        ({ _ in }, []),
        ({ $0.hasServer = false }, ["No server has the port: it is on no host."]),
        ({ $0.host = nil }, ["Its server is on no host: see 'skerry explain server'."]),
        ({ $0.isAdminUp = false }, ["It is down by its admin_state_up: no frame passes."]),
        ({ $0.host?.isUp = false }, ["Host h1 is not up: what it last said may not hold any more."]),
        (
            {
                $0.isActive = false
                $0.lastError = "no tap"
            }, ["Host h1 could not make it: no tap"]
        ),
        ({ $0.isActive = false }, ["Host h1 has not said yet that it is there."]),
        ({ $0.host?.physicalNetworks = [] }, ["Host h1 is not connected to physical network 'physnet1'."]),
        ({ $0.host?.problems = ["disk full"] }, ["Host h1: disk full"]),
        ({ $0.families = [] }, ["It has no address: DHCP gives its guest none."]),
        (
            { $0.silentSubnets = ["10.0.0.0/24"] },
            ["Subnet 10.0.0.0/24 has no DHCP: the guest has to set its address itself."]
        ),
        ({ $0.hasWayOut = false }, ["No router with a gateway is on its network: nothing leads outside."]),
        ({ $0.groupCount = 0 }, ["It has no security group: nothing passes but what gets it an address."]),
        ({ $0.allowed[.ingress] = [] }, ["No rule of its security groups lets IPv4 in."]),
        (
            { $0.families = [.ipv4, .ipv6] },
            ["No rule of its security groups lets IPv6 in.", "No rule of its security groups lets IPv6 out."]
        ),
        (
            {
                $0.isSecured = false
                $0.groupCount = 0
                $0.allowed = [:]
            }, []
        ),
        (
            {
                $0.isRouters = true
                $0.hasServer = false
                $0.host = nil
                $0.lastError = "no namespace"
            }, ["The host could not make the router: no namespace"]
        )
    ]

    @Test("each thing that is amiss is said, and nothing else", arguments: cases.indices)
    func findings(_ index: Int) {
        var facts = Self.good
        Self.cases[index].0(&facts)
        #expect(facts.findings == Self.cases[index].1)
    }
}
