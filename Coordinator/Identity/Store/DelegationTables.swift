import CoordinatorPlatform
import ProtocolModel

extension ApplicationCredential: StoredRecord {
    static let table = StoredTable(
        "identity_application_credentials",
        [
            "user_key", "project_key", "name", "description", "secret_hash", "expires_at", "unrestricted", "roles",
            "access_rules"
        ])
    var values: [any SQLArgument] {
        [
            user.compact, project.compact, name, description, secretHash, expiresAt, isUnrestricted,
            JSON.column(roles), JSON.column(accessRules)
        ]
    }
    init(row: any SQLRow, extra: [String: JSON]) throws {
        self.init(
            key: row.text(0), user: try row.id(3), project: try row.id(4), name: row.text(5),
            description: row.optionalText(6), secretHash: row.text(7), expiresAt: row.optionalInteger(8),
            isUnrestricted: row.bool(9), roles: try JSON.words(row.text(10)), accessRules: try JSON.words(row.text(11)),
            extra: extra)
    }
}

extension AccessRuleRecord: StoredRecord {
    static let table = StoredTable("identity_access_rules", ["user_key", "service", "method", "path"])
    var values: [any SQLArgument] { [user.compact, rule.service, rule.method, rule.path] }
    init(row: any SQLRow, extra: [String: JSON]) throws {
        self.init(
            key: row.text(0), user: try row.id(3),
            rule: AccessRules.Rule(service: row.text(4), method: row.text(5), path: row.text(6)), extra: extra)
    }
}

extension Trust: StoredRecord {
    static let table = StoredTable(
        "identity_trusts",
        [
            "trustor_key", "trustee_key", "project_key", "impersonation", "roles", "expires_at", "remaining_uses",
            "redelegated_key", "redelegation_count"
        ])
    var values: [any SQLArgument] {
        [
            trustor.compact, trustee.compact, project?.compact, isImpersonating, JSON.column(roles), expiresAt,
            remainingUses, redelegatedFrom, redelegationCount
        ]
    }
    init(row: any SQLRow, extra: [String: JSON]) throws {
        self.init(
            key: row.text(0), trustor: try row.id(3), trustee: try row.id(4), project: try row.optionalID(5),
            isImpersonating: row.bool(6), roles: try JSON.words(row.text(7)), expiresAt: row.optionalInteger(8),
            remainingUses: row.optionalInteger(9), redelegatedFrom: row.optionalText(10),
            redelegationCount: row.integer(11), extra: extra)
    }
}

extension StoredCredential: StoredRecord {
    static let table = StoredTable("identity_credentials", ["user_key", "project_key", "type", "sealed"])
    var values: [any SQLArgument] { [user.compact, project?.compact, type, sealed] }
    init(row: any SQLRow, extra: [String: JSON]) throws {
        self.init(
            key: row.text(0), user: try row.id(3), project: try row.optionalID(4), type: row.text(5),
            sealed: row.blob(6), extra: extra)
    }
}
