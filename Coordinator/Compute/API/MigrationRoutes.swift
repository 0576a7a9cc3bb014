import CoordinatorPlatform
import ProtocolModel

/// `/os-migrations`: where servers were moved, and to which size; and the live migrations of one server, of which there
/// are none.
struct MigrationRoutes: Sendable {
    let parts: ComputeParts

    var all: [Route] {
        let path = "/v2.1/servers/{server_id}/migrations"
        return [
            Route(.get, "/v2.1/os-migrations", handler: list)
                .askingCompute("os-migrations:index", "os-migrations:index:all_projects", "os-migrations:index:host"),
            Route(.get, path, handler: listLive).askingCompute("servers:migrations:index"),
            Route(.get, path + "/{id}", handler: showLive).askingCompute("servers:migrations:show"),
            Route(.delete, path + "/{id}", action: "compute.server.migration.abort", handler: abort)
                .askingCompute("servers:migrations:delete"),
            Route(.post, path + "/{id}/action", action: "compute.server.migration.complete", handler: complete)
                .askingCompute("servers:migrations:force_complete")
        ]
    }

    // MARK: All kinds

    private static let filters: [String: Int] = [
        "hidden": 1, "host": 1, "instance_uuid": 1, "source_compute": 1, "status": 1, "migration_type": 1,
        "changes-since": 59, "changes-before": 66, "user_id": 80, "project_id": 80
    ]
    private static let columns: Set<String> = [
        "host", "instance_uuid", "source_compute", "status", "migration_type", "user_id", "project_id"
    ]

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        let version = call.microversion
        try authorize(call)
        let isPaged = version.has(59)
        let dialect = Nova.list(call, most: parts.settings.pageLimit, isPaged: isPaged, strictFrom: 59)
        var query = try dialect.read(Nova.query(call, isPaged: isPaged)) { version.has(Self.filters[$0] ?? .max) }
        query.filters = []
        for (name, value) in call.query where Self.columns.contains(name) && version.has(Self.filters[name] ?? .max) {
            query.filters.append(.init(name, .equal, [value]))
        }
        // Nothing is ever hidden.
        if let hidden = call.query("hidden").flatMap(BooleanWords.loose), hidden { return .json(["migrations": []]) }
        if isPaged {
            let period = try call.period()
            if let since = period.since { query.filters.append(.init("updated_at", .greaterOrEqual, [String(since)])) }
            if let before = period.before, version.has(66) {
                query.filters.append(.init("updated_at", .lessOrEqual, [String(before)]))
            }
            query.sorts = [.init("created_at", isAscending: false)]
        }
        let store = parts.migrations
        let found = try await call.database.read { [query] reader in
            try dialect.found { try store.list(query, in: reader) }
        }
        let hasHosts = call.isAllowed(ComputePolicy.prefix + "os-migrations:index:host")
        let page = ListPage(collection: "migrations", identities: found.map(\.id.text), query: query)
        return dialect.answer(page, found.map { render($0, version, hasHosts: hasHosts) }, call)
    }

    /// Whoever lists other projects' must be allowed to.
    private func authorize(_ call: APICall) throws {
        let own = try call.requireCaller().project
        try call.authorizeCompute("os-migrations:index", Policy.Target(project: own))
        guard let named = call.query("project_id"), call.microversion.has(80), ProjectID(named) == own else {
            return try call.authorizeCompute("os-migrations:index:all_projects")
        }
    }

    private func render(_ migration: ServerMigration, _ version: Microversion, hasHosts: Bool) -> JSON {
        let source = hasHosts ? JSON(migration.source?.hostname) : .null
        let destination = hasHosts ? JSON(migration.destination?.hostname) : .null
        var out: [String: JSON] = [
            "id": JSON(migration.number), "instance_uuid": .string(migration.server.text),
            "status": .string(migration.status.rawValue), "source_compute": source, "source_node": source,
            "dest_compute": destination, "dest_node": destination, "dest_host": .null,
            "old_instance_type_id": migration.flavorNumbers.old.map { JSON($0) } ?? .null,
            "new_instance_type_id": migration.flavorNumbers.new.map { JSON($0) } ?? .null,
            "created_at": .string(Timestamp.microsWithoutZone(migration.createdAt)),
            "updated_at": .string(Timestamp.microsWithoutZone(migration.updatedAt))
        ]
        if version.has(23) { out["migration_type"] = .string(migration.kind.rawValue) }
        if version.has(59) { out["uuid"] = .string(migration.id.text) }
        if version.has(80) {
            out["user_id"] = .string(migration.user.compact)
            out["project_id"] = .string(migration.project.compact)
        }
        return .object(out)
    }

    // MARK: Live ones

    private func server(_ call: APICall, asking rule: String, since minor: Int) async throws -> ServerRecord {
        try call.requireVersion(call.microversion.has(minor))
        let permissions = try call.permissions()
        let access = ServerAccess(parts: parts)
        return try await call.database.read {
            try access.find(
                call.parameter("server_id"), asking: "servers:migrations:" + rule, by: permissions, in: $0)
        }
    }

    private func migration(_ call: APICall, of server: ServerRecord) async throws -> ServerMigration? {
        guard let number = Int64(call.parameter("id")) else { return nil }
        let store = parts.migrations
        return try await call.database.read { try store.find(number, of: server.id, in: $0) }
    }

    @Sendable private func listLive(_ call: APICall) async throws -> APIResponse {
        _ = try await server(call, asking: "index", since: 23)
        return .json(["migrations": []])
    }

    @Sendable private func showLive(_ call: APICall) async throws -> APIResponse {
        let server = try await server(call, asking: "show", since: 23)
        let id = call.parameter("id")
        guard try await migration(call, of: server) != nil else {
            throw APIError.notFound("In-progress live migration \(id) is not found for server \(server.id).")
        }
        throw APIError.notFound("Migration \(id) for server \(server.id) is not live-migration.")
    }

    /// No server is ever in a live migration, whose task alone lets these in.
    @Sendable private func abort(_ call: APICall) async throws -> APIResponse {
        let server = try await server(call, asking: "delete", since: 24)
        try refuse(.abortMigration, server, call)
        return .empty(202)
    }

    @Sendable private func complete(_ call: APICall) async throws -> APIResponse {
        let body = try await call.json()
        guard body.objectValue?["force_complete"] != nil else {
            throw APIError.badRequest("There is no such action: \(body.objectValue?.keys.sorted().first ?? "")")
        }
        let server = try await server(call, asking: "force_complete", since: 22)
        try refuse(.forceComplete, server, call)
        return .empty(202)
    }

    private func refuse(_ command: ServerLifecycle.Command, _ server: ServerRecord, _ call: APICall) throws {
        if server.lockedBy != nil, call.caller?.isAdmin != true {
            throw APIError.conflict("Instance \(server.id) is locked")
        }
        try ServerCommands(parts: parts).accept(command, server)
    }
}
