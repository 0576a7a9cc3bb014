import CoordinatorPlatform
import ProtocolModel

/// Tags of projects and domains: at most 80, 1 to 255 characters, no comma and no slash.
enum ProjectTags {
    static let most = 80

    static let tag = BodyFormat<String>.text(
        1...255, TextRule(.pattern("^[^,/]*$")) { !$0.contains(",") && !$0.contains("/") }
    ).map { tag, _ in String(tag[...].trimmed) }

    static let list = BodyFormat<[String]>.list(of: tag, most: most).map { tags, json throws(BodyFailure) in
        guard Set(tags).count == tags.count else { throw BodyFailure(.notUnique, json) }
        return tags.sorted()
    }

    static let schema = BodySchema<[String]>(blank: [], unknown: .ignored, [.required("tags", \.self, list)])
}

/// `/v3/projects/{key}/tags`
struct TagRoutes: Sendable {
    let identity: IdentityService

    private static let place = "/v3/projects/{key}/tags"
    private static let one = "\(place)/{tag}"

    var all: [Route] {
        [
            Route(.get, Self.place, handler: list).asking("identity:list_project_tags"),
            Route(.put, Self.place, action: "identity.project.update_tags", handler: replace).asking(
                "identity:update_project_tags"),
            Route(.delete, Self.place, action: "identity.project.delete_tags", handler: clear).asking(
                "identity:delete_project_tags"),
            Route(.get, Self.one, handler: check).asking("identity:get_project_tag"),
            Route(.put, Self.one, action: "identity.project.create_tag", handler: add).asking(
                "identity:create_project_tag"),
            Route(.delete, Self.one, action: "identity.project.delete_tag", handler: remove).asking(
                "identity:delete_project_tag")
        ]
    }

    /// A project, or a domain as the project that acts as it.
    private enum Tagged {
        case project(Project)
        case domain(Domain)

        var key: String {
            switch self {
            case .project(let project): project.key
            case .domain(let domain): domain.key
            }
        }
        var tags: [String] {
            switch self {
            case .project(let project): project.tags
            case .domain(let domain): domain.tags
            }
        }
        var isImmutable: Bool {
            switch self {
            case .project(let project): project.isImmutable
            case .domain(let domain): domain.isImmutable
            }
        }

        func store(_ tags: [String], in edit: inout IdentityEdit) throws {
            switch self {
            case .project(var project):
                project.tags = tags
                try edit.update(project)
            case .domain(var domain):
                domain.tags = tags
                try edit.update(domain)
            }
        }
    }

    /// A project that acts as a domain stands in none, so the domain's own people have no say in its tags.
    private func tagged(_ call: APICall, rule: String, _ state: IdentityState) throws -> Tagged {
        if let domain = state.domains[call.parameter("key")] {
            try call.authorize("identity:\(rule)")
            return .domain(domain)
        }
        return .project(
            try IdentityKinds.projects.record(call.parameter("key"), call, "identity:\(rule)", state))
    }

    private func list(_ call: APICall) async throws -> APIResponse {
        shown(try tagged(call, rule: "list_project_tags", identity.directory.state).tags, call)
    }

    private func shown(_ tags: [String], _ call: APICall) -> APIResponse {
        .json([
            "tags": .array(tags.map { .string($0) }), "links": ["self": .string(call.baseURL + call.path)]
        ])
    }

    private func check(_ call: APICall) async throws -> APIResponse {
        let tag = call.parameter("tag")
        guard try tagged(call, rule: "get_project_tag", identity.directory.state).tags.contains(tag) else {
            throw IdentityAPI.notFound("project tag", tag)
        }
        return .empty(204)
    }

    private func replace(_ call: APICall) async throws -> APIResponse {
        let json = try await call.json()
        _ = try tagged(call, rule: "update_project_tags", identity.directory.state)
        let tags = try ProjectTags.schema.read(json, wording: Keystone.body)
        try await change(call, rule: "update_project_tags", verb: "update") { _ in tags }
        return shown(tags, call)
    }

    private func clear(_ call: APICall) async throws -> APIResponse {
        try await change(call, rule: "delete_project_tags", verb: "update") { _ in [] }
        return .empty(204)
    }

    private func add(_ call: APICall) async throws -> APIResponse {
        _ = try tagged(call, rule: "create_project_tag", identity.directory.state)
        let tag: String
        do { tag = try ProjectTags.tag.read(.string(call.parameter("tag"))) } catch {
            throw Keystone.body(error.below("tags"))
        }
        let key = try await change(call, rule: "create_project_tag", verb: "create") { old in
            guard !old.contains(tag) else { return old }
            let tags = (old + [tag]).sorted()
            guard tags.count <= ProjectTags.most else {
                throw Keystone.body(
                    BodyFailure(
                        .tooMany(most: ProjectTags.most), .array(tags.map { .string($0) }), path: ["tags"]))
            }
            return tags
        }
        let link = Keystone.link(call, "projects/\(key)/tags/\(PercentCoding.encode(tag))")
        return .empty(201, headers: [("Location", link)])
    }

    private func remove(_ call: APICall) async throws -> APIResponse {
        let tag = call.parameter("tag")
        try await change(call, rule: "delete_project_tag", verb: "delete") { old in
            guard old.contains(tag) else { throw IdentityAPI.notFound("project tag", tag) }
            return old.filter { $0 != tag }
        }
        return .empty(204)
    }

    /// - Parameter edit: Makes the new tags of the old ones; the same are not written.
    /// - Returns: The project's key.
    @discardableResult
    private func change(
        _ call: APICall, rule: String, verb: String, _ edit: @escaping @Sendable ([String]) throws -> [String]
    ) async throws -> String {
        let old = try tagged(call, rule: rule, identity.directory.state)
        guard try edit(old.tags) != old.tags || verb != "create" else { return old.key }
        return try await call.change(identity, target: { $0 }) { change in
            let tagged = try tagged(call, rule: rule, change.state)
            let tags = try edit(tagged.tags)
            guard !tagged.isImmutable else {
                throw APIError.forbidden(
                    """
                    Cannot \(verb) project tags for \(tagged.key), project is immutable. Set "immutable" option to \
                    false before creating project tags.
                    """)
            }
            try tagged.store(tags, in: &change)
            return tagged.key
        }
    }
}
