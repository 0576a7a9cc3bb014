import CoordinatorPlatform
import ProtocolModel

/// What the placement API changes of providers, with its refusals.
extension PlacementService {
    var names: NameStore { NameStore() }

    /// - Throws: ``APIError`` 404.
    func provider(_ uuid: String, in reader: any SQLReader) throws -> Provider {
        guard let id = AnyID(uuid), let provider = try providers.find(uuid: id.text, in: reader) else {
            throw APIError.notFound("No resource provider with uuid \(uuid) found")
        }
        return provider
    }

    func list(_ filter: ProviderFilter, in reader: any SQLReader) throws -> [Provider] {
        try check(classes: Set(filter.resources.keys), in: reader)
        let unknown = try unknownTraits(filter.traits.names, in: reader)
        guard unknown.isEmpty else {
            throw APIError.badRequest(
                "Invalid trait(s) in \"required\" parameter: \(Self.noTraits(unknown))")
        }
        return filter.select(
            filter.isPlain
                ? try providers.all(in: reader).map { ProviderState(provider: $0) } : try providers.states(in: reader))
    }

    // MARK: Making and changing

    func createProvider(
        name: String, uuid: String?, below parent: String?, at now: Int64, in transaction: any SQLTransaction
    ) throws -> Provider {
        let id = uuid ?? AnyID.random().text
        var conflicts: [String] = []
        if try providers.find(uuid: id, in: transaction) != nil { conflicts.append("uuid: \(id)") }
        if try providers.find(name: name, in: transaction) != nil { conflicts.append("name: \(name)") }
        guard conflicts.isEmpty else {
            throw APIError.conflict(
                "Conflicting resource provider \(conflicts.joined(separator: ", ")) already exists.",
                type: PlacementCode.duplicateName)
        }
        func refused(_ refusal: ProviderTree.Refusal) -> APIError {
            .badRequest(
                "Unable to create resource provider \"\(name)\", \(id): Object action create failed because: "
                    + refusal.rawValue)
        }
        var above: Provider?
        if let parent {
            if parent == id { throw refused(.ownParent) }
            guard let found = try providers.find(uuid: parent, in: transaction) else { throw refused(.unknownParent) }
            above = try providers.hold(found, in: transaction)
        }
        try providers.insert(uuid: id, name: name, below: above, at: now, in: transaction)
        return try provider(id, in: transaction)
    }

    /// - Parameters:
    ///   - place: `nil` leaves it where it is; a parent of `nil` makes it a root.
    ///   - mayMove: Whether one that has a parent may get another one, or none.
    func updateProvider(
        _ uuid: String, name: String, place: String??, mayMove: Bool, at now: Int64,
        in transaction: any SQLTransaction
    ) throws -> Provider {
        var provider = try provider(uuid, in: transaction)
        if let holder = try providers.find(name: name, in: transaction), holder.key != provider.key {
            throw APIError.conflict(
                "Conflicting resource provider \(name) already exists.", type: PlacementCode.duplicateName)
        }
        var subtree: [Provider] = []
        if let parent = place {
            provider = try providers.hold(provider, in: transaction)
            let above = try parent.map { try held($0, above: provider, in: transaction) }
            let members = try providers.tree(of: provider.root, in: transaction)
            if let refusal = ProviderTree.refusal(of: provider, below: above, among: members, mayMove: mayMove) {
                throw Self.notSaved(provider, refusal, action: "update")
            }
            subtree = ProviderTree.subtree(of: provider.uuid, among: members)
            provider.parent = above?.uuid
            provider.root = above?.root ?? provider.uuid
        }
        provider.name = name
        provider.updatedAt = now
        try providers.move(provider, subtree: subtree, at: now, in: transaction)
        return try self.provider(uuid, in: transaction)
    }

    private func held(
        _ parent: String, above provider: Provider, in transaction: any SQLTransaction
    ) throws -> Provider {
        guard let found = try providers.find(uuid: parent, in: transaction) else {
            throw Self.notSaved(provider, .unknownParent, action: "create")
        }
        return try providers.hold(found, in: transaction)
    }

    private static func notSaved(
        _ provider: Provider, _ refusal: ProviderTree.Refusal, action: String
    ) -> APIError {
        .badRequest(
            "Unable to save resource provider \(provider.uuid): Object action \(action) failed because: "
                + refusal.rawValue)
    }

    func deleteProvider(_ uuid: String, at now: Int64, in transaction: any SQLTransaction) throws {
        guard let id = AnyID(uuid), let found = try providers.find(uuid: id.text, in: transaction) else {
            throw APIError.notFound("No resource provider with uuid \(uuid) found for delete")
        }
        let provider = try providers.hold(found, in: transaction)
        guard try !providers.hasChildren(provider.uuid, in: transaction) else {
            throw APIError.conflict(
                "Unable to delete parent resource provider \(uuid): It has child resource providers.",
                type: PlacementCode.cannotDeleteParent)
        }
        guard try allocations.claims(on: provider.key, in: transaction).isEmpty else {
            throw APIError.conflict(
                "Unable to delete resource provider \(uuid): Resource provider has allocations.",
                type: PlacementCode.providerInUse)
        }
        try providers.delete(provider.key, at: now, in: transaction)
    }

    /// Counts the generation up unless somebody else did since the caller looked.
    func advance(
        _ provider: Provider, from seen: Int, at now: Int64, in transaction: any SQLTransaction,
        words: String = "resource provider generation conflict"
    ) throws {
        guard try providers.advance(provider.key, from: seen, at: now, in: transaction) else {
            throw APIError.conflict(words, type: PlacementCode.concurrentUpdate)
        }
    }

    private static let changed =
        "Resource provider's generation already changed. Please update the generation and try again."

    // MARK: Traits and aggregates

    /// - Parameter seen: The generation that the caller saw; `nil` in versions that did not ask for it.
    func setAggregates(
        _ uuids: [String], of provider: String, seen: Int?, at now: Int64, in transaction: any SQLTransaction
    ) throws -> Provider {
        let provider = try self.provider(provider, in: transaction)
        if let seen { try advance(provider, from: seen, at: now, in: transaction, words: Self.changed) }
        try names.setAggregates(uuids, of: provider.key, in: transaction)
        try providers.changed(provider.key, PlacementFeed.providers, at: now, in: transaction)
        return try self.provider(provider.uuid, in: transaction)
    }

    func setTraits(
        _ wanted: [String], of uuid: String, seen: Int, at now: Int64, in transaction: any SQLTransaction
    ) throws -> Provider {
        let provider = try provider(uuid, in: transaction)
        let unknown = try unknownTraits(Set(wanted), in: transaction)
        guard unknown.isEmpty else {
            throw APIError.badRequest("No such trait \(unknown.joined(separator: ", "))")
        }
        try advance(provider, from: seen, at: now, in: transaction, words: Self.changed)
        try names.setTraits(wanted, of: provider.key, in: transaction)
        return try self.provider(provider.uuid, in: transaction)
    }

    // MARK: Names

    func isKnown(trait name: String, in reader: any SQLReader) throws -> Bool {
        try Trait.isStandard(name) || names.has(name, .trait, in: reader)
    }

    func isKnown(resourceClass name: String, in reader: any SQLReader) throws -> Bool {
        try ResourceClass.standard.contains(name) || names.has(name, .resourceClass, in: reader)
    }

    func unknownTraits(_ wanted: Set<String>, in reader: any SQLReader) throws -> [String] {
        try wanted.sorted().filter { try !isKnown(trait: $0, in: reader) }
    }

    static func noTraits(_ unknown: [String]) -> String { "No such trait(s): \(unknown.joined(separator: ", "))." }

    /// - Throws: ``APIError`` 400 for one that is asked for and not known.
    func check(classes: Set<String>, in reader: any SQLReader) throws {
        for name in classes.sorted() where try !isKnown(resourceClass: name, in: reader) {
            throw APIError.badRequest(
                "Invalid resource class in resources parameter: No such resource class \(name).")
        }
    }

    /// - Returns: Who there is, and what of it serves the request.
    func candidates(
        for request: CandidateRequest, in reader: any SQLReader
    ) throws -> (forest: ProviderForest, found: Candidates) {
        try check(classes: request.classes, in: reader)
        let traits = request.groups.reduce(into: request.root.names) { $0.formUnion($1.traits.names) }
        let unknown = try unknownTraits(traits, in: reader)
        guard unknown.isEmpty else { throw APIError.badRequest(Self.noTraits(unknown)) }
        let forest = ProviderForest(try providers.states(in: reader))
        return (forest, CandidateSearch.run(request, among: forest))
    }
}
