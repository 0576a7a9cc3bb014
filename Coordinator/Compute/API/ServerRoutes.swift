import CoordinatorPlatform
import ProtocolModel

/// `/servers`.
struct ServerRoutes: Sendable {
    let parts: ComputeParts
    let reader: ServerReader

    var all: [Route] {
        [
            Route(.get, "/v2.1/servers", handler: list).gatedCompute(by: "servers:index")
                .askingCompute("servers:index:get_all_tenants"),
            Route(.post, "/v2.1/servers", action: "compute.server.create", handler: create)
                .askingCompute("servers:create", "servers:create:forced_host")
                .asking(ComputePolicy.requestedDestination),
            Route(.get, "/v2.1/servers/detail", handler: detail).gatedCompute(by: "servers:detail")
                .askingCompute("servers:detail:get_all_tenants"),
            Route(.get, "/v2.1/servers/{server_id}", handler: show).askingCompute("servers:show"),
            Route(.put, "/v2.1/servers/{server_id}", action: "compute.server.update", handler: update)
                .askingCompute("servers:update"),
            Route(.delete, "/v2.1/servers/{server_id}", action: "compute.server.delete", handler: delete)
                .askingCompute("servers:delete")
        ]
    }

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        let query = try ServerListQuery.read(call, pageLimit: parts.settings.pageLimit, isDetail: false)
        let store = ServerListStore(network: parts.network)
        let lines = try await call.database.read { try store.page(query, in: $0) }
        let view = ServerView(call)
        return page(
            lines.map { view.basic($0.id, name: $0.name) }, lines, query: query, path: "servers", call: call)
    }

    @Sendable private func detail(_ call: APICall) async throws -> APIResponse {
        let query = try ServerListQuery.read(call, pageLimit: parts.settings.pageLimit, isDetail: true)
        let store = ServerListStore(network: parts.network)
        let servers = reader
        let revision = servers.revision?()
        let (lines, rendered) = try await call.database.read { reader in
            let lines = try store.page(query, in: reader)
            return (lines, try servers.details(lines, call: call, revision: revision, in: reader))
        }
        return page(rendered, lines, query: query, path: "servers/detail", call: call)
    }

    private func page(
        _ servers: [JSON], _ lines: [ServerLine], query: ServerQuery, path: String, call: APICall
    ) -> APIResponse {
        var body: [String: JSON] = ["servers": .array(servers)]
        let next = call.nextLink(path: path, last: lines.last?.id.text, count: lines.count, limit: query.limit)
        if let next { body["servers_links"] = next }
        return .json(.object(body))
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let permissions = try call.permissions()
        let access = ServerAccess(parts: parts)
        let servers = reader
        let subject = try await call.database.read { reader in
            let server = try access.find(
                call.parameter("server_id"), asking: "servers:show", by: permissions, in: reader)
            return try servers.subject(of: server, in: reader)
        }
        return .json(["server": ServerView(call).render(subject, .show)])
    }

    @Sendable private func create(_ call: APICall) async throws -> APIResponse {
        let origin = try call.origin()
        let request = try CreateServerBody(
            try await call.json(), version: call.microversion, permissions: origin.permissions)
        try call.authorizeCompute("servers:create")
        let reservation = "r-" + Secrets.word(length: 8)
        let command = try request.command(password: Secrets.password(), reservationID: reservation)
        guard command.maxCount <= parts.settings.createLimit else {
            throw APIError.badRequest(
                "At most \(parts.settings.createLimit) servers can be made by one call: ask for fewer, several times.")
        }
        let creation = ServerCreation(parts: parts)
        let made = try await NetworkRefusals.inNovasWords {
            try await call.write(target: { $0.map(\.id.text).joined(separator: ",") }) { transaction in
                try creation.create(command, origin: origin, in: transaction)
            }
        }
        if request.wantsReservation { return .json(["reservation_id": .string(reservation)], status: 202) }
        let id = made.first?.id.text ?? ""
        let links = Links(call.baseURL)
        let server: JSON = [
            "id": .string(id), "links": links.both("servers/\(id)"), "OS-DCF:diskConfig": .string(command.diskConfig),
            "security_groups": request.securityGroups, "adminPass": .string(command.adminPassword)
        ]
        return .json(
            ["server": server], status: 202, headers: [(name: "Location", value: "\(links.version)servers/\(id)")])
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        let origin = try call.commandOrigin()
        let body = try await call.json()
        try ServerBodies.update(call.microversion).check(body)
        let server = body["server"]?.objectValue ?? [:]
        var update = ServerChanges.Update()
        update.name = server["name"]?.stringValue
        if let description = server["description"] { update.description = .some(description.stringValue) }
        update.hostname = server["hostname"]?.stringValue
        update.accessIPv4 = server["accessIPv4"]?.stringValue
        update.accessIPv6 = server["accessIPv6"]?.stringValue
        update.diskConfig = server["OS-DCF:diskConfig"]?.stringValue
        let changes = ServerChanges(parts: parts)
        let servers = reader
        let subject = try await call.write { [update] transaction in
            let changed = try changes.update(call.parameter("server_id"), update, origin: origin, in: transaction)
            return try servers.subject(of: changed, in: transaction)
        }
        return .json(["server": ServerView(call).render(subject, .update(call.microversion))])
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        let origin = try call.commandOrigin()
        let commands = ServerCommands(parts: parts)
        _ = try await call.write { try commands.delete(call.parameter("server_id"), origin: origin, in: $0) }
        return .empty(204)
    }
}
