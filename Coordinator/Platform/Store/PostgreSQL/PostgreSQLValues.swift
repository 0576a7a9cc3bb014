import CPostgres

/// The types that columns and arguments have: their numbers in `pg_type`, which never change.
package enum PostgreSQLType {
    package static let bool: UInt32 = 16
    package static let bytea: UInt32 = 17
    package static let int8: UInt32 = 20
    package static let int2: UInt32 = 21
    package static let int4: UInt32 = 23
    package static let text: UInt32 = 25
    package static let float4: UInt32 = 700
    package static let float8: UInt32 = 701
    package static let numeric: UInt32 = 1700
}

/// The arguments of one run, in the forms that their parameters' types have.
package struct PostgreSQLArguments {
    /// All values, one behind the other.
    package private(set) var bytes: [UInt8] = []
    /// Where each lies; `nil` is `NULL`.
    package private(set) var places: [Range<Int>?] = []
    /// 1 is binary, 0 is text.
    package private(set) var formats: [Int32] = []

    /// - Throws: ``PostgreSQLError`` for a value that the parameter's type does not take.
    package init(_ values: [SQLValue], types: [UInt32]) throws {
        guard values.count == types.count else {
            throw PostgreSQLError(state: "08P01", message: "\(types.count) arguments are wanted, \(values.count) given")
        }
        for (value, type) in zip(values, types) {
            let start = bytes.count
            formats.append(try append(value, as: type) ? 1 : 0)
            places.append(value == .null ? nil : start..<bytes.count)
        }
    }

    /// - Returns: Whether in binary form.
    private mutating func append(_ value: SQLValue, as type: UInt32) throws -> Bool {
        switch (type, value) {
        case (_, .null): return true
        case (PostgreSQLType.int8, .integer(let number)): append(number)
        case (PostgreSQLType.bool, .integer(let number)): bytes.append(number == 0 ? 0 : 1)
        case (PostgreSQLType.float8, .real(let number)): append(number.bitPattern)
        case (PostgreSQLType.float8, .integer(let number)): append(Double(number).bitPattern)
        case (PostgreSQLType.bytea, .blob(let blob)): bytes += blob
        case (PostgreSQLType.bytea, .text(let text)): bytes += text.utf8
        case (_, .blob):
            throw PostgreSQLError(state: "42804", message: "bytes stand for an argument of the type \(type)")
        default:
            // Everything else in words, which the type reads: numbers in text columns, text as a number.
            switch value {
            case .integer(let number): bytes += "\(number)".utf8
            case .real(let number): bytes += "\(number)".utf8
            // PostgreSQL's text has no U+0000.
            case .text(let text): bytes += text.utf8.contains(0) ? Self.withoutNul(text) : Array(text.utf8)
            case .null, .blob: break
            }
            // Text's two forms are the same; the binary one may be told by its length.
            return type == PostgreSQLType.text
        }
        return true
    }

    private mutating func append(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.bigEndian) { bytes += $0 }
    }

    private static func withoutNul(_ text: String) -> [UInt8] {
        Array(String(String.UnicodeScalarView(text.unicodeScalars.map { $0 == "\0" ? "\u{FFFD}" : $0 })).utf8)
    }

    /// Hands over what libpq wants: a pointer, a length and a form for each.
    func withPointers<T>(
        _ body: (Int32, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?) -> T
    ) -> T {
        // A byte more on the end, so that an empty value has an address: none would be NULL. It also ends the last
        // value in text form, which libpq measures by itself.
        var ended: [UInt8] = []
        ended.reserveCapacity(bytes.count + places.count)
        let starts = places.map { place -> Int? in
            guard let place else { return nil }
            let start = ended.count
            ended += bytes[place]
            ended.append(0)
            return start
        }
        let lengths = places.map { Int32($0?.count ?? 0) }
        return ended.withUnsafeBytes { buffer in
            let base = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
            let pointers = starts.map { start in start.flatMap { base?.advanced(by: $0) } }
            return body(Int32(pointers.count), pointers, lengths, formats)
        }
    }
}

/// Numbers as the server sends them.
package enum PostgreSQLNumber {
    package static func integer<T: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer, as: T.Type) -> T {
        bytes.count == MemoryLayout<T>.size ? T(bigEndian: bytes.loadUnaligned(as: T.self)) : 0
    }

    /// A `numeric`, which sums of `bigint` are: digits of base 10,000 behind count, weight, sign and scale, 16 bits each.
    /// What is behind the point is cut, and what is too large comes as the largest number.
    package static func numeric(_ bytes: UnsafeRawBufferPointer) -> Int64 {
        guard bytes.count >= 8 else { return 0 }
        func field(_ index: Int) -> Int {
            Int(Int16(bigEndian: bytes.loadUnaligned(fromByteOffset: index * 2, as: Int16.self)))
        }
        let count = field(0), weight = field(1)
        let isNegative = UInt16(truncatingIfNeeded: field(2)) == 0x4000
        guard weight >= 0, count >= 0, bytes.count >= 8 + count * 2 else { return 0 }
        var value: Int64 = 0
        for index in 0...weight {
            let digit = index < count ? field(4 + index) : 0
            let (product, overflow) = value.multipliedReportingOverflow(by: 10_000)
            let (sum, over) = product.addingReportingOverflow(Int64(isNegative ? -digit : digit))
            guard !overflow, !over else { return isNegative ? .min : .max }
            value = sum
        }
        return value
    }
}
