import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// Turns nodes' capacity reports into providers and inventories.
public struct NodeInventories: NodeObserver {
    let ratios: AllocationRatios
    let providers = ProviderStore()
    let allocations = AllocationStore()
    let names = NameStore()

    public init(ratios: AllocationRatios) { self.ratios = ratios }

    public func nodeReported(
        _ report: NodeReport, by node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        let provider = try ensureProvider(node, named: report.hostname, at: now, in: transaction)
        let old = try providers.inventories(of: provider.key, in: transaction)
        var wanted = report.roles.contains(.compute) ? inventories(of: report.capacity) : [:]
        for (name, inventory) in inventories(of: report.pools) {
            _ = try names.add(name, .resourceClass, in: transaction)
            wanted[name] = inventory
        }
        // The ratio is only where a host begins: what an operator set through the API since then stays.
        for (name, inventory) in old { wanted[name]?.allocationRatio = inventory.allocationRatio }
        var isChanged = false
        for (name, inventory) in wanted where !(old[name]?.describesSame(as: inventory) ?? false) {
            try providers.put(inventory, of: name, on: provider.key, in: transaction)
            isChanged = true
        }
        for name in old.keys
        where wanted[name] == nil && (!name.hasPrefix("CUSTOM_") || name.hasPrefix(ResourceClass.volumesPrefix)) {
            // What guests still hold stays on the books until they are gone; the scheduler no longer looks at the host.
            isChanged = try drop(name, old[name], of: provider, in: transaction) || isChanged
        }
        isChanged = try setTraits(of: report, on: provider, in: transaction) || isChanged
        if isChanged {
            _ = try providers.advance(provider.key, from: provider.generation, at: now, in: transaction)
        }
    }

    /// - Returns: Whether anything changed.
    private func drop(
        _ name: String, _ inventory: Inventory?, of provider: Provider, in transaction: any SQLTransaction
    ) throws -> Bool {
        if try providers.deleteInventory(of: name, on: provider.key, in: transaction) { return true }
        // A pool that is away keeps its volumes, and gets no others.
        guard name.hasPrefix(ResourceClass.volumesPrefix), var inventory, inventory.reserved < inventory.total else {
            return false
        }
        inventory.reserved = inventory.total
        try providers.put(inventory, of: name, on: provider.key, in: transaction)
        return true
    }

    public func nodeHealthChanged(
        _ health: HealthVerdict, of node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        // The table of hosts follows the fleet's own feed: one truth.
    }

    /// Traits that an operator gave the provider stay.
    /// - Returns: Whether they changed.
    private func setTraits(
        of report: NodeReport, on provider: Provider, in transaction: any SQLTransaction
    ) throws -> Bool {
        let old = Set(try names.traits(of: provider.key, in: transaction))
        let wanted = old.filter { !Trait.isReported($0) }.union(Trait.of(report))
        guard wanted != old else { return false }
        for name in wanted where ResourceClass.isCustomName(name) {
            _ = try names.add(name, .trait, in: transaction)
        }
        try names.setTraits(Array(wanted), of: provider.key, in: transaction)
        return true
    }

    public func nodeRemoved(_ node: NodeID, at now: Int64, in transaction: any SQLTransaction) throws {
        try HostRuleStore().remove(node.text, in: transaction)
        guard let provider = try providers.find(uuid: node.text, in: transaction) else { return }
        let tree = try providers.tree(of: provider.root, in: transaction)
        // What was put below the host is a part of it.
        for member in ProviderTree.subtree(of: provider.uuid, among: tree).reversed() {
            for consumer in Set(try allocations.claims(on: member.key, in: transaction).map(\.consumer.uuid)) {
                try allocations.release(consumer, at: now, in: transaction)
            }
            try providers.delete(member.key, at: now, in: transaction)
        }
    }

    private func ensureProvider(
        _ node: NodeID, named hostname: String, at now: Int64, in transaction: any SQLTransaction
    ) throws -> Provider {
        let holder = try providers.find(name: hostname, in: transaction)
        // Names are unique; a second node of the same host name is told apart by its id.
        let name = holder == nil || holder?.uuid == node.text ? hostname : "\(hostname)-\(node.short)"
        if let provider = try providers.find(uuid: node.text, in: transaction) {
            if provider.name != name { try providers.rename(provider.key, to: name, at: now, in: transaction) }
            return provider
        }
        try providers.insert(uuid: node.text, name: name, at: now, in: transaction)
        guard let provider = try providers.find(uuid: node.text, in: transaction) else {
            throw StoreError.stale("provider \(node)")
        }
        return provider
    }

    /// A pool that says why nothing new may be put into it is full, whatever it has.
    private func inventories(of pools: [StoragePool]) -> [String: Inventory] {
        var inventories: [String: Inventory] = [:]
        for pool in pools where pool.totalGiB > 0 {
            inventories[ResourceClass.volumes(in: pool.name)] = Inventory(
                total: pool.totalGiB, reserved: pool.problem.isEmpty ? 0 : pool.totalGiB,
                allocationRatio: ratios.volumes)
        }
        return inventories
    }

    private func inventories(of capacity: NodeCapacity) -> [String: Inventory] {
        func inventory(_ total: Int, _ reserved: Int, _ ratio: Double) -> Inventory? {
            guard total > 0 else { return nil }
            return Inventory(
                total: total, reserved: min(max(0, reserved), total), maxUnit: total, allocationRatio: ratio)
        }
        return [
            ResourceClass.vcpu: inventory(capacity.vcpus, 0, ratios.vcpus),
            ResourceClass.memory: inventory(capacity.memoryMiB, capacity.reservedMemoryMiB, ratios.memory),
            ResourceClass.disk: inventory(capacity.diskGiB, capacity.reservedDiskGiB, ratios.disk)
        ].compactMapValues { $0 }
    }
}
