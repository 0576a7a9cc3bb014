import CoordinatorPlatform
import ProtocolModel

/// What a list call asks for, in the API's attribute names.
struct ListQuery: Sendable {
    var filters: [(name: String, values: [String])] = []
    var sorts: [(name: String, isAscending: Bool)] = []
    /// `nil` for all.
    var limit: Int?
    /// The id of the last item of the page before.
    var marker: String?
    var isReversed = false
}

/// A part of a WHERE clause.
struct SQLCondition: Sendable {
    var sql: String
    var arguments: [any SQLArgument]

    init(_ sql: String, _ arguments: [any SQLArgument] = []) {
        self.sql = sql
        self.arguments = arguments
    }

    static let never = SQLCondition("1 = 0")
}

/// One kind of resource as list calls see it: which attribute is which column. Only what is named here ever becomes SQL.
struct ListTable: Sendable {
    enum Kind: Sendable {
        case text, number, flag
    }

    struct Column: Sendable {
        var expression: String
        var kind: Kind

        init(_ expression: String, _ kind: Kind = .text) {
            self.expression = expression
            self.kind = kind
        }
    }

    /// The FROM clause.
    var source: String
    /// The alias of the table itself, which has `id` and `uuid`.
    var alias: String
    var columns: [String: Column]
    /// Filters that are no plain comparison.
    var special: [String: @Sendable ([String]) -> SQLCondition] = [:]

    func isFilter(_ name: String) -> Bool { columns[name] != nil || special[name] != nil }

    /// The rows that match, in order: by the sort keys, then by age.
    /// - Parameter visible: What the caller may see.
    /// - Throws: ``ListError/unknownMarker``.
    func rows<T>(
        _ query: ListQuery, visible: SQLCondition?, select: String, in reader: any SQLReader,
        _ map: (any SQLRow) throws -> T
    ) throws -> [T] {
        var conditions = query.filters.compactMap(condition)
        if let visible { conditions.append(visible) }
        let sorts = query.sorts.compactMap { sort in
            columns[sort.name].map { (expression: sortable($0), isAscending: sort.isAscending != query.isReversed) }
        }
        let keys = sorts + [(expression: "\(alias).id", isAscending: !query.isReversed)]
        if let marker = query.marker { conditions.append(try after(marker, keys, reader)) }
        let filter = conditions.isEmpty ? "" : " WHERE " + conditions.map { "(\($0.sql))" }.joined(separator: " AND ")
        let order = keys.map { "\($0.expression) \($0.isAscending ? "ASC" : "DESC")" }.joined(separator: ", ")
        let limit = query.limit.map { " LIMIT \($0)" } ?? ""
        let found = try reader.query(
            "SELECT \(select) FROM \(source)\(filter) ORDER BY \(order)\(limit)", conditions.flatMap(\.arguments), map)
        return query.isReversed ? found.reversed() : found
    }

    private func condition(_ filter: (name: String, values: [String])) -> SQLCondition? {
        if let special = special[filter.name] { return special(filter.values) }
        guard let column = columns[filter.name] else { return nil }
        let values: [any SQLArgument] =
            switch column.kind {
            case .text: filter.values
            case .number: filter.values.compactMap { Int64($0) }
            case .flag: filter.values.compactMap { Self.flag($0) }
            }
        guard !values.isEmpty else { return .never }
        let list = InList(values)
        return SQLCondition("\(column.expression) IN \(list.placeholders)", list.arguments)
    }

    static func flag(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "1": true
        case "false", "0": false
        default: nil
        }
    }

    /// NULLs come first on both engines.
    private func sortable(_ column: Column) -> String {
        column.kind == .text ? "COALESCE(\(column.expression), '')" : "COALESCE(\(column.expression), 0)"
    }

    /// What comes behind the marker in this order.
    private func after(
        _ marker: String, _ keys: [(expression: String, isAscending: Bool)], _ reader: any SQLReader
    ) throws -> SQLCondition {
        let select = keys.map(\.expression).joined(separator: ", ")
        let row = try reader.first("SELECT \(select) FROM \(source) WHERE \(alias).uuid = ?", [marker]) { row in
            keys.indices.map { index -> SQLValue in
                index == keys.count - 1 || isNumber(keys[index].expression)
                    ? .integer(row.integer(index)) : .text(row.text(index))
            }
        }
        guard let row else { throw ListError.unknownMarker(marker) }
        var parts: [String] = []
        var arguments: [any SQLArgument] = []
        for index in keys.indices {
            let equal = (0..<index).map { "\(keys[$0].expression) = ?" }
            let beyond = "\(keys[index].expression) \(keys[index].isAscending ? ">" : "<") ?"
            parts.append((equal + [beyond]).joined(separator: " AND "))
            arguments += row[0...index].map { $0 as any SQLArgument }
        }
        return SQLCondition(parts.map { "(\($0))" }.joined(separator: " OR "), arguments)
    }

    private func isNumber(_ expression: String) -> Bool { expression.hasSuffix(", 0)") }
}

enum ListError: Error {
    case unknownMarker(String)
}
