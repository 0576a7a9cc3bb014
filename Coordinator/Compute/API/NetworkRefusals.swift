import CoordinatorPlatform
import ProtocolModel

/// What the network refuses a server, in Nova's words.
enum NetworkRefusals {
    /// - Throws: ``APIError`` for a refusal of the network's; everything else stays what it is.
    static func inNovasWords<T>(_ body: () async throws -> T) async throws -> T {
        do { return try await body() } catch let refusal as Refusal {
            guard let error = error(refusal) else { throw refusal }
            throw error
        }
    }

    /// The same for an interface that is to come to a server that is there.
    static func inNovasWords<T>(of server: ServerID, _ body: () async throws -> T) async throws -> T {
        do { return try await body() } catch let refusal as Refusal {
            guard let error = attachingError(refusal, server) ?? error(refusal) else { throw refusal }
            throw error
        }
    }

    private static func attachingError(_ refusal: Refusal, _ server: ServerID) -> APIError? {
        let name = refusal.name
        return switch (refusal.kind, refusal.code) {
        case ("network", .notFound): .notFound("Network \(name) could not be found.")
        case ("network", .exhausted):
            .badRequest("No specific network was requested and none are available for project.")
        case ("network", .ambiguous):
            .badRequest(
                "Multiple possible networks found, use a Network ID to be more specific.", type: "NetworkAmbiguous")
        case ("port", .notFound): .notFound("Port id \(name) could not be found.")
        case ("port", .forbidden): .badRequest("Port \(name) not usable for instance \(server).")
        case ("address", .inUse): .conflict("Fixed IP address \(name) is already in use on instance \(server).")
        default: nil
        }
    }

    static func error(_ refusal: Refusal) -> APIError? {
        let name = refusal.name
        return switch (refusal.kind, refusal.code) {
        case ("network", .notFound): .badRequest("Network \(name) could not be found.")
        case ("network", .forbidden): .forbidden("It is not allowed to create an interface on external network \(name)")
        case ("network", .conflict): .badRequest("Network \(name) requires a subnet in order to boot instances on.")
        case ("network", .ambiguous):
            .conflict(
                "Multiple possible networks found, use a Network ID to be more specific.", type: "NetworkAmbiguous")
        case ("port", .notFound): .badRequest("Port id \(name) could not be found.")
        case ("port", .forbidden): .badRequest(refusal.message)
        case ("port", .inUse): .conflict("Port \(name) is still in use.")
        case ("port", .conflict): .badRequest("Port \(name) requires a FixedIP in order to be used.")
        case ("port", .overQuota): .forbidden("Maximum number of ports exceeded")
        case ("address", .inUse): .badRequest("Fixed IP address \(name) is already in use on instance.")
        case ("address", .exhausted): .badRequest("No fixed IP addresses available for network: \(name)")
        case ("address", .invalid): .badRequest(refusal.message)
        case ("security_group", .notFound): .badRequest("Security group \(name) not found.")
        case ("security_group", .ambiguous):
            .conflict("Multiple security_group found matching name '\(name)', use an ID to be more specific.")
        default: nil
        }
    }
}
