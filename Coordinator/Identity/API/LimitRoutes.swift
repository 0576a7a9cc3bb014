import CoordinatorPlatform
import ProtocolModel

/// `/v3/registered_limits` and `/v3/limits`: what projects may use of the services' resources. Both are made by lists.
struct LimitRoutes: Sendable {
    let identity: IdentityService

    var all: [Route] {
        [
            Route(.get, "/v3/limits/model", handler: model).asking("identity:get_limit_model"),
            Route(.post, "/v3/registered_limits", action: "identity.registered_limit.create", handler: register).asking(
                "identity:create_registered_limits"),
            Route(.get, "/v3/registered_limits") { try await Self.registered.list($0, identity) }.asking(
                "identity:list_registered_limits", "identity:get_registered_limit"),
            Route(.post, "/v3/limits", action: "identity.limit.create", handler: create).asking(
                "identity:create_limits"),
            Route(.get, "/v3/limits", handler: list).asking("identity:list_limits"),
            Route(.get, "/v3/limits/{key}", handler: show).asking("identity:get_limit"),
            Route(.patch, "/v3/limits/{key}", action: "identity.limit.update", handler: update).asking(
                "identity:update_limit"),
            Route(.delete, "/v3/limits/{key}", action: "identity.limit.delete", handler: delete).asking(
                "identity:delete_limit")
        ] + Self.registered.memberRoutes(identity)
    }

    private var limits: UnifiedLimits { identity.directory.state.resources.limits }

    private func model(_ call: APICall) async throws -> APIResponse {
        try call.authorize("identity:get_limit_model")
        let description = "Limit enforcement and validation does not take project hierarchy into consideration."
        return .json(["model": ["name": "flat", "description": .string(description)]])
    }

    // MARK: - Registered limits

    /// Values as Keystone's schema takes them: those of a signed 32-bit integer, from -1 on.
    private static let range: ClosedRange<Int64> = -1...0x7FFF_FFFF

    private static let registered = ResourceKind<RegisteredLimit>(
        singular: "registered_limit", plural: "registered_limits",
        filters: ["service_id", "region_id", "resource_name"],
        all: { Array($0.resources.limits.registered.values) }, find: { $0.resources.limits.registered[$1] },
        render: { $0.rendered }, target: { _ in Policy.Target() },
        make: { fields, _, state in try newRegistered(fields, state) },
        change: { limit, fields, _, state in
            guard !state.resources.limits.isOverridden(limit) else { throw inUse(limit) }
            try fields.allow(only: registeredMembers)
            if let service = try fields.optionalString("service_id") {
                guard state.services[service] != nil else { throw expecting("service_id", "registered_limit") }
                limit.service = service
            }
            if let region = try region(fields, state, "registered_limit") { limit.region = region }
            if let name = try fields.optionalString("resource_name", length: 1...255) { limit.resource = name }
            if let value = try fields.optionalInt("default_limit", in: range) { limit.defaultLimit = value }
            if let text = try fields.nullableString("description", length: 0...255) { limit.description = text }
        },
        checkDelete: { limit, state in
            guard !state.resources.limits.isOverridden(limit) else { throw inUse(limit) }
        },
        put: { state, limit in state.changeResources { $0.limits.put(limit) } },
        remove: { state, limit in state.changeResources { $0.limits.remove(limit) } },
        title: { "registered limit for \($0)" }, conflict: { _ in "registered_limit - Duplicate entry" })

    private static let registeredMembers: Set<String> = [
        "id", "service_id", "region_id", "resource_name", "default_limit", "description"
    ]

    private static func newRegistered(_ fields: Fields, _ state: IdentityState) throws -> RegisteredLimit {
        try fields.allow(only: registeredMembers.subtracting(["id"]))
        let service = try fields.string("service_id")
        let name = try fields.string("resource_name", length: 1...255)
        let value = try fields.int("default_limit", in: range)
        guard state.services[service] != nil else { throw expecting("service_id", "registered_limit") }
        return RegisteredLimit(
            key: IdentityService.newKey(), service: service,
            region: try region(fields, state, "registered_limit").flatMap { $0 }, resource: name, defaultLimit: value,
            description: try fields.nullableString("description", length: 0...255).flatMap { $0 })
    }

    private static func region(_ fields: Fields, _ state: IdentityState, _ target: String) throws -> String?? {
        guard let given = try fields.nullableString("region_id", length: 1...255) else { return nil }
        if let given, state.regions[given] == nil { throw expecting("region_id", target) }
        return .some(given)
    }

    private static func expecting(_ attribute: String, _ target: String) -> APIError {
        IdentityService.expecting(attribute, in: target)
    }

    private static func inUse(_ limit: RegisteredLimit) -> APIError {
        .forbidden(
            """
            Unable to update or delete registered limit \(limit.key) because there are project limits associated with \
            it.
            """)
    }

    /// The objects of a list in a body.
    private static func items(_ call: APICall, _ name: String) async throws -> [Fields] {
        let body = Fields(try await call.json().objectValue ?? [:], wording: .field)
        guard let list = try body.optionalArray(name) else { throw body.missing(name) }
        try body.allow(only: [name])
        guard !list.isEmpty else { throw body.invalid(name, .array(list), "[] should be non-empty") }
        return try list.enumerated().map { index, item in
            guard case .object(let members) = item else {
                throw body.invalid("\(name)/\(index)", item, "\(item.pythonQuoted) is not of type 'object'")
            }
            return Fields(members, path: ["\(name)/\(index)"], wording: .field)
        }
    }

    /// All of a list, or none.
    private func insert<Record: StoredRecord>(
        _ new: [Record], _ kind: String, _ call: APICall,
        put: @escaping @Sendable (inout UnifiedLimits, Record) -> Void
    ) async throws {
        do {
            try await identity.change(call, target: new.map(\.key).joined(separator: ",")) { transaction in
                for limit in new { try limit.insert(in: transaction) }
            } apply: { state in
                state.changeResources { resources in for limit in new { put(&resources.limits, limit) } }
            }
        } catch StoreError.duplicate {
            throw APIError.conflict("Conflict occurred attempting to store \(kind) - Duplicate entry.")
        }
    }

    private func register(_ call: APICall) async throws -> APIResponse {
        let items = try await Self.items(call, "registered_limits")
        try call.authorize("identity:create_registered_limits")
        let state = identity.directory.state
        let new = try items.map { try Self.newRegistered($0, state) }
        try await insert(new, "registered_limit", call) { $0.put($1) }
        return .json(["registered_limits": .array(new.map { Self.registered.rendered($0, call) })], status: 201)
    }

    // MARK: - Limits of projects and domains

    private func rendered(_ limit: ResourceLimit, _ call: APICall) -> JSON {
        Rendering.single(limit.rendered(limits.registered[limit.registered]), "limits/\(limit.key)", call)
    }

    private static func limit(_ fields: Fields, _ state: IdentityState) throws -> ResourceLimit {
        try fields.allow(only: [
            "project_id", "domain_id", "service_id", "region_id", "resource_name", "resource_limit", "description"
        ])
        let service = try fields.string("service_id")
        let name = try fields.string("resource_name", length: 1...255)
        let value = try fields.int("resource_limit", in: range)
        let project = try IdentityService.reference(fields, "project_id")
        let domain = try IdentityService.reference(fields, "domain_id")
        guard (project == nil) != (domain == nil) else {
            throw fields.invalid(
                fields.path.last ?? "limits", .object(fields.members),
                "\(JSON.object(fields.members).pythonQuoted) is not valid under any of the given schemas")
        }
        guard state.services[service] != nil else { throw expecting("service_id", "limit") }
        let region = try region(fields, state, "limit").flatMap { $0 }
        let owner: ResourceLimit.Owner
        if let project, state.domains[project] == nil {
            guard let id = ProjectID(project), state.projects[id] != nil else { throw expecting("project_id", "limit") }
            owner = .project(id)
        } else {
            let key = domain ?? project ?? ""
            guard state.domains[key] != nil else { throw expecting("domain_id", "limit") }
            owner = .domain(key)
        }
        guard let base = state.resources.limits.registered(service: service, region: region, resource: name) else {
            throw APIError.forbidden("Unable to create a limit that has no corresponding registered limit.")
        }
        return ResourceLimit(
            key: IdentityService.newKey(), owner: owner, registered: base.key, limit: value,
            description: try fields.nullableString("description", length: 0...255).flatMap { $0 })
    }

    private func create(_ call: APICall) async throws -> APIResponse {
        let items = try await Self.items(call, "limits")
        try call.authorize("identity:create_limits")
        let state = identity.directory.state
        let new = try items.map { try Self.limit($0, state) }
        try await insert(new, "limit", call) { $0.put($1) }
        return .json(["limits": .array(new.map { rendered($0, call) })], status: 201)
    }

    private func target(_ limit: ResourceLimit) -> (project: ProjectID?, domain: String?) {
        switch limit.owner {
        case .project(let id): (id, identity.directory.state.projects[id]?.domain)
        case .domain(let key): (nil, key)
        }
    }

    /// Everybody finds the own project's or domain's, administrators and the system's readers all.
    private func list(_ call: APICall) async throws -> APIResponse {
        try call.authorize("identity:list_limits")
        let caller = try call.requireCaller()
        let seesAll = caller.isAdmin || caller.scope == .system || caller.roles.contains("service")
        let tests = try ListFilter.parse(
            call.query, names: ["service_id", "region_id", "resource_name", "project_id", "domain_id"])
        let items = limits.limits.values.compactMap { limit -> Rendering.Item? in
            let (project, domain) = target(limit)
            let isOwn =
                switch caller.scope {
                case .project(let id): project == id
                case .domain(let key): domain == key
                case .system, .unscoped: false
                }
            guard seesAll || isOwn,
                tests.allSatisfy({ $0.matches(limit.rendered(limits.registered[limit.registered])) })
            else { return nil }
            return Rendering.Item(key: limit.key, name: limit.key) { rendered(limit, call) }
        }
        return try Rendering.page("limits", items, call)
    }

    private func limit(_ call: APICall, rule: String) throws -> ResourceLimit {
        let key = call.parameter("key")
        guard let limit = limits.limits[key] else {
            try call.authorize("identity:\(rule)")
            throw APIError.notFound("Could not find limit for \(key).")
        }
        let (project, domain) = target(limit)
        try call.authorize("identity:\(rule)", project: project, domain: domain)
        return limit
    }

    private func show(_ call: APICall) async throws -> APIResponse {
        .json(["limit": rendered(try limit(call, rule: "get_limit"), call)])
    }

    private func update(_ call: APICall) async throws -> APIResponse {
        let old = try limit(call, rule: "update_limit")
        let changed = try Self.changed(old, try await IdentityService.fields(call, at: "limit"))
        let stored = try await identity.update(changed, call) { state, limit in
            state.changeResources { $0.limits.put(limit) }
        }
        return .json(["limit": rendered(stored, call)])
    }

    private static func changed(_ old: ResourceLimit, _ fields: Fields) throws -> ResourceLimit {
        try fields.allow(only: ["resource_limit", "description"])
        var limit = old
        if let value = try fields.optionalInt("resource_limit", in: range) { limit.limit = value }
        if let text = try fields.nullableString("description", length: 0...255) { limit.description = text }
        return limit
    }

    private func delete(_ call: APICall) async throws -> APIResponse {
        let limit = try limit(call, rule: "delete_limit")
        try await identity.delete(limit, call) { state in state.changeResources { $0.limits.remove(limit) } }
        return .empty(204)
    }
}
