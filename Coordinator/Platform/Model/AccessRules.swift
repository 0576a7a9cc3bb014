/// What a token may be used for, where its owner has bound it to some calls only: an application credential's access
/// rules, checked for every service alike.
public struct AccessRules: Sendable, Hashable {
    public struct Rule: Sendable, Hashable {
        /// The service's type in the catalog: `compute`.
        public var service: String
        /// `GET`, `POST`, ...
        public var method: String
        /// `/v2.1/servers/*/ips`: `*` and `{name}` stand for one segment's text, `**` for anything.
        public var path: String

        public init(service: String, method: String, path: String) {
            self.service = service
            self.method = method
            self.path = path
        }
    }

    public var rules: [Rule]

    public init(_ rules: [Rule]) { self.rules = rules }

    /// - Parameters:
    ///   - path: The whole path of the request.
    ///   - prefix: The service's part of it. Rules are written for the service's own path (`/v2.1/servers`) or for the
    ///     whole one; both count, as they would with a service at the root of its host.
    public func allow(service: String, method: String, path: String, prefix: String) -> Bool {
        // Whoever holds a token may always look what it is.
        if service == "identity", method == "GET", path.hasSuffix("/v3/auth/tokens") { return true }
        let short = path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : path
        return rules.contains { rule in
            rule.service == service && rule.method == method
                && (Self.matches(path, pattern: rule.path) || Self.matches(short, pattern: rule.path))
        }
    }

    private enum Token {
        case byte(UInt8)
        /// At least one byte, none of them a slash.
        case segment
        case anything
    }

    /// Whether a path is of a pattern: `*` and `{name}` take one or more characters of one segment, `**` any number of
    /// any. Takes time linear in path times pattern whatever either holds.
    public static func matches(_ path: String, pattern: String) -> Bool {
        let tokens = Self.tokens(pattern)
        let path = Array(path.utf8)
        // reached[i]: the tokens so far can have taken the first i bytes.
        var reached = [Bool](repeating: false, count: path.count + 1)
        reached[0] = true
        for token in tokens {
            var next = [Bool](repeating: false, count: path.count + 1)
            switch token {
            case .byte(let byte):
                for index in path.indices where reached[index] && path[index] == byte { next[index + 1] = true }
            case .segment:
                for index in path.indices where path[index] != UInt8(ascii: "/") && (reached[index] || next[index]) {
                    next[index + 1] = true
                }
            case .anything:
                var isOpen = false
                for index in 0...path.count {
                    isOpen = isOpen || reached[index]
                    next[index] = isOpen
                }
            }
            reached = next
        }
        return reached[path.count]
    }

    private static func tokens(_ pattern: String) -> [Token] {
        var tokens: [Token] = []
        var rest = Array(pattern.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "*"):
                if rest.first == UInt8(ascii: "*") {
                    rest.removeFirst()
                    tokens.append(.anything)
                } else {
                    tokens.append(.segment)
                }
            case UInt8(ascii: "{"):
                if let end = rest.firstIndex(of: UInt8(ascii: "}")) {
                    rest = rest[(end + 1)...]
                    tokens.append(.segment)
                } else {
                    tokens.append(.byte(byte))
                }
            default: tokens.append(.byte(byte))
            }
        }
        return tokens
    }
}
