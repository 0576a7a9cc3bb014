/// Fixed-width numbers at fixed places, for file formats.
extension [UInt8] {
    mutating func put(_ value: some FixedWidthInteger, bigEndianAt offset: Int) {
        for index in 0..<(value.bitWidth / 8) {
            self[offset + index] = UInt8(truncatingIfNeeded: value >> (value.bitWidth - 8 - index * 8))
        }
    }

    mutating func put(_ value: some FixedWidthInteger, littleEndianAt offset: Int) {
        for index in 0..<(value.bitWidth / 8) { self[offset + index] = UInt8(truncatingIfNeeded: value >> (index * 8)) }
    }

    /// Both ways, one after the other (ECMA-119 section 7.2.3, 7.3.3).
    mutating func put(_ value: some FixedWidthInteger, bothEndianAt offset: Int) {
        put(value, littleEndianAt: offset)
        put(value, bigEndianAt: offset + value.bitWidth / 8)
    }

    mutating func put(_ bytes: some Sequence<UInt8>, at offset: Int) {
        for (index, byte) in bytes.enumerated() { self[offset + index] = byte }
    }

    /// - Returns: `nil` past the end.
    func bigEndian<Value: FixedWidthInteger>(_ type: Value.Type, at offset: Int) -> Value? {
        let width = Value.bitWidth / 8
        guard offset >= 0, offset <= count - width else { return nil }
        return self[offset..<(offset + width)].reduce(0) { $0 << 8 | Value(truncatingIfNeeded: $1) }
    }
}
