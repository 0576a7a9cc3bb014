import CoordinatorPlatform
import ProtocolModel

/// `/os-instance_usage_audit_log`: which hosts told the notification bus of a period's servers. None do here, where usage
/// is read from the records whenever it is asked for, and so the log says.
struct AuditLogRoutes: Sendable {
    let parts: ComputeParts

    var all: [Route] {
        let path = "/v2.1/os-instance_usage_audit_log"
        return [
            Route(.get, path) { call in
                .json(["instance_usage_audit_logs": try await log(before: call.now, call)])
            }.gatedCompute(by: "os-instance-usage-audit-log:list"),
            Route(.get, path + "/{before}", handler: show).gatedCompute(by: "os-instance-usage-audit-log:show")
        ]
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let text = call.parameter("before")
        let halves = text.split(separator: " ", omittingEmptySubsequences: false)
        guard halves.count == 2, let before = Timestamp.parse("\(halves[0])T\(halves[1])") else {
            throw APIError.badRequest("Invalid timestamp for date \(text)")
        }
        return .json(["instance_usage_audit_log": try await log(before: before, call)])
    }

    private func log(before: Int64, _ call: APICall) async throws -> JSON {
        let parts = parts
        let hosts = try await call.database.read { try parts.directory.nodes(in: $0) }
            .filter(\.runsServers).map(\.hostname).sorted()
        let (begin, end) = Self.period(before: before)
        return [
            "period_beginning": .string(begin), "period_ending": .string(end), "num_hosts": JSON(hosts.count),
            "num_hosts_done": 0, "num_hosts_running": 0, "num_hosts_not_run": JSON(hosts.count),
            "hosts_not_run": .array(hosts.map(JSON.string)), "total_instances": 0, "total_errors": 0,
            "overall_status": .string((hosts.isEmpty ? "ALL" : "0 of \(hosts.count)") + " hosts done. 0 errors."),
            "log": [:]
        ]
    }

    /// The last whole month before a moment.
    private static func period(before moment: Int64) -> (begin: String, end: String) {
        let parts = Timestamp.secondsWithoutZone(moment).split(separator: "-").prefix(2).compactMap { Int($0) }
        let (year, month) = (parts.first ?? 1970, parts.last ?? 1)
        func first(_ year: Int, _ month: Int) -> String {
            "\(year)-\(month < 10 ? "0" : "")\(month)-01 00:00:00"
        }
        return (month == 1 ? first(year - 1, 12) : first(year, month - 1), first(year, month))
    }
}
