import CoordinatorPlatform
import ProtocolModel

/// Limits and what is used of them.
struct QuotaRules: Sendable {
    let parts: ComputeParts

    /// The project's limits, its own ones before the defaults; -1 means none.
    func limits(of project: String, in reader: any SQLReader) throws -> [String: Int64] {
        let own = try parts.quotas.limits(of: project, in: reader)
        return parts.settings.quotas.merging(own) { _, own in own }
    }

    /// How many servers the call may make: all it asks for, else as many as fit if that is enough for it.
    /// - Throws: ``APIError`` 403.
    func grant(
        _ command: CreateServer, flavor: FlavorSnapshot, project: ProjectID, in reader: any SQLReader
    ) throws -> Int {
        let limits = try limits(of: project.compact, in: reader)
        try check(metadata: command.metadata.count, limits: limits)
        let usage = try parts.servers.usage(of: project, in: reader)
        let demands: [(name: String, used: Int, each: Int)] = [
            ("instances", usage.instances, 1), ("cores", usage.cores, flavor.vcpus),
            ("ram", usage.memoryMiB, flavor.memoryMiB)
        ]
        var granted = command.maxCount
        for demand in demands {
            guard let limit = limits[demand.name], limit >= 0 else { continue }
            granted = min(granted, max(0, (Int(limit) - demand.used) / max(1, demand.each)))
        }
        guard granted >= command.minCount else {
            let over = demands.filter { demand in
                guard let limit = limits[demand.name], limit >= 0 else { return false }
                return demand.used + demand.each * command.minCount > Int(limit)
            }
            throw APIError.forbidden(Self.refusal(over, count: command.minCount, limits: limits))
        }
        return granted
    }

    func check(metadata count: Int, limits: [String: Int64]) throws {
        guard let limit = limits["metadata_items"], limit >= 0, count > limit else { return }
        throw APIError.forbidden("Maximum number of metadata items exceeds \(limit)")
    }

    private static func refusal(
        _ over: [(name: String, used: Int, each: Int)], count: Int, limits: [String: Int64]
    ) -> String {
        func join(_ part: ((name: String, used: Int, each: Int)) -> String) -> String {
            over.map(part).joined(separator: ", ")
        }
        return
            "Quota exceeded for \(join { $0.name }): Requested \(join { String($0.each * count) }), but already used "
            + "\(join { String($0.used) }) of \(join { String(limits[$0.name] ?? -1) }) \(join { $0.name })"
    }
}
