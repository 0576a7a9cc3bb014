import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel

/// Why a server is where and as it is: every scheduling verdict, every action, every step with its time.
struct ServerExplanation: Sendable {
    let parts: ComputeParts

    /// - Returns: `nil` for an unknown server.
    func explain(_ id: ServerID, in reader: any SQLReader) throws -> JSON? {
        guard let server = try parts.servers.find(id, in: reader) else { return nil }
        let actions = try parts.actions.actions(
            of: id, limit: 1000, before: nil, since: nil, until: nil, in: reader)
        return [
            "id": JSON(id.text), "name": JSON(server.name), "status": JSON(server.state.status),
            "vm_state": JSON(server.state.vm.rawValue), "task_state": JSON(server.state.task?.rawValue),
            "task_deadline": time(server.taskDeadline), "host": JSON(server.host?.hostname),
            "project_id": JSON(server.project.compact), "created_at": time(server.createdAt),
            "launched_at": time(server.launchedAt), "terminated_at": time(server.terminatedAt),
            "plan_generation": JSON(server.planGeneration), "attempts": JSON(server.attempts),
            "fault": server.fault.map(render) ?? .null,
            "decisions": .array(try parts.actions.decisions(of: id, in: reader).map(render)),
            "actions": .array(try actions.reversed().map { try render($0, in: reader) })
        ]
    }

    private func time(_ microseconds: Int64?) -> JSON { JSON(microseconds.map(Timestamp.micros)) }

    private func render(_ fault: ServerFault) -> JSON {
        [
            "code": JSON(fault.code), "message": JSON(fault.message), "details": JSON(fault.details),
            "created_at": time(fault.createdAt)
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

    private func render(_ action: ServerAction, in reader: any SQLReader) throws -> JSON {
        let events = try parts.actions.events(of: action.id, in: reader).reversed()
        return [
            "action": JSON(action.name), "request_id": JSON(action.requestID), "user_id": JSON(action.user.compact),
            "started_at": time(action.startedAt), "updated_at": time(action.updatedAt), "message": JSON(action.message),
            "steps": .array(events.map(render))
        ]
    }

    private func render(_ event: ServerEvent) -> JSON {
        let took = event.finishedAt.map { $0 - event.startedAt }
        return [
            "name": JSON(event.name), "host": JSON(event.host), "started_at": time(event.startedAt),
            "microseconds": took.map { JSON($0) } ?? .null, "result": JSON(event.result),
            "details": JSON(event.details),
            "operator_detail": JSON(event.traceback)
        ]
    }
}
