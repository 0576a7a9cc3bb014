import CoordinatorPlatform
import ProtocolModel

/// `/v2.0/floatingips/{id}/port_forwardings`. A floating IP has few of them, so lists are filtered in memory.
struct PortForwardingRoutes: Sendable {
    let service: NetworkService

    private static let path = "\(FloatingIPRoutes.names.path)/{id}/port_forwardings"
    private static let rule = "floatingip_port_forwarding"
    private static let filters: Set<String> = ["id", "external_port", "protocol", "internal_port_id", "description"]
    private static let action = "network.port_forwarding"

    var routes: [Route] {
        let member = "\(Self.path)/{forwarding}"
        return [
            Route(.get, Self.path, handler: list).asking("get_\(Self.rule)"),
            Route(.post, Self.path, action: "\(Self.action).create", handler: create).asking("create_\(Self.rule)"),
            Route(.get, member, handler: show).asking("get_\(Self.rule)"),
            Route(.put, member, action: "\(Self.action).update", handler: update).asking("update_\(Self.rule)"),
            Route(.delete, member, action: "\(Self.action).delete", handler: delete).asking("delete_\(Self.rule)")
        ]
    }

    private static let number = BodyFormat.integer(1...65_535, orText: true)
    private static let protocols = ["dccp", "sctp", "tcp", "udp", "udplite"]
    private static let protocolName = Form.text.map { text, json throws(BodyFailure) in
        guard protocols.contains(text.lowercased()) else {
            throw BodyFailure(.notOneOf(protocols.map { .string($0) }), json)
        }
        return text.lowercased()
    }

    private static func schema(creating: Bool) -> BodySchema<PortForwardingDraft> {
        let description = BodyField<PortForwardingDraft>.optional("description", \.description, Form.text)
        let address = BodyField<PortForwardingDraft>.optional("internal_ip_address", \.address, Form.address)
        let others: [BodyField<PortForwardingDraft>] = [
            .special("external_port", isRequired: creating) { json, draft throws(BodyFailure) in
                draft.externalPort = try number.read(json)
            },
            .special("internal_port", isRequired: creating) { json, draft throws(BodyFailure) in
                draft.internalPort = try number.read(json)
            },
            .special("internal_port_id", isRequired: creating) { json, draft throws(BodyFailure) in
                draft.port = try Form.id().read(json)
            },
            .special("protocol", isRequired: creating) { json, draft throws(BodyFailure) in
                draft.protocolName = try protocolName.read(json)
            }
        ]
        return BodySchema(
            blank: PortForwardingDraft(), notAllowed: ["id"], tellsUnknownFirst: true, [description, address] + others)
    }

    private static func draft(_ call: APICall, creating: Bool) async throws -> PortForwardingDraft {
        guard let body = try await call.json()["port_forwarding"] else {
            throw APIError.http("Unable to find 'port_forwarding' in request body")
        }
        return try schema(creating: creating).read(
            body, wording: Neutron.words("port_forwarding", creating: creating))
    }

    /// The floating IP of the path, which the caller may see, once the rule lets them.
    private func parent(
        _ verb: String, _ call: APICall, in reader: any SQLReader
    ) throws -> FloatingIPRecord {
        let item = try service.floatingIPListing.record(call.parameter("id"), viewer: call.viewer(), in: reader)
        try call.authorize("\(verb)_\(Self.rule)", project: item.project)
        return item
    }

    private static func id(_ call: APICall) throws -> PortForwardingID {
        let text = call.parameter("forwarding")
        guard let id = PortForwardingID(text) else { throw APIError.forwardingNotFound(text) }
        return id
    }

    private static func answer(_ record: PortForwardingRecord, status: Int = 200) -> APIResponse {
        .json(["port_forwarding": .object(View.forwarding(record))], status: status)
    }

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        let query = try Neutron.list.read(
            call.query, isFilter: Self.filters.contains, isFlag: { _ in false }, isSort: { _ in true })
        let found = try await call.database.read { reader in
            try service.forwardings.ofFloatingIPs([parent("get", call, in: reader).id], in: reader)
        }
        let views = found.map(View.forwarding).filter { view in query.filters.allSatisfy { $0.matches(view[$0.name]) } }
        let fields = Set(call.queryAll("fields"))
        return .json([
            "port_forwardings": .array(
                views.map { .object(fields.isEmpty ? $0 : $0.filter { fields.contains($0.key) }) })
        ])
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let id = try Self.id(call)
        return Self.answer(
            try await call.database.read { reader in
                try service.forwarding(id, of: parent("get", call, in: reader).id, in: reader)
            })
    }

    private func change(
        _ verb: String, _ call: APICall,
        _ body: @escaping @Sendable (FloatingIPID, Viewer, any SQLTransaction) throws -> PortForwardingRecord?
    ) async throws -> PortForwardingRecord? {
        do {
            return try await call.write { transaction in
                try body(parent(verb, call, in: transaction).id, call.viewer(), transaction)
            }
        } catch { throw Neutron.refused(error) }
    }

    @Sendable private func create(_ call: APICall) async throws -> APIResponse {
        let draft = try await Self.draft(call, creating: true)
        let made = try await change("create", call) { floatingIP, viewer, transaction in
            let id = try service.createForwarding(
                draft, of: floatingIP, viewer: viewer, at: call.now, in: transaction)
            return try service.forwarding(id, of: floatingIP, in: transaction)
        }
        return made.map { Self.answer($0, status: 201) } ?? .empty(201)
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        let id = try Self.id(call)
        let draft = try await Self.draft(call, creating: false)
        let changed = try await change("update", call) { floatingIP, viewer, transaction in
            try service.updateForwarding(
                id, draft, of: floatingIP, viewer: viewer, at: call.now, in: transaction)
            return try service.forwarding(id, of: floatingIP, in: transaction)
        }
        return changed.map { Self.answer($0) } ?? .empty(200)
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        let id = try Self.id(call)
        _ = try await change("delete", call) { floatingIP, _, transaction in
            try service.deleteForwarding(id, of: floatingIP, at: call.now, in: transaction)
            return nil
        }
        return .empty(204)
    }
}
