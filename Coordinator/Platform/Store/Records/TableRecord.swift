import ProtocolModel

/// A value that stands in a row of a table.
///
///     extension NetworkRecord: TableRecord {
///         static let blank = NetworkRecord(id: .none, ...)
///         static let table = RecordTable<Self>("network_networks", alias: "n")
///         mutating func columns(_ column: inout some ColumnVisitor) throws {
///             try column("uuid", &id, .key)
///             try column("revision", &standard.revision, .generation)
///             try column("name", &standard.name)
///         }
///     }
public protocol TableRecord: Sendable {
    /// What a row is read over; it is never stored.
    static var blank: Self { get }
    static var table: RecordTable<Self> { get }
    /// Names every column once: statements, reading and writing all go by this. The order is the same for every value,
    /// and nothing is skipped.
    mutating func columns(_ column: inout some ColumnVisitor) throws
}

/// What a column is to its record.
public enum ColumnRole: Sendable, Hashable {
    /// The public identity: unique, never changed.
    case key
    /// The row's own number, given by the database.
    case number
    /// Written once.
    case fixed
    /// Written at every update.
    case changing
    /// Counts the updates; one that does not find the number it read changes nothing.
    case generation
    /// Read from a joined table under the name given, with its alias; never written.
    case joined
}

/// Goes over a record's columns.
public protocol ColumnVisitor {
    /// Whether the values come from a row: then what is made of several columns is put together after them.
    var isReading: Bool { get }
    mutating func callAsFunction<Value: SQLCodable>(_ name: String, _ value: inout Value, _ role: ColumnRole) throws
}

extension ColumnVisitor {
    public mutating func callAsFunction<Value: SQLCodable>(_ name: String, _ value: inout Value) throws {
        try self(name, &value, .changing)
    }

    /// An identifier as 32 digits: as Identity writes those of projects and users.
    public mutating func compact<Resource>(
        _ name: String, _ id: inout Identifier<Resource>, _ role: ColumnRole = .changing
    ) throws {
        var text = CompactText(text: isReading ? "" : id.compact)
        try self(name, &text, role)
        guard isReading else { return }
        guard let read = Identifier<Resource>(text.text) else {
            throw StoreError.corrupt("'\(text.text.prefix(80))' is not an identifier")
        }
        id = read
    }
}

private struct CompactText: SQLCodable {
    var text: String
    var sqlValue: SQLValue { .text(text) }
    static func read(_ row: any SQLRow, _ column: Int) throws -> Self { Self(text: row.text(column)) }
}

/// Reads a row's columns in the order of the statement that the same record made.
struct RowReader: ColumnVisitor {
    let row: any SQLRow
    var next = 0
    var isReading: Bool { true }

    mutating func callAsFunction<Value: SQLCodable>(_ name: String, _ value: inout Value, _ role: ColumnRole) throws {
        value = try Value.read(row, next)
        next += 1
    }
}

/// Collects values, of those roles that a statement writes.
struct ValueCollector: ColumnVisitor {
    let roles: Set<ColumnRole>
    var values: [any SQLArgument] = []
    var isReading: Bool { false }

    mutating func callAsFunction<Value: SQLCodable>(_ name: String, _ value: inout Value, _ role: ColumnRole) throws {
        if roles.contains(role) { values.append(value) }
    }
}

/// Collects names.
struct ColumnCollector: ColumnVisitor {
    var columns: [(name: String, role: ColumnRole)] = []
    var isReading: Bool { false }

    mutating func callAsFunction<Value: SQLCodable>(_ name: String, _ value: inout Value, _ role: ColumnRole) throws {
        columns.append((name, role))
    }
}
