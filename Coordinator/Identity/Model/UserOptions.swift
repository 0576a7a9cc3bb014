import CoordinatorPlatform

/// The `options` of a user: exceptions from the rules for passwords, and further proofs asked of the user.
public struct UserOptions: Sendable, Equatable {
    public var ignoresChangeUponFirstUse = false
    public var ignoresPasswordExpiry = false
    public var ignoresLockout = false
    public var ignoresInactivity = false
    /// Only an administrator changes the password.
    public var locksPassword = false
    /// A log-in needs all methods of one of these; none of them means that any method will do.
    public var factorRules: [[String]] = []
    public var isFactorRuleEnabled = true

    public init() {}

    /// Names as the API has them, with where they go.
    private static let flags: [String: any WritableKeyPath<UserOptions, Bool> & Sendable] = [
        "ignore_change_password_upon_first_use": \.ignoresChangeUponFirstUse,
        "ignore_password_expiry": \.ignoresPasswordExpiry,
        "ignore_lockout_failure_attempts": \.ignoresLockout,
        "ignore_user_inactivity": \.ignoresInactivity,
        "lock_password": \.locksPassword,
        "multi_factor_auth_enabled": \.isFactorRuleEnabled
    ]
    private static let rules = "multi_factor_auth_rules"

    /// As stored: what has another shape counts as not said.
    public init(_ stored: JSON?) {
        for (name, path) in Self.flags {
            if let value = stored?[name]?.boolValue { self[keyPath: path] = value }
        }
        factorRules =
            stored?[Self.rules]?.arrayValue?.compactMap { $0.arrayValue?.compactMap(\.stringValue) }
            .filter { !$0.isEmpty } ?? []
    }

    /// Checks what a request says and merges it with what is stored; `null` takes an option away.
    /// - Parameter methods: The ways to log in that there are. A rule that asks for another is refused: it could not be
    ///   kept, and who reads it would think the account safer than it is.
    /// - Throws: ``APIError`` 400.
    package static func merged(_ fields: Fields, over stored: JSON?, methods: Set<String>) throws(APIError) -> JSON? {
        guard let given = try fields.optionalObject("options") else { return stored }
        try given.allow(only: Set(flags.keys).union([rules]))
        var members = stored?.objectValue ?? [:]
        for (name, value) in given.members {
            if value.isNull {
                members.removeValue(forKey: name)
                continue
            }
            if name == rules {
                try check(value, given, methods)
            } else {
                _ = try given.optionalBool(name)
            }
            members[name] = value
        }
        return .object(members)
    }

    private static func check(_ value: JSON, _ fields: Fields, _ methods: Set<String>) throws(APIError) {
        guard let lists = value.arrayValue else { throw fields.wrongType(rules, value, "array") }
        guard Set(lists).count == lists.count, lists.count <= 64 else {
            throw fields.invalid(rules, value, "\(value.pythonQuoted) has non-unique elements")
        }
        for list in lists {
            guard let words = list.arrayValue, words.allSatisfy({ $0.stringValue != nil }) else {
                throw fields.wrongType(rules, list, "array")
            }
            guard !words.isEmpty, Set(words).count == words.count else {
                throw fields.invalid(rules, list, "\(list.pythonQuoted) is too short or has non-unique elements")
            }
            for word in words where !methods.contains(word.stringValue ?? "") {
                throw fields.invalid(
                    rules, list, "This cloud has no way to log in called \(word.pythonQuoted), so it cannot ask for it."
                )
            }
        }
    }

    /// Whether these methods are enough for a log-in.
    package func areSatisfied(by methods: Set<String>) -> Bool {
        guard isFactorRuleEnabled, !factorRules.isEmpty else { return true }
        return factorRules.contains { methods.isSuperset(of: $0) }
    }
}

extension User {
    public var options: UserOptions { UserOptions(extra["options"]) }
}
