import CoordinatorImage
import ProtocolModel
import Testing

@Suite("turns of imports")
struct ImportLaneTests {
    private static let projects: [ProjectID?] = [nil] + (1...20).map { ProjectID(high: 1, low: $0) }

    /// Imports under way, who waits in order, and who of them starts; projects by number, 0 for nobody's.
    static let turns: [(underWay: [Int: Int], waiting: [Int], expected: [Int])] = [
        ([:], [], []), ([:], [1], [1]), ([:], [0], [0]),
        // One project has its share and no more.
        ([1: 3], [1], [1]), ([1: 4], [1], []), ([0: 4], [0], []), ([1: 9], [1], []),
        // Which keeps nobody else waiting, in whatever order they came.
        ([1: 4], [1, 2], [2]), ([1: 4], [2, 1, 3], [2, 3]),
        // Where there is little left, who has none goes first, and nobody takes what they would not leave another.
        ([1: 4, 2: 4, 3: 4, 4: 1], [4], [4]), ([1: 4, 2: 4, 3: 4, 4: 2], [4, 5], [5]),
        ([1: 4, 2: 4, 3: 4, 4: 3], [4, 1, 5, 6], [5]), ([1: 4, 2: 4, 3: 4, 4: 2, 5: 1], [5, 1, 6], [6]),
        ([1: 4, 2: 4, 3: 4, 4: 2, 5: 1, 6: 1], [7], []),
        // Among equals the oldest.
        ([1: 4, 2: 4, 3: 4, 4: 3], [6, 5], [6]), ([1: 1, 2: 1], [2, 1], [2, 1]),
        // All places are given where enough projects ask.
        ([:], Array(1...20), Array(1...16))
    ]

    @Test("who starts", arguments: turns)
    func turn(underWay: [Int: Int], waiting: [Int], expected: [Int]) {
        let heads = waiting.map { ImportLane.Head(task: .random(), owner: Self.projects[$0]) }
        let counts = Dictionary(uniqueKeysWithValues: underWay.map { (Self.projects[$0], $1) })
        let started = ImportLane.turns(underWay: counts, heads: heads)
        #expect(started.map { Self.projects.firstIndex(of: $0.owner) } == expected)
    }

    @Test("however many imports some projects have, the next one's first starts at once")
    func newcomer() {
        for greedy in 1...4 {
            var underWay: [ProjectID?: Int] = [:]
            while true {
                let heads = (1...greedy).map { ImportLane.Head(task: .random(), owner: Self.projects[$0]) }
                let started = ImportLane.turns(underWay: underWay, heads: heads)
                if started.isEmpty { break }
                for head in started { underWay[head.owner, default: 0] += 1 }
            }
            #expect(underWay.values.reduce(0, +) < ImportLane.places)
            let newcomer = ImportLane.Head(task: .random(), owner: Self.projects[5])
            #expect(ImportLane.turns(underWay: underWay, heads: [newcomer]) == [newcomer], "\(underWay)")
        }
    }
}
