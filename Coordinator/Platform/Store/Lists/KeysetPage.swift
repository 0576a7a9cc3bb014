/// One page of a list, read in its order from a marker on. Pure: it makes statements.
///
/// Two things keep a page's cost that of a page, however deep it lies. What is seen for several reasons is a union of
/// branches, each of which walks an index of its own. And what comes after a marker is read in strides: first the rows
/// that equal the marker in all but the last sort key, then those that equal it in all but the last two, and so on; each
/// is a range of one index, also where directions differ.
public struct KeysetPage: Sendable {
    /// An expression to sort by, never NULL.
    public struct Key: Sendable, Equatable {
        public var expression: String
        public var isAscending: Bool

        public init(_ expression: String, isAscending: Bool = true) {
            self.expression = expression
            self.isAscending = isAscending
        }
    }

    /// Rows that are seen for one reason. No row is in two branches.
    public struct Branch: Sendable {
        /// The FROM clause, with its arguments.
        public var source: SQLCondition
        public var condition: SQLCondition
        /// Sort expressions that this source has under a name of its own, in an index of its own.
        public var names: [String: String]

        public init(source: SQLCondition, condition: SQLCondition = .always, names: [String: String] = [:]) {
            self.source = source
            self.condition = condition
            self.names = names
        }
    }

    public var branches: [Branch]
    /// What holds in every branch.
    public var condition: SQLCondition
    /// A total order: the last one is unique.
    public var keys: [Key]
    /// `nil` for all.
    public var limit: Int?
    /// What the marker has in the ``keys``; `nil` for the first page.
    public var marker: [SQLValue]?
    /// The page *before* the marker; it is given in the list's own order all the same.
    public var isReversed: Bool

    public init(
        branches: [Branch], condition: SQLCondition = .always, keys: [Key], limit: Int?, marker: [SQLValue]? = nil,
        isReversed: Bool = false
    ) {
        self.branches = branches
        self.condition = condition
        self.keys = isReversed ? keys.map { Key($0.expression, isAscending: !$0.isAscending) } : keys
        self.limit = limit
        self.marker = marker
        self.isReversed = isReversed
    }

    /// - Parameter selection: With several branches, the names of the sort expressions must be among these columns.
    public func rows<T>(_ selection: String, in reader: any SQLReader, _ map: (any SQLRow) throws -> T) throws -> [T] {
        var found: [T] = []
        for stride in strides {
            let missing = limit.map { $0 - found.count }
            if let missing, missing <= 0 { break }
            let statement = statement(stride, selection, limit: missing)
            found += try reader.query(statement.sql, statement.arguments, map)
        }
        return isReversed ? found.reversed() : found
    }

    // MARK: Strides

    /// The places of the sort keys in which the rows of a stride go beyond the marker; `nil` without a marker.
    private var strides: [Int?] { marker == nil ? [nil] : keys.indices.reversed().map { $0 } }

    /// One stride as one statement.
    package func statement(_ stride: Int?, _ selection: String, limit: Int?) -> SQLCondition {
        let limited: (sql: String, arguments: [any SQLArgument]) = limit.map { (" LIMIT ?", [$0]) } ?? ("", [])
        let parts = branches.map { branch in
            let wanted = SQLCondition.all(
                [branch.condition, condition, beyond(stride, branch.names)].filter { $0.sql != SQLCondition.always.sql }
            )
            return SQLCondition(
                "SELECT \(selection) FROM \(branch.source.sql) WHERE \(wanted.sql)"
                    + " ORDER BY \(order(from: stride, branch.names))\(limited.sql)",
                branch.source.arguments + wanted.arguments + limited.arguments)
        }
        guard parts.count > 1 else { return parts.first ?? .never }
        let union = parts.map { "SELECT * FROM (\($0.sql)) AS branch" }.joined(separator: " UNION ALL ")
        return SQLCondition(
            "SELECT \(selection) FROM (\(union)) AS page ORDER BY \(order(from: stride, [:]))\(limited.sql)",
            parts.flatMap(\.arguments) + limited.arguments)
    }

    private func beyond(_ stride: Int?, _ names: [String: String]) -> SQLCondition {
        guard let stride, let marker else { return .always }
        return .all(
            keys[...stride].enumerated().map { place, key in
                let sign = place < stride ? "=" : key.isAscending ? ">" : "<"
                return SQLCondition("\(names[key.expression] ?? key.expression) \(sign) ?", [marker[place]])
            })
    }

    /// What is the same in all rows of a stride decides nothing, and an engine does not always notice.
    private func order(from stride: Int?, _ names: [String: String]) -> String {
        keys[(stride ?? 0)...].map { key in
            "\(names[key.expression] ?? key.expression) \(key.isAscending ? "ASC" : "DESC")"
        }.joined(separator: ", ")
    }
}
