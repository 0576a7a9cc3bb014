/// The form in which files stand one after the other within a backup: tar's (POSIX ustar), so that any tar can unpack
/// what was opened.
package enum TapeArchive {
    static let block = 512

    package struct Entry: Equatable, Sendable {
        package var name: String
        package var size: Int64

        package init(name: String, size: Int64) {
            self.name = name
            self.size = size
        }
    }

    /// - Parameter name: At most 99 octets behind its last slash but one part, all ASCII.
    package static func header(_ entry: Entry, modified: Int64) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: block)
        func put(_ text: String, at place: Int) {
            bytes.replaceSubrange(place..<place + text.utf8.count, with: text.utf8)
        }
        func octal(_ value: Int64, _ width: Int) -> String {
            let digits = String(value, radix: 8)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let (folder, name) = split(entry.name)
        put(name, at: 0)
        put("0000600", at: 100)
        put("0000000", at: 108)
        put("0000000", at: 116)
        if entry.size < 1 << 33 {
            put(octal(entry.size, 11), at: 124)
        } else {
            // As tar has it for what has no place in eleven digits.
            bytes[124] = 0x80
            for place in 0..<8 { bytes[135 - place] = UInt8(truncatingIfNeeded: entry.size >> Int64(8 * place)) }
        }
        put(octal(modified, 11), at: 136)
        put("        ", at: 148)
        put("0", at: 156)
        put("ustar", at: 257)
        put("00", at: 263)
        put(folder, at: 345)
        put(octal(Int64(bytes.reduce(0) { $0 + Int($1) }), 6), at: 148)
        bytes[154] = 0
        return bytes
    }

    /// - Returns: What a header says; `nil` for anything that ``header(_:modified:)`` would not have written.
    package static func entry(_ bytes: [UInt8]) -> Entry? {
        guard bytes.count == block else { return nil }
        func text(_ range: Range<Int>) -> String { String(decoding: bytes[range].prefix { $0 != 0 }, as: UTF8.self) }
        let folder = text(345..<500)
        let name = folder.isEmpty ? text(0..<100) : "\(folder)/\(text(0..<100))"
        var size: Int64 = 0
        if bytes[124] == 0x80 {
            for place in 128..<136 { size = size << 8 | Int64(bytes[place]) }
        } else {
            guard let value = Int64(text(124..<136), radix: 8) else { return nil }
            size = value
        }
        guard let modified = Int64(text(136..<148), radix: 8), size >= 0 else { return nil }
        let entry = Entry(name: name, size: size)
        return header(entry, modified: modified) == bytes ? entry : nil
    }

    /// What fills the last block of so many octets.
    static func padding(_ size: Int64) -> Int { Int((Int64(block) - size % Int64(block)) % Int64(block)) }

    private static func split(_ name: String) -> (folder: String, name: String) {
        guard name.utf8.count > 99, let slash = name.lastIndex(of: "/") else { return ("", name) }
        return (String(name[..<slash]), String(name[name.index(after: slash)...]))
    }
}
