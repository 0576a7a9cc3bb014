/// What an allocation has to consist of.
struct CandidateRequest: Sendable, Hashable {
    /// Resources with what their providers must be.
    struct Group: Sendable, Hashable {
        /// Empty for the one group whose resources may come from several providers of a tree; another group is served
        /// by one provider.
        var suffix = ""
        var resources: [String: Int] = [:]
        var traits = NameFilter()
        var aggregates = NameFilter()
        /// The uuid of a provider in the only tree that will do.
        var tree: String?

        var isGranular: Bool { !suffix.isEmpty }
    }

    var groups: [Group]
    var limit: Int?
    /// Each group that has a suffix needs a provider of its own.
    var isIsolated = false
    /// What the root of the tree must be.
    var root = NameFilter()
    /// Suffixes of groups of whose providers one must be above all the others.
    var subtrees: [Set<String>] = []
    /// Whether an allocation may take from several providers of one tree.
    var isNested = true

    var classes: Set<String> { Set(groups.flatMap(\.resources.keys)) }
}

/// One way to serve a request; providers by their place in the forest.
struct Candidate: Sendable, Hashable {
    /// Amounts by resource class.
    var allocations: [Int: [String: Int]] = [:]
    /// Whom each group takes from, by suffix.
    var mappings: [String: Set<Int>] = [:]
}

/// What a search found.
struct Candidates: Sendable {
    var requests: [Candidate] = []
    /// All providers that are worth a look with them, in their order.
    var summaries: [Int] = []
}
