/// All that is known of a provider. A value, so that a search can be replayed.
package struct ProviderState: Sendable, Hashable {
    package var provider: Provider
    package var inventories: [String: Inventory]
    package var traits: Set<String>
    package var aggregates: Set<String>

    package init(
        provider: Provider, inventories: [String: Inventory] = [:], traits: Set<String> = [],
        aggregates: Set<String> = []
    ) {
        self.provider = provider
        self.inventories = inventories
        self.traits = traits
        self.aggregates = aggregates
    }

    package var uuid: String { provider.uuid }
    /// Whether trees that share an aggregate with it may use what it has.
    package var isSharing: Bool { traits.contains(Trait.sharing) }

    package func hasRoom(for resources: [String: Int]) -> Bool {
        resources.allSatisfy { inventories[$0]?.hasRoom(for: $1) ?? false }
    }
}

/// What a set of names must have of others: at least one of each set, and none of those forbidden.
package struct NameFilter: Sendable, Hashable {
    package var required: [Set<String>]
    package var forbidden: Set<String>

    package init(required: [Set<String>] = [], forbidden: Set<String> = []) {
        self.required = required
        self.forbidden = forbidden
    }

    package var isEmpty: Bool { required.isEmpty && forbidden.isEmpty }
    /// All that are named.
    package var names: Set<String> { required.reduce(into: forbidden) { $0.formUnion($1) } }
    /// Those of which all is forbidden.
    package var conflicts: [Set<String>] { required.filter { $0.isSubset(of: forbidden) } }

    package func accepts(_ names: Set<String>) -> Bool { allows(names) && isMet(by: names) }
    package func allows(_ names: Set<String>) -> Bool { forbidden.isDisjoint(with: names) }
    package func isMet(by names: Set<String>) -> Bool { required.allSatisfy { !$0.isDisjoint(with: names) } }
}

/// Which providers to list.
package struct ProviderFilter: Sendable, Hashable {
    package var name: String?
    package var uuid: String?
    /// Any provider of the tree.
    package var tree: String?
    package var resources: [String: Int] = [:]
    package var traits = NameFilter()
    package var aggregates = NameFilter()

    package init() {}

    /// Whether it can be answered from providers' own rows.
    package var isPlain: Bool { resources.isEmpty && traits.isEmpty && aggregates.isEmpty }

    /// - Returns: Those of which all of it is true, in their order.
    package func select(_ states: [ProviderState]) -> [Provider] {
        let root = tree.map { tree in states.first { $0.uuid == tree }?.provider.root }
        return states.filter { state in
            (name.map { $0 == state.provider.name } ?? true) && (uuid.map { $0 == state.uuid } ?? true)
                && (tree == nil || root == state.provider.root) && state.hasRoom(for: resources)
                && traits.accepts(state.traits) && aggregates.accepts(state.aggregates)
        }.map(\.provider)
    }
}
