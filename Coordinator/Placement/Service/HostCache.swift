import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// The scheduler's table of hosts, which follows what the fleet and placement write.
struct HostCache: Sendable {
    private let table: FeedCache<HostTable>

    init(directory: any NodeDirectory) {
        let reader = HostReader(directory: directory)
        table = FeedCache(topics: HostReader.topics, empty: HostTable()) { keys, table, transaction in
            if let keys {
                try reader.refresh(&table, nodes: keys[0].union(keys[1]), stocks: keys[2], in: transaction)
            } else {
                table = HostTable(try reader.all(in: transaction))
            }
        }
    }

    /// - Parameter body: Sees the hosts as the transaction does.
    func withTable<T>(in transaction: any SQLTransaction, _ body: (HostTable) throws -> T) throws -> T {
        try table.withCurrent(in: transaction) { try body($0) }
    }
}

/// Reads hosts as the scheduler looks at them: what the fleet knows of a node, and what its provider has.
struct HostReader: Sendable {
    /// Nodes, what providers are, and what of them is taken; the key of each is the node's id.
    static let topics = [FleetFeed.nodes, PlacementFeed.providers, PlacementFeed.stocks]

    let directory: any NodeDirectory
    let providers = ProviderStore()
    let names = NameStore()
    let rules = HostRuleStore()

    /// Every node. One that never reported offers nothing.
    func all(in reader: any SQLReader) throws -> [HostState] {
        let known = Dictionary(try providers.states(in: reader).map { ($0.uuid, $0) }) { first, _ in first }
        let zones = try rules.zones(in: reader)
        return try directory.nodes(in: reader).map { node in
            let state = known[node.id.text]
            return host(
                node, zone: zones[node.id.text], traits: state?.traits ?? [], aggregates: state?.aggregates ?? [],
                state?.inventories ?? [:],
                consumers: state?.provider.consumers ?? 0)
        }
    }

    /// - Parameters:
    ///   - nodes: To be read as a whole.
    ///   - stocks: Of which only the numbers changed.
    func refresh(
        _ table: inout HostTable, nodes: Set<String>, stocks: Set<String>, in reader: any SQLReader
    ) throws {
        for id in nodes.compactMap({ NodeID($0) }) {
            guard let node = try directory.node(id, in: reader) else {
                table.remove(id)
                continue
            }
            let provider = try providers.find(uuid: id.text, in: reader)
            table.set(
                host(
                    node, zone: try rules.find(id.text, in: reader)?.rules.zone,
                    traits: try provider.map { Set(try names.traits(of: $0.key, in: reader)) } ?? [],
                    aggregates: try provider.map { Set(try names.aggregates(of: $0.key, in: reader)) } ?? [],
                    try provider.map { try providers.inventories(of: $0.key, in: reader) } ?? [:],
                    consumers: provider?.consumers ?? 0))
        }
        for text in stocks where !nodes.contains(text) {
            guard let id = NodeID(text) else { continue }
            let (inventories, consumers) = try providers.stock(of: text, in: reader)
            table.set(inventories.mapValues(\.stock), consumers: consumers, of: id)
        }
    }

    private func host(
        _ node: Node, zone: String?, traits: Set<String>, aggregates: Set<String>, _ inventories: [String: Inventory],
        consumers: Int
    ) -> HostState {
        HostState(
            node: node.id, hostname: node.hostname,
            facts: HostState.Facts(
                availabilityZone: zone ?? node.report?.availabilityZone ?? "", roles: node.report?.roles ?? [],
                isEnabled: node.isEnabled, disabledReason: node.disabledReason,
                health: HostState.Health(rawValue: node.health.rawValue) ?? .down,
                physicalNetworks: Set(node.report?.physicalNetworks ?? []), traits: traits, aggregates: aggregates),
            stocks: inventories.mapValues(\.stock), consumers: consumers)
    }
}

extension Inventory {
    var stock: HostState.Stock { HostState.Stock(capacity: capacity, used: used, largest: maxUnit) }
}
