/// Percent-encoding (RFC 3986 section 2.1).
public enum PercentCoding {
    /// Undoes `%XX`. What is not an escape stays; bytes that are not UTF-8 become U+FFFD.
    /// - Parameter plusIsBlank: As in a query.
    public static func decode(_ text: Substring, plusIsBlank: Bool = false) -> String {
        let bytes = text.utf8
        guard bytes.contains(where: { $0 == UInt8(ascii: "%") || (plusIsBlank && $0 == UInt8(ascii: "+")) }) else {
            return String(text)
        }
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            if byte == UInt8(ascii: "%"), let value = escape(bytes, at: index) {
                out.append(value)
                index = bytes.index(index, offsetBy: 3)
                continue
            }
            out.append(plusIsBlank && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            index = bytes.index(after: index)
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Escapes all but the unreserved characters.
    public static func encode(_ text: String) -> String {
        var out: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                out.append(byte)
            default: out.append(contentsOf: [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]])
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// The pairs of a query in their order.
    public static func query(_ text: Substring) -> [(name: String, value: String)] {
        text.split(separator: "&").map { pair in
            guard let equals = pair.firstIndex(of: "=") else { return (decode(pair, plusIsBlank: true), "") }
            return (
                decode(pair[..<equals], plusIsBlank: true),
                decode(pair[pair.index(after: equals)...], plusIsBlank: true)
            )
        }
    }

    private static func escape(_ bytes: Substring.UTF8View, at index: Substring.UTF8View.Index) -> UInt8? {
        guard let first = bytes.index(index, offsetBy: 1, limitedBy: bytes.endIndex), first < bytes.endIndex,
            let second = bytes.index(index, offsetBy: 2, limitedBy: bytes.endIndex), second < bytes.endIndex,
            let high = Character(Unicode.Scalar(bytes[first])).hexDigitValue,
            let low = Character(Unicode.Scalar(bytes[second])).hexDigitValue
        else { return nil }
        return UInt8(high << 4 | low)
    }
}
