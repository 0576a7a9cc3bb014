import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// What a server's host is asked to do inside of the guest, and answers while the caller waits.
struct GuestCommands: Sendable {
    let parts: ComputeParts

    /// Through the agent in the guest, which its image must promise.
    /// - Throws: ``APIError`` in the compute API's words.
    func changePassword(
        _ id: String, to password: String, origin: Origin, in database: any SQLDatabase
    ) async throws {
        let server = try await find(id, .changePassword, rule: "os-admin-password", origin: origin, in: database)
        let properties = server.image.properties
        guard properties["hw_qemu_guest_agent"].flatMap(BooleanWords.loose) == true else {
            throw APIError.conflict("QEMU guest agent is not enabled")
        }
        let fallback = properties["os_type"] == "windows" ? "Administrator" : "root"
        let user = properties["os_admin_user"] ?? fallback
        try await ask(
            .changePassword(server.id, user: user, password: password), of: server, name: "changePassword",
            origin: origin, in: database
        ) { "Failed to set admin password on \(server.id) because \($0)" }
    }

    func crashDump(_ id: String, origin: Origin, in database: any SQLDatabase) async throws {
        let server = try await find(id, .crashDump, rule: "servers:trigger_crash_dump", origin: origin, in: database)
        try await ask(
            .injectNMI(server.id), of: server, name: "trigger_crash_dump", origin: origin, in: database,
            wording: { $0 })
    }

    private func find(
        _ id: String, _ command: ServerLifecycle.Command, rule: String, origin: Origin, in database: any SQLDatabase
    ) async throws -> ServerRecord {
        let commands = ServerCommands(parts: parts)
        return try await database.read { reader in
            let server = try commands.access.findToChange(id, rule: rule, by: origin.permissions, in: reader)
            try commands.accept(command, server)
            _ = try commands.requireHost(server, in: reader)
            return server
        }
    }

    /// Asks, waits, and writes down what came of it.
    /// - Parameter wording: Puts the host's reason into the API's words.
    private func ask(
        _ action: Operation.Action, of server: ServerRecord, name: String, origin: Origin,
        in database: any SQLDatabase, wording: (String) -> String
    ) async throws {
        guard let node = server.host?.node else { return }
        let reason = try await refusal(of: action, on: node)
        try await database.write { [parts] transaction in
            let number = try parts.log.begin(
                name, on: server.key, by: origin.action(on: server), at: origin.now, in: transaction)
            try parts.log.finish(
                number, message: reason == nil ? nil : "Error", at: origin.now, in: transaction)
        }
        if let reason { throw APIError.conflict(wording(reason)) }
    }

    /// - Returns: `nil` when it is done.
    private func refusal(of action: Operation.Action, on node: NodeID) async throws -> String? {
        do {
            let result = try await parts.operations.ask(action, on: node, within: .seconds(30))
            return switch result.outcome {
            case .done: nil
            case .failed(let error): error.message
            case .expired, .interrupted: "the host did not get to it: try again"
            }
        } catch is FleetError { return "the host does not answer: try again when it is back" }
    }
}
