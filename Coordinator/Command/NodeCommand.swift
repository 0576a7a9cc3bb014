import ArgumentParser
import FoundationEssentials

/// `skerry node ...`
struct NodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "Shows, admits and removes hosts.",
        subcommands: [List.self, Show.self, Token.self, Remove.self])

    /// A node as the operator API shows it.
    struct Node: Decodable {
        var id: String
        var hostname: String
        var health: String
        var enabled: Bool
        var disabledReason: String?
        var lastSeen: Int64
        var roles: [String]?
        var agentVersion: String?
        var availabilityZone: String?
        var vcpus: Int?
        var memoryMib: Int?
        var diskGib: Int?
        var hypervisor: String?
        var physicalNetworks: [String]?
        var problems: [String]?
        var runningGuests: Int?
    }

    /// A value with its unit, or a dash where the node has not said.
    private static func cell(_ value: Int?, _ unit: String = "") -> String {
        guard let value else { return "-" }
        return unit.isEmpty ? String(value) : "\(value) \(unit)"
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the hosts of the cloud.")
        @OptionGroup var connection: ConnectionOptions

        private struct Body: Decodable { var nodes: [Node] }

        func run() async throws {
            let nodes = try await connection.client.get("/skerry/v1/nodes", as: Body.self).nodes
            let header = ["ID", "HOSTNAME", "HEALTH", "ENABLED", "VCPUS", "MEMORY", "DISK", "GUESTS", "PROBLEMS"]
            let rows = nodes.map { node -> [String] in
                var row = [node.id, node.hostname, node.health, node.enabled ? "yes" : "no"]
                row.append(NodeCommand.cell(node.vcpus))
                row.append(NodeCommand.cell(node.memoryMib, "MiB"))
                row.append(NodeCommand.cell(node.diskGib, "GiB"))
                row.append(NodeCommand.cell(node.runningGuests))
                row.append(NodeCommand.cell(node.problems?.count ?? 0))
                return row
            }
            print(TextTable.render(header: header, rows: rows))
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows one host.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "Its id or hostname.") var node: String

        private struct Body: Decodable { var node: Node }

        func run() async throws {
            let node = try await connection.client.get("/skerry/v1/nodes/\(node)", as: Body.self).node
            let enabled = node.enabled ? "yes" : "no (\(node.disabledReason ?? "no reason given"))"
            var rows: [[String]] = [["id", node.id], ["hostname", node.hostname], ["health", node.health]]
            rows.append(["enabled", enabled])
            rows.append(["last seen", Moment.text(node.lastSeen)])
            rows.append(["roles", node.roles?.joined(separator: ", ") ?? "-"])
            rows.append(["agent", node.agentVersion ?? "-"])
            rows.append(["availability zone", node.availabilityZone ?? "-"])
            rows.append(["hypervisor", node.hypervisor ?? "-"])
            rows.append(["vcpus", NodeCommand.cell(node.vcpus)])
            rows.append(["memory", NodeCommand.cell(node.memoryMib, "MiB")])
            rows.append(["disk", NodeCommand.cell(node.diskGib, "GiB")])
            rows.append(["physical networks", node.physicalNetworks?.joined(separator: ", ") ?? "-"])
            for problem in node.problems ?? [] { rows.append(["problem", problem]) }
            print(TextTable.render(header: [], rows: rows))
        }
    }

    struct Token: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a token for 'skerry-agent join'.",
            discussion: "The token carries the hash of the cloud's CA, so the joining host knows whom it trusts.")
        @OptionGroup var connection: ConnectionOptions
        @Option(help: "How many hosts may join with it.") var uses = 1
        @Option(help: "Seconds until it ends.") var lifetime = 3_600

        private struct Body: Encodable {
            var uses: Int
            var lifetimeSeconds: Int
        }
        private struct Made: Decodable { var token: String }

        func run() async throws {
            let body = try OperatorClient.encode(Body(uses: uses, lifetimeSeconds: lifetime))
            let answer = try await connection.client.call(.POST, "/skerry/v1/tokens", body: body)
            print(try OperatorClient.decode(Made.self, from: answer).token)
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes a host out of the cloud for good.",
            discussion: "Its certificate stops working and its plan is dropped. What runs on it is not touched.")
        @OptionGroup var connection: ConnectionOptions
        @Argument(help: "Its id or hostname.") var node: String

        func run() async throws {
            _ = try await connection.client.call(.DELETE, "/skerry/v1/nodes/\(node)")
            print("Node \(node) is removed.")
        }
    }
}
