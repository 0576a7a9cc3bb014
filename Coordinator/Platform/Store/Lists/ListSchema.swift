import ProtocolModel

/// One kind of resource as list calls see it: which attribute of the API is which column. Only what is named here ever
/// becomes SQL.
public struct ListSchema: Sendable {
    public enum Kind: Sendable, Hashable {
        case text, number, flag
        /// Identifiers stand in their hyphenated form; clients may write the other one.
        case identifier
        /// Identifiers of projects and users stand as 32 digits.
        case compactIdentifier
    }

    public struct Column: Sendable, Hashable {
        public var expression: String
        public var kind: Kind
        /// NULLs sort as the smallest value on both engines.
        public var isNullable: Bool
        public var isFilter: Bool
        public var isSort: Bool

        public init(
            _ expression: String, _ kind: Kind = .text, isNullable: Bool = false, isFilter: Bool = true,
            isSort: Bool = true
        ) {
            self.expression = expression
            self.kind = kind
            self.isNullable = isNullable
            self.isFilter = isFilter
            self.isSort = isSort
        }

        /// What the column is sorted by.
        var sortable: String {
            guard isNullable else { return expression }
            switch kind {
            case .text, .identifier, .compactIdentifier: return "COALESCE(\(expression), '')"
            case .number, .flag: return "COALESCE(\(expression), 0)"
            }
        }

        var isNumeric: Bool { kind == .number || kind == .flag }
    }

    /// Makes a condition of a filter's values.
    public typealias Special = @Sendable ([String]) -> SQLCondition

    /// The FROM clause.
    public var source: String
    /// The unique column that markers are looked up in: `n.uuid`.
    public var identity: Column
    /// The unique integer column that ends every order: `n.id`.
    public var number: String
    public var columns: [String: Column]
    /// Filters that are no comparison of a column.
    public var special: [String: Special]
    /// Writes a filter's value as the column has it, where an attribute has several spellings.
    public var spelling: [String: @Sendable (String) -> String] = [:]
    /// Whether equals stand in the direction of the first sort key; else the oldest stands first.
    public var numberFollows: Bool

    public init(
        source: String, identity: Column, number: String, columns: [String: Column], special: [String: Special] = [:],
        numberFollows: Bool = false
    ) {
        self.source = source
        self.identity = identity
        self.number = number
        self.columns = columns
        self.special = special
        self.numberFollows = numberFollows
    }

    /// The schema of a table of records.
    public init<Record>(
        _ table: RecordTable<Record>, identity: String = "uuid", columns: [String: Column],
        special: [String: Special] = [:], numberFollows: Bool = false
    ) {
        self.init(
            source: table.source, identity: Column(table.prefix + identity), number: table.prefix + "id",
            columns: columns, special: special, numberFollows: numberFollows)
    }

    public func isFilter(_ name: String) -> Bool { columns[name]?.isFilter ?? (special[name] != nil) }
    public func isSort(_ name: String) -> Bool { columns[name]?.isSort ?? false }

    /// The rows that match, by the sort keys and then by age.
    /// - Parameter visible: What the caller may see: a marker beyond it is as unknown as one that is nowhere.
    /// - Throws: ``UnknownMarker``
    public func rows<T>(
        _ query: ListQuery, visible: SQLCondition = .always, select: String, in reader: any SQLReader,
        _ map: (any SQLRow) throws -> T
    ) throws -> [T] {
        var sorts = query.sorts.compactMap { sort in
            columns[sort.name].map { (column: $0, isAscending: sort.isAscending) }
        }
        // An order that ends in something unique is total already.
        if ![identity.expression, number].contains(sorts.last?.column.expression) {
            let isAscending = !numberFollows || (sorts.first?.isAscending ?? true)
            sorts.append((column: Column(number, .number), isAscending: isAscending))
        }
        let keys = sorts.map { KeysetPage.Key($0.column.sortable, isAscending: $0.isAscending) }
        var marker: [SQLValue]?
        if let text = query.marker {
            let numeric = sorts.map(\.column.isNumeric)
            marker = try values(of: text, keys.map(\.expression), numeric, visible: visible, in: reader)
        }
        return try KeysetPage(
            branches: [.init(source: SQLCondition(source))],
            condition: .all([visible] + query.filters.map(condition)), keys: keys, limit: query.limit, marker: marker,
            isReversed: query.isReversed
        ).rows(select, in: reader, map)
    }

    /// The records that match.
    public func records<Record>(
        _ table: RecordTable<Record>, _ query: ListQuery, visible: SQLCondition = .always, in reader: any SQLReader
    ) throws -> [Record] {
        try rows(query, visible: visible, select: table.selection, in: reader, table.record)
    }

    private func values(
        of marker: String, _ keys: [String], _ isNumeric: [Bool], visible: SQLCondition, in reader: any SQLReader
    ) throws -> [SQLValue] {
        let condition = SQLCondition.all([visible, .equal(identity.expression, Self.stored(marker, identity.kind))])
        let row = try reader.first(
            "SELECT \(keys.joined(separator: ", ")) FROM \(source) WHERE \(condition.sql)", condition.arguments
        ) { row in
            keys.indices.map { isNumeric[$0] ? SQLValue.integer(row.integer($0)) : .text(row.text($0)) }
        }
        guard let row else { throw UnknownMarker(marker: marker) }
        return row
    }

    // MARK: Filters

    /// What a filter says of a row.
    public func condition(_ filter: ListQuery.Filter) -> SQLCondition {
        var filter = filter
        if let spelling = spelling[filter.name] { filter.values = filter.values.map(spelling) }
        if let special = special[filter.name] { return special(filter.values) }
        guard let column = columns[filter.name] else { return .never }
        return Self.condition(column, filter)
    }

    static func condition(_ column: Column, _ filter: ListQuery.Filter) -> SQLCondition {
        let expression = column.expression
        let values = filter.values.compactMap { value(of: $0, column.kind) }
        // What cannot be a value of the column equals none and differs from all.
        guard !values.isEmpty else { return filter.comparison == .notEqual ? .always : .never }
        func compared(_ sign: String) -> SQLCondition {
            .any(values.map { SQLCondition("\(expression) \(sign) ?", [$0]) })
        }
        func matched(_ expression: String, _ folds: Bool, _ pattern: (String) -> String) -> SQLCondition {
            .any(
                filter.values.map { text in
                    SQLCondition(
                        "\(expression) LIKE ? ESCAPE '\\'", [pattern(escaped(folds ? text.lowercased() : text))])
                })
        }
        switch filter.comparison {
        case .equal: return .in(expression, values)
        case .notEqual:
            let list = SQLCondition.in(expression, values)
            let absent = column.isNullable ? "\(expression) IS NULL OR " : ""
            return SQLCondition("\(absent)NOT (\(list.sql))", list.arguments)
        case .less: return compared("<")
        case .lessOrEqual: return compared("<=")
        case .greater: return compared(">")
        case .greaterOrEqual: return compared(">=")
        case .contains: return matched(expression, false) { "%\($0)%" }
        case .startsWith: return matched(expression, false) { "\($0)%" }
        case .endsWith: return matched(expression, false) { "%\($0)" }
        case .containsFolded: return matched("LOWER(\(expression))", true) { "%\($0)%" }
        case .startsWithFolded: return matched("LOWER(\(expression))", true) { "\($0)%" }
        case .endsWithFolded: return matched("LOWER(\(expression))", true) { "%\($0)" }
        }
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_")
    }

    private static func value(of text: String, _ kind: Kind) -> (any SQLArgument)? {
        switch kind {
        case .number: Int64(text)
        case .flag: text == "true" ? true : text == "false" ? false : nil
        default: stored(text, kind)
        }
    }

    private static func stored(_ text: String, _ kind: Kind) -> String {
        switch kind {
        case .identifier: AnyID(text)?.text ?? text
        case .compactIdentifier: AnyID(text)?.compact ?? text
        default: text
        }
    }
}

/// A list was to begin after something that is not there, or not for the caller.
public struct UnknownMarker: Error, Sendable, Equatable {
    public let marker: String
    public init(marker: String) { self.marker = marker }
}
