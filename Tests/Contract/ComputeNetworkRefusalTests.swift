import CoordinatorPlatform
import Testing

/// What the network refuses, in Nova's words and with Nova's statuses.
struct ComputeNetworkRefusalTests {
    static let refusals: [(Refusal, Int, String)] = [
        (Refusal(.notFound, "network", "n1"), 400, "Network n1 could not be found."),
        (
            Refusal(.forbidden, "network", "n1"), 403,
            "It is not allowed to create an interface on external network n1"
        ),
        (Refusal(.conflict, "network", "n1"), 400, "Network n1 requires a subnet in order to boot instances on."),
        (
            Refusal(.ambiguous, "network"), 409,
            "Multiple possible networks found, use a Network ID to be more specific."
        ),
        (Refusal(.notFound, "port", "p1"), 400, "Port id p1 could not be found."),
        (
            Refusal(.forbidden, "port", "p1", "Port p1 not usable for instance i."), 400,
            "Port p1 not usable for instance i."
        ),
        (Refusal(.inUse, "port", "p1"), 409, "Port p1 is still in use."),
        (Refusal(.conflict, "port", "p1"), 400, "Port p1 requires a FixedIP in order to be used."),
        (Refusal(.overQuota, "port"), 403, "Maximum number of ports exceeded"),
        (Refusal(.inUse, "address", "10.0.0.9"), 400, "Fixed IP address 10.0.0.9 is already in use on instance."),
        (Refusal(.exhausted, "address", "n1"), 400, "No fixed IP addresses available for network: n1"),
        (Refusal(.invalid, "address", "x", "Invalid fixed IP address (x)"), 400, "Invalid fixed IP address (x)"),
        (Refusal(.notFound, "security_group", "g"), 400, "Security group g not found."),
        (
            Refusal(.ambiguous, "security_group", "g"), 409,
            "Multiple security_group found matching name 'g', use an ID to be more specific."
        )
    ]

    @Test("a refusal of the network's is told in Nova's words, and no server is left", arguments: refusals.indices)
    func words(_ index: Int) async throws {
        let cloud = try await ComputeCloud()
        let (refusal, status, message) = Self.refusals[index]
        cloud.refusals.refuse(refusal)
        let answer = await cloud.create()
        #expect(answer.status == status)
        let members = answer.json.objectValue ?? [:]
        #expect(members.values.first?["message"]?.stringValue == message)
        let list = await cloud.harness.get("/compute/v2.1/servers", as: .member)
        #expect(list.json["servers"] == [])
    }
}
