import CoordinatorPlatform
import ProtocolModel

extension HostedAction: TableRecord {
    public static let table = RecordTable<Self>("hosted_actions")
    public static let blank = Self(
        resource: ResourceKey(kind: .server, id: AnyID(high: 0, low: 0)), name: "", requestID: "",
        user: UserID(high: 0, low: 0), project: ProjectID(high: 0, low: 0), startedAt: 0, updatedAt: 0)

    public mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &id, .number)
        try column("kind", &resource.kind, .fixed)
        try column("resource_id", &resource.id, .fixed)
        try column("action", &name, .fixed)
        try column("request_id", &requestID, .fixed)
        try column("user_id", &user, .fixed)
        try column("project_id", &project, .fixed)
        try column("started_at", &startedAt, .fixed)
        try column("updated_at", &updatedAt)
        try column("message", &message)
    }
}

extension HostedEvent: TableRecord {
    public static let table = RecordTable<Self>("hosted_events")
    public static let blank = Self(name: "", host: "", startedAt: 0, finishedAt: nil, result: nil)

    public mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &number, .number)
        try column("action_id", &action, .fixed)
        try column("name", &name, .fixed)
        try column("host", &host, .fixed)
        try column("started_at", &startedAt, .fixed)
        try column("finished_at", &finishedAt, .fixed)
        try column("result", &result, .fixed)
        try column("details", &details, .fixed)
        try column("traceback", &traceback, .fixed)
    }
}

extension ResourceKind: SQLNumber {}

/// What was done with resources on hosts, step by step: of all kinds.
public struct HostedLog: Sendable {
    /// Steps that are told of one action.
    private static let mostEvents = 1000

    public static let migrations = [
        Migration(
            slice: "hosted", number: 1, name: "actions and events",
            sql: """
                CREATE TABLE hosted_actions (
                    id INTEGER PRIMARY KEY,
                    kind INTEGER NOT NULL,
                    resource_id TEXT NOT NULL,
                    action TEXT NOT NULL,
                    request_id TEXT NOT NULL,
                    user_id TEXT NOT NULL,
                    project_id TEXT NOT NULL,
                    started_at BIGINT NOT NULL,
                    updated_at BIGINT NOT NULL,
                    message TEXT
                );
                CREATE INDEX hosted_actions_by_resource ON hosted_actions (resource_id, kind, id);
                CREATE TABLE hosted_events (
                    id INTEGER PRIMARY KEY,
                    action_id BIGINT NOT NULL,
                    name TEXT NOT NULL,
                    host TEXT NOT NULL,
                    started_at BIGINT NOT NULL,
                    finished_at BIGINT,
                    result TEXT,
                    details TEXT,
                    traceback TEXT
                );
                CREATE INDEX hosted_events_by_action ON hosted_events (action_id, id);
                """)
    ]

    /// What lists of actions are filtered by; the newest stand first.
    public static let schema = ListSchema(
        HostedAction.table, identity: "request_id",
        columns: ["id": .init("id", .number, isFilter: false), "updated_at": .init("updated_at", .number)],
        numberFollows: true)

    public init() {}

    /// - Returns: The action's number.
    public func begin(
        _ name: String, on resource: ResourceKey, by origin: HostedOrigin, at now: Int64,
        in transaction: any SQLTransaction
    ) throws -> Int64 {
        let action = HostedAction(
            resource: resource, name: name, requestID: origin.requestID, user: origin.user, project: origin.project,
            startedAt: now, updatedAt: now)
        return try HostedAction.table.insert(action, in: transaction)
    }

    /// - Parameter message: `Error` for a failed action.
    public func finish(_ action: Int64, message: String?, at now: Int64, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "UPDATE hosted_actions SET updated_at = ?, message = ? WHERE id = ?", [now, message, action])
    }

    public func add(_ event: HostedEvent, to action: Int64, in transaction: any SQLTransaction) throws {
        var event = event
        event.action = action
        try HostedEvent.table.insert(event, in: transaction)
    }

    /// The newest first.
    /// - Throws: ``UnknownMarker``
    public func actions(
        on resource: ResourceKey, _ query: ListQuery = ListQuery(), in reader: any SQLReader
    ) throws -> [HostedAction] {
        var query = query
        query.sorts = [.init("id", isAscending: false)]
        return try Self.schema.records(HostedAction.table, query, visible: Self.of(resource), in: reader)
    }

    public func action(
        on resource: ResourceKey, requestID: String, in reader: any SQLReader
    ) throws -> HostedAction? {
        try HostedAction.table.first(
            where: .all([Self.of(resource), .equal("request_id", requestID)]), order: "id DESC", in: reader)
    }

    /// The newest first.
    public func events(of action: Int64, in reader: any SQLReader) throws -> [HostedEvent] {
        try HostedEvent.table.all(
            where: .equal("action_id", action), order: "started_at DESC, id DESC", limit: Self.mostEvents, in: reader)
    }

    /// Forgets all that was done with these.
    public func forget(_ resources: [AnyID], _ kind: ResourceKind, in transaction: any SQLTransaction) throws {
        let actions = SQLCondition.all([.equal("kind", kind), .in("resource_id", resources)])
        try HostedEvent.table.delete(
            where: SQLCondition(
                "action_id IN (SELECT id FROM hosted_actions WHERE \(actions.sql))", actions.arguments),
            in: transaction)
        try HostedAction.table.delete(where: actions, in: transaction)
    }

    private static func of(_ resource: ResourceKey) -> SQLCondition {
        .all([.equal("resource_id", resource.id), .equal("kind", resource.kind)])
    }
}
