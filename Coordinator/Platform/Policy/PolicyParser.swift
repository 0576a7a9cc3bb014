import ProtocolModel

/// Why an expression is not one, and where.
public struct PolicySyntaxError: Error, Sendable, Hashable, CustomStringConvertible {
    public var reason: String
    /// The first character that is wrong, counted from 1.
    public var position: Int

    public init(reason: String, position: Int) {
        self.reason = reason
        self.position = position
    }

    public var description: String { "at character \(position): \(reason)" }
}

/// Reads oslo.policy's syntax: checks (`role:x`, `rule:x`, `user_id:%(user_id)s`, `'x':%(y)s`, `@`, `!`) joined by
/// `not`, `and`, `or` in this order of binding, and parentheses. Pure and total: text of any length gives a tree or a
/// reason.
public struct PolicyParser {
    /// Bytes of one expression.
    public static let lengthLimit = 10_000
    /// Parentheses and `not`s within each other.
    public static let depthLimit = 50

    private var tokens: [Token]
    private var next = 0
    private let end: Int

    /// - Throws: ``PolicySyntaxError``. Nothing at all is oslo.policy's way to write `@`.
    public static func parse(_ text: String) throws(PolicySyntaxError) -> PolicyExpression {
        guard text.utf8.count <= lengthLimit else {
            throw PolicySyntaxError(reason: "an expression has at most \(lengthLimit) bytes", position: 1)
        }
        let characters = Array(text)
        var parser = PolicyParser(tokens: try Token.split(characters), end: characters.count + 1)
        guard !parser.tokens.isEmpty else {
            guard text.isEmpty else { throw PolicySyntaxError(reason: "nothing but blanks", position: 1) }
            return .always
        }
        let tree = try parser.alternatives(depth: 0)
        if let token = parser.peek() {
            throw PolicySyntaxError(
                reason: token.kind == .close
                    ? "this ')' closes nothing" : "expected 'and', 'or' or the end, not '\(token.text)'",
                position: token.position)
        }
        return tree
    }

    private init(tokens: [Token], end: Int) {
        self.tokens = tokens
        self.end = end
    }

    private func peek() -> Token? { next < tokens.count ? tokens[next] : nil }

    private mutating func take(_ kind: Token.Kind) -> Bool {
        guard peek()?.kind == kind else { return false }
        next += 1
        return true
    }

    private mutating func alternatives(depth: Int) throws(PolicySyntaxError) -> PolicyExpression {
        var parts = [try conjunction(depth: depth)]
        while take(.or) { parts.append(try conjunction(depth: depth)) }
        return parts.count == 1 ? parts[0] : .any(parts)
    }

    private mutating func conjunction(depth: Int) throws(PolicySyntaxError) -> PolicyExpression {
        var parts = [try operand(depth: depth)]
        while take(.and) { parts.append(try operand(depth: depth)) }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private mutating func operand(depth: Int) throws(PolicySyntaxError) -> PolicyExpression {
        guard let token = peek() else {
            throw PolicySyntaxError(reason: "a check is missing at the end", position: end)
        }
        guard depth < Self.depthLimit else {
            throw PolicySyntaxError(
                reason: "more than \(Self.depthLimit) levels within each other", position: token.position)
        }
        next += 1
        switch token.kind {
        case .not: return .not(try operand(depth: depth + 1))
        case .open:
            let inner = try alternatives(depth: depth + 1)
            guard take(.close) else {
                throw PolicySyntaxError(reason: "this '(' is never closed", position: token.position)
            }
            return inner
        case .check: return try PolicyCheck.read(token.text, at: token.position)
        case .and, .or, .close:
            throw PolicySyntaxError(reason: "expected a check, not '\(token.text)'", position: token.position)
        }
    }
}

/// A word of the syntax.
private struct Token {
    enum Kind { case open, close, and, or, not, check }

    var kind: Kind
    var text: String
    var position: Int

    /// Parts the text at blanks and parentheses, but not within quotes or `%(name)s`.
    static func split(_ text: [Character]) throws(PolicySyntaxError) -> [Token] {
        var tokens: [Token] = []
        var index = 0
        while index < text.count {
            let start = index
            index += 1
            switch text[start] {
            case " ", "\t", "\n", "\r", "\r\n": continue
            case "(": tokens.append(Token(kind: .open, text: "(", position: start + 1))
            case ")": tokens.append(Token(kind: .close, text: ")", position: start + 1))
            default:
                index = try endOfWord(text, from: start)
                let word = String(text[start..<index])
                tokens.append(Token(kind: kind(word), text: word, position: start + 1))
            }
        }
        return tokens
    }

    private static func kind(_ word: String) -> Kind {
        switch word.lowercased() {
        case "and": .and
        case "or": .or
        case "not": .not
        default: .check
        }
    }

    private static func endOfWord(_ text: [Character], from start: Int) throws(PolicySyntaxError) -> Int {
        var index = start
        while index < text.count {
            switch text[index] {
            case " ", "\t", "\n", "\r", "\r\n", "(", ")": return index
            case "'", "\"":
                guard let close = text[(index + 1)...].firstIndex(of: text[index]) else {
                    throw PolicySyntaxError(reason: "this quote is never closed", position: index + 1)
                }
                index = close + 1
            case "%" where index + 1 < text.count && text[index + 1] == "(":
                guard let close = text[index...].firstIndex(of: ")") else {
                    throw PolicySyntaxError(reason: "this '%(' is never closed", position: index + 1)
                }
                index = close + 1
            default: index += 1
            }
        }
        return index
    }
}

/// Reads one check.
private enum PolicyCheck {
    private typealias Side = PolicyExpression.Side
    private typealias CallerAttribute = PolicyExpression.CallerAttribute

    static func read(_ text: String, at position: Int) throws(PolicySyntaxError) -> PolicyExpression {
        if text == "@" { return .always }
        if text == "!" { return .never }
        guard let colon = separator(text) else {
            throw PolicySyntaxError(
                reason: "'\(text)' is no check: write KIND:VALUE as in role:reader, '@' or '!'", position: position)
        }
        let kind = String(text[..<colon])
        let value = String(text[text.index(after: colon)...])
        let valuePosition = position + kind.count + 1
        guard !value.isEmpty else {
            throw PolicySyntaxError(reason: "a value is missing after '\(kind):'", position: valuePosition)
        }
        switch kind {
        case "role", "rule":
            guard !value.contains("%(") else {
                throw PolicySyntaxError(reason: "\(kind): takes a name, no '%(...)s'", position: valuePosition)
            }
            return kind == "role" ? .role(value.lowercased()) : .rule(value)
        case "http", "https":
            throw PolicySyntaxError(reason: "checks that ask another server are not supported", position: position)
        default:
            let left = try left(kind, at: position)
            return .compare(left, try right(value, of: left, at: valuePosition))
        }
    }

    /// The colon that parts the check: the first one outside quotes.
    private static func separator(_ text: String) -> String.Index? {
        guard let quote = text.first, quote == "'" || quote == "\"" else { return text.firstIndex(of: ":") }
        guard let close = text.dropFirst().firstIndex(of: quote) else { return nil }
        return text[close...].firstIndex(of: ":")
    }

    private static func left(_ text: String, at position: Int) throws(PolicySyntaxError) -> Side {
        guard !text.contains("%(") else {
            throw PolicySyntaxError(reason: "'%(NAME)s' stands on the right of the colon", position: position)
        }
        if let literal = unquoted(text) { return .literal(literal) }
        if ["True", "False", "None"].contains(text) || Int64(text) != nil { return .literal(text) }
        switch text {
        // What older files say.
        case "tenant_id", "tenant", "project": return .caller(.project)
        case "user": return .caller(.user)
        default: break
        }
        guard let attribute = CallerAttribute(rawValue: text) else {
            let known = (["role", "rule"] + CallerAttribute.allCases.map(\.rawValue)).joined(separator: ", ")
            throw PolicySyntaxError(
                reason: "'\(text)' is not known of a caller; known are \(known), and 'text' in quotes",
                position: position)
        }
        return .caller(attribute)
    }

    private static func right(_ text: String, of left: Side, at position: Int) throws(PolicySyntaxError) -> Side {
        guard text.contains("%(") else {
            return .literal(normalized(unquoted(text) ?? text, comparedWith: left))
        }
        guard text.hasPrefix("%("), text.hasSuffix(")s"), text.dropFirst(2).dropLast(2).allSatisfy(isNameCharacter),
            text.count > 4
        else {
            throw PolicySyntaxError(reason: "'%(NAME)s' must be the whole value", position: position)
        }
        return .target(.init(name: String(text.dropFirst(2).dropLast(2))))
    }

    private static func isNameCharacter(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || "._:-".contains(character))
    }

    private static func unquoted(_ text: String) -> String? {
        guard text.count >= 2, let quote = text.first, quote == "'" || quote == "\"", text.last == quote,
            !text.dropFirst().dropLast().contains(quote)
        else { return nil }
        return String(text.dropFirst().dropLast())
    }

    /// Identifiers as callers have them: without dashes; and the other ways to write true.
    private static func normalized(_ text: String, comparedWith left: Side) -> String {
        switch left {
        case .caller(.project): ProjectID(text)?.compact ?? text
        case .caller(.user): UserID(text)?.compact ?? text
        case .caller(.isAdmin): ["1", "true"].contains(text.lowercased()) ? "True" : text
        default: text
        }
    }
}
