import CoordinatorPlatform
import ProtocolModel

/// Why a resource is where and as it is: its host, its fault, every action and every step with its time.
public struct HostedExplanation: Sendable {
    private let log = HostedLog()

    public init() {}

    public func explain(_ record: some HostedRecord, in reader: any SQLReader) throws -> [String: JSON] {
        var query = ListQuery()
        query.limit = 1000
        let actions = try log.actions(on: record.key, query, in: reader)
        return [
            "id": JSON(record.key.id.text), "task_state": JSON(record.state.task?.rawValue),
            "task_deadline": Self.time(record.taskDeadline), "host": JSON(record.host?.hostname),
            "project_id": JSON(record.project.compact), "plan_generation": JSON(record.planGeneration),
            "attempts": JSON(record.attempts), "fault": record.fault.map(render) ?? .null,
            "actions": .array(try actions.reversed().map { try render($0, in: reader) })
        ]
    }

    public static func time(_ microseconds: Int64?) -> JSON { JSON(microseconds.map(Timestamp.micros)) }

    private func render(_ fault: HostedFault) -> JSON {
        [
            "code": JSON(fault.code), "message": JSON(fault.message), "details": JSON(fault.details),
            "created_at": Self.time(fault.createdAt)
        ]
    }

    private func render(_ action: HostedAction, in reader: any SQLReader) throws -> JSON {
        let events = try log.events(of: action.id, in: reader).reversed()
        return [
            "action": JSON(action.name), "request_id": JSON(action.requestID), "user_id": JSON(action.user.compact),
            "started_at": Self.time(action.startedAt), "updated_at": Self.time(action.updatedAt),
            "message": JSON(action.message), "steps": .array(events.map(render))
        ]
    }

    private func render(_ event: HostedEvent) -> JSON {
        let took = event.finishedAt.map { $0 - event.startedAt }
        return [
            "name": JSON(event.name), "host": JSON(event.host), "started_at": Self.time(event.startedAt),
            "microseconds": took.map { JSON($0) } ?? .null, "result": JSON(event.result),
            "details": JSON(event.details), "operator_detail": JSON(event.traceback)
        ]
    }
}
