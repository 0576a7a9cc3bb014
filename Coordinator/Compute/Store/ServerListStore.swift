import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel

/// Lists of servers. A page costs one statement unless it is searched by patterns.
struct ServerListStore: Sendable {
    let network: any NetworkForCompute

    /// Rows looked at for a page that patterns thin out, at most; a list beyond it ends early.
    private static let scanLimit = 100_000
    private static let scanPage = 1000

    /// - Throws: ``APIError`` 400 for a marker that is not in reach.
    func page(_ query: ServerQuery, in reader: any SQLReader) throws -> [ServerLine] {
        guard query.limit > 0, !query.isEmpty else { return [] }
        guard query.isSearched else { return try lines(query, after: query.marker, limit: query.limit, in: reader) }
        var found: [ServerLine] = []
        var marker = query.marker
        var seen = 0
        while found.count < query.limit, seen < Self.scanLimit {
            let page = try lines(query, after: marker, limit: Self.scanPage, in: reader)
            found += try search(page, query, in: reader).prefix(query.limit - found.count)
            guard page.count == Self.scanPage else { break }
            marker = page.last?.id
            seen += page.count
        }
        return found
    }

    private func search(
        _ lines: [ServerLine], _ query: ServerQuery, in reader: any SQLReader
    ) throws -> [ServerLine] {
        let named = lines.filter { line in
            query.name?.isFound(in: line.name) ?? true && query.hostname?.isFound(in: line.hostname) ?? true
                && query.description?.isFound(in: line.description ?? "") ?? true
        }
        guard let pattern = query.address else { return named }
        let ports = try network.ports(of: named.map(\.id), in: reader)
        return named.filter { line in
            (ports[line.id] ?? []).flatMap(\.fixedIPs).contains { fixed in
                (query.addressFamily == nil || fixed.address.family == query.addressFamily)
                    && pattern.isFound(in: fixed.address.description)
            }
        }
    }

    private func lines(
        _ query: ServerQuery, after marker: ServerID?, limit: Int, in reader: any SQLReader
    ) throws -> [ServerLine] {
        var clause = SQLClause()
        add(query, to: &clause)
        let order =
            query.order + [ServerQuery.Order(column: "id", isDescending: query.order.first?.isDescending ?? true)]
        if let marker { try add(after: marker, order: order, query, to: &clause, in: reader) }
        let ordering = order.map { Self.key($0.column) + ($0.isDescending ? " DESC" : " ASC") }.joined(separator: ", ")
        let columns =
            query.isBare ? "uuid, generation, node_id" : "uuid, generation, node_id, name, hostname, description"
        return try reader.query(
            "SELECT \(columns) FROM servers\(clause.sql) ORDER BY \(ordering) LIMIT ?", clause.arguments + [limit]
        ) { row in
            ServerLine(
                id: try row.uuid(0), generation: row.integer(1), node: try row.optionalUUID(2),
                name: query.isBare ? "" : row.text(3), hostname: query.isBare ? "" : row.text(4),
                description: query.isBare ? nil : row.optionalText(5))
        }
    }

    private func add(_ query: ServerQuery, to clause: inout SQLClause) {
        if let project = query.project { clause.add("project_id = ?", project) }
        if let user = query.user { clause.add("user_id = ?", user) }
        if let isDeleted = query.isDeleted { clause.add(isDeleted ? "deleted_at IS NOT NULL" : "deleted_at IS NULL") }
        if let states = query.vmStates { clause.add("vm_state IN (\(marks(states.count)))", states) }
        if let states = query.taskStates { clause.add("task_state IN (\(marks(states.count)))", states) }
        if let time = query.changesSince { clause.add("updated_at >= ?", time) }
        if let time = query.changesBefore { clause.add("updated_at <= ?", time) }
        if let isLocked = query.isLocked { clause.add(isLocked ? "locked_by IS NOT NULL" : "locked_by IS NULL") }
        for condition in query.equal { clause.add("\(condition.column) = ?", condition.value) }
        addTags(query, to: &clause)
    }

    private func addTags(_ query: ServerQuery, to clause: inout SQLClause) {
        let count = "SELECT COUNT(*) FROM server_tags WHERE server_uuid = servers.uuid AND tag IN"
        for (tags, condition) in [
            (query.tags, "= \(query.tags.count)"), (query.tagsAny, "> 0"), (query.notTags, "< \(query.notTags.count)"),
            (query.notTagsAny, "= 0")
        ] where !tags.isEmpty {
            clause.add("(\(count) (\(marks(tags.count)))) \(condition)", tags)
        }
    }

    /// Continues behind a server, wherever it stands in the order.
    private func add(
        after marker: ServerID, order: [ServerQuery.Order], _ query: ServerQuery, to clause: inout SQLClause,
        in reader: any SQLReader
    ) throws {
        let keys = order.map { Self.key($0.column) }
        let scope = query.project == nil ? "" : " AND project_id = ?"
        let values = try reader.first(
            "SELECT \(keys.joined(separator: ", ")) FROM servers WHERE uuid = ?\(scope)",
            [marker] + (query.project.map { [$0] } ?? [])
        ) { row in
            order.indices.map {
                Self.isNumber(order[$0].column) ? SQLValue.integer(row.integer($0)) : .text(row.text($0))
            }
        }
        guard let values else { throw APIError.badRequest("marker [\(marker)] not found") }
        var alternatives: [String] = []
        var arguments: [any SQLArgument] = []
        for position in order.indices {
            let same = (0..<position).map { "\(keys[$0]) = ?" }
            alternatives.append(
                "("
                    + (same + ["\(keys[position]) \(order[position].isDescending ? "<" : ">") ?"]).joined(
                        separator: " AND ")
                    + ")")
            arguments += values[0...position].map { $0 as any SQLArgument }
        }
        clause.add("(" + alternatives.joined(separator: " OR ") + ")", arguments)
    }

    private static let numbers: Set<String> = [
        "id", "created_at", "updated_at", "launched_at", "terminated_at", "power_state", "launch_index",
        "has_config_drive"
    ]
    private static let required: Set<String> = ["id", "created_at", "updated_at", "uuid", "name", "power_state"]

    private static func isNumber(_ column: String) -> Bool { numbers.contains(column) }

    /// Absent values sort as the smallest, in both engines alike.
    private static func key(_ column: String) -> String {
        if required.contains(column) { return column }
        return isNumber(column) ? "COALESCE(\(column), 0)" : "COALESCE(\(column), '')"
    }
}

/// Conditions that grow one by one.
struct SQLClause {
    private var conditions: [String] = []
    private(set) var arguments: [any SQLArgument] = []

    mutating func add(_ condition: String, _ arguments: [any SQLArgument] = []) {
        conditions.append(condition)
        self.arguments += arguments
    }

    mutating func add(_ condition: String, _ argument: any SQLArgument) { add(condition, [argument]) }

    /// ` WHERE ...`, or nothing.
    var sql: String { conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ") }
}
