import CoordinatorPlatform
import ProtocolModel

extension PlacementService {
    public func set(
        _ rules: HostRules, aggregates: [String], of node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard let provider = try providers.find(uuid: node.text, in: transaction) else { return }
        let store = HostRuleStore()
        var stored =
            try store.find(node.text, in: transaction) ?? StoredHostRules(provider: node.text, rules: HostRules())
        // What was put in through the placement API stays.
        let others = try names.aggregates(of: provider.key, in: transaction).filter { !stored.aggregates.contains($0) }
        try names.setAggregates(
            others + aggregates.filter { !others.contains($0) }, of: provider.key, in: transaction)
        var inventories = try providers.inventories(of: provider.key, in: transaction)
        for name in Set(rules.ratios.keys).union(stored.replaced.keys).sorted() {
            guard var inventory = inventories[name] else { continue }
            let before = stored.replaced[name] ?? inventory.allocationRatio
            inventory.allocationRatio = rules.ratios[name] ?? before
            stored.replaced[name] = rules.ratios[name] == nil ? nil : before
            inventories[name] = inventory
            try providers.put(inventory, of: name, on: provider.key, in: transaction)
        }
        stored.rules = rules
        stored.aggregates = aggregates
        try store.put(stored, in: transaction)
        guard try providers.advance(provider.key, from: provider.generation, at: now, in: transaction) else {
            throw StoreError.stale("provider \(node)")
        }
    }
}
