import CoordinatorFleet
import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel

/// Why a server is where and as it is: every scheduling verdict, every action, every step with its time.
struct ServerExplanation: Sendable {
    let parts: ComputeParts

    /// - Returns: `nil` for an unknown server.
    func explain(_ id: ServerID, in reader: any SQLReader) throws -> JSON? {
        guard let server = try parts.servers.find(id, in: reader) else { return nil }
        let own: [String: JSON] = [
            "name": JSON(server.name), "status": JSON(server.state.status),
            "vm_state": JSON(server.state.vm.rawValue), "created_at": time(server.createdAt),
            "launched_at": time(server.launchedAt), "terminated_at": time(server.terminatedAt),
            "decisions": .array(try parts.actions.decisions(of: id, in: reader).map(render)),
            "migrations": .array(try parts.migrations.all(of: id, in: reader).map(render))
        ]
        return .object(try HostedExplanation().explain(server, in: reader).merging(own) { _, own in own })
    }

    private func time(_ microseconds: Int64?) -> JSON { HostedExplanation.time(microseconds) }

    private func render(_ migration: ServerMigration) -> JSON {
        [
            "type": JSON(migration.kind.rawValue), "status": JSON(migration.status.rawValue),
            "source": JSON(migration.source?.hostname), "destination": JSON(migration.destination?.hostname),
            "old_flavor": JSON(migration.oldFlavor.name), "new_flavor": JSON(migration.newFlavor.name),
            "created_at": time(migration.createdAt), "updated_at": time(migration.updatedAt)
        ]
    }

    private func render(_ decision: SchedulingDecision) -> JSON {
        [
            "decided_at": time(decision.decidedAt), "host": JSON(decision.host), "summary": JSON(decision.summary),
            "verdicts": .array(
                decision.groups.flatMap { group in
                    group.samples.map {
                        ["host": JSON($0.hostname), "kept": JSON(group.isKept), "reason": JSON($0.reason)]
                    }
                }),
            "reasons": .array(
                decision.groups.map {
                    [
                        "summary": JSON($0.summary), "kept": JSON($0.isKept), "hosts": JSON($0.count),
                        "named": JSON($0.samples.count)
                    ]
                })
        ]
    }
}
