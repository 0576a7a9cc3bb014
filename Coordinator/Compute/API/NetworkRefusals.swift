import CoordinatorPlatform

/// What the network refuses a server, in Nova's words.
enum NetworkRefusals {
    /// - Throws: ``APIError`` for a refusal of the network's; everything else stays what it is.
    static func inNovasWords<T>(_ body: () async throws -> T) async throws -> T {
        do { return try await body() } catch let refusal as Refusal {
            guard let error = error(refusal) else { throw refusal }
            throw error
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
