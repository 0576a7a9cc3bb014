import CoordinatorPlatform
import ProtocolModel

/// What the placement API changes, with its refusals.
extension PlacementService {
    var names: NameStore { NameStore() }

    /// - Throws: ``APIError`` 404.
    func provider(_ uuid: String, in reader: any SQLReader) throws -> Provider {
        guard let id = AnyID(uuid), let provider = try providers.find(uuid: id.text, in: reader) else {
            throw APIError.notFound("No resource provider with uuid \(uuid) found")
        }
        return provider
    }

    func createProvider(
        name: String, uuid: String?, at now: Int64, in transaction: any SQLTransaction
    ) throws -> Provider {
        let id = uuid ?? AnyID.random().text
        var conflicts: [String] = []
        if try providers.find(uuid: id, in: transaction) != nil { conflicts.append("uuid: \(id)") }
        if try providers.find(name: name, in: transaction) != nil { conflicts.append("name: \(name)") }
        guard conflicts.isEmpty else {
            throw APIError.conflict(
                "Conflicting resource provider \(conflicts.joined(separator: ", ")) already exists.")
        }
        try providers.insert(uuid: id, name: name, at: now, in: transaction)
        return try provider(id, in: transaction)
    }

    func renameProvider(
        _ uuid: String, to name: String, at now: Int64, in transaction: any SQLTransaction
    ) throws -> Provider {
        let old = try provider(uuid, in: transaction)
        if let holder = try providers.find(name: name, in: transaction), holder.key != old.key {
            throw APIError.conflict("Conflicting resource provider \(name) already exists.")
        }
        try providers.rename(old.key, to: name, at: now, in: transaction)
        return try provider(uuid, in: transaction)
    }

    func deleteProvider(_ uuid: String, at now: Int64, in transaction: any SQLTransaction) throws {
        let provider = try provider(uuid, in: transaction)
        guard try allocations.claims(on: provider.key, in: transaction).isEmpty else {
            throw APIError.conflict(
                "Unable to delete resource provider \(uuid): Resource provider has allocations.")
        }
        try providers.delete(provider.key, at: now, in: transaction)
    }

    /// Counts the generation up unless somebody else did since the caller looked.
    func advance(_ provider: Provider, from seen: Int, at now: Int64, in transaction: any SQLTransaction) throws {
        guard try providers.advance(provider.key, from: seen, at: now, in: transaction) else {
            throw APIError.conflict("resource provider generation conflict")
        }
    }

    /// Replaces all inventories of a provider.
    func setInventories(
        _ wanted: [String: Inventory], of provider: Provider, seen: Int, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        try advance(provider, from: seen, at: now, in: transaction)
        let old = try providers.inventories(of: provider.key, in: transaction)
        for (name, inventory) in wanted {
            try check(inventory, name, provider, in: transaction)
            try providers.put(inventory, of: name, on: provider.key, in: transaction)
        }
        for name in old.keys.sorted() where wanted[name] == nil {
            guard try providers.deleteInventory(of: name, on: provider.key, in: transaction) else {
                throw APIError.conflict(
                    "update conflict: Inventory for '\(name)' on resource provider '\(provider.uuid)' in use.")
            }
        }
    }

    /// - Returns: The provider's new generation.
    func createInventory(
        _ inventory: Inventory, of name: String, on uuid: String, seen: Int?, at now: Int64,
        in transaction: any SQLTransaction
    ) throws -> Int {
        let provider = try provider(uuid, in: transaction)
        guard try providers.inventories(of: provider.key, in: transaction)[name] == nil else {
            throw APIError.conflict("Update conflict: there is an inventory of class \(name) already")
        }
        try advance(provider, from: seen ?? provider.generation, at: now, in: transaction)
        try check(inventory, name, provider, in: transaction)
        try providers.put(inventory, of: name, on: provider.key, in: transaction)
        return provider.generation + 1
    }

    /// - Returns: The provider's new generation.
    func updateInventory(
        _ inventory: Inventory, of name: String, on uuid: String, seen: Int, at now: Int64,
        in transaction: any SQLTransaction
    ) throws -> Int {
        let provider = try provider(uuid, in: transaction)
        try advance(provider, from: seen, at: now, in: transaction)
        guard try providers.inventories(of: provider.key, in: transaction)[name] != nil else {
            throw APIError.badRequest(
                "No inventory record with resource class for resource provider \(provider.uuid): No inventory of "
                    + "class \(name) found.")
        }
        try check(inventory, name, provider, in: transaction)
        try providers.put(inventory, of: name, on: provider.key, in: transaction)
        return provider.generation + 1
    }

    func deleteInventory(of name: String, on uuid: String, at now: Int64, in transaction: any SQLTransaction) throws {
        let (provider, _) = try inventory(of: name, on: uuid, in: transaction)
        guard try providers.deleteInventory(of: name, on: provider.key, in: transaction) else {
            throw APIError.conflict(
                "Unable to delete inventory of class \(name): Inventory for '\(name)' on resource provider "
                    + "'\(provider.uuid)' in use.")
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

    func setAggregates(_ uuids: [String], of provider: String, at now: Int64, in transaction: any SQLTransaction) throws
    {
        let provider = try self.provider(provider, in: transaction)
        try names.setAggregates(uuids, of: provider.key, in: transaction)
        try providers.changed(provider.key, PlacementFeed.providers, at: now, in: transaction)
    }

    func isKnown(trait name: String, in reader: any SQLReader) throws -> Bool {
        try Trait.standard.contains(name) || names.has(name, .trait, in: reader)
    }

    func check(_ inventory: Inventory, _ name: String, _ provider: Provider, in reader: any SQLReader) throws {
        guard try isKnown(resourceClass: name, in: reader) else {
            throw APIError.badRequest(
                "Unknown resource class in inventory for resource provider \(provider.uuid): No such resource class "
                    + "\(name).")
        }
        guard inventory.capacity > 0 else {
            throw APIError.badRequest(
                "Unable to update inventory for resource provider \(provider.uuid): Invalid inventory for '\(name)' on "
                    + "resource provider '\(provider.uuid)'. The reserved value is greater than or equal to total.")
        }
    }

    func isKnown(resourceClass name: String, in reader: any SQLReader) throws -> Bool {
        try ResourceClass.standard.contains(name) || names.has(name, .resourceClass, in: reader)
    }

    /// Replaces all claims of a consumer; with none it is forgotten.
    func setClaims(
        _ claims: [Claim], consumer uuid: String, project: String, user: String, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        for claim in claims {
            guard let provider = try providers.find(uuid: claim.provider, in: transaction) else {
                throw APIError.badRequest(
                    "Allocation for resource provider '\(claim.provider)' that does not exist.")
            }
            let stock = try providers.inventories(of: provider.key, in: transaction)[claim.resourceClass]
            guard let stock else {
                throw APIError.conflict(
                    "Unable to allocate inventory: Inventory for '\(claim.resourceClass)' on resource provider "
                        + "'\(claim.provider)' invalid.")
            }
            guard claim.amount >= stock.minUnit, claim.amount <= stock.maxUnit, claim.amount % stock.stepSize == 0
            else {
                throw APIError.conflict(
                    "Unable to allocate inventory: Unable to create allocation for '\(claim.resourceClass)' on resource "
                        + "provider '\(claim.provider)'. The requested amount would violate inventory constraints.")
            }
        }
        let held = try allocations.consumer(uuid, in: transaction)
        try allocations.release(uuid, at: now, in: transaction)
        guard !claims.isEmpty else { return }
        do {
            try allocations.claim(
                claims,
                for: Consumer(
                    uuid: uuid, type: held?.type ?? "", project: project, user: user,
                    generation: (held?.generation ?? 0) + 1, updatedAt: now),
                at: now, in: transaction)
        } catch StoreError.stale(let what) {
            throw APIError.conflict(
                "Unable to allocate inventory: Unable to create allocation for \(what). The requested amount would exceed "
                    + "the capacity.")
        }
    }
}
