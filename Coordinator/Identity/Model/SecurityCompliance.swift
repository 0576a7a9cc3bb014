import CoordinatorPlatform
import ProtocolModel

/// What an operator demands of passwords and of those who log in with them: Keystone's `[security_compliance]`.
public struct SecurityCompliance: Sendable, Equatable {
    /// Wrong passwords in a row after which an account is locked; `nil` for any number.
    public var lockoutFailureAttempts: Int?
    /// Seconds for which it then stays locked; `nil` until an administrator enables the user again.
    public var lockoutDuration: Int? = 1800
    /// Days without a log-in after which a user counts as disabled; `nil` for any number.
    public var disableUserAccountDaysInactive: Int?
    /// Days after which a password must be replaced; `nil` for never. Counts for passwords set from then on.
    public var passwordExpiresDays: Int?
    /// A new password must differ from this many last ones, the current one included.
    public var uniqueLastPasswordCount = 0
    /// Days for which users must keep a password that they have set themselves.
    public var minimumPasswordAge = 0
    /// What each new password must match from its first character on.
    public var passwordPattern: String?
    /// What users are told about it.
    public var passwordPatternDescription: String?
    /// A password that an administrator has set must be replaced before it is good for anything else.
    public var changePasswordUponFirstUse = false

    public init() {}

    public static let secondsPerDay: Int64 = 86_400

    /// - Returns: What is wrong with a pattern; `nil` for one that can be used.
    public static func problem(with pattern: String) -> String? {
        do {
            _ = try Regex(pattern)
            return nil
        } catch { return "\(error)" }
    }
}

/// The age of a user's password, and those before it.
public struct PasswordState: Sendable, Hashable {
    /// Microseconds since 1970; `nil` for one set before this was noted.
    public var createdAt: Int64?
    /// Microseconds since 1970; `nil` for one without an end.
    public var expiresAt: Int64?
    /// The user has set it, not an administrator.
    public var isSelfService: Bool
    /// ``PasswordHash``es in their text form, the oldest first, without the current one.
    public var history: [String]

    public init(
        createdAt: Int64? = nil, expiresAt: Int64? = nil, isSelfService: Bool = false, history: [String] = []
    ) {
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.isSelfService = isSelfService
        self.history = history
    }
}

/// What is remembered of a user's log-ins.
public struct UserActivity: Sendable, Hashable {
    /// Wrong passwords in a row.
    public var failures: Int64 = 0
    /// When the last of them came, microseconds since 1970.
    public var failedAt: Int64 = 0
    /// The last log-in's day, as its first microsecond since 1970; only kept where inactive users are disabled.
    public var activeAt: Int64?

    public init(failures: Int64 = 0, failedAt: Int64 = 0, activeAt: Int64? = nil) {
        self.failures = failures
        self.failedAt = failedAt
        self.activeAt = activeAt
    }

    var isWorthKnowing: Bool { failures > 0 || activeAt != nil }

    /// The first microsecond of a day.
    static func day(of time: Int64) -> Int64 {
        time - time % (SecurityCompliance.secondsPerDay * 1_000_000)
    }
}
