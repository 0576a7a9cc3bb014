import CPostgres

/// What one command came to, with all of its rows.
final class PostgreSQLResult {
    private let result: OpaquePointer
    private let library: PostgreSQLLibrary
    private var pq: SkerryPQ { library.pq }

    init(_ result: OpaquePointer, _ library: PostgreSQLLibrary) {
        self.result = result
        self.library = library
    }

    deinit { pq.PQclear(result) }

    var status: ExecStatusType { pq.PQresultStatus(result) }
    var rowCount: Int { Int(pq.PQntuples(result)) }
    /// How many rows the command changed.
    var changes: Int { pq.PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0 }
    /// What was done: `COMMIT`, `INSERT 0 1`.
    var tag: String { pq.PQcmdStatus(result).map { String(cString: $0) } ?? "" }

    var error: PostgreSQLError {
        func field(_ code: Int32) -> String { pq.PQresultErrorField(result, code).map { String(cString: $0) } ?? "" }
        return PostgreSQLError(
            state: field(skerryPQSQLState), message: field(skerryPQMessage), detail: field(skerryPQDetail),
            table: field(skerryPQTable))
    }

    /// The types of a described statement's arguments.
    var parameterTypes: [UInt32] { (0..<pq.PQnparams(result)).map { pq.PQparamtype(result, $0) } }

    /// The columns' types, to be asked once for all rows.
    var columnTypes: [UInt32] { (0..<pq.PQnfields(result)).map { pq.PQftype(result, $0) } }

    func isNull(_ row: Int, _ column: Int) -> Bool { pq.PQgetisnull(result, Int32(row), Int32(column)) == 1 }

    /// Valid as long as this is.
    func bytes(_ row: Int, _ column: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: pq.PQgetvalue(result, Int32(row), Int32(column)),
            count: Int(pq.PQgetlength(result, Int32(row), Int32(column))))
    }
}

/// One row of a result, whose values are in binary form.
struct PostgreSQLRow: SQLRow {
    let result: PostgreSQLResult
    let types: [UInt32]
    let row: Int

    func isNull(_ column: Int) -> Bool { result.isNull(row, column) }

    func integer(_ column: Int) -> Int64 {
        let bytes = result.bytes(row, column)
        return switch types[column] {
        case PostgreSQLType.int8: PostgreSQLNumber.integer(bytes, as: Int64.self)
        case PostgreSQLType.int4: Int64(PostgreSQLNumber.integer(bytes, as: Int32.self))
        case PostgreSQLType.int2: Int64(PostgreSQLNumber.integer(bytes, as: Int16.self))
        case PostgreSQLType.bool: bytes.first == 1 ? 1 : 0
        case PostgreSQLType.numeric: PostgreSQLNumber.numeric(bytes)
        case PostgreSQLType.float4, PostgreSQLType.float8: Int64(exactly: real(column).rounded(.towardZero)) ?? 0
        default: Int64(text(column)) ?? 0
        }
    }

    func real(_ column: Int) -> Double {
        let bytes = result.bytes(row, column)
        return switch types[column] {
        case PostgreSQLType.float8: Double(bitPattern: PostgreSQLNumber.integer(bytes, as: UInt64.self))
        case PostgreSQLType.float4: Double(Float(bitPattern: PostgreSQLNumber.integer(bytes, as: UInt32.self)))
        case PostgreSQLType.text: Double(text(column)) ?? 0
        default: Double(integer(column))
        }
    }

    func text(_ column: Int) -> String {
        switch types[column] {
        case PostgreSQLType.int8, PostgreSQLType.int4, PostgreSQLType.int2, PostgreSQLType.bool, PostgreSQLType.numeric:
            isNull(column) ? "" : "\(integer(column))"
        case PostgreSQLType.float4, PostgreSQLType.float8: isNull(column) ? "" : "\(real(column))"
        default: String(decoding: result.bytes(row, column), as: UTF8.self)
        }
    }

    func blob(_ column: Int) -> [UInt8] { [UInt8](result.bytes(row, column)) }

    func value(_ column: Int) -> SQLValue {
        if isNull(column) { return .null }
        return switch types[column] {
        case PostgreSQLType.int8, PostgreSQLType.int4, PostgreSQLType.int2, PostgreSQLType.bool, PostgreSQLType.numeric:
            .integer(integer(column))
        case PostgreSQLType.float4, PostgreSQLType.float8: .real(real(column))
        case PostgreSQLType.bytea: .blob(blob(column))
        default: .text(text(column))
        }
    }
}
