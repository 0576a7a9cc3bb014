import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// What a new subnet's prefix is cut from.
package enum SubnetPoolChoice: Sendable, Hashable {
    /// From nothing: it says its prefix itself.
    case none
    /// Of its address family.
    case standard
    case pool(SubnetPoolID)
    /// From a router outside of the cloud (RFC 8415 section 6.3), which nobody here asks.
    case delegation
}

extension NetworkService {
    /// The pool that a new subnet is to be cut from, where it is to be.
    func pool(
        for draft: SubnetDraft, viewer: Viewer, in reader: any SQLReader
    ) throws -> SubnetPoolRecord? {
        if draft.prefix != nil, draft.prefixLength != nil {
            throw APIError.bad("subnets", "cidr and prefixlen must not be supplied together")
        }
        let pool: SubnetPoolRecord
        switch draft.pool {
        case .none: return nil
        case .delegation:
            throw APIError.bad(
                "subnets", "prefix delegation is not supported: give a cidr, or a subnetpool_id of a subnet pool")
        case .standard:
            guard let found = try pools.standard(draft.family, viewer: viewer, in: reader) else {
                throw APIError.bad("subnets", "No default subnetpool found for IPv\(draft.family.rawValue)")
            }
            pool = found
        case .pool(let id): pool = try poolListing.record(id.text, viewer: viewer, in: reader)
        }
        if draft.prefix == nil, draft.pools != nil {
            throw APIError.bad("subnets", "allocation_pools allowed only for specific subnet requests.")
        }
        guard pool.family == draft.family else {
            throw APIError.bad(
                "subnets",
                "Cannot allocate IPv\(draft.family.rawValue) subnet from IPv\(pool.family.rawValue) subnet pool")
        }
        return pool
    }

    /// Cuts a prefix from the pool; nobody else has it, for the subnet's row says so in the same transaction.
    func allocate(
        _ draft: SubnetDraft, from pool: SubnetPoolRecord, in transaction: any SQLTransaction
    ) throws -> IPPrefix {
        var wanted = draft.prefix
        let length = wanted?.length ?? draft.prefixLength ?? pool.bounds.standard
        if wanted == nil, case .address(let gateway)? = draft.gateway {
            // The subnet is where its gateway is.
            wanted = IPPrefix(gateway, length: length)
        }
        if length > pool.bounds.most { throw APIError.prefixTooLong(length, pool.bounds.most) }
        if length < pool.bounds.least { throw APIError.prefixTooShort(length, pool.bounds.least) }
        try pools.lock(pool.id, in: transaction)
        if let quota = pool.quota {
            let own = try pools.allocated(from: pool.id, by: draft.project, in: transaction).map(\.length)
            let used = (own + [length]).reduce(0) { $0 + Self.units(ofLength: $1, pool.family) }
            if used > Double(quota) { throw APIError.poolQuota }
        }
        let taken = PrefixSet(try pools.allocated(from: pool.id, in: transaction), pool.family)
        let free = pool.space.subtracting(taken)
        guard let wanted else {
            guard let found = free.first(ofLength: length) else {
                throw APIError.notAllocated("Insufficient prefix space to allocate subnet size /\(length)")
            }
            return found
        }
        guard wanted.family == pool.family, free.isSuperset(of: PrefixSet([wanted], pool.family)) else {
            throw APIError.notAllocated("Cannot allocate requested subnet from the available set of prefixes")
        }
        return wanted
    }

    /// What a quota counts: addresses of IPv4, networks of 64 bits of IPv6.
    private static func units(ofLength length: Int, _ family: IPAddress.Family) -> Double {
        Double(sign: .plus, exponent: (family == .ipv4 ? 32 : 64) - length, significand: 1)
    }

    /// All subnets of a network and family are from one pool, or from pools of one scope, or from none.
    func checkAffinity(
        of pool: SubnetPoolRecord?, _ family: IPAddress.Family, with siblings: [SubnetRecord],
        on network: NetworkID, in reader: any SQLReader
    ) throws {
        let siblings = siblings.filter { $0.prefix.family == family }
        let scope = try pools.scopes(of: siblings.compactMap(\.subnetPool), in: reader).values.first
        guard let pool else {
            if siblings.contains(where: { $0.subnetPool != nil }) { throw APIError.poolAffinity }
            return
        }
        if let scope {
            guard pool.scope == scope else { throw APIError.scopeAffinity }
        } else if siblings.contains(where: { $0.subnetPool != pool.id }) {
            throw APIError.poolAffinity
        }
    }

    /// Makes the network's subnets of the pool's family the pool's, which gets their prefixes.
    package func onboard(
        _ network: NetworkID, into id: SubnetPoolID, viewer: Viewer, at now: Int64, in transaction: any SQLTransaction
    ) throws -> [(id: SubnetID, prefix: IPPrefix)] {
        try pools.lock(id, in: transaction)
        guard let pool = try pools.table.find(id, in: transaction) else { throw APIError.poolNotFound(id.text) }
        let subnets = try subnets.subnets(of: network, in: transaction).filter { $0.prefix.family == pool.family }
        let taken = PrefixSet(try pools.allocated(from: id, in: transaction), pool.family)
        for subnet in subnets where !PrefixSet([subnet.prefix], pool.family).isDisjoint(with: taken) {
            throw APIError.poolUpdate(
                "Onboarding subnet \(subnet.id): \(subnet.prefix) conflicts with allocated prefixes in subnet pool \(id)"
            )
        }
        _ = try addPrefixes(subnets.map(\.prefix), to: id, viewer: viewer, at: now, in: transaction)
        try pools.adopt(subnets.map(\.id), into: id, at: now, in: transaction)
        for router in try routers.routers(in: network, transaction) {
            try plan.touch(.router(router), in: transaction)
        }
        return subnets.map { ($0.id, $0.prefix) }
    }
}
