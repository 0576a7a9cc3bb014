/// The rules in force for operators, below `/skerry/v1/policy`.
public struct PolicyRoutes: Sendable {
    private let book: PolicyBook
    /// `POST /compute/v2.1/flavors` and the like, by the rule that decides them.
    private let operations: [String: [String]]

    public static let rules: [String: Policy.Rule] = ["skerry:policy:show": .admin]

    /// - Parameter services: Those whose rules the book holds.
    public init(_ book: PolicyBook, services: [ServiceAPI]) {
        self.book = book
        operations = Self.operations(of: services)
    }

    public var routes: [Route] { [Route(.get, "/v1/policy", handler: show).asking("skerry:policy:show")] }

    private func show(_ call: APICall) async throws -> APIResponse {
        try call.authorize("skerry:policy:show")
        let status = book.status
        let overrides = book.overrides
        let rules = book.defaults.sorted { $0.key < $1.key }.map { name, rule -> JSON in
            var body: [String: JSON] = [
                "name": JSON(name), "default": JSON(rule.expression.description),
                "operations": .array((operations[name] ?? []).map(JSON.string))
            ]
            if let override = overrides[name] {
                body["override"] = JSON(override.text)
                body["line"] = JSON(override.line)
            }
            return .object(body)
        }
        return .json([
            "file": JSON(status.file), "since": status.since == 0 ? .null : JSON(Timestamp.micros(status.since)),
            "problems": .array(status.problems.map(JSON.string)), "refusals": JSON(status.refusals),
            "rules": .array(rules)
        ])
    }

    private static func operations(of services: [ServiceAPI]) -> [String: [String]] {
        var operations: [String: [String]] = [:]
        for service in services {
            for route in service.routes {
                guard case .rules(let names)? = route.guarding else { continue }
                for name in names {
                    operations[name, default: []].append("\(route.method.rawValue) \(service.prefix)\(route.path)")
                }
            }
        }
        return operations
    }
}
