/// What an allocation has to consist of.
package struct CandidateRequest: Sendable, Hashable {
    /// Resources with what their providers must be.
    package struct Group: Sendable, Hashable {
        /// Empty for the one group whose resources may come from several providers of a tree; another group is served
        /// by one provider.
        package var suffix: String
        package var resources: [String: Int]
        package var traits: NameFilter
        package var aggregates: NameFilter
        /// The uuid of a provider in the only tree that will do.
        package var tree: String?

        package init(
            suffix: String, resources: [String: Int] = [:], traits: NameFilter = NameFilter(),
            aggregates: NameFilter = NameFilter(), tree: String? = nil
        ) {
            self.suffix = suffix
            self.resources = resources
            self.traits = traits
            self.aggregates = aggregates
            self.tree = tree
        }

        var isGranular: Bool { !suffix.isEmpty }
    }

    package var groups: [Group]
    package var limit: Int?
    /// Each group that has a suffix needs a provider of its own.
    package var isIsolated = false
    /// What the root of the tree must be.
    package var root = NameFilter()
    /// Suffixes of groups of whose providers one must be above all the others.
    package var subtrees: [Set<String>] = []
    /// Whether an allocation may take from several providers of one tree.
    package var isNested = true

    package init(groups: [Group]) { self.groups = groups }

    package var classes: Set<String> { Set(groups.flatMap(\.resources.keys)) }
}

/// One way to serve a request; providers by their place in the forest.
package struct Candidate: Sendable, Hashable {
    /// Amounts by resource class.
    package var allocations: [Int: [String: Int]] = [:]
    /// Whom each group takes from, by suffix.
    package var mappings: [String: Set<Int>] = [:]

    package init() {}
}

/// What a search found.
package struct Candidates: Sendable {
    package var requests: [Candidate] = []
    /// All providers that are worth a look with them, in their order.
    package var summaries: [Int] = []
}
