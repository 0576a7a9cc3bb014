import Testing

/// Sizes as a ratchet: the limits are what the tree has today, rounded up, and only ever get smaller.
@Suite("sizes")
struct SizeTests {
    static let tree = SourceTree()
    static let longestFile = 420
    static let longestFunction = 70
    static let longestLine = 120

    @Test("files stay short")
    func files() {
        for file in Self.tree.files {
            #expect(file.lines.count <= Self.longestFile, "\(file.path) has \(file.lines.count) lines")
        }
    }

    @Test("functions stay short")
    func functions() {
        for file in Self.tree.production {
            for (name, start, length) in Self.functions(of: file) where length > Self.longestFunction {
                Issue.record("\(file.path):\(start): \(name) has \(length) lines")
            }
        }
    }

    /// Functions by indentation: the formatter closes each at the column where it opened.
    static func functions(of file: SourceTree.File) -> [(name: String, start: Int, length: Int)] {
        var result: [(String, Int, Int)] = []
        for (index, line) in file.lines.enumerated() {
            let trimmed = line.drop { $0 == " " }
            guard !trimmed.hasPrefix("//"),
                trimmed.contains("func ") || trimmed.hasPrefix("init(") || trimmed.contains(" init("),
                let open = bodyStart(of: index, in: file)
            else { continue }
            let indent = line.count - trimmed.count
            let closing = String(repeating: " ", count: indent) + "}"
            guard let close = file.lines[open...].firstIndex(of: closing) else { continue }
            let name = trimmed.split(separator: "(").first.map(String.init) ?? String(trimmed)
            result.append((name, index + 1, close - index + 1))
        }
        return result
    }

    /// The line that opens the function's body; `nil` for a protocol's requirement, which has none.
    private static func bodyStart(of index: Int, in file: SourceTree.File) -> Int? {
        for (offset, line) in file.lines[index...].prefix(20).enumerated() {
            if line.hasSuffix("{") { return index + offset }
            let trimmed = line.drop { $0 == " " }
            let isNext =
                ["func ", "///", "@", "var ", "static ", "}"].contains { trimmed.hasPrefix($0) } || trimmed.isEmpty
            if offset > 0, isNext { return nil }
        }
        return nil
    }
}
