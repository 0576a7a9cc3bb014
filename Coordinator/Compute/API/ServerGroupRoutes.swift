import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel

/// `/os-server-groups`.
struct ServerGroupRoutes: Sendable {
    let parts: ComputeParts
    private var groups: ServerGroups { ServerGroups(parts: parts) }

    init(parts: ComputeParts) { self.parts = parts }

    var all: [Route] {
        let path = "/v2.1/os-server-groups"
        return [
            Route(.get, path, handler: list).gatedCompute(by: "os-server-groups:index")
                .askingCompute("os-server-groups:index:all_projects"),
            Route(.post, path, action: "compute.server_group.create", handler: create)
                .askingCompute("os-server-groups:create"),
            Route(.get, path + "/{id}", handler: show).askingCompute("os-server-groups:show"),
            Route(.delete, path + "/{id}", action: "compute.server_group.delete", handler: delete)
                .askingCompute("os-server-groups:delete")
        ]
    }

    private func render(_ group: ServerGroup, _ members: [ServerID], _ version: Microversion) -> JSON {
        var out: [String: JSON] = [
            "id": .string(group.id.text), "name": .string(group.name),
            "members": .array(members.map { .string($0.text) })
        ]
        if version.has(13) {
            out["project_id"] = .string(group.project.compact)
            out["user_id"] = .string(group.user.compact)
        }
        if version.has(64) {
            out["policy"] = .string(group.policy.rawValue)
            out["rules"] = group.mostPerHost.map { ["max_server_per_host": JSON($0)] } ?? [:]
        } else {
            out["policies"] = [.string(group.policy.rawValue)]
            out["metadata"] = [:]
        }
        return .object(out)
    }

    // MARK: Calls

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        let caller = try call.requireCaller()
        try call.refuseUnknownQuery(known: ["all_projects", "limit", "offset"])
        let wantsAll = call.query("all_projects") != nil && caller.isAdmin
        if wantsAll { try call.authorizeCompute("os-server-groups:index:all_projects") }
        let limit = min(try number("limit", call) ?? parts.settings.pageLimit, parts.settings.pageLimit)
        let offset = try number("offset", call) ?? 0
        let project = wantsAll ? nil : caller.project ?? ProjectID(high: 0, low: 0)
        let store = parts.groups
        let (groups, members) = try await call.database.read { reader in
            let groups = try store.list(of: project, limit: limit, offset: offset, in: reader)
            return (groups, try store.members(of: groups.map(\.id), in: reader))
        }
        return .json([
            "server_groups": .array(groups.map { render($0, members[$0.id] ?? [], call.microversion) })
        ])
    }

    private func number(_ name: String, _ call: APICall) throws -> Int? {
        guard let text = call.query(name) else { return nil }
        guard let value = Int(text), value >= 0, text.utf8.allSatisfy({ (48...57).contains($0) }) else {
            throw Nova.invalidQuery(name, text, "does not match '^[0-9]*$'")
        }
        return value
    }

    private func find(_ call: APICall, _ rule: String, in reader: any SQLReader) throws -> ServerGroup {
        let group = try groups.find(call.parameter("id"), caller: try call.requireCaller(), in: reader)
        try call.authorizeCompute("os-server-groups:\(rule)", Policy.Target(project: group.project, user: group.user))
        return group
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let store = parts.groups
        let (group, members) = try await call.database.read { reader in
            let group = try find(call, "show", in: reader)
            return (group, try store.members(of: [group.id], in: reader)[group.id] ?? [])
        }
        return .json(["server_group": render(group, members, call.microversion)])
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        let groups = groups
        try await call.write { transaction in
            try groups.delete(try find(call, "delete", in: transaction), in: transaction)
        }
        return .empty(204)
    }

    private struct Draft: Sendable {
        var name = ""
        var policy = ""
        var mostPerHost: Int?

        private static let hard = ["anti-affinity", "affinity"]
        private static let all = hard + ["soft-anti-affinity", "soft-affinity"]

        /// Exactly one, in a list.
        private static func one(of words: [String]) -> BodyFormat<String> {
            BodyFormat<[String]>.list(of: .word(of: words), most: 1, isUnique: true).map {
                words, json throws(BodyFailure) in
                guard let word = words.first else { throw BodyFailure(.tooFew(least: 1), json) }
                return word
            }
        }

        static let schema = BodySchema(
            blank: Draft(),
            [
                .required("name", \.name, CreateServerForm.name),
                .required("policies", \.policy, one(of: hard), until: 14),
                .required("policies", \.policy, one(of: all), since: 15, until: 63),
                .required("policy", \.policy, .word(of: all), since: 64),
                .given("rules", \.mostPerHost, rules, since: 64)
            ])

        private static let rules = BodySchema<Int?>(
            blank: nil, [.optional("max_server_per_host", \.self, .integer(1...Int.max, orText: true))]
        ).format()
    }

    @Sendable private func create(_ call: APICall) async throws -> APIResponse {
        let (caller, project) = try call.requireProject()
        try call.authorizeCompute("os-server-groups:create", Policy.Target(project: project, user: caller.user))
        let draft = try Draft.schema.read(
            try await call.json(), under: "server_group", call.microversion, wording: Nova.body)
        let policy = PlacementGroup.Policy(rawValue: draft.policy) ?? .affinity
        if draft.mostPerHost != nil, policy != .antiAffinity {
            throw APIError.badRequest("Only anti-affinity policy supports rules.")
        }
        let group = ServerGroup(
            id: .random(), project: project, user: caller.user, name: draft.name, policy: policy,
            mostPerHost: draft.mostPerHost, createdAt: call.now)
        let groups = groups
        try await call.write(target: { _ in group.id.text }) { try groups.create(group, in: $0) }
        return .json(["server_group": render(group, [], call.microversion)])
    }
}
