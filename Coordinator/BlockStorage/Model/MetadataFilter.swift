/// Reads the filter `metadata`, which clients write as Python or as JSON: `{'Type': 'work'}`.
package enum MetadataFilter {
    /// - Returns: `nil` for anything but an object of texts.
    package static func pairs(_ text: String) -> [String: String]? {
        var reader = Reader(rest: text[...])
        return reader.object()
    }

    private struct Reader {
        var rest: Substring

        mutating func skipBlanks() { rest = rest.drop { $0.isWhitespace } }

        mutating func take(_ character: Character) -> Bool {
            skipBlanks()
            guard rest.first == character else { return false }
            rest.removeFirst()
            return true
        }

        mutating func object() -> [String: String]? {
            guard take("{") else { return nil }
            var pairs: [String: String] = [:]
            while !take("}") {
                guard let key = word(), take(":"), let value = word() else { return nil }
                pairs[key] = value
                guard take(",") || rest.drop(while: { $0.isWhitespace }).first == "}" else { return nil }
            }
            skipBlanks()
            return rest.isEmpty ? pairs : nil
        }

        /// A text in quotes of either kind, or Python's `u'...'`.
        mutating func word() -> String? {
            skipBlanks()
            if rest.first == "u", let next = rest.dropFirst().first, next == "'" || next == "\"" { rest.removeFirst() }
            guard let quote = rest.first, quote == "'" || quote == "\"" else { return nil }
            rest.removeFirst()
            var out = ""
            while let character = rest.popFirst() {
                if character == quote { return out }
                if character == "\\", let escaped = rest.popFirst() {
                    out.append(escaped == "n" ? "\n" : escaped == "t" ? "\t" : escaped)
                } else {
                    out.append(character)
                }
            }
            return nil
        }
    }
}
