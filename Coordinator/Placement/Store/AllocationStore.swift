import CoordinatorPlatform
import ProtocolModel

/// Consumers and their claims. The only writer of `placement_inventories.used` and `placement_providers.consumers`.
struct AllocationStore: Sendable {
    func consumer(_ uuid: String, in reader: any SQLReader) throws -> Consumer? {
        try Consumer.table.find(uuid, in: reader)
    }

    func claims(of consumer: String, in reader: any SQLReader) throws -> [Claim] {
        try HeldClaim.table.all(where: .equal("c.uuid", consumer), in: reader).map(\.claim)
    }

    /// Claims on one provider with who holds them.
    func claims(on provider: Int64, in reader: any SQLReader) throws -> [HeldClaim] {
        try HeldClaim.table.all(where: .equal("a.provider_id", provider), in: reader)
    }

    /// What a project has, by type of consumer and resource class.
    func usages(project: String, user: String?, in reader: any SQLReader) throws -> [Usage] {
        let condition = Self.owned(by: project, user, prefix: "c.")
        return try reader.query(
            """
            SELECT \(Usage.table.selection) FROM \(Usage.table.source)
            JOIN placement_allocations a ON a.consumer_id = c.id
            WHERE \(condition.sql) GROUP BY c.consumer_type, a.resource_class
            """, condition.arguments, Usage.table.record)
    }

    /// How many consumers a project has, by their type.
    func consumers(project: String, user: String?, in reader: any SQLReader) throws -> [ConsumerCount] {
        let condition = Self.owned(by: project, user, prefix: "")
        return try reader.query(
            """
            SELECT \(ConsumerCount.table.selection) FROM \(ConsumerCount.table.source)
            WHERE \(condition.sql) GROUP BY consumer_type
            """, condition.arguments, ConsumerCount.table.record)
    }

    private static func owned(by project: String, _ user: String?, prefix: String) -> SQLCondition {
        let condition = SQLCondition.equal("\(prefix)project_id", project)
        return user.map { .all([condition, .equal("\(prefix)user_id", $0)]) } ?? condition
    }

    /// Takes `claims` for a consumer that has none: all of them or, when one does not fit any more, none.
    /// - Throws: ``StoreError/stale(_:)`` naming provider and class of the first that does not fit; the caller's
    ///   transaction is to be given up.
    func claim(
        _ claims: [Claim], for consumer: Consumer, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        var consumer = consumer
        consumer.updatedAt = now
        let id = try Consumer.table.insert(consumer, in: transaction)
        for (provider, claims) in Self.byProvider(claims) {
            guard let key = try count(provider, by: 1, at: now, in: transaction) else {
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
    func release(
        _ consumer: String, keepingGroup: Bool = false, at now: Int64, in transaction: any SQLTransaction
    ) throws -> [Claim] {
        if !keepingGroup { try GroupStore().leave(consumer, in: transaction) }
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

    /// The claims stay what they are, and are another consumer's.
    func hand(
        _ consumer: String, to other: String, type: String, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            UPDATE placement_consumers SET uuid = ?, consumer_type = ?, generation = 1, updated_at = ? WHERE uuid = ?
            """, [other, type, now, consumer])
    }

    /// Changes what a consumer has of one class; one conditional write decides whether more fits.
    /// - Returns: `false` when it does not, or the consumer has nothing of the class.
    func resize(
        _ consumer: String, _ resourceClass: String, to amount: Int, at now: Int64, in transaction: any SQLTransaction
    ) throws -> Bool {
        guard let held = try claims(of: consumer, in: transaction).first(where: { $0.resourceClass == resourceClass }),
            let key = try count(held.provider, by: 0, at: now, in: transaction)
        else { return false }
        let more = amount - held.amount
        let room = more > 0 ? " AND used + ? <= (total - reserved) * allocation_ratio" : ""
        let fits = try transaction.execute(
            "UPDATE placement_inventories SET used = used + ? WHERE provider_id = ? AND resource_class = ?\(room)",
            [more, key, resourceClass] + (more > 0 ? [more] : []))
        // What shrinks where the class is gone already is counted nowhere.
        guard fits == 1 || more <= 0 else { return false }
        try transaction.execute(
            """
            UPDATE placement_allocations SET used = ? WHERE provider_id = ? AND resource_class = ?
                AND consumer_id = (SELECT id FROM placement_consumers WHERE uuid = ?)
            """, [amount, key, resourceClass, consumer])
        return true
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
