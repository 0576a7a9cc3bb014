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
    /// - Throws: ``BodyFailure``
    package static func merged(_ given: JSON, over stored: JSON?, methods: Set<String>) throws(BodyFailure) -> JSON {
        let options = try BodyFormat.members.read(given)
        let unknown = options.keys.filter { flags[$0] == nil && $0 != rules }.sorted()
        guard unknown.isEmpty else { throw BodyFailure(.unexpected(unknown), given) }
        var members = stored?.objectValue ?? [:]
        for (name, value) in options {
            if value.isNull {
                members.removeValue(forKey: name)
                continue
            }
            do throws(BodyFailure) {
                if name == rules { try check(value, methods) } else { _ = try BodyFormat.flag.read(value) }
            } catch { throw BodyFailure(error.reason, error.value, path: [name]) }
            members[name] = value
        }
        return .object(members)
    }

    private static func check(_ value: JSON, _ methods: Set<String>) throws(BodyFailure) {
        let words = BodyFormat<[String]>.list(of: .text(), most: 64, isUnique: true)
        let lists = try BodyFormat<[[String]]>.list(of: words, most: 64, isUnique: true).read(value)
        guard !lists.contains([]) else { throw BodyFailure(.tooShort(least: 1), []) }
        for word in lists.joined() where !methods.contains(word) {
            throw BodyFailure(
                .sentence(
                    "This cloud has no way to log in called \(JSON.string(word).pythonQuoted), so it cannot ask for it."
                ), value)
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
