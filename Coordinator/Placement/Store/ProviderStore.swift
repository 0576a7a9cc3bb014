import CoordinatorPlatform
import ProtocolModel

/// Providers, their trees and their inventories.
struct ProviderStore: Sendable {
    private let table = Provider.table
    private let inventories = InventoryRecord.table

    func all(in reader: any SQLReader) throws -> [Provider] { try table.all(in: reader) }

    /// All of them with all that is known of each, in order of insertion.
    func states(in reader: any SQLReader) throws -> [ProviderState] {
        let stocks = try allInventories(in: reader)
        let traits = try NameStore().allTraits(in: reader)
        let aggregates = try NameStore().allAggregates(in: reader)
        return try all(in: reader).map { provider in
            ProviderState(
                provider: provider, inventories: stocks[provider.key] ?? [:], traits: traits[provider.key] ?? [],
                aggregates: aggregates[provider.key] ?? [])
        }
    }

    func find(uuid: String, in reader: any SQLReader) throws -> Provider? { try table.find(uuid, in: reader) }

    func find(name: String, in reader: any SQLReader) throws -> Provider? {
        try table.first(where: .equal("name", name), order: nil, in: reader)
    }

    /// - Parameter parent: `nil` makes it the root of a tree of its own.
    /// - Throws: ``StoreError/duplicate(_:)``.
    func insert(
        uuid: String, name: String, below parent: Provider? = nil, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        var record = Provider.blank
        record.uuid = uuid
        record.name = name
        record.updatedAt = now
        record.parent = parent?.uuid
        record.root = parent?.root ?? uuid
        try table.insert(record, in: transaction)
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

    // MARK: Trees

    func hasChildren(_ uuid: String, in reader: any SQLReader) throws -> Bool {
        try table.exists(where: .equal("parent_uuid", uuid), in: reader)
    }

    /// The tree's members, each after its parent.
    func tree(of root: String, in reader: any SQLReader) throws -> [Provider] {
        ProviderTree.order(try table.all(where: .equal("root_uuid", root), in: reader))
    }

    /// Keeps other coordinators from changing these trees until the transaction ends: whoever changes a tree holds its
    /// root first.
    /// - Returns: The provider as it is now, held.
    /// - Throws: ``StoreError/stale(_:)`` when it moved to another tree meanwhile.
    func hold(_ provider: Provider, in transaction: any SQLTransaction) throws -> Provider {
        try transaction.execute(
            "UPDATE placement_providers SET updated_at = updated_at WHERE uuid = ?", [provider.root])
        guard let held = try find(uuid: provider.uuid, in: transaction), held.root == provider.root else {
            throw StoreError.stale("provider \(provider.uuid)")
        }
        return held
    }

    /// Writes the provider's name and place; what is below it moves along.
    func move(
        _ provider: Provider, subtree: [Provider], at now: Int64, in transaction: any SQLTransaction
    ) throws {
        try table.update(provider, in: transaction)
        for var member in subtree where member.root != provider.root && member.uuid != provider.uuid {
            member.root = provider.root
            try table.update(member, in: transaction)
        }
        try ChangeFeed.append(topic: PlacementFeed.providers, key: provider.uuid, at: now, in: transaction)
    }

    // MARK: Generations

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

    // MARK: Inventories

    /// What the scheduler reads again after a claim.
    func stock(of uuid: String, in reader: any SQLReader) throws -> (inventories: [String: Inventory], consumers: Int) {
        let found = try StockRecord.table.all(where: .equal("p.uuid", uuid), order: nil, in: reader)
        let inventories = found.map { ($0.inventory.resourceClass, $0.inventory.inventory) }
        return (Dictionary(inventories) { first, _ in first }, found.first?.consumers ?? 0)
    }

    func inventories(of provider: Int64, in reader: any SQLReader) throws -> [String: Inventory] {
        let found = try inventories.all(where: .equal("provider_id", provider), order: nil, in: reader)
        return Dictionary(found.map { ($0.resourceClass, $0.inventory) }) { first, _ in first }
    }

    /// By the provider's key.
    func allInventories(in reader: any SQLReader) throws -> [Int64: [String: Inventory]] {
        var result: [Int64: [String: Inventory]] = [:]
        for record in try inventories.all(order: nil, in: reader) {
            result[record.provider, default: [:]][record.resourceClass] = record.inventory
        }
        return result
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
