import ProtocolModel

/// What a rule says, in oslo.policy's terms: a tree that is made once and asked at every request. Pure.
public indirect enum PolicyExpression: Sendable, Hashable {
    /// `@`
    case always
    /// `!`
    case never
    /// `role:reader`: the caller has the role. In lower case, since roles are compared without regard to it.
    case role(String)
    /// `rule:owner`: what another rule says. ``Policy`` puts that rule's own tree in its place before anybody asks.
    case rule(String)
    /// `user_id:%(user_id)s`: both sides are there and the same.
    case compare(Side, Side)
    case not(PolicyExpression)
    case all([PolicyExpression])
    case any([PolicyExpression])

    public enum Side: Sendable, Hashable {
        /// `'private'`, `True`, `None`, `42`, or bare text on the right.
        case literal(String)
        case caller(CallerAttribute)
        case target(TargetAttribute)
    }

    /// What is known of who asks. The raw value is oslo.policy's name.
    public enum CallerAttribute: String, Sendable, Hashable, CaseIterable {
        case user = "user_id"
        case userDomain = "user_domain_id"
        /// The project that the token is for; nothing in other scopes.
        case project = "project_id"
        /// The domain that the token is for; nothing in other scopes.
        case domain = "domain_id"
        /// `all` for a token for the system, else nothing.
        case systemScope = "system_scope"
        /// `True` or `False`.
        case isAdmin = "is_admin"
    }

    /// What is known of the thing asked about.
    public enum TargetAttribute: Sendable, Hashable {
        /// `%(project_id)s`: the owner's project; where the thing has none yet, the caller's own, as compute, image and
        /// network services ask it.
        case ownProject
        /// `%(target.project.id)s`: the owner's project, or nothing.
        case project
        /// `%(target.domain.id)s`
        case domain
        /// `%(user_id)s`
        case user
        /// Whatever else a slice tells of its resources: ``Policy/Target/attributes``.
        case named(String)
    }
}

extension PolicyExpression {
    /// - Returns: Whether the rule allows it. A reference to another rule that nobody resolved allows nothing.
    public func allows(_ caller: Caller, _ target: Policy.Target) -> Bool {
        switch self {
        case .always: true
        case .never, .rule: false
        case .role(let name): Self.has(name, caller.roles)
        case .compare(let left, let right): Self.same(left, right, caller, target)
        case .not(let inner): !inner.allows(caller, target)
        case .all(let parts): parts.allSatisfy { $0.allows(caller, target) }
        case .any(let parts): parts.contains { $0.allows(caller, target) }
        }
    }

    private static func has(_ name: String, _ roles: Set<String>) -> Bool {
        if roles.contains(name) { return true }
        return roles.contains { role in
            role.utf8.count == name.utf8.count && zip(role.utf8, name.utf8).allSatisfy { lowered($0) == $1 }
        }
    }

    private static func lowered(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    private static func same(_ left: Side, _ right: Side, _ caller: Caller, _ target: Policy.Target) -> Bool {
        // The three that nearly every request asks, without making text of identifiers.
        switch (left, right) {
        case (.caller(.project), .target(.ownProject)):
            guard let own = caller.project else { return false }
            return target.project == nil || target.project == own
        case (.caller(.project), .target(.project)):
            return target.project != nil && target.project == caller.project
        case (.caller(.user), .target(.user)): return target.user == caller.user
        default:
            guard let left = text(left, caller, target), let right = text(right, caller, target) else { return false }
            return left == right
        }
    }

    private static func text(_ side: Side, _ caller: Caller, _ target: Policy.Target) -> String? {
        switch side {
        case .literal(let text): text
        case .caller(let attribute): text(attribute, caller)
        case .target(.ownProject): (target.project ?? caller.project)?.compact
        case .target(.project): target.project?.compact
        case .target(.domain): target.domain
        case .target(.user): target.user?.compact
        case .target(.named(let name)): target.attributes[name]
        }
    }

    private static func text(_ attribute: CallerAttribute, _ caller: Caller) -> String? {
        switch attribute {
        case .user: caller.user.compact
        case .userDomain: caller.userDomain
        case .project: caller.project?.compact
        case .domain: if case .domain(let domain) = caller.scope { domain } else { nil }
        case .systemScope: caller.scope == .system ? "all" : nil
        case .isAdmin: caller.isAdmin ? "True" : "False"
        }
    }
}

extension PolicyExpression: CustomStringConvertible {
    /// The expression in oslo.policy's syntax, with no more parentheses than needed; reading it gives the same tree.
    public var description: String {
        switch self {
        case .always: "@"
        case .never: "!"
        case .role(let name): "role:\(name)"
        case .rule(let name): "rule:\(name)"
        case .compare(let left, let right): "\(left.text(isLeft: true)):\(right.text(isLeft: false))"
        case .not(let inner): "not \(inner.nested(inside: 3))"
        case .all(let parts): parts.map { $0.nested(inside: 2) }.joined(separator: " and ")
        case .any(let parts): parts.map { $0.nested(inside: 1) }.joined(separator: " or ")
        }
    }

    /// How tightly the operator binds: `or` 1, `and` 2, `not` and checks 3.
    private var binding: Int {
        switch self {
        case .any: 1
        case .all: 2
        default: 3
        }
    }

    private func nested(inside outer: Int) -> String {
        // An `or` directly in an `or` keeps its parentheses, so that the tree is the same when read again.
        binding < outer || binding == outer && outer < 3 ? "(\(self))" : description
    }
}

extension PolicyExpression.Side {
    fileprivate func text(isLeft: Bool) -> String {
        switch self {
        case .literal(let text) where isLeft ? Self.isPlainLeft(text) : Self.isPlainRight(text): text
        case .literal(let text) where !text.contains("'"): "'\(text)'"
        case .literal(let text) where !text.contains("\""): "\"\(text)\""
        case .literal(let text): text
        case .caller(let attribute): attribute.rawValue
        case .target(let attribute): "%(\(attribute.name))s"
        }
    }

    private static func isPlainLeft(_ text: String) -> Bool {
        ["True", "False", "None"].contains(text) || Int64(text) != nil
    }

    private static func isPlainRight(_ text: String) -> Bool {
        !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._:-".contains($0)) }
    }
}

extension PolicyExpression.TargetAttribute {
    /// How it is printed; several names are read (``init(name:)``).
    public var name: String {
        switch self {
        case .ownProject: "project_id"
        case .project: "target.project.id"
        case .domain: "target.domain.id"
        case .user: "user_id"
        case .named(let name): name
        }
    }

    /// The names that the services' own default rules use for the same things.
    public init(name: String) {
        self =
            switch name {
            case "project_id", "tenant_id": .ownProject
            case "target.project.id", "target.project_id": .project
            case "domain_id", "target.domain.id", "target.domain_id", "target.project.domain_id",
                "target.user.domain_id", "target.group.domain_id":
                .domain
            case "user_id", "target.user.id", "target.user_id", "target.token.user_id": .user
            default: .named(name)
            }
    }
}
