/// Why a text is not JSON, with the offset of the offending byte.
public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    public var reason: String
    public var offset: Int

    public init(reason: String, offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    public var description: String { "\(reason): char \(offset)" }
}

extension JSON {
    /// How deep arrays and objects may nest: what a parser that recurses can take from a stranger.
    public static let depthLimit = 64

    /// Reads one value (RFC 8259) and nothing after it but blanks. Of members with the same name the last one counts.
    /// Numbers become ``int(_:)`` where they are written as integers that fit, else ``double(_:)``.
    public static func parse(_ bytes: some Collection<UInt8>) throws(JSONError) -> JSON {
        let result = bytes.withContiguousStorageIfAvailable { buffer in
            Result { () throws(JSONError) in try parse(buffer: buffer) }
        }
        if let result { return try result.get() }
        return try Array(bytes).withUnsafeBufferPointer { buffer in
            Result { () throws(JSONError) in try parse(buffer: buffer) }
        }.get()
    }

    public static func parse(_ text: String) throws(JSONError) -> JSON { try parse(Array(text.utf8)) }

    private static func parse(buffer: UnsafeBufferPointer<UInt8>) throws(JSONError) -> JSON {
        var parser = JSONParser(bytes: buffer)
        return try parser.document()
    }
}

/// Reads from left to right over bytes that outlive it.
private struct JSONParser {
    let bytes: UnsafeBufferPointer<UInt8>
    var position = 0

    init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    mutating func document() throws(JSONError) -> JSON {
        let value = try value(depth: 0)
        skipBlanks()
        guard position == bytes.count else { throw error("Extra data") }
        return value
    }

    private func error(_ reason: String) -> JSONError { JSONError(reason: reason, offset: position) }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipBlanks() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSON {
        skipBlanks()
        guard let byte = current else { throw error("Expecting value") }
        switch byte {
        case UInt8(ascii: "{"):
            guard depth < JSON.depthLimit else { throw error("Nested too deeply") }
            return try object(depth: depth + 1)
        case UInt8(ascii: "["):
            guard depth < JSON.depthLimit else { throw error("Nested too deeply") }
            return try array(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"):
            try literal("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try literal("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try literal("null")
            return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw error("Expecting value")
        }
    }

    private mutating func literal(_ word: StaticString) throws(JSONError) {
        let length = word.utf8CodeUnitCount
        guard position + length <= bytes.count else { throw error("Expecting value") }
        for index in 0..<length where bytes[position + index] != word.utf8Start[index] {
            throw error("Expecting value")
        }
        position += length
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSON {
        position += 1
        var members: [String: JSON] = [:]
        skipBlanks()
        if current == UInt8(ascii: "}") {
            position += 1
            return .object(members)
        }
        while true {
            skipBlanks()
            guard current == UInt8(ascii: "\"") else {
                throw error("Expecting property name enclosed in double quotes")
            }
            let name = try string()
            skipBlanks()
            guard current == UInt8(ascii: ":") else { throw error("Expecting ':' delimiter") }
            position += 1
            members[name] = try value(depth: depth)
            skipBlanks()
            switch current {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "}"):
                position += 1
                return .object(members)
            default: throw error("Expecting ',' delimiter")
            }
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSON {
        position += 1
        var elements: [JSON] = []
        skipBlanks()
        if current == UInt8(ascii: "]") {
            position += 1
            return .array(elements)
        }
        while true {
            elements.append(try value(depth: depth))
            skipBlanks()
            switch current {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "]"):
                position += 1
                return .array(elements)
            default: throw error("Expecting ',' delimiter")
            }
        }
    }

    private mutating func number() throws(JSONError) -> JSON {
        let start = position
        if current == UInt8(ascii: "-") { position += 1 }
        let leading = position
        let digits = skipDigits()
        guard digits > 0, digits == 1 || bytes[leading] != UInt8(ascii: "0") else { throw error("Expecting value") }
        var isInteger = true
        if current == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            guard skipDigits() > 0 else { throw error("Expecting value") }
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            isInteger = false
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            guard skipDigits() > 0 else { throw error("Expecting value") }
        }
        let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
        if isInteger, let value = Int64(text) { return .int(value) }
        guard let value = Double(text), value.isFinite else { throw error("Number out of range") }
        return .double(value)
    }

    /// - Returns: How many were skipped.
    private mutating func skipDigits() -> Int {
        let start = position
        while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
            position += 1
        }
        return position - start
    }

    private mutating func string() throws(JSONError) -> String {
        position += 1
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                let slice = UnsafeBufferPointer(rebasing: bytes[start..<position])
                guard let text = String(validating: slice, as: UTF8.self) else {
                    throw error("Invalid UTF-8 in string")
                }
                position += 1
                return text
            }
            if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
            guard byte >= 0x20 else { throw error("Invalid control character in string") }
            position += 1
        }
        throw error("Unterminated string")
    }

    private mutating func escapedString(from start: Int) throws(JSONError) -> String {
        var out = [UInt8](bytes[start..<position])
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: out, as: UTF8.self) else { throw error("Invalid UTF-8 in string") }
                position += 1
                return text
            case UInt8(ascii: "\\"):
                position += 1
                try appendEscape(to: &out)
            case 0..<0x20: throw error("Invalid control character in string")
            default:
                out.append(byte)
                position += 1
            }
        }
        throw error("Unterminated string")
    }

    private mutating func appendEscape(to out: inout [UInt8]) throws(JSONError) {
        guard let byte = current else { throw error("Unterminated string") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(byte)
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "f"): out.append(0x0C)
        case UInt8(ascii: "n"): out.append(0x0A)
        case UInt8(ascii: "r"): out.append(0x0D)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "u"): out.append(contentsOf: String(try unicodeEscape()).utf8)
        default: throw error("Invalid \\escape")
        }
    }

    /// The scalar of `XXXX` or of `XXXX\uXXXX`. Half a pair is no character, and no text column could keep it.
    private mutating func unicodeEscape() throws(JSONError) -> Character {
        let first = try fourDigits()
        var code = first
        if (0xD800..<0xDC00).contains(first) {
            guard position + 2 <= bytes.count, bytes[position] == UInt8(ascii: "\\"),
                bytes[position + 1] == UInt8(ascii: "u")
            else { throw error("Unpaired surrogate in string") }
            position += 2
            let second = try fourDigits()
            guard (0xDC00..<0xE000).contains(second) else { throw error("Unpaired surrogate in string") }
            code = 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
        }
        // No text column of either engine keeps a NUL, and what is cut off there could pass for something else.
        guard code != 0, let scalar = Unicode.Scalar(code) else { throw error("Invalid \\uXXXX escape") }
        return Character(scalar)
    }

    private mutating func fourDigits() throws(JSONError) -> UInt32 {
        guard position + 4 <= bytes.count else { throw error("Invalid \\uXXXX escape") }
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else {
                throw error("Invalid \\uXXXX escape")
            }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        return code
    }
}
