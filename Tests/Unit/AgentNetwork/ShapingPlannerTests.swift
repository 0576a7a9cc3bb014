import AgentCore
import AgentNetlink
import AgentNetwork
import ProtocolModel
import Testing

@Suite("planner of limits")
struct ShapingPlannerTests {
    private static let limit = PortSpec.RateLimit(bitsPerSecond: 8_000_000, burstBytes: 100_000)
    private static let bucket = ShapingPlanner.bucket(for: limit, mtuBytes: 1450)
    private static let id = Fixture.port().id

    private static let tap = ObservedLink(
        index: 5, name: .tap(id), kind: "tun", alias: OwnershipMark.port(id).text)
    private static let queue = ObservedLink(
        index: 6, name: .queue(id), kind: "ifb", alias: OwnershipMark.queue(id).text)
    /// Another's, of the name that ours would have.
    private static let foreign = ObservedLink(index: 7, name: .tap(id), kind: "tun")

    struct Case: Sendable {
        var name: String
        var quality = PortSpec.Quality()
        var links = [tap, queue]
        var queues: [Int32: LinkQueues] = [:]
        var diversions: [Int32: Int32] = [:]
        var steps: [ShapingPlanner.Action]
    }

    static let cases: [Case] = [
        Case(name: "nothing wanted, nothing there", steps: []),
        Case(
            name: "both ways", quality: .init(toGuest: limit, fromGuest: limit),
            steps: [.setBucket(bucket), .setBucket(bucket), .divert(through: 6)]),
        Case(
            name: "as it is", quality: .init(toGuest: limit, fromGuest: limit),
            queues: [5: .init(bucket: bucket, hasFilters: true), 6: .init(bucket: bucket)], diversions: [5: 6],
            steps: []),
        Case(
            name: "diverted elsewhere", quality: .init(fromGuest: limit),
            queues: [5: .init(hasFilters: true), 6: .init(bucket: bucket)], diversions: [5: 9],
            steps: [.undivert, .divert(through: 6)]),
        Case(
            name: "filters without a diversion", quality: .init(fromGuest: limit),
            queues: [5: .init(hasFilters: true), 6: .init(bucket: bucket)],
            steps: [.undivert, .divert(through: 6)]),
        Case(
            name: "not wanted any more", queues: [5: .init(bucket: bucket, hasFilters: true), 6: .init(bucket: bucket)],
            steps: [.undivert, .removeBucket]),
        Case(
            name: "another's of the same name", quality: .init(toGuest: limit), links: [foreign],
            queues: [7: .init(bucket: bucket, hasFilters: true)], steps: []),
        Case(
            name: "no queue yet", quality: .init(fromGuest: limit), links: [tap], steps: [])
    ]

    @Test("what is there becomes what is wanted", arguments: cases.indices)
    func plan(_ index: Int) {
        let item = Self.cases[index]
        var port = Fixture.port()
        port.quality = item.quality
        let observed = ShapingPlanner.Observed(links: item.links, queues: item.queues, diversions: item.diversions)
        let network = Fixture.network()
        let steps = ShapingPlanner.plan(ports: [port.id: port], networks: [network.id: network], observed: observed)
        #expect(steps.map(\.action) == item.steps, "\(item.name)")
        let gone = ShapingPlanner.release(ports: [:], observed: observed)
        #expect(gone.map(\.action) == (item.queues[5]?.hasFilters == true ? [.undivert] : []), "\(item.name)")
    }

    /// Bits a second, burst, and the bucket.
    static let buckets: [(Int, Int, TokenBucket)] = [
        (8_000_000, 100_000, TokenBucket(bytesPerSecond: 1_000_000, burstBytes: 100_000, queueBytes: 81_920)),
        // No burst is smaller than what comes at once.
        (8_000_000, 0, TokenBucket(bytesPerSecond: 1_000_000, burstBytes: 4_000, queueBytes: 81_920)),
        (1000, 0, TokenBucket(bytesPerSecond: 125, burstBytes: 2_936, queueBytes: 81_920)),
        (1, 0, TokenBucket(bytesPerSecond: 1, burstBytes: 270, queueBytes: 81_920)),
        (
            10_000_000_000, 1_000_000_000,
            TokenBucket(bytesPerSecond: 1_250_000_000, burstBytes: 1_000_000_000, queueBytes: 62_500_000)
        ),
        (
            2_147_483_647_000, .max,
            TokenBucket(bytesPerSecond: 268_435_455_875, burstBytes: .max, queueBytes: 268_435_456)
        ),
        (.max, .max, TokenBucket(bytesPerSecond: UInt64(Int.max) / 8, burstBytes: .max, queueBytes: 268_435_456))
    ]

    @Test("every limit makes a bucket that the kernel takes", arguments: buckets.indices)
    func bucket(_ index: Int) {
        let (rate, burst, bucket) = Self.buckets[index]
        #expect(
            ShapingPlanner.bucket(for: .init(bitsPerSecond: rate, burstBytes: burst), mtuBytes: 1450) == bucket)
    }

    @Test("a limited guest has a queue before it has a tap, and a marked one a rule")
    func links() {
        var port = Fixture.port()
        port.quality = .init(fromGuest: Self.limit, dscp: 26)
        let network = Fixture.network()
        let outcome = PortPlanner.plan(
            ports: [port.id: port], networks: [network.id: network], failedNetworks: [:])
        #expect(outcome.links.map(\.name) == [.queue(port.id), .tap(port.id)])
        #expect(OwnershipMark(alias: OwnershipMark.queue(port.id).text) == .queue(port.id))
        let state = NetworkState(networks: [network.id: network], ports: [port.id: port])
        for family in [FilterFamily.ipv4, .ipv6] {
            let table = FirewallPlanner.plan(state).tables[family]?.first { $0.name == "mangle" }
            #expect(
                table?.chains["skerry-dscp"]
                    == ["-m physdev --physdev-in \(InterfaceName.tap(port.id)) -j DSCP --set-dscp 26"])
        }
    }
}
