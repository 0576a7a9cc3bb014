import CoordinatorCompute
import CoordinatorPlacement
import ProtocolModel
import Testing

@Suite("compute: what aggregates ask of hosts")
struct AggregateRuleTests {
    static let matches: [(wanted: String, value: String, expected: Bool)] = [
        ("true", "true", true), ("true", "false", false), ("s== a", "a", true), ("s!= a", "a", false),
        ("s< b", "a", true),
        ("s>= b", "a", false), ("= 4", "8", true), ("= 4", "2", false), ("== 4", "4.0", true), ("!= 4", "5", true),
        (">= 4", "x", false), ("<= 4", "3", true), ("<in> ss", "ssd", true), ("<all-in> a b", "ab", true),
        ("<all-in> a c", "ab", false), ("<or> a <or> b", "b", true), ("<or> a", "c", false),
        ("two words", "two words", true)
    ]

    @Test("extra specs match in Nova's words", arguments: matches.indices)
    func match(_ index: Int) {
        let (wanted, value, expected) = Self.matches[index]
        #expect(ExtraSpecMatch.matches(wanted, value) == expected, "\(wanted) \(value)")
    }

    private static func aggregate(_ number: UInt64, _ metadata: [String: String]) -> Aggregate {
        Aggregate(id: AnyID(high: 0, low: number), name: "a\(number)", metadata: metadata, createdAt: 0)
    }

    @Test("the zone is the first that names one, and of several ratios the least counts")
    func rules() {
        let rules = AggregateRules.rules(of: [
            Self.aggregate(1, ["cpu_allocation_ratio": "8", "ram_allocation_ratio": "lots"]),
            Self.aggregate(2, ["availability_zone": "east", "cpu_allocation_ratio": "2"])
        ])
        #expect(rules == HostRules(zone: "east", ratios: [ResourceClass.vcpu: 2]))
    }

    @Test("projects of an aggregate, several keys and lists of them, and values in several aggregates")
    func requests() {
        let project = ProjectID(high: 7, low: 7)
        var request = PlacementRequest(
            consumer: .init(
                id: AnyID(high: 1, low: 1), type: "INSTANCE", project: project, user: UserID(high: 2, low: 2)),
            resources: [:], role: nil)
        let aggregates = [
            Self.aggregate(1, ["filter_tenant_id": "x, \(project.compact)", "disk": "ssd,nvme"]),
            Self.aggregate(2, ["filter_tenant_id2": "y"]), Self.aggregate(3, ["disk": "hdd"])
        ]
        AggregateRules.apply(
            aggregates, extraSpecs: ["aggregate_instance_extra_specs:disk": "nvme", "disk": "x"], project: project,
            to: &request)
        #expect(request.isolation?.closed == [aggregates[0].id.text, aggregates[1].id.text])
        #expect(request.isolation?.open == [aggregates[0].id.text])
        #expect(request.aggregates == [[aggregates[0].id.text]])
    }
}
