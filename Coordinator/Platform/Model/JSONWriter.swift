extension JSON {
    /// The value as compact UTF-8 text.
    public func serialize() -> [UInt8] {
        var out = [UInt8]()
        out.reserveCapacity(256)
        append(to: &out)
        return out
    }

    /// The value as compact text, for logs and text columns.
    public var text: String { String(decoding: serialize(), as: UTF8.self) }

    /// Adds the value's compact UTF-8 text. ``raw(_:)`` parts are copied as they are.
    public func append(to out: inout [UInt8]) {
        switch self {
        case .null: out.append(contentsOf: [0x6E, 0x75, 0x6C, 0x6C])
        case .bool(true): out.append(contentsOf: [0x74, 0x72, 0x75, 0x65])
        case .bool(false): out.append(contentsOf: [0x66, 0x61, 0x6C, 0x73, 0x65])
        case .int(let value): Self.append(value, to: &out)
        // JSON has no infinity and no NaN.
        case .double(let value): out.append(contentsOf: (value.isFinite ? value.description : "null").utf8)
        case .string(let value): Self.append(value, to: &out)
        case .raw(let value): out.append(contentsOf: value)
        case .array(let elements):
            out.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                element.append(to: &out)
            }
            out.append(UInt8(ascii: "]"))
        case .object(let members):
            out.append(UInt8(ascii: "{"))
            var isFirst = true
            for (name, value) in members {
                if !isFirst { out.append(UInt8(ascii: ",")) }
                isFirst = false
                Self.append(name, to: &out)
                out.append(UInt8(ascii: ":"))
                value.append(to: &out)
            }
            out.append(UInt8(ascii: "}"))
        }
    }

    private static func append(_ value: Int64, to out: inout [UInt8]) {
        if (0...9).contains(value) { return out.append(UInt8(ascii: "0") + UInt8(value)) }
        out.append(contentsOf: value.description.utf8)
    }

    /// A string with its quotes: `"`, `\` and control characters escaped, all else as it is.
    public static func append(_ value: String, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        var value = value
        value.withUTF8 { bytes in
            var start = 0
            for (index, byte) in bytes.enumerated() where byte < 0x20 || byte == 0x22 || byte == 0x5C {
                out.append(contentsOf: bytes[start..<index])
                appendEscape(byte, to: &out)
                start = index + 1
            }
            out.append(contentsOf: bytes[start...])
        }
        out.append(UInt8(ascii: "\""))
    }

    private static func appendEscape(_ byte: UInt8, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x22, 0x5C: out.append(byte)
        case 0x0A: out.append(UInt8(ascii: "n"))
        case 0x0D: out.append(UInt8(ascii: "r"))
        case 0x09: out.append(UInt8(ascii: "t"))
        default:
            let digits = Array("0123456789abcdef".utf8)
            out.append(contentsOf: [UInt8(ascii: "u"), 0x30, 0x30, digits[Int(byte >> 4)], digits[Int(byte & 15)]])
        }
    }
}
