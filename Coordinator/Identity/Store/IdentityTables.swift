import CoordinatorPlatform
import ProtocolModel

extension Domain: StoredRecord {
    static let table = StoredTable("identity_domains", ["name", "description", "enabled", "tags"])
    var values: [any SQLArgument] { [name, description, isEnabled, JSON.column(tags)] }
    init(row: any SQLRow, extra: [String: JSON]) throws {
        self.init(
            key: row.text(0), name: row.text(3), description: row.text(4), isEnabled: row.bool(5),
            tags: try JSON.words(row.text(6)), extra: extra)
    }
}

extension Project: StoredRecord {
    static let table = StoredTable(
        "identity_projects", ["domain_key", "parent_key", "name", "description", "enabled", "tags"])
    var values: [any SQLArgument] { [domain, parent?.compact, name, description, isEnabled, JSON.column(tags)] }
    init(row: any SQLRow, extra: [String: JSON]) throws {
        self.init(
            id: try row.id(0), domain: row.text(3), parent: try row.optionalID(4), name: row.text(5),
            description: row.text(6), isEnabled: row.bool(7), tags: try JSON.words(row.text(8)), extra: extra)
    }
}

extension User: StoredRecord {
    static let table = StoredTable(
        "identity_users",
        [
            "domain_key", "name", "description", "enabled", "default_project", "password_hash", "tokens_valid_from",
            "created_at", "password_created_at", "password_expires_at", "password_self_service", "password_history"
        ])
    var values: [any SQLArgument] {
        [
            domain, name, description, isEnabled, defaultProject, passwordHash, tokensValidFrom,
            createdAt, passwordState.createdAt, passwordState.expiresAt, passwordState.isSelfService,
            JSON.column(passwordState.history)
        ]
    }
    init(row: any SQLRow, extra: [String: JSON]) throws {
        self.init(
            id: try row.id(0), domain: row.text(3), name: row.text(4), description: row.optionalText(5),
            isEnabled: row.bool(6), defaultProject: row.optionalText(7), passwordHash: row.optionalText(8),
            tokensValidFrom: row.integer(9), createdAt: row.optionalInteger(10),
            passwordState: PasswordState(
                createdAt: row.optionalInteger(11), expiresAt: row.optionalInteger(12), isSelfService: row.bool(13),
                history: try JSON.words(row.text(14))),
            extra: extra)
    }
}

extension Group: StoredRecord {
    static let table = StoredTable("identity_groups", ["domain_key", "name", "description"])
    var values: [any SQLArgument] { [domain, name, description] }
    init(row: any SQLRow, extra: [String: JSON]) throws {
        self.init(key: row.text(0), domain: row.text(3), name: row.text(4), description: row.text(5), extra: extra)
    }
}

extension Role: StoredRecord {
    /// A role of the whole cloud has the empty domain, since `NULL`s would not exclude each other in the unique index.
    static let table = StoredTable("identity_roles", ["name", "domain_key", "description"])
    var values: [any SQLArgument] { [name, domain ?? "", description] }
    init(row: any SQLRow, extra: [String: JSON]) throws {
        self.init(
            key: row.text(0), name: row.text(3), domain: row.text(4).isEmpty ? nil : row.text(4),
            description: row.optionalText(5), extra: extra)
    }
}

extension Region: StoredRecord {
    static let table = StoredTable("identity_regions", ["description", "parent_key"])
    var values: [any SQLArgument] { [description, parent] }
    init(row: any SQLRow, extra: [String: JSON]) throws {
        self.init(key: row.text(0), description: row.text(3), parent: row.optionalText(4), extra: extra)
    }
}

extension CatalogService: StoredRecord {
    static let table = StoredTable("identity_services", ["type", "name", "description", "enabled"])
    var values: [any SQLArgument] { [type, name, description, isEnabled] }
    init(row: any SQLRow, extra: [String: JSON]) throws {
        self.init(
            key: row.text(0), type: row.text(3), name: row.text(4), description: row.optionalText(5),
            isEnabled: row.bool(6), extra: extra)
    }
}

extension Endpoint: StoredRecord {
    static let table = StoredTable("identity_endpoints", ["service_key", "interface", "region_key", "url", "enabled"])
    var values: [any SQLArgument] { [service, interface, region, url, isEnabled] }
    init(row: any SQLRow, extra: [String: JSON]) throws {
        self.init(
            key: row.text(0), service: row.text(3), interface: row.text(4), region: row.optionalText(5),
            url: row.text(6),
            isEnabled: row.bool(7), extra: extra)
    }
}
