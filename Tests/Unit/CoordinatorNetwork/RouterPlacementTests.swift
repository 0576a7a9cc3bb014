import CoordinatorFleet
import CoordinatorNetwork
import ProtocolModel
import Testing

/// Which node routes for a router.
@Suite("places for routers")
struct RouterPlacementTests {
    typealias Candidate = RouterPlacement.Candidate

    private static func candidate(_ number: Int, _ change: (inout Candidate) -> Void = { _ in }) -> Candidate {
        var candidate = Candidate(node: FixedDirectory.id(number), number: number)
        candidate.zone = "nova"
        candidate.physicalNetworks = ["physnet1"]
        change(&candidate)
        return candidate
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var candidates: [Candidate]
        var demand = RouterPlacement.Demand()
        var current: Int?
        var chosen: Int?
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(name: "nobody there", candidates: [], chosen: nil),
        Case(
            name: "the one with the fewest routers",
            candidates: [candidate(1) { $0.load = 3 }, candidate(2) { $0.load = 1 }, candidate(3) { $0.load = 2 }],
            chosen: 2),
        Case(name: "the first of equals", candidates: [candidate(2), candidate(1)], chosen: 1),
        Case(
            name: "no node without role or agent", candidates: [candidate(1) { $0.canRoute = false }, candidate(2)],
            chosen: 2),
        Case(
            name: "nobody suspected or down", candidates: [candidate(1) { $0.isUp = false }, candidate(2)], chosen: 2),
        Case(name: "nobody disabled", candidates: [candidate(1) { $0.isEnabled = false }, candidate(2)], chosen: 2),
        Case(
            name: "with the gateway's physical network",
            candidates: [candidate(1) { $0.physicalNetworks = [] }, candidate(2) { $0.load = 9 }],
            demand: .init(physicalNetworks: ["physnet1"]), chosen: 2),
        Case(
            name: "in one of the zones", candidates: [candidate(1), candidate(2) { $0.zone = "west" }],
            demand: .init(zones: ["west", "east"]), chosen: 2),
        Case(
            name: "with a tunnel, if there is one",
            candidates: [candidate(1) { $0.hasTunnel = false }, candidate(2) { $0.load = 9 }],
            demand: .init(needsTunnel: true), chosen: 2),
        Case(
            name: "without a tunnel where nobody has one", candidates: [candidate(1) { $0.hasTunnel = false }],
            demand: .init(needsTunnel: true), chosen: 1),
        Case(
            name: "where the guests are that no other node reaches",
            candidates: [candidate(1), candidate(2) { $0.load = 9 }],
            demand: .init(guests: [FixedDirectory.id(2)]), chosen: 2),
        Case(
            name: "it stays whatever the load", candidates: [candidate(1) { $0.load = 9 }, candidate(2)], current: 1,
            chosen: 1),
        Case(
            name: "it stays on a node that is suspected or disabled",
            candidates: [
                candidate(1) {
                    $0.isUp = false
                    $0.isEnabled = false
                }, candidate(2)
            ], current: 1, chosen: 1),
        Case(
            name: "it leaves a node that is down",
            candidates: [
                candidate(1) {
                    $0.isUp = false
                    $0.isDown = true
                }, candidate(2)
            ], current: 1, chosen: 2),
        Case(
            name: "it waits on a node that is down where no other can have it",
            candidates: [
                candidate(1) {
                    $0.isUp = false
                    $0.isDown = true
                }, candidate(2) { $0.canRoute = false }
            ], current: 1, chosen: 1),
        Case(
            name: "it leaves a node that has lost the role",
            candidates: [candidate(1) { $0.canRoute = false }, candidate(2)], current: 1, chosen: 2),
        Case(name: "it leaves a node that is gone", candidates: [candidate(2)], current: 1, chosen: 2),
        Case(
            name: "it waits nowhere when its node is gone and no other can have it",
            candidates: [candidate(2) { $0.canRoute = false }], current: 1, chosen: nil)
    ]

    @Test("the node that has it", arguments: cases)
    func chooses(_ item: Case) {
        let node = RouterPlacement.node(
            for: item.demand, among: item.candidates, current: item.current.map(FixedDirectory.id))
        #expect(node == item.chosen.map(FixedDirectory.id))
    }
}

@Suite("numbers of overlay networks")
struct OverlayRangesTests {
    @Test("ranges are sorted, joined and kept within what there is")
    func normal() {
        let ranges = OverlayRanges([20...30, 1...5, 6...8, 25...40, 16_777_210...99_999_999, -5...0])
        #expect(ranges.ranges == [1...8, 20...40, 16_777_210...16_777_215])
        #expect(ranges.count == 8 + 21 + 6)
        #expect(OverlayRanges().count == 16_777_215)
    }

    @Test("every identifier is drawn by some number, and none outside")
    func drawn() {
        let ranges = OverlayRanges([5...7, 10...11])
        #expect((0..<10).compactMap { ranges.identifier(at: $0) } == [5, 6, 7, 10, 11, 5, 6, 7, 10, 11])
        #expect(OverlayRanges([]).identifier(at: 7) == nil)
    }

    @Test(
        "the lowest one that is free",
        arguments: [
            ([], 5), ([5, 6], 7), ([1, 2, 5, 6, 7], 10), ([6, 7, 10, 11], 5), ([5, 6, 7, 10, 11], nil)
        ] as [([Int], Int?)])
    func lowest(taken: [Int], free: Int?) {
        #expect(OverlayRanges([5...7, 10...11]).lowestFree(taken) == free)
    }
}
