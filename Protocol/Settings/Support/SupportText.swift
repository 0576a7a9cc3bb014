/// What a daemon tells one who helps its operator: plain text in sections, to be read before it is given away. Nothing
/// gets in that was not allowed to: values of known keys, numbers, words of the programs' own.
public struct SupportText: Sendable {
    /// Octets, of all sections.
    public static let limit = 8_000_000
    /// Octets, of one.
    public static let sectionLimit = 2_000_000

    public private(set) var text = ""

    public init() {}

    /// Adds a section; what does not fit is left out, and that is said.
    public mutating func add(_ title: String, _ lines: some Sequence<String>) {
        var section = "== \(title)\n"
        for line in lines {
            guard section.utf8.count + line.utf8.count < Self.sectionLimit,
                text.utf8.count + section.utf8.count + line.utf8.count < Self.limit
            else {
                section += "(more does not fit)\n"
                break
            }
            section += line + "\n"
        }
        text += section + "\n"
    }
}

/// A configuration file without what is nobody's business: values of keys that are allowed, as long as they look like
/// what they should be. Of everything else it is said that it is there.
public enum SettingsOutline {
    private static let longestValue = 100
    private static let hidden = "(not shown)"

    /// - Parameter shown: The keys that may be shown, with dots for nesting; a list's elements have its key.
    public static func lines(_ text: String, shown: Set<String>) -> [String] {
        guard let root = try? YAMLParser.parse(text) else { return ["It is empty or not YAML."] }
        var out: [String] = []
        walk(root, "", shown, &out)
        return out
    }

    private static func walk(_ node: YAMLNode, _ path: String, _ shown: Set<String>, _ out: inout [String]) {
        switch node.content {
        case .mapping(let pairs):
            for (key, value) in pairs {
                let name = path.isEmpty ? key.string ?? "" : "\(path).\(key.string ?? "")"
                guard shown.contains(where: { $0 == name || $0.hasPrefix(name + ".") }) else {
                    out.append("line \(key.line): \(hidden)")
                    continue
                }
                walk(value, name, shown, &out)
            }
        case .sequence(let nodes): for node in nodes { walk(node, path, shown, &out) }
        case .scalar(let value, _):
            out.append("\(path): \(shown.contains(path) && isPlain(value) ? value : hidden)")
        }
    }

    /// Names, numbers, addresses, paths; none of the characters by which URLs carry passwords.
    static func isPlain(_ value: String) -> Bool {
        value.utf8.count <= longestValue
            && value.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "._:/,-[] ".utf8.contains(byte)
            }
    }
}

/// A daemon's own log lines without the values in them: when, how bad, and what the program says of itself.
public enum LogOutline {
    private static let levels: Set<Substring> = [
        "trace", "debug", "info", "notice", "warning", "error", "critical"
    ]

    /// - Returns: `nil` for what is no line of a daemon's in the text format.
    public static func line(_ line: String) -> String? {
        let words = line.split(separator: " ")
        guard let place = words.firstIndex(where: levels.contains), place > 0, isTime(words[place - 1]) else {
            return nil
        }
        // Words of the message, until the first value: `name=...`.
        let message = words[place...].prefix { !$0.contains("=") && !$0.contains("\"") }
        return ([words[place - 1]] + message).joined(separator: " ")
    }

    private static func isTime(_ word: Substring) -> Bool {
        let bytes = Array(word.utf8)
        return bytes.count >= 20 && bytes[10] == UInt8(ascii: "T") && bytes.last == UInt8(ascii: "Z")
            && bytes.allSatisfy { "0123456789-:.TZ".utf8.contains($0) }
    }
}
