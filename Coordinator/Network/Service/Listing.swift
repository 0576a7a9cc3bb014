import CoordinatorPlatform
import ProtocolModel

/// Resources with what their answers need beside the row.
struct NetworkListing: Sendable {
    var network: NetworkRecord
    var subnets: [SubnetID]
    var tags: [String]
}

struct Tagged<Record: Sendable>: Sendable {
    var record: Record
    var tags: [String]
}

struct GroupListing: Sendable {
    var group: SecurityGroupRecord
    var rules: [RuleRecord]
    var tags: [String]
}

extension NetworkService {
    private var tags: TagStore { TagStore() }

    private func notFoundMarker<T>(_ body: () throws -> T) throws -> T {
        do { return try body() } catch ListError.unknownMarker(let id) {
            throw APIError.notFound("The marker \(id) could not be found.", type: "HTTPNotFound")
        }
    }

    // MARK: Networks

    func list(networks query: ListQuery, viewer: Viewer, in reader: any SQLReader) throws -> [NetworkListing] {
        let found = try notFoundMarker {
            try ListTable.networks.rows(
                query, visible: ListTable.visibleNetworks(to: viewer), select: NetworkStore.columns, in: reader,
                NetworkStore.record)
        }
        return try complete(found, in: reader)
    }

    /// - Throws: ``APIError`` 404 also for what the viewer may not see.
    func network(_ id: String, viewer: Viewer, in reader: any SQLReader) throws -> NetworkListing {
        guard let key = NetworkID(id), let network = try networks.find(key, in: reader), viewer.sees(network),
            let complete = try complete([network], in: reader).first
        else { throw APIError.networkNotFound(id) }
        return complete
    }

    func networks(_ ids: [NetworkID], in reader: any SQLReader) throws -> [NetworkListing] {
        let found = Dictionary(uniqueKeysWithValues: try networks.find(ids, in: reader).map { ($0.id, $0) })
        return try complete(ids.compactMap { found[$0] }, in: reader)
    }

    private func complete(_ found: [NetworkRecord], in reader: any SQLReader) throws -> [NetworkListing] {
        let subnets = try subnets.ids(of: found.map(\.id), in: reader)
        let tags = try tags.tags(of: found.map { $0.id.cast() }, in: reader)
        return found.map {
            NetworkListing(network: $0, subnets: subnets[$0.id] ?? [], tags: tags[$0.id.cast()] ?? [])
        }
    }

    // MARK: Subnets

    func list(subnets query: ListQuery, viewer: Viewer, in reader: any SQLReader) throws -> [Tagged<SubnetRecord>] {
        let found = try notFoundMarker {
            try ListTable.subnets.rows(
                query, visible: ListTable.visibleSubnets(to: viewer), select: SubnetStore.columns, in: reader,
                SubnetStore.record)
        }
        return try complete(try subnets.withPools(found, in: reader), in: reader)
    }

    /// - Throws: ``APIError`` 404 also for what the viewer may not see.
    func subnet(_ id: String, viewer: Viewer, in reader: any SQLReader) throws -> Tagged<SubnetRecord> {
        guard let key = SubnetID(id), let subnet = try subnets.find(key, in: reader),
            let network = try networks.find(subnet.network, in: reader),
            viewer.owns(subnet.project) || viewer.sees(network),
            let complete = try complete([subnet], in: reader).first
        else { throw APIError.subnetNotFound(id) }
        return complete
    }

    func subnets(_ ids: [SubnetID], in reader: any SQLReader) throws -> [Tagged<SubnetRecord>] {
        try complete(try ids.compactMap { try subnets.find($0, in: reader) }, in: reader)
    }

    private func complete(_ found: [SubnetRecord], in reader: any SQLReader) throws -> [Tagged<SubnetRecord>] {
        let tags = try tags.tags(of: found.map { $0.id.cast() }, in: reader)
        return found.map { Tagged(record: $0, tags: tags[$0.id.cast()] ?? []) }
    }

    // MARK: Ports

    func list(ports query: ListQuery, viewer: Viewer, in reader: any SQLReader) throws -> [Tagged<PortRecord>] {
        let found = try notFoundMarker {
            try ListTable.ports.rows(
                query, visible: ListTable.visiblePorts(to: viewer), select: PortStore.columns, in: reader,
                PortStore.record)
        }
        return try complete(try ports.complete(found, in: reader), in: reader)
    }

    /// - Throws: ``APIError`` 404 also for what the viewer may not see.
    func port(_ id: String, viewer: Viewer, in reader: any SQLReader) throws -> Tagged<PortRecord> {
        guard let key = PortID(id), let port = try ports.find(key, in: reader),
            try viewer.owns(port.project) || ownsNetwork(port.network, viewer, reader),
            let complete = try complete([port], in: reader).first
        else { throw APIError.portNotFound(id) }
        return complete
    }

    func ports(_ ids: [PortID], in reader: any SQLReader) throws -> [Tagged<PortRecord>] {
        let found = Dictionary(uniqueKeysWithValues: try ports.find(ids, in: reader).map { ($0.id, $0) })
        return try complete(ids.compactMap { found[$0] }, in: reader)
    }

    func ownsNetwork(_ id: NetworkID, _ viewer: Viewer, _ reader: any SQLReader) throws -> Bool {
        try networks.find(id, in: reader).map { viewer.owns($0.project) } ?? false
    }

    private func complete(_ found: [PortRecord], in reader: any SQLReader) throws -> [Tagged<PortRecord>] {
        let tags = try tags.tags(of: found.map { $0.id.cast() }, in: reader)
        return found.map { Tagged(record: $0, tags: tags[$0.id.cast()] ?? []) }
    }

    // MARK: Security groups

    func list(groups query: ListQuery, viewer: Viewer, in reader: any SQLReader) throws -> [GroupListing] {
        let found = try notFoundMarker {
            try ListTable.groups.rows(
                query, visible: ListTable.owned("g", by: viewer), select: SecurityGroupStore.columns, in: reader,
                SecurityGroupStore.record)
        }
        return try complete(found, in: reader)
    }

    /// - Throws: ``APIError`` 404 also for what the viewer may not see.
    func group(_ id: String, viewer: Viewer, in reader: any SQLReader) throws -> GroupListing {
        guard let key = SecurityGroupID(id), let group = try groups.find(key, in: reader), viewer.owns(group.project),
            let complete = try complete([group], in: reader).first
        else { throw APIError.groupNotFound(id) }
        return complete
    }

    func groups(_ ids: [SecurityGroupID], in reader: any SQLReader) throws -> [GroupListing] {
        try complete(try ids.compactMap { try groups.find($0, in: reader) }, in: reader)
    }

    private func complete(_ found: [SecurityGroupRecord], in reader: any SQLReader) throws -> [GroupListing] {
        let rules = try rules.rules(of: found.map(\.id), in: reader)
        let tags = try tags.tags(of: found.map { $0.id.cast() }, in: reader)
        return found.map { GroupListing(group: $0, rules: rules[$0.id] ?? [], tags: tags[$0.id.cast()] ?? []) }
    }

    func list(rules query: ListQuery, viewer: Viewer, in reader: any SQLReader) throws -> [RuleRecord] {
        try notFoundMarker {
            try ListTable.rules.rows(
                query, visible: ListTable.visibleRules(to: viewer), select: RuleStore.columns, in: reader,
                RuleStore.record)
        }
    }

    /// - Throws: ``APIError`` 404 also for what the viewer may not see.
    func rule(_ id: String, viewer: Viewer, in reader: any SQLReader) throws -> RuleRecord {
        guard let key = SecurityGroupRuleID(id), let rule = try rules.find(key, in: reader),
            try viewer.owns(rule.project)
                || groups.find(rule.group, in: reader).map({ viewer.owns($0.project) }) ?? false
        else { throw APIError.ruleNotFound(id) }
        return rule
    }
}
