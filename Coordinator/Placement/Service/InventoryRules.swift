import CoordinatorPlatform
import ProtocolModel

/// What the placement API changes of inventories, with its refusals.
extension PlacementService {
    /// Replaces all inventories of a provider.
    /// - Parameter mayReserveAll: Whether nothing need be left of a class.
    func setInventories(
        _ wanted: [String: Inventory], of provider: Provider, seen: Int, mayReserveAll: Bool, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        try advance(provider, from: seen, at: now, in: transaction)
        for (name, inventory) in wanted.sorted(by: { $0.key < $1.key }) {
            try check(inventory, name, provider, mayReserveAll: mayReserveAll, in: transaction)
            try providers.put(inventory, of: name, on: provider.key, in: transaction)
        }
        try removeInventories(of: provider, but: wanted, in: transaction)
    }

    func removeInventories(
        of provider: Provider, but wanted: [String: Inventory], in transaction: any SQLTransaction
    ) throws {
        for name in try providers.inventories(of: provider.key, in: transaction).keys.sorted()
        where wanted[name] == nil {
            guard try providers.deleteInventory(of: name, on: provider.key, in: transaction) else {
                throw APIError.conflict(
                    "update conflict: Inventory for '\(name)' on resource provider '\(provider.uuid)' in use.",
                    type: PlacementCode.inventoryInUse)
            }
        }
    }

    /// - Returns: The provider's new generation.
    func createInventory(
        _ inventory: Inventory, of name: String, on uuid: String, seen: Int?, mayReserveAll: Bool, at now: Int64,
        in transaction: any SQLTransaction
    ) throws -> Int {
        let provider = try provider(uuid, in: transaction)
        guard try providers.inventories(of: provider.key, in: transaction)[name] == nil else {
            throw APIError.conflict(
                "Update conflict: there is an inventory of class \(name) already",
                type: PlacementCode.concurrentUpdate)
        }
        try advance(provider, from: seen ?? provider.generation, at: now, in: transaction)
        try check(inventory, name, provider, mayReserveAll: mayReserveAll, in: transaction)
        try providers.put(inventory, of: name, on: provider.key, in: transaction)
        return provider.generation + 1
    }

    /// - Returns: The provider's new generation.
    func updateInventory(
        _ inventory: Inventory, of name: String, on uuid: String, seen: Int, mayReserveAll: Bool, at now: Int64,
        in transaction: any SQLTransaction
    ) throws -> Int {
        let provider = try provider(uuid, in: transaction)
        try advance(provider, from: seen, at: now, in: transaction)
        guard try providers.inventories(of: provider.key, in: transaction)[name] != nil else {
            throw APIError.badRequest(
                "No inventory record with resource class for resource provider \(provider.uuid): No inventory of "
                    + "class \(name) found.")
        }
        try check(inventory, name, provider, mayReserveAll: mayReserveAll, in: transaction)
        try providers.put(inventory, of: name, on: provider.key, in: transaction)
        return provider.generation + 1
    }

    func deleteInventory(of name: String, on uuid: String, at now: Int64, in transaction: any SQLTransaction) throws {
        let (provider, _) = try inventory(of: name, on: uuid, in: transaction)
        guard try providers.deleteInventory(of: name, on: provider.key, in: transaction) else {
            throw APIError.conflict(
                "Unable to delete inventory of class \(name): Inventory for '\(name)' on resource provider "
                    + "'\(provider.uuid)' in use.", type: PlacementCode.concurrentUpdate)
        }
        try advance(provider, from: provider.generation, at: now, in: transaction)
    }

    /// - Throws: ``APIError`` 404.
    func inventory(of name: String, on uuid: String, in reader: any SQLReader) throws -> (Provider, Inventory) {
        let provider = try provider(uuid, in: reader)
        guard let inventory = try providers.inventories(of: provider.key, in: reader)[name] else {
            throw APIError.notFound("No inventory of class \(name) for \(provider.uuid)")
        }
        return (provider, inventory)
    }

    func check(
        _ inventory: Inventory, _ name: String, _ provider: Provider, mayReserveAll: Bool, in reader: any SQLReader
    ) throws {
        guard try isKnown(resourceClass: name, in: reader) else {
            throw APIError.badRequest(
                "Unknown resource class in inventory for resource provider \(provider.uuid): No such resource class "
                    + "\(name).")
        }
        guard mayReserveAll ? inventory.surplus >= 0 : inventory.surplus > 0 else {
            throw APIError.badRequest(
                "Unable to update inventory for resource provider \(provider.uuid): Invalid inventory for '\(name)' on "
                    + "resource provider '\(provider.uuid)'. The reserved value is greater than "
                    + "\(mayReserveAll ? "" : "or equal to ")total.")
        }
    }

    /// What there is of the class, and what is claimed of it, follows.
    func renameClass(_ old: String, to name: String, at now: Int64, in transaction: any SQLTransaction) throws {
        guard try isKnown(resourceClass: old, in: transaction) else {
            throw APIError.notFound("No such resource class \(old).")
        }
        guard !ResourceClass.standard.contains(old) else {
            throw APIError.badRequest("Cannot update standard resource class \(old)")
        }
        guard try !isKnown(resourceClass: name, in: transaction) else {
            throw APIError.conflict("Resource class already exists: \(name)")
        }
        for provider in try names.renameClass(old, to: name, in: transaction) {
            try providers.changed(provider, PlacementFeed.providers, at: now, in: transaction)
        }
    }
}
