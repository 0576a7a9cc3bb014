import CoordinatorPlatform
import ProtocolModel

/// What of ``ResourceState`` has no record of its own: associations and options; and the whole at start.
enum ResourceStore {
    static func load(_ reader: any SQLReader) throws -> ResourceState {
        var state = ResourceState()
        for record in try EndpointGroup.all(in: reader) { state.filter.put(record) }
        for record in try PolicyBlob.all(in: reader) { state.policies.put(record) }
        for record in try RegisteredLimit.all(in: reader) { state.limits.put(record) }
        for record in try ResourceLimit.all(in: reader) { state.limits.put(record) }
        for kind in [CatalogFilter.Choice.Kind.endpoint, .group] {
            for (project, key) in try reader.query(
                "SELECT project_key, \(kind.place.column) FROM \(kind.place.table)",
                { (try $0.id(0) as ProjectID, $0.text(1)) })
            { state.filter.associate(CatalogFilter.Choice(kind: kind, key: key), with: project) }
        }
        for (policy, target) in try policyAssociations(reader) { state.policies.associate(policy, with: target) }
        state.configurations = try configurations(reader)
        return state
    }

    private static func policyAssociations(_ reader: any SQLReader) throws -> [(String, PolicyTarget)] {
        try reader.query(
            "SELECT policy_key, endpoint_key, service_key, region_key FROM identity_policy_associations"
        ) { row in
            let target: PolicyTarget =
                if let endpoint = row.optionalText(1) {
                    .endpoint(endpoint)
                } else if let region = row.optionalText(3) {
                    .serviceInRegion(service: row.text(2), region: region)
                } else {
                    .service(row.text(2))
                }
            return (row.text(0), target)
        }
    }

    private static let options =
        "SELECT domain_key, option_group, option_name, value, sealed FROM identity_domain_options"

    private static func configurations(_ reader: any SQLReader) throws -> [String: DomainConfiguration] {
        try configurations(reader, options, [])
    }

    static func configuration(of domain: String, in reader: any SQLReader) throws -> DomainConfiguration {
        try configurations(reader, "\(options) WHERE domain_key = ?", [domain])[domain] ?? DomainConfiguration()
    }

    private static func configurations(
        _ reader: any SQLReader, _ sql: String, _ arguments: [any SQLArgument]
    ) throws -> [String: DomainConfiguration] {
        var groups: [String: [String: [String: DomainConfiguration.Value]]] = [:]
        _ = try reader.query(sql, arguments) { row in
            let value: DomainConfiguration.Value =
                row.isNull(4)
                ? .open(try JSON.parse(row.text(3)).arrayValue?.first ?? .null) : .sealed(row.blob(4))
            groups[row.text(0), default: [:]][row.text(1), default: [:]][row.text(2)] = value
        }
        return groups.mapValues { DomainConfiguration(values: $0) }
    }

    // MARK: - Endpoint filters

    /// - Throws: ``StoreError/duplicate(_:)``
    static func associate(
        _ choice: CatalogFilter.Choice, with project: ProjectID, in transaction: any SQLTransaction
    ) throws {
        let place = choice.kind.place
        try transaction.execute(
            "INSERT INTO \(place.table) (project_key, \(place.column)) VALUES (?, ?)", [project.compact, choice.key])
    }

    static func dissociate(
        _ choice: CatalogFilter.Choice, from project: ProjectID, in transaction: any SQLTransaction
    ) throws {
        let place = choice.kind.place
        try transaction.execute(
            "DELETE FROM \(place.table) WHERE project_key = ? AND \(place.column) = ?", [project.compact, choice.key])
    }

    static func hasRegion(_ key: String, in reader: any SQLReader) throws -> Bool {
        try reader.count("SELECT COUNT(*) FROM identity_regions WHERE record_key = ?", [key]) > 0
    }

    // MARK: - Endpoint policies

    static func associate(_ policy: String, with target: PolicyTarget, in transaction: any SQLTransaction) throws {
        var endpoint: String?, service: String?, region: String?
        switch target {
        case .endpoint(let key): endpoint = key
        case .service(let key): service = key
        case .serviceInRegion(let key, let place): (service, region) = (key, place)
        }
        try transaction.execute(
            """
            INSERT INTO identity_policy_associations (policy_key, endpoint_key, service_key, region_key, fingerprint)
            VALUES (?, ?, ?, ?, ?) ON CONFLICT (fingerprint) DO UPDATE SET policy_key = excluded.policy_key
            """, [policy, endpoint, service, region, target.fingerprint])
    }

    static func dissociate(_ target: PolicyTarget, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "DELETE FROM identity_policy_associations WHERE fingerprint = ?", [target.fingerprint])
    }

    // MARK: - Domain configurations

    static func set(
        _ configuration: DomainConfiguration, of domain: String, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute("DELETE FROM identity_domain_options WHERE domain_key = ?", [domain])
        for (group, options) in configuration.groups {
            for (option, value) in options {
                var plain: JSON?, sealed: [UInt8]?
                switch value {
                case .open(let json): plain = json
                case .sealed(let bytes): sealed = bytes
                }
                try transaction.execute(
                    """
                    INSERT INTO identity_domain_options (domain_key, option_group, option_name, value, sealed)
                    VALUES (?, ?, ?, ?, ?)
                    """, [domain, group, option, JSON.array([plain].compactMap { $0 }).text, sealed])
            }
        }
    }

    // MARK: - What goes along with something else

    /// A domain's own roles; they have no reference that would take them along.
    static func removeRoles(of domain: String, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM identity_roles WHERE domain_key = ?", [domain])
    }

    /// - Returns: The regions below, deepest first, which must go before it.
    static func removeRegions(_ keys: [String], in transaction: any SQLTransaction) throws {
        for key in keys { try transaction.execute("DELETE FROM identity_regions WHERE record_key = ?", [key]) }
    }

    /// - Throws: ``StoreError/stale(_:)`` when somebody has put a project below this one meanwhile.
    static func requireLeaf(_ project: String, in reader: any SQLReader) throws {
        let count = try reader.count("SELECT COUNT(*) FROM identity_projects WHERE parent_key = ?", [project])
        guard count == 0 else { throw StoreError.stale(project) }
    }

    /// - Throws: ``StoreError/stale(_:)`` when the domain has other projects than were seen.
    static func requireProjects(_ count: Int, of domain: String, in reader: any SQLReader) throws {
        let found = try reader.count("SELECT COUNT(*) FROM identity_projects WHERE domain_key = ?", [domain])
        guard found == count else { throw StoreError.stale(domain) }
    }

    /// Users no longer log in to a project that is gone.
    static func clearDefaultProject(_ project: String, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            UPDATE identity_users SET default_project = NULL, generation = generation + 1 WHERE default_project = ?
            """, [project])
    }
}

extension CatalogFilter.Choice.Kind {
    fileprivate var place: (table: String, column: String) {
        switch self {
        case .endpoint: ("identity_project_endpoints", "endpoint_key")
        case .group: ("identity_project_endpoint_groups", "group_key")
        }
    }
}
