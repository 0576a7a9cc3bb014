import CoordinatorFleet
import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel

/// `/servers/{id}/diagnostics`: what a running guest takes of its host, as that counts it when it is asked.
struct DiagnosticsRoutes: Sendable {
    let parts: ComputeParts

    var all: [Route] {
        [
            Route(.get, "/v2.1/servers/{server_id}/diagnostics", handler: show)
                .askingCompute("os-server-diagnostics")
        ]
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let permissions = try call.permissions()
        let parts = parts
        let (server, ports) = try await call.database.read { reader in
            let commands = ServerCommands(parts: parts)
            let server = try commands.access.find(
                call.parameter("server_id"), asking: "os-server-diagnostics", by: permissions, in: reader)
            _ = try commands.requireHost(server, in: reader)
            return (server, try parts.network.ports(of: [server.id], in: reader)[server.id] ?? [])
        }
        guard server.state.power == .running else {
            throw APIError.conflict(
                "Cannot 'get_diagnostics' instance \(server.id) while it is in power state "
                    + "\(Self.word(server.state.power))")
        }
        var found = try await ask(server)
        if let launched = server.launchedAt { found["uptime"] = JSON((call.now - launched) / 1_000_000) }
        guard !call.microversion.has(48) else { return .json(.object(found)) }
        return .json(Self.old(.object(found), server, ports))
    }

    private func ask(_ server: ServerRecord) async throws -> [String: JSON] {
        guard let node = server.host?.node else { throw APIError.conflict("Instance \(server.id) is not ready") }
        do {
            let result = try await parts.operations.ask(.diagnostics(server.id), on: node, within: .seconds(10))
            switch result.outcome {
            case .done(let output):
                if case .object(let members)? = try? JSON.parse(output) { return members }
                throw APIError.conflict("The host's answer cannot be read: update its agent.")
            case .failed(let error): throw APIError.conflict(error.message)
            case .expired, .interrupted: throw APIError.conflict("The host did not get to it: try again.")
            }
        } catch is FleetError {
            throw APIError.conflict("The host does not answer: try again when it is back.")
        }
    }

    private static func word(_ power: ServerDetails.PowerState) -> String {
        switch power {
        case .none: "pending"
        case .running: "running"
        case .paused: "paused"
        case .shutdown: "shutdown"
        case .crashed: "crashed"
        case .suspended: "suspended"
        }
    }

    /// To 2.47: whatever libvirt counts, by its names. Disks are numbered in the order of the guest's.
    static func old(_ found: JSON, _ server: ServerRecord, _ ports: [ServerPort]) -> JSON {
        var out: [String: JSON] = [:]
        for cpu in found["cpu_details"]?.arrayValue ?? [] {
            guard let id = cpu["id"]?.intValue else { continue }
            out["cpu\(id)_time"] = cpu["time"] ?? .null
        }
        let taps = Dictionary(
            ports.map { ($0.mac.description, InterfaceName.tap($0.port).text) }, uniquingKeysWith: { first, _ in first }
        )
        for nic in found["nic_details"]?.arrayValue ?? [] {
            guard let mac = nic["mac_address"]?.stringValue, let tap = taps[mac] else { continue }
            for way in ["rx", "tx"] {
                out["\(tap)_\(way)"] = nic["\(way)_octets"] ?? .null
                for count in ["packets", "errors", "drop"] {
                    out["\(tap)_\(way)_\(count)"] = nic["\(way)_\(count)"] ?? .null
                }
            }
        }
        let names = DeviceNames.local(found["disk_details"]?.arrayValue?.count ?? 0)
        for (name, disk) in zip(names, found["disk_details"]?.arrayValue ?? []) {
            out["\(name)_read"] = disk["read_bytes"] ?? .null
            out["\(name)_read_req"] = disk["read_requests"] ?? .null
            out["\(name)_write"] = disk["write_bytes"] ?? .null
            out["\(name)_write_req"] = disk["write_requests"] ?? .null
            // What nobody counts.
            out["\(name)_errors"] = -1
        }
        // In KiB, where the newer form has MiB.
        let memory = found["memory_details"]
        out["memory"] = JSON((memory?["maximum"]?.intValue ?? Int64(server.flavor.memoryMiB)) * 1024)
        if let used = memory?["used"]?.intValue { out["memory-actual"] = JSON(used * 1024) }
        return .object(out)
    }
}
