import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// `/servers/{id}/os-instance-actions`: what was done with a server, step by step.
struct InstanceActionRoutes: Sendable {
    let parts: ComputeParts

    var all: [Route] {
        let path = "/v2.1/servers/{server_id}/os-instance-actions"
        return [
            Route(.get, path, handler: list).askingCompute("os-instance-actions:list"),
            Route(.get, path + "/{request_id}", handler: show).askingCompute("os-instance-actions:show")
        ]
    }

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        let permissions = try call.permissions()
        let version = call.microversion
        let isPaged = version.has(58)
        let dialect = Nova.list(
            call, most: parts.settings.pageLimit, isPaged: isPaged, links: "links", isNamed: true,
            strictFrom: 58)
        let filters: Set = version.has(66) ? ["changes-since", "changes-before"] : ["changes-since"]
        var query = try dialect.read(Nova.query(call, isPaged: isPaged), isFilter: filters.contains)
        let period = isPaged ? try call.period() : (since: nil, before: nil)
        query.filters = []
        if let since = period.since { query.filters.append(.init("updated_at", .greaterOrEqual, [String(since)])) }
        if let before = period.before, version.has(66) {
            query.filters.append(.init("updated_at", .lessOrEqual, [String(before)]))
        }
        let parts = parts
        let actions = try await call.database.read { [query] reader in
            let server = try ServerAccess(parts: parts).find(
                call.parameter("server_id"), asking: "os-instance-actions:list", by: permissions,
                includingDeleted: version.has(21), in: reader)
            return try dialect.found { try parts.log.actions(on: server.key, query, in: reader) }
        }
        let page = ListPage(collection: "instanceActions", identities: actions.map(\.requestID), query: query)
        return dialect.answer(page, actions.map { .object(render($0, version)) }, call)
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let permissions = try call.permissions()
        let caller = permissions.caller
        let version = call.microversion
        let parts = parts
        let (action, events) = try await call.database.read { reader in
            let server = try ServerAccess(parts: parts).find(
                call.parameter("server_id"), asking: "os-instance-actions:show", by: permissions,
                includingDeleted: version.has(21), in: reader)
            let id = call.parameter("request_id")
            guard let action = try parts.log.action(on: server.key, requestID: id, in: reader) else {
                throw APIError.notFound("Action \(id) not found")
            }
            return (action, try parts.log.events(of: action.id, in: reader))
        }
        var out = render(action, version)
        if caller.isAdmin || version.has(51) {
            out["events"] = .array(events.map { render($0, action, version, isAdmin: caller.isAdmin) })
        }
        return .json(["instanceAction": .object(out)])
    }

    private func render(_ action: HostedAction, _ version: Microversion) -> [String: JSON] {
        var out: [String: JSON] = [
            "action": .string(action.name), "instance_uuid": .string(action.resource.id.text),
            "request_id": .string(action.requestID), "user_id": .string(action.user.compact),
            "project_id": .string(action.project.compact),
            "start_time": .string(Timestamp.microsWithoutZone(action.startedAt)), "message": JSON(action.message)
        ]
        if version.has(58) { out["updated_at"] = .string(Timestamp.microsWithoutZone(action.updatedAt)) }
        return out
    }

    private func render(
        _ event: HostedEvent, _ action: HostedAction, _ version: Microversion, isAdmin: Bool
    ) -> JSON {
        var out: [String: JSON] = [
            "event": .string(event.name), "start_time": .string(Timestamp.microsWithoutZone(event.startedAt)),
            "finish_time": JSON(event.finishedAt.map(Timestamp.microsWithoutZone)), "result": JSON(event.result)
        ]
        if isAdmin { out["traceback"] = JSON(event.traceback) }
        if version.has(62) {
            let host = event.host.isEmpty ? nil : event.host
            out["hostId"] = .string(ServerView.hostID(host, project: action.project))
            if isAdmin { out["host"] = .string(event.host) }
        }
        // Our details are written for the tenant, so that a failed build explains itself to whoever asked for it.
        if version.has(84) { out["details"] = JSON(event.details) }
        return .object(out)
    }
}
