/// Finds the ways in which a request can be served. Pure: the same input gives the same answer.
///
/// Each candidate has an anchor: the root of the one tree that it takes from, beside providers that share with that tree.
/// For every group the search lists by anchor who can serve it, and puts the lists together.
package struct CandidateSearch {
    /// What one search may look at and find: combinations of providers grow with the power of the groups.
    package struct Budget: Sendable {
        /// For choosing providers for the classes of the group that several may serve.
        var choices: Int
        /// For putting groups together.
        var steps: Int
        var candidates: Int

        package init(choices: Int = 100_000, steps: Int = 100_000, candidates: Int = 20_000) {
            self.choices = choices
            self.steps = steps
            self.candidates = candidates
        }

        /// However many providers there are, each of them is looked at.
        static func fitting(_ count: Int) -> Self {
            Self(choices: 100_000 + 20 * count, steps: 100_000 + 20 * count)
        }
    }

    /// One way to serve one group.
    private struct Part {
        var takes: [(provider: Int, resourceClass: String, amount: Int)]
        var providers: Set<Int>
    }

    private let request: CandidateRequest
    private let forest: ProviderForest
    private var budget: Budget
    private var seen: Set<Candidate> = []
    private var found: [Candidate] = []

    package static func run(
        _ request: CandidateRequest, among forest: ProviderForest, budget: Budget? = nil
    ) -> Candidates {
        var search = CandidateSearch(
            request: request, forest: forest, budget: budget ?? .fitting(forest.providers.count))
        search.combine()
        return Candidates(requests: search.found, summaries: search.summaries())
    }

    private init(request: CandidateRequest, forest: ProviderForest, budget: Budget) {
        self.request = request
        self.forest = forest
        self.budget = budget
        if let limit = request.limit { self.budget.candidates = min(limit, budget.candidates) }
    }

    private func isAnchor(_ root: Int) -> Bool { request.root.accepts(forest.providers[root].traits) }

    // MARK: One group

    /// By anchor.
    private mutating func parts(of group: CandidateRequest.Group) -> [Int: [Part]] {
        var tree: Int?
        if let wanted = group.tree {
            guard let place = forest.places[wanted] else { return [:] }
            tree = forest.roots[place]
        }
        return group.isGranular ? single(group, tree: tree) : several(group, tree: tree)
    }

    /// One provider serves all of it.
    private func single(_ group: CandidateRequest.Group, tree: Int?) -> [Int: [Part]] {
        var result: [Int: [Part]] = [:]
        for (place, state) in forest.providers.enumerated() {
            let root = forest.roots[place]
            guard tree == nil || tree == root, group.traits.accepts(state.traits),
                group.aggregates.accepts(state.aggregates), state.hasRoom(for: group.resources)
            else { continue }
            let part = Part(takes: group.resources.map { (place, $0.key, $0.value) }, providers: [place])
            for anchor in (forest.anchors[place] ?? []).union([root]) where isAnchor(anchor) {
                result[anchor, default: []].append(part)
            }
        }
        return result
    }

    /// Several providers of a tree, and those that share with it, serve it together.
    private mutating func several(_ group: CandidateRequest.Group, tree: Int?) -> [Int: [Part]] {
        let classes = group.resources.keys.sorted()
        var servers: [Int: [String: [Int]]] = [:]
        for name in classes {
            for (anchor, places) in providers(of: name, in: group, tree: tree) {
                servers[anchor, default: [:]][name] = places
            }
        }
        var result: [Int: [Part]] = [:]
        for (anchor, byClass) in servers.sorted(by: { $0.key < $1.key }) where byClass.count == classes.count {
            var parts: [Part] = []
            choose(classes[...], byClass, group, [], &parts)
            if !parts.isEmpty { result[anchor] = parts }
        }
        return result
    }

    /// Who can serve one class, by anchor.
    private func providers(of name: String, in group: CandidateRequest.Group, tree: Int?) -> [Int: [Int]] {
        guard let amount = group.resources[name] else { return [:] }
        var result: [Int: [Int]] = [:]
        for (place, state) in forest.providers.enumerated() {
            let root = forest.roots[place]
            guard tree == nil || tree == root, state.inventories[name]?.hasRoom(for: amount) ?? false,
                group.traits.allows(state.traits)
            else { continue }
            var anchors: Set<Int> = [root]
            // Who shares must itself be in the aggregates asked for; one that is asked for by its tree shares nothing.
            if tree == nil, let shared = forest.anchors[place], group.aggregates.isMet(by: state.aggregates) {
                anchors.formUnion(shared)
            }
            for anchor in anchors where isAnchor(anchor) && isMember(place, anchor, of: group.aggregates) {
                result[anchor, default: []].append(place)
            }
        }
        return result
    }

    /// An aggregate of a root is one of the whole tree.
    private func isMember(_ place: Int, _ anchor: Int, of filter: NameFilter) -> Bool {
        if filter.isEmpty { return true }
        let (own, above) = (forest.providers[place].aggregates, forest.providers[anchor].aggregates)
        return (filter.isMet(by: own) || filter.isMet(by: above)) && filter.allows(own) && filter.allows(above)
    }

    /// Goes through all choices of a provider for each class; together they must have the traits.
    private mutating func choose(
        _ classes: ArraySlice<String>, _ servers: [String: [Int]], _ group: CandidateRequest.Group, _ chosen: [Int],
        _ parts: inout [Part]
    ) {
        guard budget.choices > 0 else { return }
        budget.choices -= 1
        guard let name = classes.first else {
            let traits = chosen.reduce(into: Set<String>()) { $0.formUnion(forest.providers[$1].traits) }
            guard group.traits.isMet(by: traits) else { return }
            let names = group.resources.keys.sorted()
            let takes = zip(chosen, names).map { (provider: $0, resourceClass: $1, amount: group.resources[$1] ?? 0) }
            parts.append(Part(takes: takes, providers: Set(chosen)))
            return
        }
        for place in servers[name] ?? [] { choose(classes.dropFirst(), servers, group, chosen + [place], &parts) }
    }

    // MARK: All groups

    private mutating func combine() {
        var lists: [[Int: [Part]]] = []
        for group in request.groups {
            let parts = parts(of: group)
            if parts.isEmpty { return }
            lists.append(parts)
        }
        guard let first = lists.first else { return }
        for anchor in first.keys.sorted() where lists.allSatisfy({ $0[anchor] != nil }) {
            extend(Candidate(), with: lists.map { $0[anchor] ?? [] }, group: 0, taken: [])
        }
    }

    /// - Parameter taken: Who serves a group with a suffix already.
    private mutating func extend(_ candidate: Candidate, with lists: [[Part]], group: Int, taken: Set<Int>) {
        guard group < lists.count else {
            finish(candidate)
            return
        }
        let suffix = request.groups[group].suffix
        for part in lists[group] {
            guard budget.steps > 0, found.count < budget.candidates else { return }
            budget.steps -= 1 + candidate.allocations.count
            var taken = taken
            if !suffix.isEmpty, request.isIsolated {
                guard taken.isDisjoint(with: part.providers) else { continue }
                taken.formUnion(part.providers)
            }
            var next = candidate
            guard add(part, to: &next) else { continue }
            next.mappings[suffix, default: []].formUnion(part.providers)
            extend(next, with: lists, group: group + 1, taken: taken)
        }
    }

    /// - Returns: `false` when groups together want more of somebody than it has.
    private func add(_ part: Part, to candidate: inout Candidate) -> Bool {
        for take in part.takes {
            let amount = (candidate.allocations[take.provider]?[take.resourceClass] ?? 0) + take.amount
            guard let stock = forest.providers[take.provider].inventories[take.resourceClass],
                stock.used + amount <= stock.capacity, amount <= stock.maxUnit
            else { return false }
            candidate.allocations[take.provider, default: [:]][take.resourceClass] = amount
        }
        return true
    }

    private mutating func finish(_ candidate: Candidate) {
        for suffixes in request.subtrees {
            let places = suffixes.reduce(into: Set<Int>()) { $0.formUnion(candidate.mappings[$1] ?? []) }
            guard forest.isSubtree(places) else { return }
        }
        if !request.isNested {
            let trees = Set(candidate.allocations.keys.map { forest.roots[$0] })
            guard trees.count == candidate.allocations.count else { return }
        }
        if seen.insert(candidate).inserted { found.append(candidate) }
    }

    /// All of the trees that candidates take from; where trees are not to be seen, only whom they take from.
    private func summaries() -> [Int] {
        let used = Set(found.flatMap(\.allocations.keys))
        guard request.isNested else { return used.sorted() }
        return Set(used.map { forest.roots[$0] }).flatMap { forest.members[$0] ?? [] }.sorted()
    }
}
