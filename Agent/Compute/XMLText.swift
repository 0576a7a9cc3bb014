/// Writes indented XML 1.0. Names of elements and attributes are ours; all content may be hostile.
struct XMLText {
    private(set) var text = ""
    private var open: [String] = []

    /// An element without content.
    mutating func leaf(_ name: String, _ attributes: KeyValuePairs<String, String> = [:]) {
        text += indent + "<" + name + Self.render(attributes) + "/>\n"
    }

    mutating func leaf(_ name: String, _ attributes: KeyValuePairs<String, String> = [:], text content: String) {
        text += indent + "<" + name + Self.render(attributes) + ">" + Self.escaped(content) + "</" + name + ">\n"
    }

    mutating func element(
        _ name: String, _ attributes: KeyValuePairs<String, String> = [:], content: (inout XMLText) -> Void
    ) {
        text += indent + "<" + name + Self.render(attributes) + ">\n"
        open.append(name)
        content(&self)
        open.removeLast()
        text += indent + "</" + name + ">\n"
    }

    /// Escapes markup, and replaces what XML 1.0 cannot hold at all (section 2.2) with U+FFFD. White space other than
    /// plain blanks goes as character references, since parsers would normalise it.
    static func escaped(_ content: String) -> String {
        var out = ""
        for scalar in content.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&apos;"
            case "\t", "\n", "\r": out += "&#\(scalar.value);"
            case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": out += "\u{FFFD}"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    private var indent: String { String(repeating: "  ", count: open.count) }

    private static func render(_ attributes: KeyValuePairs<String, String>) -> String {
        attributes.map { " \($0.key)='\(escaped($0.value))'" }.joined()
    }
}
