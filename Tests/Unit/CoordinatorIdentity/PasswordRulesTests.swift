import CoordinatorIdentity
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("security compliance")
struct PasswordRulesTests {
    private static let day: Int64 = 86_400_000_000
    private static let now = 20_000 * day + 5_000_000

    private static func user(
        createdAt: Int64? = nil, expiresAt: Int64? = nil, isSelfService: Bool = false, history: [String] = [],
        options: JSON = [:]
    ) -> User {
        User(
            id: UserID(high: 1, low: 1), domain: "default", name: "alice", passwordHash: "current",
            createdAt: createdAt,
            passwordState: PasswordState(
                createdAt: createdAt, expiresAt: expiresAt, isSelfService: isSelfService, history: history),
            extra: ["options": options])
    }

    private static func rules(_ change: (inout SecurityCompliance) -> Void) -> SecurityCompliance {
        var rules = SecurityCompliance()
        change(&rules)
        return rules
    }

    @Test("locked from the last failure on for its time, or until somebody ends it")
    func lockout() {
        let rules = Self.rules {
            $0.lockoutFailureAttempts = 3
            $0.lockoutDuration = 10
        }
        let failed = UserActivity(failures: 3, failedAt: Self.now)
        func isLocked(_ activity: UserActivity?, of user: User = Self.user(), after seconds: Int64 = 0) -> Bool {
            PasswordRules.isLocked(user, activity, rules, at: Self.now + seconds * 1_000_000)
        }
        #expect(isLocked(failed) && isLocked(failed, after: 9) && !isLocked(failed, after: 10))
        #expect(!isLocked(UserActivity(failures: 2, failedAt: Self.now)) && !isLocked(nil))
        #expect(!isLocked(failed, of: Self.user(options: ["ignore_lockout_failure_attempts": true])))
        let forever = Self.rules {
            $0.lockoutFailureAttempts = 3
            $0.lockoutDuration = nil
        }
        #expect(PasswordRules.isLocked(Self.user(), failed, forever, at: .max))
        #expect(!PasswordRules.isLocked(Self.user(), failed, SecurityCompliance(), at: Self.now))
    }

    @Test("inactive by whole days since the last log-in, or since the user was made")
    func inactive() {
        let rules = Self.rules { $0.disableUserAccountDaysInactive = 30 }
        func isInactive(_ user: User, _ last: Int64?) -> Bool {
            PasswordRules.isInactive(user, last.map { UserActivity(activeAt: $0) }, rules, at: Self.now)
        }
        let old = Self.user(createdAt: Self.now - 31 * Self.day)
        #expect(isInactive(old, nil))
        #expect(!isInactive(old, Self.now - 29 * Self.day) && isInactive(old, Self.now - 30 * Self.day))
        #expect(!isInactive(Self.user(), nil))
        #expect(!isInactive(Self.user(createdAt: 1, options: ["ignore_user_inactivity": true]), nil))
    }

    @Test("expired at its end, unless exempt")
    func expiry() {
        #expect(PasswordRules.isExpired(Self.user(expiresAt: Self.now), at: Self.now))
        #expect(!PasswordRules.isExpired(Self.user(expiresAt: Self.now + 1), at: Self.now))
        #expect(!PasswordRules.isExpired(Self.user(), at: .max))
        #expect(!PasswordRules.isExpired(Self.user(expiresAt: 0, options: ["ignore_password_expiry": true]), at: 1))
    }

    @Test("a password is no longer than an expression may be asked about")
    func length() throws {
        let rules = Self.rules { $0.passwordPattern = "." }
        for (rules, limit) in [(SecurityCompliance(), 4096), (rules, 512)] {
            try PasswordRules.checkLength(String(repeating: "x", count: limit), rules)
            let error = #expect(throws: APIError.self) {
                try PasswordRules.checkLength(String(repeating: "x", count: limit + 1), rules)
            }
            #expect(error?.status == 403 && error?.message.contains("less than or equal to \(limit).") == true)
        }
    }

    @Test("what is said of a password that the expression was asked about")
    func verdicts() throws {
        let rules = Self.rules { $0.passwordPatternDescription = "7 characters" }
        try PasswordRules.checkStrength(.matches, rules)
        let unusable = "Password validation error: Unable to validate password due to invalid configuration."
        let cases: [(PasswordPattern.Verdict, Int, String)] = [
            (.differs, 400, "The password does not match the requirements: 7 characters."),
            (.unusable, 400, unusable), (.late, 400, unusable),
            (.busy, 503, "Too many passwords are being checked: try again in a moment.")
        ]
        for (verdict, status, message) in cases {
            let error = #expect(throws: APIError.self) { try PasswordRules.checkStrength(verdict, rules) }
            #expect(error?.status == status && error?.message == message, "\(verdict)")
        }
        #expect(SecurityCompliance.problem(with: "(") != nil && SecurityCompliance.problem(with: "a+") == nil)
    }

    @Test("only what the user has chosen must be kept, and a locked password stays")
    func selfService() throws {
        let rules = Self.rules { $0.minimumPasswordAge = 2 }
        let young = Self.user(createdAt: Self.now - Self.day / 2, isSelfService: true)
        let error = #expect(throws: APIError.self) { try PasswordRules.checkSelfService(young, rules, at: Self.now) }
        #expect(error?.status == 400 && error?.message.contains("try again in 1 day(s)") == true)
        try PasswordRules.checkSelfService(young, rules, at: Self.now + 2 * Self.day)
        try PasswordRules.checkSelfService(Self.user(createdAt: Self.now), rules, at: Self.now)
        let locked = Self.user(options: ["lock_password": true])
        #expect(throws: APIError.self) { try PasswordRules.checkSelfService(locked, rules, at: Self.now) }
    }

    @Test("the last passwords, the current one included, are not to be had again")
    func history() {
        let user = Self.user(history: ["a", "b", "c"])
        #expect(PasswordRules.forbidden(user, SecurityCompliance()) == [])
        #expect(PasswordRules.forbidden(user, Self.rules { $0.uniqueLastPasswordCount = 1 }) == ["current"])
        #expect(PasswordRules.forbidden(user, Self.rules { $0.uniqueLastPasswordCount = 2 }) == ["c", "current"])
        #expect(PasswordRules.forbidden(user, Self.rules { $0.uniqueLastPasswordCount = 9 }).count == 4)
    }

    @Test("a replaced password has its own age, and ends the tokens from before")
    func replacing() {
        let rules = Self.rules {
            $0.uniqueLastPasswordCount = 2
            $0.passwordExpiresDays = 1
            $0.changePasswordUponFirstUse = true
        }
        let own = PasswordRules.replacing("new", of: Self.user(), byUser: true, rules, at: Self.now + 1)
        #expect(own.passwordHash == "new" && own.tokensValidFrom == Self.now + 1)
        #expect(own.passwordState.history == ["current"] && own.passwordState.isSelfService)
        #expect(own.passwordState.expiresAt == Self.now + Self.day)
        let given = PasswordRules.replacing("new", of: Self.user(), byUser: false, rules, at: Self.now)
        #expect(given.passwordState.expiresAt == Self.now && !given.passwordState.isSelfService)
        let exempt = Self.user(options: ["ignore_change_password_upon_first_use": true, "ignore_password_expiry": true])
        #expect(
            PasswordRules.replacing("x", of: exempt, byUser: false, rules, at: Self.now).passwordState.expiresAt == nil)
        #expect(
            PasswordRules.replacing(nil, of: Self.user(), byUser: false, rules, at: 1).passwordState.expiresAt == nil)
    }

    @Test("options: exceptions, further factors, and what cannot be kept is refused")
    func options() throws {
        func merged(_ given: JSON, over stored: JSON? = nil) throws -> JSON? {
            try UserOptions.merged(given, over: stored, methods: ["password", "token"])
        }
        #expect(try merged(["lock_password": true]) == ["lock_password": true])
        #expect(try merged(["lock_password": nil], over: ["lock_password": true]) == [:])
        #expect(try merged(["ignore_password_expiry": false], over: ["lock_password": true])?["lock_password"] == true)
        let rules: JSON = ["multi_factor_auth_rules": [["password", "token"]]]
        let options = UserOptions(try merged(rules))
        #expect(!options.areSatisfied(by: ["password"]) && options.areSatisfied(by: ["password", "token"]))
        let off: JSON = ["multi_factor_auth_rules": [["token"]], "multi_factor_auth_enabled": false]
        #expect(UserOptions(off).areSatisfied(by: ["password"]))
        for bad: JSON in [
            ["lock_password": "yes"], ["unknown": true], ["multi_factor_auth_rules": [["totp"]]],
            ["multi_factor_auth_rules": [[]]], ["multi_factor_auth_rules": ["password"]],
            ["multi_factor_auth_rules": [["token"], ["token"]]], [1]
        ] {
            #expect(throws: BodyFailure.self) { _ = try merged(bad) }
        }
    }
}
