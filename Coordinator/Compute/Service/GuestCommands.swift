import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// What a server's host is asked to do inside of the guest, and answers while the caller waits.
struct GuestCommands: Sendable {
    let parts: ComputeParts

    /// What came of it.
    struct Done: Sendable {
        var server: ServerRecord
        /// The action's name in the server's record.
        var name: String
        /// Why nothing came of it, in the API's words.
        var refusal: String?
    }

    /// Through the agent in the guest, which its image must promise.
    /// - Throws: ``APIError`` in the compute API's words.
    func changePassword(
        _ id: String, to password: String, origin: Origin, in database: any SQLDatabase
    ) async throws -> Done {
        let server = try await find(id, .changePassword, rule: "os-admin-password", origin: origin, in: database)
        let properties = server.image.properties
        guard properties["hw_qemu_guest_agent"].flatMap(BooleanWords.loose) == true else {
            throw APIError.conflict("QEMU guest agent is not enabled")
        }
        let fallback = properties["os_type"] == "windows" ? "Administrator" : "root"
        let user = properties["os_admin_user"] ?? fallback
        let reason = try await ask(.changePassword(server.id, user: user, password: password), of: server)
        return Done(
            server: server, name: "changePassword",
            refusal: reason.map { "Failed to set admin password on \(server.id) because \($0)" })
    }

    func crashDump(_ id: String, origin: Origin, in database: any SQLDatabase) async throws -> Done {
        let server = try await find(id, .crashDump, rule: "servers:trigger_crash_dump", origin: origin, in: database)
        let reason = try await ask(.injectNMI(server.id), of: server)
        return Done(server: server, name: "trigger_crash_dump", refusal: reason)
    }

    /// Writes down what came of it.
    func note(_ done: Done, origin: Origin, in transaction: any SQLTransaction) throws {
        let number = try parts.log.begin(
            done.name, on: done.server.key, by: origin.action(on: done.server), at: origin.now, in: transaction)
        try parts.log.finish(
            number, message: done.refusal == nil ? nil : "Error", at: origin.now, in: transaction)
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

    /// - Returns: `nil` when it is done.
    private func ask(_ action: Operation.Action, of server: ServerRecord) async throws -> String? {
        guard let node = server.host?.node else { return nil }
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
