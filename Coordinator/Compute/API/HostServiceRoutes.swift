import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// `/os-services`: the agents, under the name that the compute API has for them.
struct HostServiceRoutes: Sendable {
    let parts: ComputeParts
    private static let binary = "nova-compute"

    var all: [Route] {
        [
            Route(.get, "/v2.1/os-services", handler: list).askingCompute("os-services:list"),
            Route(.put, "/v2.1/os-services/{id}", action: "compute.service.update", handler: update)
                .askingCompute("os-services:update")
        ]
    }

    init(parts: ComputeParts) { self.parts = parts }

    private func render(_ node: Node, _ book: ZoneBook, _ version: Microversion) -> JSON {
        var out: [String: JSON] = [
            "id": version.has(53) ? .string(node.id.text) : JSON(node.number), "binary": .string(Self.binary),
            "host": .string(node.hostname), "zone": .string(book.zone(of: node)),
            "status": node.isEnabled ? "enabled" : "disabled", "state": node.health == .down ? "down" : "up",
            "updated_at": .string(Timestamp.microsWithoutZone(node.lastSeen)),
            "disabled_reason": JSON(node.disabledReason)
        ]
        if version.has(11) { out["forced_down"] = false }
        return .object(out)
    }

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        try call.authorizeCompute("os-services:list")
        try call.refuseUnknownQuery(known: ["host", "binary"])
        let directory = parts.directory
        let host = call.query("host") ?? ""
        let binary = call.query("binary") ?? ""
        let parts = parts
        let (nodes, book) = try await call.database.read { reader in
            (try directory.nodes(in: reader), try ZoneBook(parts, in: reader))
        }
        let shown = nodes.filter { node in
            node.runsServers && (host.isEmpty || node.hostname == host) && (binary.isEmpty || binary == Self.binary)
        }
        return .json(["services": .array(shown.map { render($0, book, call.microversion) })])
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        try call.authorizeCompute("os-services:update")
        let body = try await call.json()
        return try await call.microversion.has(53) ? updateByID(call, body) : updateByName(call, body)
    }

    private struct Draft: Sendable {
        var host = ""
        var binary = ""
        var status: String?
        var reason: String?
        var isForced = false

        static let schemaByID = BodySchema(
            blank: Draft(),
            [
                .optional("status", \.status, .word(of: ["enabled", "disabled"])),
                .optional("disabled_reason", \.reason, .text(1...255)), .given("forced_down", \.isForced, Nova.flag)
            ])
        static let schemaByName = BodySchema(
            blank: Draft(),
            [
                .required("host", \.host, .text(1...255)), .required("binary", \.binary, .text(1...255)),
                .optional("disabled_reason", \.reason, .text(1...255)),
                .given("forced_down", \.isForced, Nova.flag, since: 11)
            ])
    }

    private func updateByID(_ call: APICall, _ body: JSON) async throws -> APIResponse {
        let id = call.parameter("id")
        guard let node = NodeID(id) else { throw APIError.badRequest("Invalid uuid \(id)") }
        let draft = try Draft.schemaByID.read(body, wording: Nova.body)
        try Self.refuseForcing(draft)
        guard let status = draft.status else {
            throw APIError.badRequest(
                "No updates were requested. Fields 'status' or 'forced_down' should be specified.")
        }
        let reason = draft.reason
        if status == "enabled", reason != nil {
            throw APIError.badRequest("Specifying 'disabled_reason' with status 'enabled' is invalid.")
        }
        let missing = APIError.notFound("Service \(id) could not be found.")
        let changed = try await set(call, isEnabled: status == "enabled", reason: reason, missing: missing) {
            $0.id == node
        }
        let parts = parts
        let book = try await call.database.read { try ZoneBook(parts, in: $0) }
        return .json(["service": render(changed, book, call.microversion)])
    }

    /// The host's being down is what its sessions say; a word of the administrator's does not change it.
    private static func refuseForcing(_ draft: Draft) throws {
        guard draft.isForced else { return }
        throw APIError.badRequest(
            "Forcing a service down is not supported: hosts are found down by themselves. Disable it instead.")
    }

    private func updateByName(_ call: APICall, _ body: JSON) async throws -> APIResponse {
        let word = call.parameter("id")
        let draft = try Draft.schemaByName.read(body, call.microversion, wording: Nova.body)
        guard ["enable", "disable", "disable-log-reason", "force-down"].contains(word) else {
            throw APIError.notFound("Unknown action")
        }
        try Self.refuseForcing(draft)
        let host = draft.host
        let binary = draft.binary
        let reason = word == "disable-log-reason" ? draft.reason : nil
        if word == "disable-log-reason", reason == nil { throw APIError.badRequest("Missing disabled reason field") }
        guard binary == Self.binary else {
            throw APIError.badRequest(
                "Updating a \(binary) service is not supported. Only nova-compute services can be updated.")
        }
        let missing = APIError.notFound("Could not find binary \(binary) on host \(host).")
        if word == "force-down" {
            return .json(["service": ["host": .string(host), "binary": .string(binary), "forced_down": false]])
        }
        _ = try await set(call, isEnabled: word == "enable", reason: reason, missing: missing) { $0.hostname == host }
        var out: [String: JSON] = [
            "host": .string(host), "binary": .string(binary), "status": word == "enable" ? "enabled" : "disabled"
        ]
        if let reason { out["disabled_reason"] = .string(reason) }
        return .json(["service": .object(out)])
    }

    private func set(
        _ call: APICall, isEnabled: Bool, reason: String?, missing: APIError,
        matching: @escaping @Sendable (Node) -> Bool
    ) async throws -> Node {
        let directory = parts.directory
        return try await call.write(target: { $0.hostname }) { transaction in
            guard var node = try directory.nodes(in: transaction).first(where: matching) else { throw missing }
            let text = isEnabled ? nil : reason
            try directory.setEnabled(isEnabled, reason: text, node: node.id, at: call.now, in: transaction)
            node.isEnabled = isEnabled
            node.disabledReason = text
            return node
        }
    }
}
