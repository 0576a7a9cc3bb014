import ArgumentParser

extension ExplainCommand {
    struct Port: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Where a port is, what it has, and what keeps packets from it.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "The port's id.") var port: String

        func run() async throws {
            let story = try await connection.client.get("/skerry/v1/explain/ports/\(port)", as: Answer.self).port
            let host = story.host.map { "host \($0) (\(story.hostHealth ?? "unknown"))" } ?? "no host"
            print("Port \(story.id) '\(story.name)': \(story.status), \(host), server \(story.server ?? "none")")
            let network = story.network
            var place = network.type
            if let physical = network.physicalNetwork { place += " on \(physical)" }
            if let segment = network.segmentationId { place += " \(segment)" }
            print("Network \(network.id) '\(network.name)': \(place), MTU \(network.mtu)")
            print("Interface \(story.interface), \(story.mac)")
            for address in story.addresses {
                print(
                    "Address \(address.address) of \(address.subnet ?? "no subnet"), gateway "
                        + "\(address.gateway ?? "none"), \(address.dhcp ? "by DHCP" : "without DHCP")")
            }
            for address in story.floatingIps { print("Floating IP \(address)") }
            for router in story.routers {
                print("Router \(router.id) '\(router.name)': outside as \(router.gateway ?? "nobody")")
            }
            print("Security \(story.security)")
            for group in story.securityGroups {
                print("  Group \(group.id) '\(group.name)'")
                for rule in group.rules { print("    \(rule)") }
            }
            let limits = story.limits
            for (limit, words) in [(limits.toGuestKbps, "to the guest"), (limits.fromGuestKbps, "from the guest")] {
                if let limit { print("Limit \(limit) kbit/s \(words)") }
            }
            if let dscp = limits.dscp { print("Marked with DSCP \(dscp)") }
            print(story.findings.isEmpty ? "\nNothing is known that keeps packets from it." : "")
            for finding in story.findings { print("! \(finding)") }
        }

        /// The answer of the operator API.
        private struct Answer: Decodable {
            struct Story: Decodable {
                var id: String
                var name: String
                var status: String
                var server: String?
                var host: String?
                var hostHealth: String?
                var interface: String
                var mac: String
                var network: Network
                var addresses: [Address]
                var floatingIps: [String]
                var routers: [Router]
                var security: String
                var securityGroups: [Group]
                var limits: Limits
                var findings: [String]
            }
            struct Network: Decodable {
                var id: String
                var name: String
                var type: String
                var physicalNetwork: String?
                var segmentationId: Int?
                var mtu: Int
            }
            struct Address: Decodable {
                var address: String
                var subnet: String?
                var gateway: String?
                var dhcp: Bool
            }
            struct Router: Decodable {
                var id: String
                var name: String
                var gateway: String?
            }
            struct Group: Decodable {
                var id: String
                var name: String
                var rules: [String]
            }
            struct Limits: Decodable {
                var toGuestKbps: Int?
                var fromGuestKbps: Int?
                var dscp: Int?
            }
            var port: Story
        }
    }
}
