/// The event log for operators: CADF events in pages, below `/skerry/v1/audit`.
public struct AuditRoutes: Sendable {
    private let form: CADF
    /// Events of a page.
    private static let pageLimit = 1_000

    public static let rules: [String: Policy.Rule] = ["skerry:audit:list": .admin]

    public init(_ form: CADF) { self.form = form }

    public var routes: [Route] { [Route(.get, "/v1/audit", handler: list).asking("skerry:audit:list")] }

    /// `since` is a time, `after` the `next` of the page before, which wins; without both, the log begins at its
    /// beginning. `after=newest` begins at its end.
    private func list(_ call: APICall) async throws -> APIResponse {
        try call.authorize("skerry:audit:list")
        let limit = call.query("limit").map { Int($0) ?? 0 } ?? Self.pageLimit
        guard (1...Self.pageLimit).contains(limit) else {
            throw APIError.badRequest("'limit' is a number from 1 to \(Self.pageLimit).")
        }
        let start = try Start(after: call.query("after"), since: call.query("since"))
        let (events, next) = try await call.database.read { reader in
            let place = try start.place(in: reader)
            let events = try EventLog.events(after: place, limit: limit, in: reader)
            return (events, events.last?.number ?? place)
        }
        return .json(["events": .array(events.map(form.render)), "next": JSON(next)])
    }

    private enum Start {
        case beginning, newest
        case after(Int64)
        case since(Int64)

        init(after: String?, since: String?) throws(APIError) {
            switch (after, since) {
            case ("newest", _): self = .newest
            case (let text?, _):
                guard let number = Int64(text), number >= 0 else {
                    throw APIError.badRequest("'after' is the 'next' of another page, or 'newest'.")
                }
                self = .after(number)
            case (nil, let text?):
                guard let time = Timestamp.parse(text) else {
                    throw APIError.badRequest("'since' is a time such as 2026-11-21T05:29:00Z.")
                }
                self = .since(time)
            case (nil, nil): self = .beginning
            }
        }

        func place(in reader: any SQLReader) throws -> Int64 {
            switch self {
            case .beginning: 0
            case .newest: try EventLog.newest(in: reader)
            case .after(let number): number
            case .since(let time): try EventLog.place(before: time, in: reader)
            }
        }
    }
}
