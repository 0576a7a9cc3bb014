/// All that is known of a provider. A value, so that a search can be replayed.
struct ProviderState: Sendable, Hashable {
    var provider: Provider
    var inventories: [String: Inventory] = [:]
    var traits: Set<String> = []
    var aggregates: Set<String> = []

    var uuid: String { provider.uuid }
    /// Whether trees that share an aggregate with it may use what it has.
    var isSharing: Bool { traits.contains(Trait.sharing) }

    func hasRoom(for resources: [String: Int]) -> Bool {
        resources.allSatisfy { inventories[$0]?.hasRoom(for: $1) ?? false }
    }
}

/// What a set of names must have of others: at least one of each set, and none of those forbidden.
struct NameFilter: Sendable, Hashable {
    var required: [Set<String>] = []
    var forbidden: Set<String> = []

    var isEmpty: Bool { required.isEmpty && forbidden.isEmpty }
    /// All that are named.
    var names: Set<String> { required.reduce(into: forbidden) { $0.formUnion($1) } }
    /// Those of which all is forbidden.
    var conflicts: [Set<String>] { required.filter { $0.isSubset(of: forbidden) } }

    func accepts(_ names: Set<String>) -> Bool { allows(names) && isMet(by: names) }
    func allows(_ names: Set<String>) -> Bool { forbidden.isDisjoint(with: names) }
    func isMet(by names: Set<String>) -> Bool { required.allSatisfy { !$0.isDisjoint(with: names) } }
}

/// Which providers to list.
struct ProviderFilter: Sendable, Hashable {
    var name: String?
    var uuid: String?
    /// Any provider of the tree.
    var tree: String?
    var resources: [String: Int] = [:]
    var traits = NameFilter()
    var aggregates = NameFilter()

    /// Whether it can be answered from providers' own rows.
    var isPlain: Bool { resources.isEmpty && traits.isEmpty && aggregates.isEmpty }

    /// - Returns: Those of which all of it is true, in their order.
    func select(_ states: [ProviderState]) -> [Provider] {
        let root = tree.map { tree in states.first { $0.uuid == tree }?.provider.root }
        return states.filter { state in
            (name.map { $0 == state.provider.name } ?? true) && (uuid.map { $0 == state.uuid } ?? true)
                && (tree == nil || root == state.provider.root) && state.hasRoom(for: resources)
                && traits.accepts(state.traits) && aggregates.accepts(state.aggregates)
        }.map(\.provider)
    }
}
