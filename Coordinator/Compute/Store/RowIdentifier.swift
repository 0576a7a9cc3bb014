import CoordinatorPlatform
import ProtocolModel

/// Lists read hundreds of identifiers, so these are read without the general parser's detours.
extension SQLRow {
    /// - Throws: ``StoreError/corrupt(_:)`` for anything but the hyphenated form, which the store writes.
    func uuid<Resource>(_ column: Int) throws -> Identifier<Resource> {
        var text = text(column)
        guard let words = text.withUTF8(UUIDWords.parse) else {
            throw StoreError.corrupt("'\(text)' is not an identifier")
        }
        return Identifier(high: words.high, low: words.low)
    }

    func optionalUUID<Resource>(_ column: Int) throws -> Identifier<Resource>? {
        isNull(column) ? nil : try uuid(column)
    }
}

private enum UUIDWords {
    static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> (high: UInt64, low: UInt64)? {
        guard bytes.count == 36 else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        var digits = 0
        for index in 0..<36 {
            let byte = bytes[index]
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            let value: UInt8
            switch byte {
            case 48...57: value = byte - 48
            case 97...102: value = byte - 87
            default: return nil
            }
            if digits < 16 { words.0 = words.0 << 4 | UInt64(value) } else { words.1 = words.1 << 4 | UInt64(value) }
            digits += 1
        }
        return words
    }
}
