import CoordinatorPlacement
import Testing
import TestsSupportRandomness

struct CandidateModelTests {
    private static let classes = ["VCPU", "VGPU", "DISK_GB"]
    private static let traits = ["CUSTOM_A", "CUSTOM_B"]
    private static let aggregates = ["east", "west"]

    /// A few trees and some that share.
    private static func wood(_ random: inout SeededGenerator) -> Wood {
        var names: [String] = []
        let lines = (0..<2 + random.below(4)).map { number -> String in
            let isRoot = names.isEmpty || random.isHit(percent: 45)
            let name = isRoot ? "p\(number)" : "\(names[random.below(names.count)])/p\(number)"
            names.append(name)
            var words = [name]
            for resource in classes where random.isHit(percent: 65) {
                words.append("\(resource):\(1 + random.below(4))-\(random.below(2))")
            }
            for trait in traits where random.isHit(percent: 35) { words.append("+\(trait)") }
            if random.isHit(percent: 25) { words.append("+MISC_SHARES_VIA_AGGREGATE") }
            for aggregate in aggregates where random.isHit(percent: 40) { words.append("@\(aggregate)") }
            return words.joined(separator: " ")
        }
        return Wood(lines.joined(separator: "\n"))
    }

    private static func filter(_ names: [String], _ random: inout SeededGenerator) -> NameFilter {
        var filter = NameFilter()
        if random.isHit(percent: 12), let name = names.randomElement(using: &random) { filter.required.append([name]) }
        if random.isHit(percent: 6) { filter.required.append(Set(names)) }
        if random.isHit(percent: 8), let name = names.randomElement(using: &random) { filter.forbidden.insert(name) }
        return filter
    }

    private static func request(_ wood: Wood, _ random: inout SeededGenerator) -> CandidateRequest {
        let ids = wood.states.flatMap(\.aggregates)
        let groups = ["", "1", "_B"].filter { _ in random.isHit(percent: 60) }.map { suffix in
            var group = CandidateRequest.Group(suffix: suffix)
            for name in classes.shuffled(using: &random).prefix(1 + random.below(2)) {
                group.resources[name] = 1 + random.below(2)
            }
            group.traits = filter(traits, &random)
            group.aggregates = filter(Set(ids).sorted(), &random)
            if random.isHit(percent: 15) { group.tree = wood.states.randomElement(using: &random)?.uuid }
            return group
        }
        var request = CandidateRequest(groups: groups)
        request.isIsolated = random.isHit(percent: 40)
        request.isNested = random.isHit(percent: 80)
        if random.isHit(percent: 20) { request.root = filter(traits, &random) }
        let suffixes = groups.map(\.suffix).filter { !$0.isEmpty }
        if suffixes.count > 1, random.isHit(percent: 40) { request.subtrees = [Set(suffixes)] }
        return request
    }

    @Test("a search finds what the definition says, and nothing else", arguments: 1...400)
    func agrees(_ seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let wood = Self.wood(&random)
        let request = Self.request(wood, &random)
        guard !request.groups.isEmpty else { return }
        let found = CandidateSearch.run(request, among: ProviderForest(wood.states)).requests
        let wanted = CandidateModel(states: wood.states, request: request).found()
        #expect(Set(found) == wanted, "\(wood.states.map(\.provider.name)) \(request)")
        #expect(found.count == Set(found).count)
        var limited = request
        limited.limit = 1
        #expect(CandidateSearch.run(limited, among: ProviderForest(wood.states)).requests == Array(found.prefix(1)))
    }

    @Test("most of these cases have an answer, and many have several")
    func worth() {
        let counts = (1...400).map { seed -> Int in
            var random = SeededGenerator(seed: UInt64(seed))
            let wood = Self.wood(&random)
            return CandidateSearch.run(Self.request(wood, &random), among: ProviderForest(wood.states)).requests.count
        }
        #expect(counts.count { $0 > 0 } > 80)
        #expect(counts.count { $0 > 1 } > 30)
    }
}
