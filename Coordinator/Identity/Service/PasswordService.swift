import CoordinatorPlatform
import ProtocolModel

/// Checking and replacing passwords, with what ``SecurityCompliance`` says of it.
extension IdentityService {
    private var rules: SecurityCompliance { settings.security }

    /// Whether the user may log in at all.
    func isUsable(_ user: User, at now: Int64) -> Bool {
        let state = directory.state
        guard let current = state.users[user.id] else { return false }
        return state.isUsable(current)
            && !PasswordRules.isInactive(current, state.activity[user.id], rules, at: now)
    }

    /// - Parameter user: `nil` where there is no such user: takes as long, and says no.
    /// - Returns: The user as known after the check.
    /// - Throws: ``APIError`` 401, the same for every reason; a locked account is not told apart.
    func checkPassword(_ password: String, of user: User?, at now: Int64) async throws -> User {
        // One that is locked is checked like any other, so that time does not tell.
        let isRight = try await hasher.verify(password, against: user?.passwordHash)
        guard let user else { throw Self.unauthorized }
        let state = directory.state
        guard !PasswordRules.isLocked(user, state.activity[user.id], rules, at: now) else {
            throw Self.unauthorized(claiming: user, "the account is locked")
        }
        guard isRight else {
            try await noteFailure(of: user, at: now)
            throw Self.unauthorized(claiming: user, "wrong password")
        }
        // The password may have been replaced while it was being checked.
        guard let current = state.users[user.id], current.passwordHash == user.passwordHash, isUsable(current, at: now)
        else { throw Self.unauthorized(claiming: user, "the user is disabled or the password was just changed") }
        try await noteSuccess(of: current, state.activity[user.id], at: now)
        return current
    }

    private func noteFailure(of user: User, at now: Int64) async throws {
        guard rules.lockoutFailureAttempts != nil, !user.options.ignoresLockout else { return }
        try await change { [rules] edit in
            let limit = PasswordRules.forgetsFailures(before: now, rules, edit.state.activity[user.id])
            try edit.noteFailure(of: user.id, at: now, forgottenBefore: limit)
        }
    }

    private func noteSuccess(of user: User, _ activity: UserActivity?, at now: Int64) async throws {
        let day = rules.disableUserAccountDaysInactive == nil ? nil : UserActivity.day(of: now)
        guard (activity?.failures ?? 0) > 0 || (day != nil && activity?.activeAt != day) else { return }
        try await change { try $0.noteSuccess(of: user.id, on: day) }
    }

    /// A password that an administrator sets, as it is stored.
    /// - Throws: ``APIError`` 400 for a password that is not strong enough, 403 for one that is too long.
    func hash(_ password: String) async throws -> String {
        try await checkStrength(password)
        return try await hasher.hash(password)
    }

    func replacing(_ hash: String?, of user: User, byUser isSelfService: Bool, at now: Int64) -> User {
        var changed = PasswordRules.replacing(hash, of: user, byUser: isSelfService, rules, at: now)
        changed.tokensValidFrom = max(changed.tokensValidFrom, tokens.bound(at: now))
        return changed
    }

    /// - Throws: ``APIError`` 400 for a password that is not strong enough, 403 for one that is too long.
    private func checkStrength(_ password: String) async throws {
        try PasswordRules.checkLength(password, rules)
        guard let pattern else { return }
        try PasswordRules.checkStrength(await pattern.judge(password), rules)
    }

    /// A password that the user sets, who knows the old one; it may have expired.
    /// - Throws: ``APIError`` 401 for a wrong old password, 400 for a new one that is not good enough.
    func changePassword(_ password: String, from original: String, of user: User?, at now: Int64) async throws -> User {
        let user = try await checkPassword(original, of: user, at: now)
        try await checkStrength(password)
        try PasswordRules.checkSelfService(user, rules, at: now)
        for old in PasswordRules.forbidden(user, rules) where try await hasher.verify(password, against: old) {
            throw PasswordRules.repeated(rules)
        }
        return replacing(try await hasher.hash(password), of: user, byUser: true, at: now)
    }

    /// What goes with a user's row: an administrator who enables a user ends a lock, one who disables a user ends the
    /// user's application credentials.
    func settle(_ user: User, in edit: inout IdentityEdit) throws {
        guard user.isEnabled else { return try edit.deleteApplicationCredentials(of: user.id) }
        let day = rules.disableUserAccountDaysInactive == nil ? nil : UserActivity.day(of: clock.now())
        guard edit.state.users[user.id] != nil, edit.state.activity[user.id] != nil || day != nil else { return }
        try edit.noteSuccess(of: user.id, on: day)
    }
}
