import CoordinatorPlatform
import ProtocolModel

/// Tags of projects and domains: at most 80, 1 to 255 characters, no comma and no slash.
enum ProjectTags {
    private static let countLimit = 80

    static func read(_ fields: Fields) throws(APIError) -> [String]? {
        guard let list = try fields.optionalArray("tags") else { return nil }
        var tags: [String] = []
        for (index, value) in list.enumerated() {
            guard case .string(let tag) = value else {
                throw fields.invalid("tags/\(index)", value, "\(value.pythonQuoted) is not of type 'string'")
            }
            try check(tag, field: "tags/\(index)")
            let trimmed = String(tag[...].trimmed)
            guard !tags.contains(trimmed) else {
                throw fields.invalid(
                    "tags", .array(list), "\(JSON.array(list).pythonQuoted) has non-unique elements")
            }
            tags.append(trimmed)
        }
        try check(count: tags)
        return tags.sorted()
    }

    static func check(_ tag: String, field: String = "tags") throws(APIError) {
        let quoted = JSON.string(tag).pythonQuoted
        let count = tag.unicodeScalars.count
        guard count > 0 else { throw .badRequest("Invalid input for field '\(field)': \(quoted) is too short") }
        guard count <= 255 else { throw .badRequest("Invalid input for field '\(field)': \(quoted) is too long") }
        guard !tag.contains(","), !tag.contains("/") else {
            throw .badRequest("Invalid input for field '\(field)': \(quoted) does not match '^[^,/]*$'")
        }
    }

    static func check(count tags: [String]) throws(APIError) {
        guard tags.count <= countLimit else {
            throw .badRequest(
                "Invalid input for field 'tags': \(JSON.array(tags.map { .string($0) }).pythonQuoted) is too long")
        }
    }
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
    }

    /// A project that acts as a domain stands in none, so the domain's own people have no say in its tags.
    private func tagged(_ call: APICall, rule: String) throws -> Tagged {
        if let domain = identity.directory.state.domains[call.parameter("key")] {
            try call.authorize("identity:\(rule)")
            return .domain(domain)
        }
        return .project(try IdentityService.projects.record(call, identity, rule: rule))
    }

    private func list(_ call: APICall) async throws -> APIResponse {
        shown(try tagged(call, rule: "list_project_tags").tags, call)
    }

    private func shown(_ tags: [String], _ call: APICall) -> APIResponse {
        .json([
            "tags": .array(tags.map { .string($0) }), "links": ["self": .string(call.baseURL + call.path)]
        ])
    }

    private func check(_ call: APICall) async throws -> APIResponse {
        let tag = call.parameter("tag")
        guard try tagged(call, rule: "get_project_tag").tags.contains(tag) else {
            throw IdentityAPI.notFound("project tag", tag)
        }
        return .empty(204)
    }

    private func replace(_ call: APICall) async throws -> APIResponse {
        let fields = Fields(try await call.json().objectValue ?? [:], wording: .field)
        let old = try tagged(call, rule: "update_project_tags")
        guard let tags = try ProjectTags.read(fields) else { throw fields.missing("tags") }
        try await set(tags, of: old, verb: "update", call)
        return shown(tags, call)
    }

    private func clear(_ call: APICall) async throws -> APIResponse {
        try await set([], of: try tagged(call, rule: "delete_project_tags"), verb: "update", call)
        return .empty(204)
    }

    private func add(_ call: APICall) async throws -> APIResponse {
        let old = try tagged(call, rule: "create_project_tag")
        try ProjectTags.check(call.parameter("tag"))
        let tag = String(call.parameter("tag")[...].trimmed)
        if !old.tags.contains(tag) {
            let tags = (old.tags + [tag]).sorted()
            try ProjectTags.check(count: tags)
            try await set(tags, of: old, verb: "create", call)
        }
        let link = Rendering.link(call, "projects/\(old.key)/tags/\(PercentCoding.encode(tag))")
        return .empty(201, headers: [("Location", link)])
    }

    private func remove(_ call: APICall) async throws -> APIResponse {
        let old = try tagged(call, rule: "delete_project_tag")
        let tag = call.parameter("tag")
        guard old.tags.contains(tag) else { throw IdentityAPI.notFound("project tag", tag) }
        try await set(old.tags.filter { $0 != tag }, of: old, verb: "delete", call)
        return .empty(204)
    }

    private func set(_ tags: [String], of tagged: Tagged, verb: String, _ call: APICall) async throws {
        guard !tagged.isImmutable else {
            throw APIError.forbidden(
                """
                Cannot \(verb) project tags for \(tagged.key), project is immutable. Set "immutable" option to false \
                before creating project tags.
                """)
        }
        switch tagged {
        case .project(var project):
            project.tags = tags
            _ = try await identity.update(project, call) { $0.put($1) }
        case .domain(var domain):
            domain.tags = tags
            _ = try await identity.update(domain, call) { $0.put($1) }
        }
    }
}
