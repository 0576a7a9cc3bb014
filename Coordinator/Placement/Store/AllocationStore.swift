import CoordinatorPlatform
import ProtocolModel

/// Consumers and their claims. The only writer of `placement_inventories.used` and `placement_providers.consumers`.
struct AllocationStore: Sendable {
    func consumer(_ uuid: String, in reader: any SQLReader) throws -> Consumer? {
        try reader.first(
            "SELECT uuid, project_id, user_id, generation, updated_at FROM placement_consumers WHERE uuid = ?", [uuid]
        ) {
            Consumer(
                uuid: $0.text(0), project: $0.text(1), user: $0.text(2), generation: $0.int(3), updatedAt: $0.integer(4)
            )
        }
    }

    func claims(of consumer: String, in reader: any SQLReader) throws -> [Claim] {
        try reader.query(
            """
            SELECT p.uuid, a.resource_class, a.used FROM placement_consumers c
            JOIN placement_allocations a ON a.consumer_id = c.id
            JOIN placement_providers p ON p.id = a.provider_id
            WHERE c.uuid = ? ORDER BY a.id
            """, [consumer]
        ) { Claim(provider: $0.text(0), resourceClass: $0.text(1), amount: $0.int(2)) }
    }

    /// Claims on one provider by consumer.
    func claims(on provider: Int64, in reader: any SQLReader) throws -> [(consumer: Consumer, claim: Claim)] {
        try reader.query(
            """
            SELECT c.uuid, c.project_id, c.user_id, c.generation, c.updated_at, p.uuid, a.resource_class, a.used
            FROM placement_allocations a JOIN placement_consumers c ON c.id = a.consumer_id
            JOIN placement_providers p ON p.id = a.provider_id
            WHERE a.provider_id = ? ORDER BY a.id
            """, [provider]
        ) {
            (
                Consumer(
                    uuid: $0.text(0), project: $0.text(1), user: $0.text(2), generation: $0.int(3),
                    updatedAt: $0.integer(4)),
                Claim(provider: $0.text(5), resourceClass: $0.text(6), amount: $0.int(7))
            )
        }
    }

    /// What a project has, by resource class, and how many consumers it has.
    func usages(project: String, user: String?, in reader: any SQLReader) throws -> [String: Int] {
        let narrowed = user == nil ? "" : " AND c.user_id = ?"
        var arguments: [any SQLArgument] = [project]
        if let user { arguments.append(user) }
        var result: [String: Int] = [:]
        _ = try reader.query(
            """
            SELECT a.resource_class, SUM(a.used) FROM placement_consumers c
            JOIN placement_allocations a ON a.consumer_id = c.id
            WHERE c.project_id = ?\(narrowed) GROUP BY a.resource_class
            """, arguments
        ) { result[$0.text(0)] = $0.int(1) }
        return result
    }

    /// Takes `claims` for a consumer that has none: all of them or, when one does not fit any more, none.
    /// - Throws: ``StoreError/stale(_:)`` naming provider and class of the first that does not fit; the caller's
    ///   transaction is to be given up or the claims released.
    func claim(
        _ claims: [Claim], for consumer: Consumer, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            "INSERT INTO placement_consumers (uuid, project_id, user_id, generation, updated_at) VALUES (?, ?, ?, ?, ?)",
            [consumer.uuid, consumer.project, consumer.user, consumer.generation, now])
        for claim in claims {
            // One conditional write decides: the capacity is compared where it is taken.
            let taken = try transaction.execute(
                """
                UPDATE placement_inventories SET used = used + ?
                WHERE provider_id = (SELECT id FROM placement_providers WHERE uuid = ?) AND resource_class = ?
                    AND used + ? <= (total - reserved) * allocation_ratio AND ? <= max_unit
                """, [claim.amount, claim.provider, claim.resourceClass, claim.amount, claim.amount])
            guard taken == 1 else { throw StoreError.stale("\(claim.resourceClass) of provider \(claim.provider)") }
            try transaction.execute(
                """
                INSERT INTO placement_allocations (consumer_id, provider_id, resource_class, used)
                SELECT c.id, p.id, ?, ? FROM placement_consumers c, placement_providers p WHERE c.uuid = ? AND p.uuid = ?
                """, [claim.resourceClass, claim.amount, consumer.uuid, claim.provider])
        }
        try count(Set(claims.map(\.provider)), by: 1, at: now, in: transaction)
    }

    /// Gives everything of the consumer back and forgets it.
    /// - Returns: What it had.
    @discardableResult
    func release(_ consumer: String, at now: Int64?, in transaction: any SQLTransaction) throws -> [Claim] {
        let claims = try claims(of: consumer, in: transaction)
        for claim in claims {
            try transaction.execute(
                """
                UPDATE placement_inventories SET used = used - ?
                WHERE provider_id = (SELECT id FROM placement_providers WHERE uuid = ?) AND resource_class = ?
                """, [claim.amount, claim.provider, claim.resourceClass])
        }
        try transaction.execute(
            "DELETE FROM placement_allocations WHERE consumer_id = (SELECT id FROM placement_consumers WHERE uuid = ?)",
            [consumer])
        try transaction.execute("DELETE FROM placement_consumers WHERE uuid = ?", [consumer])
        try count(Set(claims.map(\.provider)), by: -1, at: now, in: transaction)
        return claims
    }

    private func count(_ providers: Set<String>, by step: Int, at now: Int64?, in transaction: any SQLTransaction)
        throws
    {
        for provider in providers {
            try transaction.execute(
                """
                UPDATE placement_providers SET consumers = consumers + ?, generation = generation + 1,
                    updated_at = COALESCE(?, updated_at)
                WHERE uuid = ?
                """, [step, now, provider])
        }
    }
}
