import CoordinatorPlatform
import ProtocolModel

/// A resource with what its answers need beside the row.
struct Listed<Record: Sendable>: Sendable {
    var record: Record
    var tags: [String] = []
    /// Of a network.
    var subnets: [SubnetID] = []
    /// Of a network.
    var scopes: [IPAddress.Family: AddressScopeID] = [:]
    /// Whom it is shared with.
    var targets: [RBACTarget] = []
    /// Of a security group.
    var rules: [RuleRecord] = []
    /// Of a port's network.
    var networkPolicy: QoSPolicyID?
}

/// One kind of resource as callers see it. A single resource is found as the list finds it, so that both show the same
/// to the same people; what one may not see is as unknown as what there is not.
struct Listing<Record: StandardRecord>: Sendable {
    let schema: ListSchema
    let visible: @Sendable (Viewer) -> SQLCondition
    let complete: @Sendable ([Record], any SQLReader) throws -> [Listed<Record>]
    let missing: @Sendable (String) -> APIError
    /// What is shared with the viewer, where the list is filtered by that.
    var shared: (@Sendable (Viewer) -> SQLCondition)?

    /// - Throws: ``UnknownMarker``
    func list(_ query: ListQuery, viewer: Viewer, in reader: any SQLReader) throws -> [Listed<Record>] {
        let (query, visible) = narrowed(query, viewer)
        return try complete(try schema.records(Record.table, query, visible: visible, in: reader), reader)
    }

    /// `shared` is not the same for all viewers, so it is no column.
    private func narrowed(_ query: ListQuery, _ viewer: Viewer) -> (query: ListQuery, visible: SQLCondition) {
        guard let shared, let filter = query.filters.first(where: { $0.name == "shared" }) else {
            return (query, visible(viewer))
        }
        var query = query
        query.filters.removeAll { $0.name == "shared" }
        let condition = shared(viewer)
        let wanted = filter.values.compactMap(BooleanWords.strict).map { isShared in
            isShared ? condition : SQLCondition("NOT (\(condition.sql))", condition.arguments)
        }
        return (query, .all([visible(viewer), .any(wanted)]))
    }

    /// - Throws: ``APIError`` 404 also for what the viewer may not see.
    func find(_ id: String, viewer: Viewer, in reader: any SQLReader) throws -> Listed<Record> {
        guard let found = try complete([record(id, viewer: viewer, in: reader)], reader).first else {
            throw missing(id)
        }
        return found
    }

    /// The same without what only answers need.
    func record(_ id: String, viewer: Viewer, in reader: any SQLReader) throws -> Record {
        guard let record = try first(id, viewer: viewer, in: reader) else { throw missing(id) }
        return record
    }

    func first(_ id: String, viewer: Viewer, in reader: any SQLReader) throws -> Record? {
        var query = ListQuery()
        query.filters = [.init("id", .equal, [id])]
        return try schema.records(Record.table, query, visible: visible(viewer), in: reader).first
    }
}

extension NetworkService {
    /// - Throws: ``APIError`` 404.
    func owner(of network: NetworkID, in reader: any SQLReader) throws -> ProjectID {
        guard let found = try networks.find(network, in: reader) else { throw APIError.networkNotFound(network.text) }
        return found.project
    }

    /// - Throws: ``APIError`` 404.
    func owner(ofGroup group: SecurityGroupID, in reader: any SQLReader) throws -> ProjectID {
        guard let found = try groups.find(group, in: reader) else { throw APIError.groupNotFound(group.text) }
        return found.project
    }

    var networkListing: Listing<NetworkRecord> {
        Listing(
            schema: .networks, visible: { $0.visibleNetworks },
            complete: { found, reader in
                let subnets = try subnets.ids(of: found.map(\.id), in: reader)
                let scopes = try pools.scopes(of: found.map(\.id), in: reader)
                let items = try tagged(found, \.id, in: reader) {
                    $0.subnets = subnets[$0.record.id] ?? []
                    $0.scopes = scopes[$0.record.id] ?? [:]
                }
                return try withTargets(items, \.id, in: reader)
            }, missing: APIError.networkNotFound, shared: { $0.sharedNetworks })
    }

    var subnetListing: Listing<SubnetRecord> {
        Listing(
            schema: .subnets, visible: { $0.visibleSubnets },
            complete: { try tagged(try subnets.withPools($0, in: $1), \.id, in: $1) }, missing: APIError.subnetNotFound,
            shared: { $0.sharedNetworks })
    }

    var portListing: Listing<PortRecord> {
        Listing(
            schema: .ports, visible: { $0.visiblePorts },
            complete: { found, reader in
                let policies = try qos.policies(ofNetworks: Set(found.map(\.network)).sorted(), in: reader)
                return try tagged(try ports.complete(found, in: reader), \.id, in: reader) {
                    $0.networkPolicy = policies[$0.record.network]
                }
            }, missing: APIError.portNotFound)
    }

    var groupListing: Listing<SecurityGroupRecord> {
        Listing(
            schema: .securityGroups, visible: { $0.visibleGroups },
            complete: { found, reader in
                let rules = try rules.rules(of: found.map(\.id), in: reader)
                let items = try tagged(found, \.id, in: reader) { $0.rules = rules[$0.record.id] ?? [] }
                return try withTargets(items, \.id, in: reader)
            }, missing: APIError.groupNotFound, shared: { $0.sharedGroups })
    }

    var ruleListing: Listing<RuleRecord> {
        Listing(
            schema: .securityGroupRules, visible: { $0.visibleRules },
            complete: { found, _ in found.map { Listed(record: $0) } }, missing: APIError.ruleNotFound)
    }

    func tagged<Record: Sendable, Resource>(
        _ records: [Record], _ id: KeyPath<Record, Identifier<Resource>>, in reader: any SQLReader,
        adding more: (inout Listed<Record>) -> Void = { _ in }
    ) throws -> [Listed<Record>] {
        let tags = try tags.tags(of: records.map { $0[keyPath: id] }, in: reader)
        return records.map { record in
            var item = Listed(record: record, tags: tags[record[keyPath: id]] ?? [])
            more(&item)
            return item
        }
    }
}
