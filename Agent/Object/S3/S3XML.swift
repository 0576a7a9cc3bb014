/// What answers are written with.
enum S3XML {
    static let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

    static func element(_ name: String, _ text: String) -> String { "<\(name)>\(escaped(text))</\(name)>" }

    static func document(_ name: String, _ inner: String) -> ObjectResponse {
        let text = head + "<\(name) xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\(inner)</\(name)>"
        return ObjectResponse(200, text: text, type: "application/xml")
    }

    private static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case _ where scalar.value < 0x20: out += "&#x\(String(scalar.value, radix: 16, uppercase: true));"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}

/// One element of a request's body.
package struct XMLElement: Hashable, Sendable {
    package var name: String
    package var text = ""
    package var children: [XMLElement] = []

    package func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }
    package subscript(_ name: String) -> String? { children.first { $0.name == name }?.text }
}

/// Reads the small documents that come with requests: elements and text, and nothing that grows. What declares a document
/// type or names an entity of its own is refused.
package struct XMLReader {
    package struct Malformed: Error {}

    private static let depth = 8
    private static let elements = 80_000

    private let bytes: [UInt8]
    private var index = 0
    private var count = 0

    package static func read(_ bytes: [UInt8]) throws(Malformed) -> XMLElement {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw Malformed() }
        var reader = Self(bytes: bytes)
        try reader.skipBetween()
        let root = try reader.element(depth: 0)
        try reader.skipBetween()
        guard reader.index == bytes.count else { throw Malformed() }
        return root
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? Array(bytes.dropFirst(3)) : bytes
    }

    private func sees(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { bytes[index...].starts(with: $0) }
    }

    private mutating func skip(behind text: StaticString) throws(Malformed) {
        while index < bytes.count {
            if sees(text) {
                index += text.utf8CodeUnitCount
                return
            }
            index += 1
        }
        throw Malformed()
    }

    private mutating func skipSpace() {
        while index < bytes.count, [9, 10, 13, 32].contains(bytes[index]) { index += 1 }
    }

    /// White space, comments and the declaration.
    private mutating func skipBetween() throws(Malformed) {
        while true {
            skipSpace()
            if sees("<!--") { try skip(behind: "-->") } else if sees("<?") { try skip(behind: "?>") } else { return }
        }
    }

    private mutating func name() throws(Malformed) -> String {
        let start = index
        while index < bytes.count, ![9, 10, 13, 32].contains(bytes[index]), !"/>=<&\"'".utf8.contains(bytes[index]) {
            index += 1
        }
        guard index > start, index - start <= 128 else { throw Malformed() }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func expect(_ byte: Character) throws(Malformed) {
        guard index < bytes.count, bytes[index] == byte.asciiValue else { throw Malformed() }
        index += 1
    }

    private mutating func element(depth: Int) throws(Malformed) -> XMLElement {
        count += 1
        guard depth < Self.depth, count <= Self.elements else { throw Malformed() }
        try expect("<")
        let full = try name()
        // A prefix says nothing that the name does not.
        var element = XMLElement(name: full.split(separator: ":").last.map(String.init) ?? full)
        try skipAttributes()
        if sees("/>") {
            index += 2
            return element
        }
        try expect(">")
        var text: [UInt8] = []
        while !sees("</") {
            guard index < bytes.count else { throw Malformed() }
            if sees("<!--") {
                try skip(behind: "-->")
            } else if bytes[index] == UInt8(ascii: "<") {
                element.children.append(try self.element(depth: depth + 1))
            } else if bytes[index] == UInt8(ascii: "&") {
                text += try entity()
            } else {
                text.append(bytes[index])
                index += 1
            }
        }
        index += 2
        guard try name() == full else { throw Malformed() }
        skipSpace()
        try expect(">")
        element.text = String(decoding: text, as: UTF8.self)
        return element
    }

    private mutating func skipAttributes() throws(Malformed) {
        while true {
            skipSpace()
            guard index < bytes.count, bytes[index] != UInt8(ascii: ">"), !sees("/>") else { return }
            _ = try name()
            skipSpace()
            try expect("=")
            skipSpace()
            guard index < bytes.count, "\"'".utf8.contains(bytes[index]) else { throw Malformed() }
            let quote = bytes[index]
            repeat { index += 1 } while index < bytes.count && bytes[index] != quote
            guard index < bytes.count else { throw Malformed() }
            index += 1
        }
    }

    private mutating func entity() throws(Malformed) -> [UInt8] {
        guard let end = bytes[index...].prefix(12).firstIndex(of: UInt8(ascii: ";")) else { throw Malformed() }
        let name = String(decoding: bytes[(index + 1)..<end], as: UTF8.self)
        index = end + 1
        switch name {
        case "amp": return Array("&".utf8)
        case "lt": return Array("<".utf8)
        case "gt": return Array(">".utf8)
        case "quot": return Array("\"".utf8)
        case "apos": return Array("'".utf8)
        default: break
        }
        guard name.hasPrefix("#") else { throw Malformed() }
        let digits = name.dropFirst()
        let number = digits.hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
        guard let number, number > 0, let scalar = Unicode.Scalar(number) else { throw Malformed() }
        return Array(String(Character(scalar)).utf8)
    }
}
