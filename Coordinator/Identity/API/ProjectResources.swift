import CoordinatorPlatform
import ProtocolModel

extension IdentityKinds {
    static let projects = IdentityKind<Project>(
        names: IdentityKind<Project>.names("project", "projects"),
        filters: ["name", "enabled", "domain_id", "parent_id", "is_domain"], render: { $0.rendered },
        schema: BodySchema(
            blank: .blank, unknown: .kept(\.extra),
            [
                .required("name", \.name, .identityName(64)), .given("description", \.description, .text().orNull("")),
                .given("enabled", \.isEnabled, .flag), .given("tags", \.tags, ProjectTags.list), .resourceOptions,
                .given("domain_id", \.domain, .referenceOrEmpty),
                .checked("parent_id", .reference), .checked("is_domain", .flag)
            ]),
        complete: { project, old, input in
            if let old {
                try checkChange(project, old, input)
            } else {
                project.id = .random()
                (project.domain, project.parent) = try placement(project.domain, input)
            }
            project.name = String(project.name[...].trimmed)
        },
        target: { Policy.Target(project: $0.id, domain: $0.domain) },
        isListed: { project, call in TagFilter(call.query).matches(project.tags) },
        conflict: {
            """
            project - it is not permitted to have two projects with either the same name or same id in the same \
            domain: name is \($0.name), project id \($0.key)
            """
        })

    /// How deep projects stand below their domain at most.
    private static let depthLimit = 5

    /// Where a new project is to stand, by domain and parent, which must agree.
    /// - Throws: ``APIError`` 400 for what is not there, 403 past the depth limit.
    private static func placement(
        _ given: String, _ input: IdentityKind<Project>.Input
    ) throws -> (domain: String, parent: ProjectID?) {
        let state = input.state
        if !given.isEmpty, state.domains[given] == nil {
            throw APIError.badRequest("Could not find domain: \(given).")
        }
        let domain = try input.domain(given)
        guard let above = input.members["parent_id"]?.stringValue else {
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

    private static func checkChange(
        _ project: Project, _ old: Project, _ input: IdentityKind<Project>.Input
    ) throws {
        guard project.domain == old.domain else { throw APIError.badRequest("Cannot change Domain ID") }
        try old.requireMutable("project", for: input.members)
        if let key = input.members["parent_id"], key != .string(old.parent?.compact ?? old.domain) {
            throw APIError.forbidden("Update of `parent_id` is not allowed.")
        }
        if input.members["is_domain"] == true {
            throw APIError.badRequest("Update of `is_domain` is not allowed.")
        }
        guard project.isEnabled, !old.isEnabled else { return }
        guard input.state.domains[old.domain]?.isEnabled == true,
            input.state.ancestors(of: old).allSatisfy(\.isEnabled)
        else { throw APIError.forbidden("Cannot enable project \(old.key) since it has disabled parents") }
    }
}

/// `tags`, `tags-any`, `not-tags`, `not-tags-any`: lists parted by commas, all of which must hold.
struct TagFilter: Sendable {
    private let query: [(name: String, tags: [String])]

    init(_ query: [(name: String, value: String)]) {
        self.query = query.map { ($0.name, $0.value.split(separator: ",").map { String($0.trimmed) }) }
    }

    func matches(_ own: [String]) -> Bool {
        query.allSatisfy { name, tags in
            switch name {
            case "tags": tags.allSatisfy(own.contains)
            case "tags-any": tags.contains(where: own.contains)
            case "not-tags": !tags.allSatisfy(own.contains)
            case "not-tags-any": !tags.contains(where: own.contains)
            default: true
            }
        }
    }
}
