import CoordinatorPlatform
import ProtocolModel

extension EndpointGroup: StoredRecord {
    static let table = StoredTable("identity_endpoint_groups", ["name", "description", "filters"])
    var values: [any SQLArgument] { [name, description, JSON.object(filters).text] }
    init(row: any SQLRow, extra: [String: JSON]) throws {
        self.init(
            key: row.text(0), name: row.text(3), description: row.optionalText(4),
            filters: try JSON.parse(row.text(5)).objectValue ?? [:], extra: extra)
    }
}

extension PolicyBlob: StoredRecord {
    static let table = StoredTable("identity_policies", ["blob_json", "type"])
    var values: [any SQLArgument] { [JSON.array([blob]).text, type] }
    init(row: any SQLRow, extra: [String: JSON]) throws {
        self.init(
            key: row.text(0), blob: try JSON.parse(row.text(3)).arrayValue?.first ?? .null, type: row.text(4),
            extra: extra)
    }
}

extension RegisteredLimit: StoredRecord {
    static let table = StoredTable(
        "identity_registered_limits",
        ["service_key", "region_key", "unique_region", "resource", "default_limit", "description"])
    var values: [any SQLArgument] { [service, region, region ?? "", resource, defaultLimit, description] }
    init(row: any SQLRow, extra: [String: JSON]) throws {
        self.init(
            key: row.text(0), service: row.text(3), region: row.optionalText(4), resource: row.text(6),
            defaultLimit: row.integer(7), description: row.optionalText(8))
    }
}

extension ResourceLimit: StoredRecord {
    static let table = StoredTable(
        "identity_limits",
        ["registered_key", "project_key", "domain_key", "owner", "resource_limit", "description"])
    var values: [any SQLArgument] {
        switch owner {
        case .project(let id): [registered, id.compact, nil as String?, "project \(id.compact)", limit, description]
        case .domain(let key): [registered, nil as String?, key, "domain \(key)", limit, description]
        }
    }
    init(row: any SQLRow, extra: [String: JSON]) throws {
        let owner: Owner = try row.optionalID(4).map { .project($0) } ?? .domain(row.text(5))
        self.init(
            key: row.text(0), owner: owner, registered: row.text(3), limit: row.integer(7),
            description: row.optionalText(8))
    }
}
