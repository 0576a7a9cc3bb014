import CoordinatorPlatform
import ProtocolModel

extension IdentityService {
    static let domains = ResourceKind<Domain>(
        singular: "domain", plural: "domains", filters: ["name", "enabled"],
        all: { Array($0.domains.values) }, find: { $0.domains[$1] }, render: { $0.rendered },
        target: { Policy.Target(domain: $0.key) },
        make: { fields, _, _ in try newDomain(fields, key: try explicitKey(fields)) },
        change: { domain, fields, _, _ in try changeDomain(&domain, fields) },
        checkDelete: { domain, _ in
            try domain.requireDeletable("domain")
            guard !domain.isEnabled else {
                throw APIError.forbidden("Cannot delete a domain that is enabled, please disable it first.")
            }
        },
        put: { $0.put($1) }, remove: { $0.remove($1) },
        erase: { domain, call, identity in
            try await identity.remove(domain, cascade: ProjectRoutes.isCascade(call), call)
        },
        conflict: {
            "project - it is not permitted to have two projects acting as domains with the same name: \($0.name)"
        })

    static let domainMembers: Set<String> = [
        "name", "description", "enabled", "tags", "options", "explicit_domain_id", "domain_id", "parent_id", "is_domain"
    ]

    static func newDomain(_ fields: Fields, key: String) throws -> Domain {
        let name = try name(fields, length: 64)
        guard name.lowercased() != "federated" else {
            throw APIError.badRequest("Domain cannot be named \(name)")
        }
        var domain = Domain(
            key: key, name: String(name[...].trimmed),
            description: try fields.nullableString("description").flatMap { $0 } ?? "",
            isEnabled: try fields.optionalBool("enabled") ?? true, tags: try ProjectTags.read(fields) ?? [],
            extra: extra(fields, known: domainMembers))
        domain.extra["options"] = try ResourceOptions.read(fields, over: nil)
        return domain
    }

    static func changeDomain(_ domain: inout Domain, _ fields: Fields) throws {
        try domain.requireMutable("domain", for: fields)
        if let name = try changedName(fields, length: 64) {
            guard name.lowercased() != "federated" else {
                throw APIError.badRequest("Domain cannot be named \(name)")
            }
            domain.name = String(name[...].trimmed)
        }
        if let description = try fields.nullableString("description") { domain.description = description ?? "" }
        if let enabled = try fields.optionalBool("enabled") { domain.isEnabled = enabled }
        if let tags = try ProjectTags.read(fields) { domain.tags = tags }
        let options = try ResourceOptions.read(fields, over: domain.extra["options"])
        domain.extra = extra(fields, known: domainMembers, over: domain.extra)
        domain.extra["options"] = options
    }

    /// The identifier that the request chose: 32 hexadecimal digits in lower case.
    private static func explicitKey(_ fields: Fields) throws -> String {
        guard let key = try fields.optionalString("explicit_domain_id", length: 1...64) else { return newKey() }
        guard AnyID(key)?.compact == key else {
            throw APIError.badRequest("Domain ID does not conform to required UUID format.")
        }
        return key
    }
}
