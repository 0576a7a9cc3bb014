import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// What a call changes of a subnet pool; `nil` where it says nothing.
package struct SubnetPoolChange: Sendable {
    package enum Scope: Sendable, Hashable {
        case none
        case scope(AddressScopeID)
    }

    package var name: String?
    package var description: String?
    package var prefixes: [IPPrefix]?
    package var leastLength: Int?
    package var mostLength: Int?
    package var standardLength: Int?
    package var quota: Int?
    package var isDefault: Bool?
    package var scope: Scope?

    package init() {}
}

/// What a create call says of a subnet pool.
@dynamicMemberLookup
package struct SubnetPoolDraft: Sendable {
    package var project: ProjectID
    package var isShared = false
    package var change = SubnetPoolChange()

    package init(project: ProjectID) { self.project = project }

    package subscript<T>(dynamicMember member: WritableKeyPath<SubnetPoolChange, T>) -> T {
        get { change[keyPath: member] }
        set { change[keyPath: member] = newValue }
    }
}

extension NetworkService {
    /// Prefixes that a pool may have; each allocation looks at all of them.
    private static let mostPrefixes = 256

    var poolListing: Listing<SubnetPoolRecord> {
        Listing(
            schema: .subnetPools, visible: { $0.visibleSubnetPools },
            complete: { try withTargets(try tagged($0, \.id, in: $1), \.id, in: $1) }, missing: APIError.poolNotFound,
            shared: { $0.sharedSubnetPools })
    }

    package func createPool(
        _ draft: SubnetPoolDraft, viewer: Viewer, at now: Int64, in transaction: any SQLTransaction
    ) throws -> SubnetPoolID {
        try quotas.claim("subnetpool", for: draft.project, in: transaction)
        var pool = SubnetPoolRecord(
            id: newID(), project: draft.project,
            standard: Standard(createdAt: now), isShared: draft.isShared)
        let prefixes = draft.prefixes ?? []
        guard let family = prefixes.first?.family else { throw APIError.emptyPool }
        guard prefixes.allSatisfy({ $0.family == family }) else { throw APIError.mixedPool }
        pool.family = family
        pool.bounds = SubnetPoolBounds(family)
        // Where nothing is said, subnets are as large as the pool lets them be.
        if let least = draft.leastLength { pool.bounds.standard = least }
        pool.prefixes = PrefixSet(prefixes, family).prefixes
        try apply(draft.change, to: &pool, viewer, transaction)
        try pools.table.insert(pool, in: transaction)
        if pool.isShared { try share(pool.id, .subnetpool, .shared, true, of: pool.project, at: now, in: transaction) }
        return pool.id
    }

    package func updatePool(
        _ id: SubnetPoolID, _ change: SubnetPoolChange, viewer: Viewer, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        guard var pool = try pools.table.find(id, in: transaction) else { throw APIError.poolNotFound(id.text) }
        let old = pool
        if let prefixes = change.prefixes {
            guard PrefixSet(prefixes, pool.family).isSuperset(of: pool.space) else {
                throw APIError.poolPrefixes("Existing prefixes must be a subset of the new prefixes")
            }
            guard prefixes.allSatisfy({ $0.family == pool.family }) else { throw APIError.mixedPool }
            pool.prefixes = PrefixSet(prefixes, pool.family).prefixes
        }
        if let scope = old.scope, let owner = try pools.scopes.find(scope, in: transaction)?.project, !viewer.isAdmin,
            owner != viewer.project
        {
            throw APIError.poolUpdate(
                "subnetpool \(id) cannot be updated when associated with shared address scope \(scope)")
        }
        try apply(change, to: &pool, viewer, transaction)
        try pools.table.update(pool, at: now, in: transaction)
        guard pool.scope != old.scope else { return }
        for router in try pools.routers(on: id, in: transaction) { try plan.touch(.router(router), in: transaction) }
    }

    /// What is checked of a pool however it changes. The prefixes stand in it already.
    private func apply(
        _ change: SubnetPoolChange, to pool: inout SubnetPoolRecord, _ viewer: Viewer, _ reader: any SQLReader
    ) throws {
        guard pool.prefixes.count <= Self.mostPrefixes else {
            throw APIError.poolPrefixes("a subnet pool has at most \(Self.mostPrefixes) prefixes")
        }
        pool.standard.name = change.name ?? pool.standard.name
        pool.standard.description = change.description ?? pool.standard.description
        pool.quota = change.quota ?? pool.quota
        pool.bounds.least = change.leastLength ?? pool.bounds.least
        pool.bounds.most = change.mostLength ?? pool.bounds.most
        pool.bounds.standard = change.standardLength ?? pool.bounds.standard
        try check(pool.bounds, pool.family)
        if change.isDefault == true, !pool.isDefault, try pools.isStandardTaken(pool.family, in: reader) {
            throw APIError.defaultPoolExists
        }
        pool.isDefault = change.isDefault ?? pool.isDefault
        switch change.scope {
        case nil: break
        case .some(.none): pool.scope = nil
        case .scope(let id)?:
            // Whoever names a scope must see it.
            _ = try scopeListing.record(id.text, viewer: viewer, in: reader)
            pool.scope = id
        }
        if let scope = pool.scope { try check(pool, in: scope, isNew: change.scope != nil, reader) }
    }

    private func check(_ bounds: SubnetPoolBounds, _ family: IPAddress.Family) throws {
        if bounds.least > bounds.most {
            throw APIError.poolBounds("min_prefixlen", bounds.least, "max_prefixlen", bounds.most)
        }
        if bounds.most > family.bitCount {
            throw APIError.poolBounds("max_prefixlen", bounds.most, "ip_version_max", family.bitCount)
        }
        if bounds.standard < bounds.least {
            throw APIError.poolBounds("default_prefixlen", bounds.standard, "min_prefixlen", bounds.least)
        }
        if bounds.standard > bounds.most {
            throw APIError.poolBounds("default_prefixlen", bounds.standard, "max_prefixlen", bounds.most)
        }
    }

    /// Within a scope every address stands for one thing.
    private func check(
        _ pool: SubnetPoolRecord, in id: AddressScopeID, isNew: Bool, _ reader: any SQLReader
    ) throws {
        guard let scope = try pools.scopes.find(id, in: reader) else { throw APIError.scopeNotFound(id.text) }
        guard scope.family == pool.family else { throw APIError.scopeFamily(pool.id, scope) }
        if isNew, try pools.sharesNetworks(pool, in: reader) { throw APIError.scopeAffinity }
        let others = try pools.pools(in: id, reader).filter { $0.id != pool.id }
        guard others.allSatisfy({ $0.space.isDisjoint(with: pool.space) }) else { throw APIError.scopeConflict }
    }

    package func deletePool(_ id: SubnetPoolID, in transaction: any SQLTransaction) throws {
        try pools.lock(id, in: transaction)
        if try pools.isUsed(id, in: transaction) { throw APIError.poolInUse }
        try pools.table.remove(id, in: transaction)
    }

    /// Makes the pool larger.
    /// - Returns: What it has then.
    package func addPrefixes(
        _ prefixes: [IPPrefix], to id: SubnetPoolID, viewer: Viewer, at now: Int64, in transaction: any SQLTransaction
    ) throws -> [IPPrefix] {
        guard let pool = try pools.table.find(id, in: transaction) else { throw APIError.poolNotFound(id.text) }
        var change = SubnetPoolChange()
        change.prefixes = pool.prefixes + prefixes
        try updatePool(id, change, viewer: viewer, at: now, in: transaction)
        return try pools.table.find(id, in: transaction)?.prefixes ?? []
    }

    /// Takes what no subnet has away from the pool.
    /// - Returns: What it has left.
    package func removePrefixes(
        _ prefixes: [IPPrefix], from id: SubnetPoolID, at now: Int64, in transaction: any SQLTransaction
    ) throws -> [IPPrefix] {
        try pools.lock(id, in: transaction)
        guard var pool = try pools.table.find(id, in: transaction) else { throw APIError.poolNotFound(id.text) }
        let gone = PrefixSet(prefixes, pool.family)
        guard !pool.space.isDisjoint(with: gone) else { return pool.prefixes }
        guard PrefixSet(try pools.allocated(from: id, in: transaction), pool.family).isDisjoint(with: gone) else {
            throw APIError.poolPrefixes("One or more the prefixes to be removed is in use by a subnet.")
        }
        pool.prefixes = pool.space.subtracting(gone).prefixes
        guard pool.prefixes.count <= Self.mostPrefixes else {
            throw APIError.poolPrefixes("a subnet pool has at most \(Self.mostPrefixes) prefixes")
        }
        try pools.table.update(pool, at: now, in: transaction)
        return pool.prefixes
    }
}
