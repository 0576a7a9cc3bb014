/// What is decided of trees of providers.
package enum ProviderTree {
    /// Why a provider may not be put where it is wanted; the texts are those of Placement.
    package enum Refusal: String, Sendable {
        case ownParent =
            "parent provider UUID cannot be same as UUID. Please set parent provider UUID to None if there is no parent."
        case unknownParent = "parent provider UUID does not exist."
        case otherParent = "re-parenting a provider is not currently allowed."
        case noParent = "un-parenting a provider is not currently allowed."
        case loop = "creating loop in the provider tree is not allowed."
    }

    /// - Parameters:
    ///   - members: The tree that the provider is in.
    ///   - mayMove: Whether one that has a parent may get another one, or none.
    /// - Returns: `nil` when it may be put below the parent, or be a root without one.
    package static func refusal(
        of provider: Provider, below parent: Provider?, among members: [Provider], mayMove: Bool
    ) -> Refusal? {
        guard let parent else { return provider.parent == nil || mayMove ? nil : .noParent }
        if let held = provider.parent, held != parent.uuid, !mayMove { return .otherParent }
        return subtree(of: provider.uuid, among: members).contains { $0.uuid == parent.uuid } ? .loop : nil
    }

    /// The provider and all that is below it, each after its parent.
    package static func subtree(of uuid: String, among members: [Provider]) -> [Provider] {
        let children = Dictionary(grouping: members, by: \.parent)
        var result = members.filter { $0.uuid == uuid }
        var next = 0
        while next < result.count {
            result += children[result[next].uuid] ?? []
            next += 1
        }
        return result
    }

    /// The members of one tree, each after its parent.
    package static func order(_ members: [Provider]) -> [Provider] {
        members.first { $0.parent == nil }.map { subtree(of: $0.uuid, among: members) } ?? members
    }
}
