import CoordinatorPlatform
import ProtocolModel

/// A server as the API shows it to an administrator.
struct ServerSeen {
    var id: String
    var status: String
    var task: String?
    var host: String?

    init?(_ json: JSON) {
        guard let id = json["id"]?.stringValue, let status = json["status"]?.stringValue else { return nil }
        self.id = id
        self.status = status
        task = json["OS-EXT-STS:task_state"]?.stringValue
        host = json["OS-EXT-SRV-ATTR:host"]?.stringValue
    }

    /// What its guest must be on its host, where the status says it.
    var power: ServerDetails.PowerState? {
        switch status {
        case "ACTIVE": .running
        case "PAUSED": .paused
        case "SHUTOFF", "SUSPENDED": .shutdown
        default: nil
        }
    }
}

/// A row of a host's plan, as the coordinator keeps it.
private struct PlannedSeen {
    var host: String
    var kind: Int
    var resource: String
    var isWanted: Bool
    var generation: Int64
    /// The revision that the host has confirmed.
    var acknowledged: Int64
}

extension World {
    /// What is wrong once everybody is well again and has had time: empty when all is as asked and nothing is left over.
    func problems() async throws -> [String] {
        guard coordinator.isRunning, nodes.allSatisfy(\.isRunning) else { return ["somebody is dead"] }
        guard let answer = await coordinator.send(.get, "/compute/v2.1/servers/detail?all_tenants=1"),
            answer.status == 200
        else { return ["the coordinator does not answer"] }
        let servers = answer.json["servers"]?.arrayValue?.compactMap { ServerSeen($0) } ?? []
        var problems = statusProblems(servers)
        for node in nodes { problems += hostProblems(node, servers) }
        problems += try await planProblems(servers)
        problems += await allocationProblems(servers)
        problems += await portProblems(servers)
        problems += await volumeProblems(servers)
        return problems
    }

    private func statusProblems(_ servers: [ServerSeen]) -> [String] {
        var problems: [String] = []
        for server in servers {
            if let task = server.task { problems.append("server \(server.id) is \(server.status), still \(task)") }
            if !["ACTIVE", "SHUTOFF", "PAUSED", "SUSPENDED", "ERROR"].contains(server.status) {
                problems.append("server \(server.id) is \(server.status)")
            }
            if deleted.contains(server.id) { problems.append("server \(server.id) was deleted and is still there") }
        }
        return problems
    }

    private func hostProblems(_ node: SimulatedNode, _ servers: [ServerSeen]) -> [String] {
        var problems: [String] = []
        let here = servers.filter { $0.host == node.name }
        let known = Set(here.map(\.id))
        for domain in node.host.domains where !known.contains(domain.text) {
            problems.append("\(node.name): guest \(domain) is an orphan")
        }
        for server in node.host.servers where !known.contains(server.text) {
            problems.append("\(node.name): files of \(server) are orphans")
        }
        for server in here {
            let power = ServerID(server.id).flatMap { node.host.power(of: $0) }
            if let wanted = server.power, power != wanted {
                problems.append(
                    "\(node.name): \(server.status) server \(server.id) is \(power.map { "\($0)" } ?? "not there")")
            }
        }
        for server in node.host.guestsLetRunUnconnected {
            problems.append("\(node.name): guest \(server) ran before its ports were connected")
        }
        let owners = Set(node.host.networkState.servers.keys.map(\.text))
        for owner in owners where !known.contains(owner) {
            problems.append("\(node.name): the network still serves \(owner)")
        }
        return problems
    }

    /// What the plan of each host holds, at both ends.
    private func planProblems(_ servers: [ServerSeen]) async throws -> [String] {
        let rows = try await coordinator.database.read { reader in
            try reader.query(
                """
                SELECT nodes.hostname, plan_entries.kind, plan_entries.resource, plan_entries.wanted,
                    plan_entries.generation, nodes.acknowledged_revision
                FROM plan_entries JOIN nodes ON nodes.uuid = plan_entries.node
                """
            ) { row in
                PlannedSeen(
                    host: row.text(0), kind: row.int(1), resource: row.text(2), isWanted: row.bool(3),
                    generation: row.integer(4), acknowledged: row.integer(5))
            }
        }
        var problems: [String] = []
        for row in rows where !row.isWanted {
            problems.append(
                """
                \(row.host): the removal of \(row.kind) \(row.resource) is not done (generation \(row.generation), \
                confirmed \(row.acknowledged))
                """)
        }
        for node in nodes {
            let planned = rows.filter { $0.host == node.name && $0.isWanted }
            let guests = Set(planned.filter { $0.kind == Int(ResourceKind.server.rawValue) }.map(\.resource))
            let here = servers.filter { $0.host == node.name }
            for guest in guests.subtracting(here.map(\.id)) {
                problems.append("\(node.name): the plan wants \(guest), which is not here")
            }
            for server in here where server.status != "ERROR" && !guests.contains(server.id) {
                problems.append("\(node.name): the plan lacks \(server.status) server \(server.id)")
            }
            let held = Set(try await node.store.entries().map { "\($0.key.kind.rawValue) \($0.key.id.text)" })
            let sent = Set(planned.map { "\($0.kind) \($0.resource)" })
            if held != sent {
                problems.append("\(node.name) holds another plan: \(held.symmetricDifference(sent).sorted())")
            }
        }
        let operations = try await coordinator.database.read { try $0.count("SELECT COUNT(*) FROM operations") }
        if operations > 0 { problems.append("\(operations) operations have no end") }
        return problems
    }

    private func allocationProblems(_ servers: [ServerSeen]) async -> [String] {
        var problems: [String] = []
        let providers = await coordinator.send(.get, "/placement/resource_providers")?.json["resource_providers"]
        for provider in providers?.arrayValue ?? [] {
            let (name, id) = (provider["name"]?.stringValue ?? "", provider["uuid"]?.stringValue ?? "")
            let answer = await coordinator.send(.get, "/placement/resource_providers/\(id)/allocations")
            let consumers = Set((answer?.json["allocations"]?.objectValue ?? [:]).keys)
            let here = servers.filter { $0.host == name }
            let volumes = await volumes().filter { $0.host == name }.map(\.id)
            for consumer in consumers.subtracting(here.map(\.id)).subtracting(volumes) {
                problems.append("\(name): an allocation of \(consumer), which is not here")
            }
            for server in here where server.status != "ERROR" && !consumers.contains(server.id) {
                problems.append("\(name): no allocation of \(server.status) server \(server.id)")
            }
        }
        if providers?.arrayValue?.count != nodes.count { problems.append("not every host is a provider") }
        return problems
    }

    private func portProblems(_ servers: [ServerSeen]) async -> [String] {
        var problems: [String] = []
        var addresses: Set<String> = []
        var owners: Set<String> = []
        let ports = await coordinator.send(.get, "/network/v2.0/ports")?.json["ports"]?.arrayValue ?? []
        let known = Set(servers.map(\.id))
        for port in ports {
            let owner = port["device_id"]?.stringValue ?? ""
            let id = port["id"]?.stringValue ?? ""
            for fixed in port["fixed_ips"]?.arrayValue ?? [] {
                let address = fixed["ip_address"]?.stringValue ?? ""
                if !addresses.insert(address).inserted { problems.append("two ports have \(address)") }
            }
            // The network's own service address belongs to no server.
            guard port["device_owner"]?.stringValue != "network:dhcp" else { continue }
            if !known.contains(owner) { problems.append("port \(id) of \(owner) is an orphan") }
            if !owners.insert(owner).inserted { problems.append("server \(owner) has a second port") }
        }
        for server in servers where server.status != "ERROR" && !owners.contains(server.id) {
            problems.append("\(server.status) server \(server.id) has no port")
        }
        return problems
    }
}
