extension JSON {
    /// As Python's `str` shows it, which is what the services' messages hold: strings bare, the rest quoted. Cut to a
    /// length that a message can bear.
    public var pythonText: String {
        if case .string(let text) = self { String(text.prefix(1024)) } else { pythonQuoted }
    }

    /// As Python's `repr` shows it.
    public var pythonQuoted: String {
        var out = ""
        appendPython(to: &out)
        return out.utf8.count > 1024 ? String(out.prefix(1024)) : out
    }

    private func appendPython(to out: inout String) {
        guard out.utf8.count < 2048 else { return }
        switch self {
        case .null: out += "None"
        case .bool(let value): out += value ? "True" : "False"
        case .int(let value): out += String(value)
        case .double(let value): out += value.description
        case .string(let value): out += value.contains("'") && !value.contains("\"") ? "\"\(value)\"" : "'\(value)'"
        case .raw(let value): out += String(decoding: value, as: UTF8.self)
        case .array(let elements):
            out += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { out += ", " }
                element.appendPython(to: &out)
            }
            out += "]"
        case .object(let members):
            out += "{"
            for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { out += ", " }
                out += "'\(member.key)': "
                member.value.appendPython(to: &out)
            }
            out += "}"
        }
    }
}
