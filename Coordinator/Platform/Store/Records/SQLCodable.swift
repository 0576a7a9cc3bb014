import ProtocolModel

/// A value that a column can hold and give back.
public protocol SQLCodable: SQLArgument {
    /// - Throws: ``StoreError/corrupt(_:)`` when the column does not hold one.
    static func read(_ row: any SQLRow, _ column: Int) throws -> Self
}

extension String: SQLCodable {
    public static func read(_ row: any SQLRow, _ column: Int) throws -> String { row.text(column) }
}
extension Int: SQLCodable {
    public static func read(_ row: any SQLRow, _ column: Int) throws -> Int { row.int(column) }
}
extension Int64: SQLCodable {
    public static func read(_ row: any SQLRow, _ column: Int) throws -> Int64 { row.integer(column) }
}
extension Bool: SQLCodable {
    public static func read(_ row: any SQLRow, _ column: Int) throws -> Bool { row.bool(column) }
}
extension Double: SQLCodable {
    public static func read(_ row: any SQLRow, _ column: Int) throws -> Double { row.real(column) }
}
extension [UInt8]: SQLCodable {
    public static func read(_ row: any SQLRow, _ column: Int) throws -> [UInt8] { row.blob(column) }
}
extension Identifier: SQLCodable {
    public static func read(_ row: any SQLRow, _ column: Int) throws -> Self { try row.id(column) }
}
extension IPAddress: SQLCodable {
    public static func read(_ row: any SQLRow, _ column: Int) throws -> Self { try row.address(column) }
}
extension IPPrefix: SQLCodable {
    public static func read(_ row: any SQLRow, _ column: Int) throws -> Self {
        try row.parsed(column, as: "an address range", IPPrefix.init)
    }
}
extension MACAddress: SQLCodable {
    public static func read(_ row: any SQLRow, _ column: Int) throws -> Self {
        try row.parsed(column, as: "a MAC address") { MACAddress($0) }
    }
}
extension Optional: SQLCodable where Wrapped: SQLCodable {
    public static func read(_ row: any SQLRow, _ column: Int) throws -> Self {
        row.isNull(column) ? nil : try Wrapped.read(row, column)
    }
}

/// A type whose cases are words in the database: `enum Status: String, SQLWord`.
public protocol SQLWord: SQLCodable, RawRepresentable<String> {}

extension SQLWord {
    public var sqlValue: SQLValue { .text(rawValue) }
    public static func read(_ row: any SQLRow, _ column: Int) throws -> Self {
        try row.parsed(column, as: "a \(Self.self)", Self.init(rawValue:))
    }
}

/// The same with numbers.
public protocol SQLNumber: SQLCodable, RawRepresentable<Int> {}

extension SQLNumber {
    public var sqlValue: SQLValue { .integer(Int64(rawValue)) }
    public static func read(_ row: any SQLRow, _ column: Int) throws -> Self {
        guard let value = Self(rawValue: row.int(column)) else {
            throw StoreError.corrupt("\(row.int(column)) is not a \(Self.self)")
        }
        return value
    }
}

/// Small structures that are always read and written whole: one text column with JSON.
extension JSON: SQLCodable {
    public var sqlValue: SQLValue { .text(text) }
    public static func read(_ row: any SQLRow, _ column: Int) throws -> JSON {
        do { return try JSON.parse(row.text(column)) } catch {
            throw StoreError.corrupt("'\(row.text(column).prefix(80))' is not JSON: \(error)")
        }
    }
}

/// A map of words, as ``JSON`` in one column.
extension [String: String]: SQLArgument, SQLCodable {
    public var sqlValue: SQLValue { .text(isEmpty ? "{}" : JSON.object(mapValues(JSON.string)).text) }
    public static func read(_ row: any SQLRow, _ column: Int) throws -> Self {
        if row.text(column) == "{}" { return [:] }
        guard case .object(let members) = try JSON.read(row, column) else {
            throw StoreError.corrupt("'\(row.text(column).prefix(80))' is not a JSON object")
        }
        return try members.mapValues { value in
            guard let text = value.stringValue else { throw StoreError.corrupt("a member holds more than text") }
            return text
        }
    }
}

extension SQLRow {
    /// A column whose text means something.
    /// - Throws: ``StoreError/corrupt(_:)`` for text that does not.
    public func parsed<T>(_ column: Int, as what: @autoclosure () -> String, _ parse: (String) -> T?) throws -> T {
        let text = text(column)
        guard let value = parse(text) else { throw StoreError.corrupt("'\(text.prefix(80))' is not \(what())") }
        return value
    }
}
