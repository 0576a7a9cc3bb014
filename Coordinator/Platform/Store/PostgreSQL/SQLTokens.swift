/// The parts of SQL text that a translation looks at; literals, quoted names and comments come through untouched.
struct SQLTokens: Sequence, IteratorProtocol {
    enum Token: Equatable {
        /// A `?`.
        case mark
        case semicolon
        /// A keyword, name or number.
        case word(String)
        /// Blanks, operators, literals, quoted names, comments.
        case other(String)

        var text: String {
            switch self {
            case .mark: "?"
            case .semicolon: ";"
            case .word(let text), .other(let text): text
            }
        }
    }

    private let bytes: [UInt8]
    private var place = 0

    init(_ sql: String) { bytes = Array(sql.utf8) }

    mutating func next() -> Token? {
        guard place < bytes.count else { return nil }
        let start = place
        switch bytes[place] {
        case UInt8(ascii: "?"):
            place += 1
            return .mark
        case UInt8(ascii: ";"):
            place += 1
            return .semicolon
        case UInt8(ascii: "'"), UInt8(ascii: "\""):
            skipQuoted(bytes[place])
            return .other(text(start))
        case UInt8(ascii: "-") where follows("-"):
            while place < bytes.count, bytes[place] != UInt8(ascii: "\n") { place += 1 }
            return .other(text(start))
        case UInt8(ascii: "/") where follows("*"):
            skipComment()
            return .other(text(start))
        case let byte where Self.isWord(byte):
            while place < bytes.count, Self.isWord(bytes[place]) { place += 1 }
            return .word(text(start))
        default:
            place += 1
            return .other(text(start))
        }
    }

    private func text(_ start: Int) -> String { String(decoding: bytes[start..<place], as: UTF8.self) }

    private func follows(_ character: Unicode.Scalar) -> Bool {
        place + 1 < bytes.count && bytes[place + 1] == UInt8(ascii: character)
    }

    /// A doubled quote stands for one, which is what reading on as a second literal comes to.
    private mutating func skipQuoted(_ quote: UInt8) {
        place += 1
        while place < bytes.count, bytes[place] != quote { place += 1 }
        place = Swift.min(place + 1, bytes.count)
    }

    private mutating func skipComment() {
        place += 2
        while place < bytes.count {
            if bytes[place] == UInt8(ascii: "*"), follows("/") {
                place += 2
                return
            }
            place += 1
        }
    }

    /// Bytes beyond ASCII are letters, so that no character is cut.
    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }
}
