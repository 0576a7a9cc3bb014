/// All providers as a search looks at them: by place in the list, with the trees that they make.
package struct ProviderForest: Sendable {
    package let providers: [ProviderState]
    /// By uuid.
    package let places: [String: Int]
    /// The root of each, by place.
    package let roots: [Int]
    package let parents: [Int?]
    /// By the root's place.
    package let members: [Int: [Int]]
    /// Of each that shares: the roots of all trees in which somebody is in one of its aggregates.
    package let anchors: [Int: Set<Int>]

    package init(_ providers: [ProviderState]) {
        self.providers = providers
        let places = Dictionary(providers.enumerated().map { ($1.uuid, $0) }) { first, _ in first }
        let roots = providers.indices.map { places[providers[$0].provider.root] ?? $0 }
        self.places = places
        self.roots = roots
        parents = providers.map { $0.provider.parent.flatMap { places[$0] } }
        members = Dictionary(grouping: providers.indices, by: { roots[$0] })
        let sharing = providers.indices.filter { providers[$0].isSharing }
        var trees: [String: Set<Int>] = [:]
        if !sharing.isEmpty {
            for place in providers.indices {
                for aggregate in providers[place].aggregates { trees[aggregate, default: []].insert(roots[place]) }
            }
        }
        anchors = Dictionary(
            uniqueKeysWithValues: sharing.map { place in
                (place, providers[place].aggregates.reduce(into: []) { $0.formUnion(trees[$1] ?? []) })
            })
    }

    /// Whether one of them is above all the others.
    package func isSubtree(_ places: Set<Int>) -> Bool {
        guard places.count > 1 else { return true }
        var common = places
        for place in places { common.formIntersection(lineage(of: place)) }
        return !common.isEmpty
    }

    /// The provider and all above it.
    private func lineage(of place: Int) -> Set<Int> {
        var result: Set<Int> = []
        var next: Int? = place
        while let current = next, result.insert(current).inserted { next = parents[current] }
        return result
    }
}
