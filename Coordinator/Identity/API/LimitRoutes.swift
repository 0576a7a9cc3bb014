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
            Route(.post, "/v3/limits", action: "identity.limit.create", handler: create).asking(
                "identity:create_limits"),
            Route(.get, "/v3/limits", handler: list).asking("identity:list_limits"),
            Route(.get, "/v3/limits/{key}", handler: show).asking("identity:get_limit"),
            Route(.patch, "/v3/limits/{key}", action: "identity.limit.update", handler: update).asking(
                "identity:update_limit"),
            Route(.delete, "/v3/limits/{key}", action: "identity.limit.delete", handler: delete).asking(
                "identity:delete_limit")
        ] + Self.registered.resource(identity).routes.filter { $0.method != .post }
    }

    private var limits: UnifiedLimits { identity.directory.state.resources.limits }

    private func model(_ call: APICall) async throws -> APIResponse {
        try call.authorize("identity:get_limit_model")
        let description = "Limit enforcement and validation does not take project hierarchy into consideration."
        return .json(["model": ["name": "flat", "description": .string(description)]])
    }

    // MARK: - Registered limits

    /// Values as Keystone's schema takes them: those of a signed 32-bit integer, from -1 on.
    private static let value = BodyFormat<Int64>.number(-1...0x7FFF_FFFF)

    private static let registered = IdentityKind<RegisteredLimit>(
        names: IdentityKind<RegisteredLimit>.names("registered_limit", "registered_limits"),
        filters: ["service_id", "region_id", "resource_name"], render: { $0.rendered },
        schema: BodySchema(
            blank: .blank,
            [
                .required("service_id", \.service, .text()), .required("resource_name", \.resource, .text(1...255)),
                .required("default_limit", \.defaultLimit, value), .given("region_id", \.region, .textOrNull(1...255)),
                .given("description", \.description, .textOrNull(0...255))
            ]),
        complete: { limit, old, input in
            if let old, input.state.resources.limits.isOverridden(old) { throw inUse(old) }
            limit.key = old?.key ?? IdentityService.newKey()
            // A change is not refused for what it leaves as it was.
            guard limit.service != old?.service || limit.region != old?.region else { return }
            try check(limit.service, limit.region, input.state, "registered_limit")
        },
        beforeDelete: { limit, _, edit in
            guard !edit.state.resources.limits.isOverridden(limit) else { throw inUse(limit) }
        },
        title: { "registered limit for \($0)" }, conflict: { _ in "registered_limit - Duplicate entry" })

    private static func check(
        _ service: String, _ region: String?, _ state: IdentityState, _ target: String
    ) throws(APIError) {
        guard state.services[service] != nil else { throw expecting("service_id", target) }
        if let region, state.regions[region] == nil { throw expecting("region_id", target) }
    }

    private static func expecting(_ attribute: String, _ target: String) -> APIError {
        Keystone.expecting(attribute, in: target)
    }

    private static func inUse(_ limit: RegisteredLimit) -> APIError {
        .forbidden(
            """
            Unable to update or delete registered limit \(limit.key) because there are project limits associated with \
            it.
            """)
    }

    /// Limits that one call may make.
    private static let most = 1000

    /// The objects of a list in a body.
    private static func items(_ call: APICall, _ name: String) async throws -> [JSON] {
        let items = BodyFormat<[JSON]>.list(of: .any, most: most).map { items, json throws(BodyFailure) in
            guard !items.isEmpty else { throw BodyFailure(.sentence("[] should be non-empty"), json) }
            return items
        }
        return try BodySchema<[JSON]>(blank: [], [.required(name, \.self, items)])
            .read(try await call.json(), wording: Keystone.body)
    }

    /// All of a list, or none.
    private func insert<Record: StoredRecord>(
        _ items: [JSON], _ name: String, _ call: APICall,
        _ read: @escaping @Sendable (JSON, _ place: [String], IdentityState) throws -> Record
    ) async throws -> [Record] {
        try await call.change(
            identity, target: { (new: [Record]) in new.map(\.key).joined(separator: ",") },
            { edit in
                let new = try items.enumerated().map { try read($1, ["\(name)s", "\($0)"], edit.state) }
                do { for limit in new { try edit.insert(limit) } } catch StoreError.duplicate {
                    throw Keystone.duplicate("\(name) - Duplicate entry")
                }
                return new
            })
    }

    private func register(_ call: APICall) async throws -> APIResponse {
        let items = try await Self.items(call, "registered_limits")
        try call.authorize("identity:create_registered_limits")
        let new = try await insert(items, "registered_limit", call) { json, place, state in
            try Self.registered.read(json, over: nil, at: place, .init(members: [:], call: call, state: state))
        }
        return .json(["registered_limits": .array(new.map { Self.registered.rendered($0, call) })], status: 201)
    }

    // MARK: - Limits of projects and domains

    private func linked(_ limit: ResourceLimit, _ call: APICall) -> [String: JSON] {
        Keystone.linked(limit.rendered(limits.registered[limit.registered]), "limits/\(limit.key)", call)
    }

    private func rendered(_ limit: ResourceLimit, _ call: APICall) -> JSON { .object(linked(limit, call)) }

    private struct Draft: Sendable {
        var service = ""
        var region: String?
        var resource = ""
        var project: String?
        var domain: String?
        var limit = ResourceLimit.blank
    }

    private static let schema = BodySchema<Draft>(
        blank: Draft(),
        [
            .required("service_id", \.service, .text()), .required("resource_name", \.resource, .text(1...255)),
            .required("resource_limit", \.limit.limit, value), .given("region_id", \.region, .textOrNull(1...255)),
            .given("project_id", \.project, .reference), .given("domain_id", \.domain, .reference),
            .given("description", \.limit.description, .textOrNull(0...255))
        ])

    private static func limit(_ json: JSON, _ place: [String], _ state: IdentityState) throws(APIError) -> ResourceLimit
    {
        let draft: Draft
        do throws(BodyFailure) {
            draft = try schema.read(json, Microversion(0, 0))
            guard (draft.project == nil) != (draft.domain == nil) else { throw BodyFailure(.noneFits, json) }
        } catch { throw Keystone.body(place.reversed().reduce(error) { $0.below($1) }) }
        try check(draft.service, draft.region, state, "limit")
        var limit = draft.limit
        limit.key = IdentityService.newKey()
        if let project = draft.project, state.domains[project] == nil {
            guard let id = ProjectID(project), state.projects[id] != nil else { throw expecting("project_id", "limit") }
            limit.owner = .project(id)
        } else {
            let key = draft.domain ?? draft.project ?? ""
            guard state.domains[key] != nil else { throw expecting("domain_id", "limit") }
            limit.owner = .domain(key)
        }
        let base = state.resources.limits.registered(
            service: draft.service, region: draft.region, resource: draft.resource)
        guard let base else {
            throw .forbidden("Unable to create a limit that has no corresponding registered limit.")
        }
        limit.registered = base.key
        return limit
    }

    private func create(_ call: APICall) async throws -> APIResponse {
        let items = try await Self.items(call, "limits")
        try call.authorize("identity:create_limits")
        let new = try await insert(items, "limit", call) { try Self.limit($0, $1, $2) }
        return .json(["limits": .array(new.map { rendered($0, call) })], status: 201)
    }

    private static func target(
        _ limit: ResourceLimit, _ state: IdentityState
    ) -> (project: ProjectID?, domain: String?) {
        switch limit.owner {
        case .project(let id): (id, state.projects[id]?.domain)
        case .domain(let key): (nil, key)
        }
    }

    /// Everybody finds the own project's or domain's, administrators and the system's readers all.
    private func list(_ call: APICall) async throws -> APIResponse {
        try call.authorize("identity:list_limits")
        let caller = try call.requireCaller()
        let seesAll = caller.isAdmin || caller.scope == .system || caller.roles.contains("service")
        let state = identity.directory.state
        let mine = limits.limits.values.filter { limit in
            let (project, domain) = Self.target(limit, state)
            return switch caller.scope {
            case _ where seesAll: true
            case .project(let id): project == id
            case .domain(let key): domain == key
            case .system, .unscoped: false
            }
        }
        return try Keystone.list.answer(
            mine.map { ($0.key, linked($0, call)) }, "limits",
            filters: ["service_id", "region_id", "resource_name", "project_id", "domain_id"], call)
    }

    private func limit(_ call: APICall, _ state: IdentityState, rule: String) throws -> ResourceLimit {
        let key = call.parameter("key")
        guard let limit = state.resources.limits.limits[key] else {
            try call.authorize("identity:\(rule)")
            throw APIError.notFound("Could not find limit for \(key).")
        }
        let (project, domain) = Self.target(limit, state)
        try call.authorize("identity:\(rule)", project: project, domain: domain)
        return limit
    }

    private func show(_ call: APICall) async throws -> APIResponse {
        .json(["limit": rendered(try limit(call, identity.directory.state, rule: "get_limit"), call)])
    }

    private static let change = BodySchema<ResourceLimit>(
        blank: .blank,
        [
            .given("resource_limit", \.limit, value), .given("description", \.description, .textOrNull(0...255))
        ])

    private func update(_ call: APICall) async throws -> APIResponse {
        let known = try limit(call, identity.directory.state, rule: "update_limit")
        _ = try await Keystone.read(Self.change, "limit", call)
        let json = try await call.json()["limit"] ?? [:]
        let stored = try await call.change(identity, target: { _ in known.key }) { edit in
            let old = try limit(call, edit.state, rule: "update_limit")
            do { return try edit.update(try Self.change.read(json, over: old)) } catch let error as BodyFailure {
                throw Keystone.body(error.below("limit"))
            }
        }
        return .json(["limit": rendered(stored, call)])
    }

    private func delete(_ call: APICall) async throws -> APIResponse {
        try await call.delete(identity) { try limit(call, $0, rule: "delete_limit") }
    }
}
