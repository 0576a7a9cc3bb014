import CoordinatorPlatform
import ProtocolModel

extension IdentityService {
    /// List, show, create, update and delete for every kind of record.
    var resourceRoutes: [Route] {
        Self.domains.routes(self) + Self.projects.routes(self) + users.routes(self) + Self.groups.routes(self)
            + Self.roles.routes(self) + Self.regions.routes(self) + Self.catalogServices.routes(self)
            + Self.endpoints.routes(self)
    }

    static func newKey() -> String { AnyID.random().compact }

    static func name(_ fields: Fields) throws -> String {
        let name = try fields.string("name", length: 1...255)
        return try checkedName(name, fields)
    }

    static func changedName(_ fields: Fields) throws -> String? {
        try fields.optionalString("name", length: 1...255).map { try checkedName($0, fields) }
    }

    private static func checkedName(_ name: String, _ fields: Fields) throws -> String {
        guard name.contains(where: { !$0.isWhitespace }) else {
            throw fields.invalid("name", .string(name), "\(JSON.string(name).pythonQuoted) does not match '[\\\\S]+'")
        }
        return name
    }

    /// Members without a meaning of their own; on an update `null` takes one away.
    static func extra(_ fields: Fields, known: Set<String>, over old: [String: JSON] = [:]) -> [String: JSON] {
        var extra = old
        for (name, value) in fields.members where !known.contains(name) && !reserved.contains(name) {
            // Not by assigning `nil`, which is a JSON value, too.
            if value.isNull, !old.isEmpty { extra.removeValue(forKey: name) } else { extra[name] = value }
        }
        return extra
    }

    private static let reserved: Set<String> = ["id", "links", "password_expires_at"]

    /// The domain that a new record is to stand in.
    static func domain(_ fields: Fields, _ call: APICall, _ state: IdentityState) throws -> String {
        if let key = try fields.optionalString("domain_id") {
            guard state.domains[key] != nil else { throw IdentityAPI.notFound("domain", key) }
            return key
        }
        if case .domain(let key)? = call.caller?.scope { return key }
        if let project = call.caller?.project, let domain = state.projects[project]?.domain { return domain }
        return Domain.defaultKey
    }

    static let domains = ResourceKind<Domain>(
        singular: "domain", plural: "domains", filters: ["name", "enabled"],
        all: { Array($0.domains.values) }, find: { $0.domains[$1] }, render: { $0.rendered },
        target: { Policy.Target(domain: $0.key) },
        make: { fields, _, _ in
            Domain(
                key: try fields.optionalString("explicit_domain_id", length: 32...32) ?? newKey(),
                name: try name(fields),
                description: try fields.nullableString("description").flatMap { $0 } ?? "",
                isEnabled: try fields.optionalBool("enabled") ?? true, tags: try ProjectTags.read(fields) ?? [],
                extra: extra(fields, known: domainMembers))
        },
        change: { domain, fields, _, _ in
            if let name = try changedName(fields) { domain.name = name }
            if let description = try fields.nullableString("description") { domain.description = description ?? "" }
            if let enabled = try fields.optionalBool("enabled") { domain.isEnabled = enabled }
            if let tags = try ProjectTags.read(fields) { domain.tags = tags }
            domain.extra = extra(fields, known: domainMembers, over: domain.extra)
        },
        checkDelete: { domain, _ in
            guard !domain.isEnabled else {
                throw APIError.forbidden("Cannot delete a domain that is enabled, please disable it first.")
            }
        },
        put: { $0.put($1) }, remove: { $0.remove($1) })

    private static let domainMembers: Set<String> = ["name", "description", "enabled", "tags", "explicit_domain_id"]

    static let projects = ResourceKind<Project>(
        singular: "project", plural: "projects", filters: ["name", "enabled", "domain_id", "parent_id", "is_domain"],
        all: { Array($0.projects.values) }, find: { state, key in ProjectID(key).flatMap { state.projects[$0] } },
        render: { $0.rendered }, target: { Policy.Target(project: $0.id, domain: $0.domain) },
        make: { fields, call, state in
            guard try fields.optionalBool("is_domain") != true else {
                throw APIError.badRequest("A project that acts as a domain is made with POST /v3/domains.")
            }
            var domain = try domain(fields, call, state)
            var parent: ProjectID?
            if let key = try fields.nullableString("parent_id").flatMap({ $0 }), key != domain {
                if state.domains[key] != nil, !fields.has("domain_id") {
                    domain = key
                } else {
                    guard let found = ProjectID(key).flatMap({ state.projects[$0] }) else {
                        throw IdentityAPI.notFound("project", key)
                    }
                    guard !fields.has("domain_id") || found.domain == domain else {
                        throw APIError.badRequest("Cannot create project, the parent project is in another domain.")
                    }
                    guard state.ancestors(of: found).count < 4 else {
                        throw APIError.forbidden("Max hierarchy depth reached for \(key) branch.")
                    }
                    parent = found.id
                    domain = found.domain
                }
            }
            return Project(
                id: .random(), domain: domain, parent: parent, name: try name(fields),
                description: try fields.nullableString("description").flatMap { $0 } ?? "",
                isEnabled: try fields.optionalBool("enabled") ?? true, tags: try ProjectTags.read(fields) ?? [],
                extra: extra(fields, known: projectMembers))
        },
        change: { project, fields, _, _ in
            if let key = fields["domain_id"], key != .string(project.domain) {
                throw APIError.badRequest("Updating a project's domain is not allowed.")
            }
            if let key = fields["parent_id"], key != .string(project.parent?.compact ?? project.domain) {
                throw APIError.forbidden("Update of `parent_id` is not allowed.")
            }
            if let name = try changedName(fields) { project.name = name }
            if let description = try fields.nullableString("description") { project.description = description ?? "" }
            if let enabled = try fields.optionalBool("enabled") { project.isEnabled = enabled }
            if let tags = try ProjectTags.read(fields) { project.tags = tags }
            project.extra = extra(fields, known: projectMembers, over: project.extra)
        },
        checkDelete: { project, state in
            guard !state.projects.values.contains(where: { $0.parent == project.id }) else {
                throw APIError.forbidden(
                    "Cannot delete the project \(project.key) since it is not a leaf in the hierarchy.")
            }
        },
        put: { $0.put($1) }, remove: { $0.remove($1) })

    private static let projectMembers: Set<String> = [
        "name", "description", "enabled", "tags", "domain_id", "parent_id", "is_domain"
    ]

    static let groups = ResourceKind<Group>(
        singular: "group", plural: "groups", filters: ["name", "domain_id"],
        all: { Array($0.groups.values) }, find: { $0.groups[$1] }, render: { $0.rendered },
        target: { Policy.Target(domain: $0.domain) },
        make: { fields, call, state in
            Group(
                key: newKey(), domain: try domain(fields, call, state), name: try name(fields),
                description: try fields.nullableString("description").flatMap { $0 } ?? "",
                extra: extra(fields, known: ["name", "description", "domain_id"]))
        },
        change: { group, fields, _, _ in
            if let key = fields["domain_id"], key != .string(group.domain) {
                throw APIError.badRequest("Cannot change Domain ID.")
            }
            if let name = try changedName(fields) { group.name = name }
            if let description = try fields.nullableString("description") { group.description = description ?? "" }
            group.extra = extra(fields, known: ["name", "description", "domain_id"], over: group.extra)
        },
        checkDelete: { _, _ in }, put: { $0.put($1) }, remove: { $0.remove($1) })

    static let roles = ResourceKind<Role>(
        singular: "role", plural: "roles", filters: ["name", "domain_id"],
        all: { Array($0.roles.values) }, find: { $0.roles[$1] }, render: { $0.rendered },
        target: { Policy.Target(domain: $0.domain) },
        make: { fields, _, state in
            let domain = try fields.nullableString("domain_id").flatMap { $0 }
            if let domain, state.domains[domain] == nil { throw IdentityAPI.notFound("domain", domain) }
            return Role(
                key: newKey(), name: try name(fields), domain: domain,
                description: try fields.nullableString("description").flatMap { $0 },
                extra: extra(fields, known: ["name", "description", "domain_id"]))
        },
        change: { role, fields, _, _ in
            if let name = try changedName(fields) { role.name = name }
            if let description = try fields.nullableString("description") { role.description = description }
            role.extra = extra(fields, known: ["name", "description", "domain_id"], over: role.extra)
        },
        checkDelete: { _, _ in }, put: { $0.put($1) }, remove: { $0.remove($1) })
}
