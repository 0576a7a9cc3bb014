import CoordinatorBlockStorage
import CoordinatorNetwork
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
                .askingCompute("servers:create", "servers:create:forced_host", "servers:create:attach_volume")
                .asking(ComputePolicy.requestedDestination).asking(NetworkSlice.serverPortRules)
                .asking(BlockStorageSlice.serverVolumeRules),
            Route(.get, "/v2.1/servers/detail", handler: detail).gatedCompute(by: "servers:detail")
                .askingCompute("servers:detail:get_all_tenants"),
            Route(.get, "/v2.1/servers/{server_id}", handler: show).askingCompute("servers:show"),
            Route(.put, "/v2.1/servers/{server_id}", action: "compute.server.update", handler: update)
                .askingCompute("servers:update"),
            Route(.delete, "/v2.1/servers/{server_id}", action: "compute.server.delete", handler: delete)
                .askingCompute("servers:delete")
        ]
    }

    /// What a list call asks for, once the caller may ask it.
    private func query(_ call: APICall, isDetail: Bool) throws -> (ServerQuery, ListDialect) {
        let dialect = Nova.list(call, most: parts.settings.pageLimit, isAscending: false, isSorted: true)
        let query = try ServerListQuery.read(call, dialect, isDetail: isDetail)
        if query.scope == .everybody {
            try call.authorizeCompute("servers:\(isDetail ? "detail" : "index"):get_all_tenants")
        }
        return (query, dialect)
    }

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        let (query, dialect) = try query(call, isDetail: false)
        let store = ServerListStore(network: parts.network)
        let lines = try await call.database.read { reader in try dialect.found { try store.page(query, in: reader) } }
        let view = ServerView(call)
        return page(lines.map { view.basic($0.id, name: $0.name) }, lines, query, dialect, call)
    }

    @Sendable private func detail(_ call: APICall) async throws -> APIResponse {
        let (query, dialect) = try query(call, isDetail: true)
        let store = ServerListStore(network: parts.network)
        let servers = reader
        let revision = servers.revision?()
        let (lines, rendered) = try await call.database.read { reader in
            let lines = try dialect.found { try store.page(query, in: reader) }
            return (lines, try servers.details(lines, call: call, revision: revision, in: reader))
        }
        return page(rendered, lines, query, dialect, call)
    }

    private func page(
        _ servers: [JSON], _ lines: [ServerLine], _ query: ServerQuery, _ dialect: ListDialect, _ call: APICall
    ) -> APIResponse {
        let page = ListPage(collection: "servers", identities: lines.map(\.id.text), query: query.list)
        return dialect.answer(page, servers, call)
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
        let request = try CreateServerBody.read(try await call.json(), call.microversion)
        try call.authorizeCompute("servers:create")
        let reservation = "r-" + Secrets.word(length: 8)
        let command = try request.command(
            call.microversion, password: Secrets.password(), reservationID: reservation)
        if !command.disks.isEmpty { try call.authorizeCompute("servers:create:attach_volume") }
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
        let update = try UpdateServerForm.schema.read(
            body, under: "server", call.microversion, wording: Nova.body)
        let changes = ServerChanges(parts: parts)
        let servers = reader
        let subject = try await call.write { transaction in
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
