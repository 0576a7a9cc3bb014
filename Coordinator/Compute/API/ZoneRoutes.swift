import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// `/os-availability-zone`: the zones that aggregates put hosts in, or that hosts report themselves in.
struct ZoneRoutes: Sendable {
    let parts: ComputeParts

    var all: [Route] {
        [
            Route(.get, "/v2.1/os-availability-zone") { try await list($0, isDetail: false) }
                .gatedCompute(by: "os-availability-zone:list"),
            Route(.get, "/v2.1/os-availability-zone/detail") { try await list($0, isDetail: true) }
                .gatedCompute(by: "os-availability-zone:detail")
        ]
    }

    private func list(_ call: APICall, isDetail: Bool) async throws -> APIResponse {
        let directory = parts.directory
        let parts = parts
        let (nodes, book) = try await call.database.read { reader in
            (try directory.nodes(in: reader).filter(\.runsServers), try ZoneBook(parts, in: reader))
        }
        let zones = Dictionary(grouping: nodes) { book.zone(of: $0) }
        let rendered = zones.sorted { $0.key < $1.key }.map { zone, nodes in
            let enabled = nodes.filter(\.isEnabled)
            return JSON.object([
                "zoneName": .string(zone), "zoneState": ["available": .bool(!enabled.isEmpty)],
                "hosts": isDetail && !enabled.isEmpty ? Self.hosts(enabled) : .null
            ])
        }
        return .json(["availabilityZoneInfo": .array(rendered)])
    }

    private static func hosts(_ nodes: [Node]) -> JSON {
        var hosts: [String: JSON] = [:]
        for node in nodes {
            hosts[node.hostname] = [
                "nova-compute": [
                    "available": .bool(node.health != .down), "active": .bool(node.isEnabled),
                    "updated_at": .string(Timestamp.microsWithoutZone(node.lastSeen))
                ]
            ]
        }
        return .object(hosts)
    }
}
