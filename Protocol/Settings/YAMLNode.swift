/// A value of a YAML file with the line it begins on.
public struct YAMLNode: Sendable {
    public enum Content: Sendable {
        /// - Parameter isPlain: Written without quotes, as a block or as what stands there; only such a text may be a number,
        ///   a truth value or nothing.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        case mapping([(key: YAMLNode, value: YAMLNode)])
    }

    public var content: Content
    /// From 1.
    public var line: Int

    public init(_ content: Content, line: Int) {
        self.content = content
        self.line = line
    }

    /// The text of a scalar, quoted or not.
    public var string: String? {
        if case .scalar(let text, _) = content { text } else { nil }
    }

    public var sequence: [YAMLNode]? {
        if case .sequence(let nodes) = content { nodes } else { nil }
    }

    public var mapping: [(key: YAMLNode, value: YAMLNode)]? {
        if case .mapping(let pairs) = content { pairs } else { nil }
    }

    public var isNull: Bool { plain.map { ["", "~", "null", "Null", "NULL"].contains($0) } ?? false }

    public var bool: Bool? {
        switch plain?.lowercased() {
        case "true", "yes", "on": true
        case "false", "no", "off": false
        default: nil
        }
    }

    /// As YAML 1.1 writes them: `0x1f`, `0b11`, `0o17` and `017` too, and `_` between digits.
    public var int: Int64? {
        guard let text = plain?.filter({ $0 != "_" }) else { return nil }
        let sign = text.first.flatMap { "+-".contains($0) ? String($0) : nil } ?? ""
        let digits = text.dropFirst(sign.count)
        for (prefix, radix) in [("0x", 16), ("0b", 2), ("0o", 8), ("0", 8)]
        where digits.hasPrefix(prefix) && digits.count > prefix.count {
            return Int64(sign + digits.dropFirst(prefix.count), radix: radix)
        }
        return Int64(text)
    }

    private var plain: String? {
        if case .scalar(let text, true) = content { text } else { nil }
    }
}
