import CoordinatorPlatform
import ProtocolModel

extension IdentityService {
    static let projects = ResourceKind<Project>(
        singular: "project", plural: "projects", filters: ["name", "enabled", "domain_id", "parent_id", "is_domain"],
        all: { Array($0.projects.values) }, find: { state, key in ProjectID(key).flatMap { state.projects[$0] } },
        render: { $0.rendered }, target: { Policy.Target(project: $0.id, domain: $0.domain) },
        make: { fields, call, state in
            let place = try placement(fields, call, state)
            var project = Project(
                id: .random(), domain: place.domain, parent: place.parent,
                name: String(try name(fields, length: 64)[...].trimmed),
                description: try fields.nullableString("description").flatMap { $0 } ?? "",
                isEnabled: try fields.optionalBool("enabled") ?? true, tags: try ProjectTags.read(fields) ?? [],
                extra: extra(fields, known: projectMembers))
            project.extra["options"] = try ResourceOptions.read(fields, over: nil)
            return project
        },
        change: { project, fields, _, state in try changeProject(&project, fields, state) },
        checkDelete: { project, _ in try project.requireDeletable("project") },
        put: { $0.put($1) }, remove: { $0.remove($1) },
        isListed: { project, call in TagFilter(call.query).matches(project.tags) },
        conflict: {
            """
            project - it is not permitted to have two projects with either the same name or same id in the same \
            domain: name is \($0.name), project id \($0.key)
            """
        })

    private static let projectMembers: Set<String> = [
        "name", "description", "enabled", "tags", "options", "domain_id", "parent_id", "is_domain"
    ]

    /// How deep projects stand below their domain at most.
    private static let depthLimit = 5

    /// Where a new project is to stand, by domain and parent, which must agree.
    /// - Throws: ``APIError`` 400 for what is not there, 403 past the depth limit.
    private static func placement(
        _ fields: Fields, _ call: APICall, _ state: IdentityState
    ) throws -> (domain: String, parent: ProjectID?) {
        let given = try reference(fields, "domain_id")
        if let given, state.domains[given] == nil { throw APIError.badRequest("Could not find domain: \(given).") }
        var domain = given ?? Domain.defaultKey
        if given == nil, case .domain(let key)? = call.caller?.scope { domain = key }
        guard let above = try reference(fields, "parent_id") else {
            try requireEnabled(state.domains[domain]?.isEnabled, domain)
            return (domain, nil)
        }
        if let parent = ProjectID(above).flatMap({ state.projects[$0] }), state.domains[above] == nil {
            guard parent.domain == domain else {
                throw APIError.badRequest(
                    """
                    Cannot create project, since it specifies its domain_id \(domain), but specifies a parent in a \
                    different domain (\(parent.domain)).
                    """)
            }
            let line = [parent] + state.ancestors(of: parent)
            try requireEnabled(state.domains[domain]?.isEnabled, domain)
            for project in line { try requireEnabled(project.isEnabled, project.key) }
            guard line.count < depthLimit else {
                throw APIError.forbidden("Max hierarchy depth reached for \(parent.key) branch.")
            }
            return (domain, parent.id)
        }
        guard state.domains[above] != nil else { throw APIError.badRequest("Could not find project: \(above).") }
        guard above == domain else {
            throw APIError.badRequest(
                """
                Cannot create project, the parent (\(above)) is acting as a domain, but this project's domain id \
                (\(domain)) does not match the parent's id.
                """)
        }
        try requireEnabled(state.domains[domain]?.isEnabled, domain)
        return (domain, nil)
    }

    private static func requireEnabled(_ isEnabled: Bool?, _ key: String) throws(APIError) {
        guard isEnabled == true else {
            throw .badRequest("cannot create a project in a branch containing a disabled project: \(key)")
        }
    }

    private static func changeProject(_ project: inout Project, _ fields: Fields, _ state: IdentityState) throws {
        try requireDomain(fields, project.domain)
        try project.requireMutable("project", for: fields)
        if let key = fields["parent_id"], key != .string(project.parent?.compact ?? project.domain) {
            throw APIError.forbidden("Update of `parent_id` is not allowed.")
        }
        if let flag = try fields.optionalBool("is_domain"), flag {
            throw APIError.badRequest("Update of `is_domain` is not allowed.")
        }
        if let name = try changedName(fields, length: 64) { project.name = String(name[...].trimmed) }
        if let description = try fields.nullableString("description") { project.description = description ?? "" }
        if let enabled = try fields.optionalBool("enabled") {
            if enabled, !project.isEnabled { try requireEnabledAbove(project, state) }
            project.isEnabled = enabled
        }
        if let tags = try ProjectTags.read(fields) { project.tags = tags }
        let options = try ResourceOptions.read(fields, over: project.extra["options"])
        project.extra = extra(fields, known: projectMembers, over: project.extra)
        project.extra["options"] = options
    }

    static func requireEnabledAbove(_ project: Project, _ state: IdentityState) throws(APIError) {
        guard state.domains[project.domain]?.isEnabled == true, state.ancestors(of: project).allSatisfy(\.isEnabled)
        else { throw .forbidden("Cannot enable project \(project.key) since it has disabled parents") }
    }
}
