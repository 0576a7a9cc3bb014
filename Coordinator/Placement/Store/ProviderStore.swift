import CoordinatorPlatform
import ProtocolModel

/// Providers and their inventories.
struct ProviderStore: Sendable {
    private static let columns = "p.id, p.uuid, p.name, p.generation, p.consumers, p.updated_at"

    private func provider(_ row: any SQLRow) -> Provider {
        Provider(
            key: row.integer(0), uuid: row.text(1), name: row.text(2), generation: row.int(3), consumers: row.int(4),
            updatedAt: row.integer(5))
    }

    func all(in reader: any SQLReader) throws -> [Provider] {
        try reader.query("SELECT \(Self.columns) FROM placement_providers p ORDER BY p.id", [], provider)
    }

    func find(uuid: String, in reader: any SQLReader) throws -> Provider? {
        try reader.first("SELECT \(Self.columns) FROM placement_providers p WHERE p.uuid = ?", [uuid], provider)
    }

    func find(name: String, in reader: any SQLReader) throws -> Provider? {
        try reader.first("SELECT \(Self.columns) FROM placement_providers p WHERE p.name = ?", [name], provider)
    }

    /// - Throws: ``StoreError/duplicate(_:)``.
    func insert(uuid: String, name: String, at now: Int64, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "INSERT INTO placement_providers (uuid, name, generation, consumers, updated_at) VALUES (?, ?, 0, 0, ?)",
            [uuid, name, now])
        try ChangeFeed.append(topic: PlacementFeed.providers, key: uuid, at: now, in: transaction)
    }

    func rename(_ provider: Int64, to name: String, at now: Int64, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "UPDATE placement_providers SET name = ?, updated_at = ? WHERE id = ?", [name, now, provider])
        try changed(provider, PlacementFeed.providers, at: now, in: transaction)
    }

    func delete(_ provider: Int64, at now: Int64, in transaction: any SQLTransaction) throws {
        try changed(provider, PlacementFeed.providers, at: now, in: transaction)
        try transaction.execute("DELETE FROM placement_inventories WHERE provider_id = ?", [provider])
        try transaction.execute("DELETE FROM placement_providers WHERE id = ?", [provider])
    }

    /// Tells who follows. A row that is about to go is told of before.
    func changed(_ provider: Int64, _ topic: String, at now: Int64, in transaction: any SQLTransaction) throws {
        let uuid = try transaction.first("SELECT uuid FROM placement_providers WHERE id = ?", [provider]) { $0.text(0) }
        if let uuid { try ChangeFeed.append(topic: topic, key: uuid, at: now, in: transaction) }
    }

    /// Counts the generation up, unless it is no longer `seen`.
    /// - Returns: `false` when somebody else was faster.
    func advance(_ provider: Int64, from seen: Int, at now: Int64, in transaction: any SQLTransaction) throws -> Bool {
        let count = try transaction.execute(
            "UPDATE placement_providers SET generation = generation + 1, updated_at = ? WHERE id = ? AND generation = ?",
            [now, provider, seen])
        guard count == 1 else { return false }
        // Generations count changes of inventories, traits and aggregates.
        try changed(provider, PlacementFeed.providers, at: now, in: transaction)
        return true
    }

    /// What the scheduler reads again after a claim.
    func stock(of uuid: String, in reader: any SQLReader) throws -> (inventories: [String: Inventory], consumers: Int) {
        var result: (inventories: [String: Inventory], consumers: Int) = ([:], 0)
        _ = try reader.query(
            """
            SELECT p.consumers, i.resource_class, i.total, i.reserved, i.min_unit, i.max_unit, i.step_size,
                i.allocation_ratio, i.used
            FROM placement_providers p JOIN placement_inventories i ON i.provider_id = p.id WHERE p.uuid = ?
            """, [uuid]
        ) { row in
            result.consumers = row.int(0)
            result.inventories[row.text(1)] = inventory(row, from: 2)
        }
        return result
    }

    func inventories(of provider: Int64, in reader: any SQLReader) throws -> [String: Inventory] {
        var result: [String: Inventory] = [:]
        _ = try reader.query(
            """
            SELECT resource_class, total, reserved, min_unit, max_unit, step_size, allocation_ratio, used
            FROM placement_inventories WHERE provider_id = ?
            """, [provider]
        ) { result[$0.text(0)] = inventory($0, from: 1) }
        return result
    }

    /// Every provider's inventories by the provider's uuid: what the scheduler looks at.
    func allInventories(in reader: any SQLReader) throws -> [String: (
        provider: Provider, inventories: [String: Inventory]
    )] {
        var result: [String: (provider: Provider, inventories: [String: Inventory])] = [:]
        _ = try reader.query(
            """
            SELECT \(Self.columns), i.resource_class, i.total, i.reserved, i.min_unit, i.max_unit, i.step_size,
                i.allocation_ratio, i.used
            FROM placement_providers p JOIN placement_inventories i ON i.provider_id = p.id
            """
        ) { row in
            let uuid = row.text(1)
            if result[uuid] == nil { result[uuid] = (provider(row), [:]) }
            result[uuid]?.inventories[row.text(6)] = inventory(row, from: 7)
        }
        return result
    }

    private func inventory(_ row: any SQLRow, from column: Int) -> Inventory {
        Inventory(
            total: row.int(column), reserved: row.int(column + 1), minUnit: row.int(column + 2),
            maxUnit: row.int(column + 3), stepSize: row.int(column + 4), allocationRatio: row.real(column + 5),
            used: row.int(column + 6))
    }

    /// Inserts or replaces; what is claimed stays.
    func put(_ inventory: Inventory, of resourceClass: String, on provider: Int64, in transaction: any SQLTransaction)
        throws
    {
        try transaction.execute(
            """
            INSERT INTO placement_inventories
                (provider_id, resource_class, total, reserved, min_unit, max_unit, step_size, allocation_ratio, used)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)
            ON CONFLICT (provider_id, resource_class) DO UPDATE SET
                total = excluded.total, reserved = excluded.reserved, min_unit = excluded.min_unit,
                max_unit = excluded.max_unit, step_size = excluded.step_size,
                allocation_ratio = excluded.allocation_ratio
            """,
            [
                provider, resourceClass, inventory.total, inventory.reserved, inventory.minUnit, inventory.maxUnit,
                inventory.stepSize, inventory.allocationRatio
            ])
    }

    /// - Returns: `false`, and nothing is deleted, when something of it is claimed.
    func deleteInventory(of resourceClass: String, on provider: Int64, in transaction: any SQLTransaction) throws
        -> Bool
    {
        try transaction.execute(
            "DELETE FROM placement_inventories WHERE provider_id = ? AND resource_class = ? AND used = 0",
            [provider, resourceClass]) == 1
    }
}
