/// A condition with its arguments. Conditions are put together from conditions, never from text and values.
public struct SQLCondition: Sendable {
    public let sql: String
    public let arguments: [any SQLArgument]

    public init(_ sql: String, _ arguments: [any SQLArgument] = []) {
        self.sql = sql
        self.arguments = arguments
    }

    /// `expression = value`.
    public static func equal(_ expression: String, _ value: any SQLArgument) -> Self {
        Self("\(expression) = ?", [value])
    }

    public static let never = Self("1 = 0")
    public static let always = Self("1 = 1")

    /// All of them; without any, every row.
    public static func all(_ parts: [SQLCondition]) -> Self { joined(parts, " AND ", without: .always) }
    /// One of them at least; without any, no row.
    public static func any(_ parts: [SQLCondition]) -> Self { joined(parts, " OR ", without: .never) }

    /// The expression has one of the values. Few distinct lengths, so that few statements are prepared: the last value
    /// fills the list up, and a repetition changes nothing.
    /// - Parameter values: At most ``listLimit``; longer ones are looked up in pieces
    ///   (``SQLReader/inPieces(_:_:)``).
    public static func `in`(_ expression: String, _ values: [any SQLArgument]) -> Self {
        guard let filler = values.last else { return .never }
        if values.count == 1 { return .equal(expression, filler) }
        var size = 4
        while size < values.count { size *= 4 }
        let marks = Array(repeating: "?", count: size).joined(separator: ", ")
        return Self(
            "\(expression) IN (\(marks))", values + Array(repeating: filler, count: size - values.count))
    }

    /// SQLite takes 32,766 arguments a statement, PostgreSQL 65,535; a list is one of several things in it.
    public static let listLimit = 4096

    /// The expression has the text somewhere in it, letter by letter.
    public static func contains(_ expression: String, _ text: String) -> Self {
        Self("\(expression) LIKE ? ESCAPE '\\'", ["%\(escaped(text))%"])
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_")
    }

    private static func joined(_ parts: [SQLCondition], _ word: String, without none: Self) -> Self {
        guard parts.count != 1 else { return parts[0] }
        guard !parts.isEmpty else { return none }
        return Self(parts.map { "(\($0.sql))" }.joined(separator: word), parts.flatMap(\.arguments))
    }
}

extension SQLReader {
    /// Asks for a list of any length in pieces that a statement can bear.
    public func inPieces<Value, T>(_ values: [Value], _ body: (ArraySlice<Value>) throws -> [T]) throws -> [T] {
        guard values.count > SQLCondition.listLimit else { return values.isEmpty ? [] : try body(values[...]) }
        return try stride(from: 0, to: values.count, by: SQLCondition.listLimit).flatMap { start in
            try body(values[start..<min(start + SQLCondition.listLimit, values.count)])
        }
    }

    public func exists(_ table: String, _ condition: SQLCondition) throws -> Bool {
        try first("SELECT 1 FROM \(table) WHERE \(condition.sql) LIMIT 1", condition.arguments) { _ in true } ?? false
    }

    public func count(_ table: String, _ condition: SQLCondition) throws -> Int {
        try count("SELECT COUNT(*) FROM \(table) WHERE \(condition.sql)", condition.arguments)
    }
}
