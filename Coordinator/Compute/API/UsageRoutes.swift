import CoordinatorPlatform
import ProtocolModel

/// `/os-simple-tenant-usage`: how long servers ran in a period, by project.
struct UsageRoutes: Sendable {
    let parts: ComputeParts

    var all: [Route] {
        [
            Route(.get, "/v2.1/os-simple-tenant-usage", handler: list)
                .askingCompute("os-simple-tenant-usage:list"),
            Route(.get, "/v2.1/os-simple-tenant-usage/{project_id}", handler: show)
                .askingCompute("os-simple-tenant-usage:show")
        ]
    }

    private struct Period {
        var start: Int64
        var end: Int64
    }

    private func period(_ call: APICall) throws -> Period {
        func moment(_ name: String) throws -> Int64 {
            guard let text = call.query(name), !text.isEmpty else { return call.now }
            guard let time = Timestamp.parse(text) else { throw APIError.badRequest("Datetime is in invalid format") }
            return time
        }
        let period = Period(start: try moment("start"), end: try moment("end"))
        // Without a start the period has no length, and the API's own clients always give both.
        guard period.start < period.end || call.query("start") == nil else {
            throw APIError.badRequest("Invalid start time. The start time cannot occur after the end time.")
        }
        return period
    }

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        try call.authorizeCompute("os-simple-tenant-usage:list")
        let period = try period(call)
        let store = parts.servers
        let servers = try await call.database.read {
            try store.living(from: period.start, to: period.end, project: nil, in: $0)
        }
        let isDetailed = call.query("detailed") == "1"
        let projects = Dictionary(grouping: servers, by: \.project).sorted { $0.key < $1.key }
        return .json([
            "tenant_usages": .array(
                projects.map { render($0.value, project: $0.key, period, isDetailed: isDetailed, now: call.now) })
        ])
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        // What is no identifier is nobody's project.
        let project = ProjectID(call.parameter("project_id")) ?? ProjectID(high: 0, low: 0)
        try call.authorizeCompute("os-simple-tenant-usage:show", Policy.Target(project: project))
        let period = try period(call)
        let store = parts.servers
        let servers = try await call.database.read {
            try store.living(from: period.start, to: period.end, project: project, in: $0)
        }
        guard !servers.isEmpty else { return .json(["tenant_usage": [:]]) }
        return .json([
            "tenant_usage": render(servers, project: project, period, isDetailed: true, now: call.now)
        ])
    }

    private func render(
        _ servers: [ServerRecord], project: ProjectID, _ period: Period, isDetailed: Bool, now: Int64
    ) -> JSON {
        var hours = 0.0
        var sums = (cores: 0.0, memory: 0.0, disk: 0.0)
        var usages: [JSON] = []
        for server in servers {
            let launched = server.launchedAt ?? now
            let ended = server.terminatedAt
            let ran = Double(max(0, min(ended ?? period.end, period.end) - max(launched, period.start))) / 3_600_000_000
            let flavor = server.flavor
            let disk = flavor.rootGiB + flavor.ephemeralGiB
            hours += ran
            sums.cores += ran * Double(flavor.vcpus)
            sums.memory += ran * Double(flavor.memoryMiB)
            sums.disk += ran * Double(disk)
            usages.append([
                "instance_id": .string(server.id.text), "name": .string(server.name),
                "tenant_id": .string(project.compact), "flavor": .string(flavor.name), "vcpus": JSON(flavor.vcpus),
                "memory_mb": JSON(flavor.memoryMiB), "local_gb": JSON(disk), "hours": .double(ran),
                "started_at": .string(Timestamp.microsWithoutZone(launched)),
                "ended_at": JSON(ended.map(Timestamp.microsWithoutZone)),
                "state": .string(ended == nil ? server.state.vm.rawValue : "terminated"),
                "uptime": JSON(((ended ?? now) - launched) / 1_000_000)
            ])
        }
        var out: [String: JSON] = [
            "tenant_id": .string(project.compact), "total_hours": .double(hours),
            "total_vcpus_usage": .double(sums.cores), "total_memory_mb_usage": .double(sums.memory),
            "total_local_gb_usage": .double(sums.disk), "start": .string(Timestamp.microsWithoutZone(period.start)),
            "stop": .string(Timestamp.microsWithoutZone(period.end))
        ]
        if isDetailed { out["server_usages"] = .array(usages) }
        return .object(out)
    }
}
