import CoordinatorPlatform
import ProtocolModel

/// Consumers and their claims. The only writer of `placement_inventories.used` and `placement_providers.consumers`.
struct AllocationStore: Sendable {
    func consumer(_ uuid: String, in reader: any SQLReader) throws -> Consumer? {
        try reader.first(
            """
            SELECT uuid, consumer_type, project_id, user_id, generation, updated_at FROM placement_consumers
            WHERE uuid = ?
            """, [uuid]
        ) {
            Consumer(
                uuid: $0.text(0), type: $0.text(1), project: $0.text(2), user: $0.text(3), generation: $0.int(4),
                updatedAt: $0.integer(5))
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
    ///   transaction is to be given up.
    func claim(
        _ claims: [Claim], for consumer: Consumer, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        let id = try transaction.first(
            """
            INSERT INTO placement_consumers (uuid, consumer_type, project_id, user_id, generation, updated_at)
            VALUES (?, ?, ?, ?, ?, ?) RETURNING id
            """, [consumer.uuid, consumer.type, consumer.project, consumer.user, consumer.generation, now]
        ) { $0.integer(0) }
        for (provider, claims) in Self.byProvider(claims) {
            guard let id, let key = try count(provider, by: 1, at: now, in: transaction) else {
                throw StoreError.stale("\(claims.first?.resourceClass ?? "nothing") of provider \(provider)")
            }
            try take(claims, of: key, named: provider, in: transaction)
            try transaction.execute(
                """
                INSERT INTO placement_allocations (consumer_id, provider_id, resource_class, used)
                VALUES \(claims.map { _ in "(?, ?, ?, ?)" }.joined(separator: ", "))
                """, claims.flatMap { [id, key, $0.resourceClass, $0.amount] as [any SQLArgument] })
        }
    }

    /// One conditional write decides for all classes: the capacity is compared where it is taken.
    private func take(
        _ claims: [Claim], of provider: Int64, named name: String, in transaction: any SQLTransaction
    ) throws {
        let amount = Self.amount(of: claims)
        let classes = claims.map(\.resourceClass) as [any SQLArgument]
        let taken = try transaction.query(
            """
            UPDATE placement_inventories SET used = used + \(amount.sql)
            WHERE provider_id = ? AND resource_class IN (\(claims.map { _ in "?" }.joined(separator: ", ")))
                AND used + \(amount.sql) <= (total - reserved) * allocation_ratio AND \(amount.sql) <= max_unit
            RETURNING resource_class
            """,
            amount.arguments + [provider] + classes + amount.arguments + amount.arguments
        ) { $0.text(0) }
        if let missed = claims.first(where: { !taken.contains($0.resourceClass) }) {
            throw StoreError.stale("\(missed.resourceClass) of provider \(name)")
        }
    }

    /// Gives everything of the consumer back and forgets it.
    /// - Returns: What it had.
    @discardableResult
    func release(_ consumer: String, at now: Int64, in transaction: any SQLTransaction) throws -> [Claim] {
        let claims = try claims(of: consumer, in: transaction)
        guard try !claims.isEmpty || self.consumer(consumer, in: transaction) != nil else { return [] }
        for (provider, claims) in Self.byProvider(claims) {
            guard let key = try count(provider, by: -1, at: now, in: transaction) else { continue }
            let amount = Self.amount(of: claims)
            try transaction.execute(
                """
                UPDATE placement_inventories SET used = used - \(amount.sql)
                WHERE provider_id = ? AND resource_class IN (\(claims.map { _ in "?" }.joined(separator: ", ")))
                """, amount.arguments + [key] + claims.map(\.resourceClass) as [any SQLArgument])
        }
        try transaction.execute(
            "DELETE FROM placement_allocations WHERE consumer_id = (SELECT id FROM placement_consumers WHERE uuid = ?)",
            [consumer])
        try transaction.execute("DELETE FROM placement_consumers WHERE uuid = ?", [consumer])
        return claims
    }

    private static func byProvider(_ claims: [Claim]) -> [(provider: String, claims: [Claim])] {
        Dictionary(grouping: claims, by: \.provider).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// What is claimed of the row's class.
    private static func amount(of claims: [Claim]) -> (sql: String, arguments: [any SQLArgument]) {
        (
            "CASE resource_class \(claims.map { _ in "WHEN ? THEN CAST(? AS BIGINT)" }.joined(separator: " ")) END",
            claims.flatMap { [$0.resourceClass, $0.amount] as [any SQLArgument] }
        )
    }

    /// Counts the provider's consumers and its generation.
    /// - Returns: Its row's key; `nil` when there is no such provider.
    private func count(
        _ provider: String, by step: Int, at now: Int64, in transaction: any SQLTransaction
    ) throws -> Int64? {
        try ChangeFeed.append(topic: PlacementFeed.stocks, key: provider, at: now, in: transaction)
        return try transaction.first(
            """
            UPDATE placement_providers SET consumers = consumers + ?, generation = generation + 1, updated_at = ?
            WHERE uuid = ? RETURNING id
            """, [step, now, provider]
        ) { $0.integer(0) }
    }
}
