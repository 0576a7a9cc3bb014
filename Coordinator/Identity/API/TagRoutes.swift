import CoordinatorPlatform
import ProtocolModel

/// Tags of projects and domains: at most 80, 1 to 255 characters, no comma and no slash.
enum ProjectTags {
    static func read(_ fields: Fields) throws(APIError) -> [String]? {
        guard let list = try fields.optionalArray("tags") else { return nil }
        var tags: [String] = []
        for value in list {
            guard case .string(let tag) = value else {
                throw fields.invalid("tags", value, "\(value.pythonQuoted) is not of type 'string'")
            }
            try check(tag)
            if !tags.contains(tag) { tags.append(tag) }
        }
        guard tags.count <= 80 else {
            throw fields.invalid("tags", .array(list), "\(JSON.array(list).pythonQuoted) is too long")
        }
        return tags.sorted()
    }

    static func check(_ tag: String) throws(APIError) {
        guard (1...255).contains(tag.unicodeScalars.count), !tag.contains(","), !tag.contains("/") else {
            throw .badRequest("Invalid input for field 'tags': '\(tag)' does not match '^[^,/]*$'")
        }
    }
}

/// `/v3/projects/{key}/tags`
struct TagRoutes: Sendable {
    let identity: IdentityService

    var all: [Route] {
        let action = "identity.project.update_tags"
        return [
            Route(.get, "/v3/projects/{key}/tags") { call in
                tags(try IdentityService.projects.record(call, identity, rule: "list_project_tags"), call)
            },
            Route(.put, "/v3/projects/{key}/tags", action: action) { call in
                let fields = Fields(try await call.json().objectValue ?? [:])
                guard let tags = try ProjectTags.read(fields) else { throw fields.missing("tags") }
                return self.tags(try await set(call) { $0 = tags }, call)
            },
            Route(.delete, "/v3/projects/{key}/tags", action: action) { call in
                _ = try await set(call) { $0 = [] }
                return .empty(204)
            },
            Route(.get, "/v3/projects/{key}/tags/{tag}") { call in
                let project = try IdentityService.projects.record(call, identity, rule: "list_project_tags")
                guard project.tags.contains(call.parameter("tag")) else {
                    throw IdentityAPI.notFound("project tag", call.parameter("tag"))
                }
                return .empty(204)
            },
            Route(.put, "/v3/projects/{key}/tags/{tag}", action: action) { call in
                let tag = call.parameter("tag")
                try ProjectTags.check(tag)
                let project = try await set(call) { tags in if !tags.contains(tag) { tags = (tags + [tag]).sorted() } }
                return .empty(201, headers: [("Location", Rendering.link(call, "projects/\(project.key)/tags/\(tag)"))])
            },
            Route(.delete, "/v3/projects/{key}/tags/{tag}", action: action) { call in
                let tag = call.parameter("tag")
                _ = try await set(call) { tags in
                    guard tags.contains(tag) else { throw IdentityAPI.notFound("project tag", tag) }
                    tags.removeAll { $0 == tag }
                }
                return .empty(204)
            }
        ]
    }

    private func tags(_ project: Project, _ call: APICall) -> APIResponse {
        .json([
            "tags": .array(project.tags.map { .string($0) }),
            "links": ["self": .string(Rendering.link(call, "projects/\(project.key)/tags"))]
        ])
    }

    private func set(_ call: APICall, _ change: (inout [String]) throws -> Void) async throws -> Project {
        var project = try IdentityService.projects.record(call, identity, rule: "update_project")
        try change(&project.tags)
        return try await identity.update(project, call) { $0.put($1) }
    }
}
