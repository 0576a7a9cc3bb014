import CoordinatorPlatform
import ProtocolModel

/// Ends every task that nobody ended in time, so that no server stays in a transitional state.
public struct Watchdog: Sendable {
    let parts: ComputeParts

    /// One pass; safe to repeat at any moment.
    /// - Returns: How many tasks were ended; 100 at most, so a full pass may be followed by another at once.
    @discardableResult
    public func expire(at now: Int64, in transaction: any SQLTransaction) throws -> Int {
        let overdue = try parts.servers.overdue(at: now, in: transaction)
        for server in overdue {
            let task = server.state.task?.rawValue ?? ""
            let seconds = server.state.task?.allowedSeconds ?? 0
            let evidence = ServerWorkflow.Evidence(
                message: "The host did not report the end of '\(task)' within \(seconds) s.",
                detail: "task=\(task) host=\(server.host?.hostname ?? "") generation=\(server.planGeneration)")
            try ServerWorkflow(parts: parts).take(.overdue, of: server, evidence: evidence, at: now, in: transaction)
        }
        return overdue.count
    }

    /// Forgets servers deleted longer ago than the settings say, with their actions; at most 100 a pass.
    public func forget(at now: Int64, in transaction: any SQLTransaction) throws {
        let limit = now - parts.settings.deletedServerDays * 86_400_000_000
        try parts.servers.forget(deletedBefore: limit, in: transaction)
    }
}
