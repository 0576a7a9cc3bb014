import CoordinatorFleet
import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel

/// Host aggregates: how they change, and what placement and servers are told of it.
struct Aggregates: Sendable {
    let parts: ComputeParts
    private var store: AggregateStore { parts.aggregates }

    init(parts: ComputeParts) { self.parts = parts }

    /// What stands between a change and an aggregate, in Nova's words.
    private enum Change: String {
        case add = "add host to"
        case remove = "remove host from"
        case update = "update"
        case metadata = "update metadata of"

        func refused(_ aggregate: Int64, _ reason: String) -> String {
            "Cannot \(rawValue) aggregate \(aggregate). Reason: \(reason)."
        }
    }

    private static let emptyZone = "Aggregate does not support empty named availability zone"

    /// - Throws: ``APIError`` 404.
    func find(_ number: Int64, in reader: any SQLReader) throws -> Aggregate {
        guard let aggregate = try store.find(number, in: reader) else {
            throw APIError.notFound("Aggregate \(number) could not be found.")
        }
        return aggregate
    }

    /// - Throws: ``APIError`` 409.
    func create(_ aggregate: Aggregate, in transaction: any SQLTransaction) throws -> Aggregate {
        var aggregate = aggregate
        try requireFree(aggregate, in: transaction)
        aggregate.number = try store.insert(aggregate, in: transaction)
        return aggregate
    }

    private func requireFree(_ aggregate: Aggregate, in reader: any SQLReader) throws {
        guard try !store.isTaken(aggregate.name, but: aggregate.number, in: reader) else {
            throw APIError.conflict("Aggregate \(aggregate.name) already exists.")
        }
    }

    /// - Parameter zone: `.some(nil)` takes it away.
    func update(
        _ number: Int64, name: String?, zone: String??, at now: Int64, in transaction: any SQLTransaction
    ) throws -> Aggregate {
        var aggregate = try find(number, in: transaction)
        if let name { aggregate.name = name }
        try requireFree(aggregate, in: transaction)
        var metadata = aggregate.metadata
        if let zone { metadata[Aggregate.zoneKey] = zone }
        return try set(metadata, of: aggregate, .update, at: now, in: transaction)
    }

    /// - Parameter changes: `nil` takes a key away.
    func setMetadata(
        _ number: Int64, _ changes: [String: String?], at now: Int64, in transaction: any SQLTransaction
    ) throws -> Aggregate {
        let aggregate = try find(number, in: transaction)
        var metadata = aggregate.metadata
        for (key, value) in changes { metadata[key] = value }
        return try set(metadata, of: aggregate, .metadata, at: now, in: transaction)
    }

    private func set(
        _ metadata: [String: String], of old: Aggregate, _ change: Change, at now: Int64,
        in transaction: any SQLTransaction
    ) throws -> Aggregate {
        var aggregate = old
        aggregate.metadata = metadata
        aggregate.updatedAt = now
        let hosts = try store.hosts(of: old.number, in: transaction)
        if aggregate.zone != old.zone {
            if aggregate.zone == "" { throw APIError.badRequest(change.refused(old.number, Self.emptyZone)) }
            if let reason = try conflict(of: aggregate, on: hosts, in: transaction) {
                throw APIError.badRequest(change.refused(old.number, reason))
            }
            for node in hosts where try parts.servers.countGuests(on: node, in: transaction) > 0 {
                throw APIError.badRequest(
                    change.refused(old.number, "One or more hosts contain instances in this zone"))
            }
        }
        try store.update(aggregate, in: transaction)
        for node in hosts { try tell(node, at: now, in: transaction) }
        return aggregate
    }

    /// A host is in one zone at most.
    private func conflict(
        of aggregate: Aggregate, on hosts: [NodeID], in reader: any SQLReader
    ) throws -> String? {
        guard let zone = aggregate.zone else { return nil }
        let others = try hosts.flatMap { try store.aggregates(of: $0, in: reader) }
            .filter { $0.number != aggregate.number }.compactMap(\.zone).filter { $0 != zone }
        return others.isEmpty
            ? nil
            : "One or more hosts already in availability zone(s) \(JSON.array(others.map(JSON.string)).pythonText)"
    }

    /// - Throws: ``APIError`` 400 while it has hosts.
    func delete(_ number: Int64, in transaction: any SQLTransaction) throws {
        let aggregate = try find(number, in: transaction)
        guard try store.hosts(of: number, in: transaction).isEmpty else {
            throw APIError.badRequest(Change.remove.refused(number, "Host aggregate is not empty"))
        }
        try store.delete(aggregate.number, in: transaction)
    }

    // MARK: Hosts

    private func node(named hostname: String, in reader: any SQLReader) throws -> NodeID? {
        try parts.directory.nodes(in: reader).first { $0.hostname == hostname && $0.runsServers }?.id
    }

    func add(
        _ hostname: String, to number: Int64, at now: Int64, in transaction: any SQLTransaction
    ) throws -> Aggregate {
        let aggregate = try find(number, in: transaction)
        guard let node = try node(named: hostname, in: transaction) else {
            throw APIError.notFound("Compute host \(hostname) could not be found.")
        }
        if let reason = try conflict(of: aggregate, on: [node], in: transaction) {
            throw APIError.conflict(Change.add.refused(number, reason))
        }
        guard try store.add(node, to: number, in: transaction) else {
            throw APIError.conflict("Aggregate \(number) already has host \(hostname).")
        }
        return try touched(aggregate, node, at: now, in: transaction)
    }

    func remove(
        _ hostname: String, from number: Int64, at now: Int64, in transaction: any SQLTransaction
    ) throws -> Aggregate {
        guard let aggregate = try store.find(number, in: transaction),
            let node = try node(named: hostname, in: transaction),
            try store.remove(node, from: number, in: transaction)
        else { throw APIError.notFound("Cannot remove host \(hostname) in aggregate \(number)") }
        return try touched(aggregate, node, at: now, in: transaction)
    }

    private func touched(
        _ aggregate: Aggregate, _ node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws -> Aggregate {
        var aggregate = aggregate
        aggregate.updatedAt = now
        try store.update(aggregate, in: transaction)
        try tell(node, at: now, in: transaction)
        return aggregate
    }

    /// Tells placement, and the servers of the host, what the host's aggregates make of it.
    private func tell(_ node: NodeID, at now: Int64, in transaction: any SQLTransaction) throws {
        let aggregates = try store.aggregates(of: node, in: transaction)
        try parts.placement.set(
            AggregateRules.rules(of: aggregates), aggregates: aggregates.map(\.id.text), of: node, at: now,
            in: transaction)
        guard let found = try parts.directory.node(node, in: transaction) else { return }
        let zone = aggregates.compactMap(\.zone).first ?? found.zone(default: parts.settings.defaultZone)
        for var server in try parts.servers.on(node, in: transaction) where server.host?.zone != zone {
            server.host?.zone = zone
            try parts.servers.save(&server, at: now, in: transaction)
            if !server.isDeleted { try parts.plans.touch(server.key, in: transaction) }
        }
    }

    /// A host that was taken out of the cloud is in no aggregate.
    func forget(_ node: NodeID, in transaction: any SQLTransaction) throws {
        try store.removeAll(of: node, in: transaction)
    }
}

/// Which zone each host is in: that of its aggregates, else the one that it reports, else the default.
struct ZoneBook: Sendable {
    private let zones: [NodeID: String]
    private let standard: String

    init(_ parts: ComputeParts, in reader: any SQLReader) throws {
        zones = try parts.aggregates.zones(in: reader)
        standard = parts.settings.defaultZone
    }

    func zone(of node: Node) -> String { zones[node.id] ?? node.zone(default: standard) }
}

/// Hears of hosts for servers and for aggregates.
struct ServerNodes: NodeObserver {
    let servers: HostedReports<ServerHosting>
    let aggregates: Aggregates

    func nodeReported(
        _ report: NodeReport, by node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws { try servers.nodeReported(report, by: node, at: now, in: transaction) }

    func nodeHealthChanged(
        _ health: HealthVerdict, of node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws { try servers.nodeHealthChanged(health, of: node, at: now, in: transaction) }

    func nodeRemoved(_ node: NodeID, at now: Int64, in transaction: any SQLTransaction) throws {
        try servers.nodeRemoved(node, at: now, in: transaction)
        try aggregates.forget(node, in: transaction)
    }
}
