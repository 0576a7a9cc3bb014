import CoordinatorPlatform

/// The decisions about passwords and log-ins that ``SecurityCompliance`` asks for. Pure.
package enum PasswordRules {
    /// Whether too many wrong passwords have come.
    package static func isLocked(
        _ user: User, _ activity: UserActivity?, _ rules: SecurityCompliance, at now: Int64
    ) -> Bool {
        guard let limit = rules.lockoutFailureAttempts, let activity, activity.failures >= Int64(limit),
            !user.options.ignoresLockout
        else { return false }
        guard let seconds = rules.lockoutDuration else { return true }
        return activity.failedAt + Int64(seconds) * 1_000_000 > now
    }

    /// Failures before this have been forgotten: an earlier lock has ended.
    package static func forgetsFailures(
        before now: Int64, _ rules: SecurityCompliance, _ activity: UserActivity?
    ) -> Int64 {
        guard let limit = rules.lockoutFailureAttempts, let seconds = rules.lockoutDuration,
            let activity, activity.failures >= Int64(limit)
        else { return 0 }
        return now - Int64(seconds) * 1_000_000
    }

    package static func isExpired(_ user: User, at now: Int64) -> Bool {
        guard let end = user.passwordState.expiresAt, !user.options.ignoresPasswordExpiry else { return false }
        return end <= now
    }

    /// Whether the user has stayed away for too long.
    package static func isInactive(
        _ user: User, _ activity: UserActivity?, _ rules: SecurityCompliance, at now: Int64
    ) -> Bool {
        guard let days = rules.disableUserAccountDaysInactive, !user.options.ignoresInactivity,
            let last = activity?.activeAt ?? user.createdAt
        else { return false }
        let away = UserActivity.day(of: now) - UserActivity.day(of: last)
        return away >= Int64(days) * SecurityCompliance.secondsPerDay * 1_000_000
    }

    /// Characters of the longest password: Keystone's. Where an expression is asked, which may take time that grows
    /// with a power of the length, a shorter one.
    package static func lengthLimit(_ rules: SecurityCompliance) -> Int { rules.passwordPattern == nil ? 4096 : 512 }

    /// - Throws: ``APIError`` 403.
    package static func checkLength(_ password: String, _ rules: SecurityCompliance) throws(APIError) {
        let limit = lengthLimit(rules)
        guard password.unicodeScalars.count <= limit else {
            throw .forbidden(
                "The password length must be less than or equal to \(limit). The server could not comply with the "
                    + "request because the password is invalid.")
        }
    }

    /// Whether a password matches the expression from its first character on. Such an expression may backtrack for
    /// ever: ask it through ``PasswordPattern``.
    /// - Returns: `nil` for what is no expression.
    static func matches(_ password: String, _ pattern: String) -> Bool? {
        guard let regex = try? Regex(pattern) else { return nil }
        if case .some(.some) = try? regex.matchingSemantics(.unicodeScalar).prefixMatch(in: password) { return true }
        return false
    }

    /// What is said of a new password that the expression was asked about.
    /// - Throws: ``APIError`` 400, 503 where too many are being asked about.
    package static func checkStrength(
        _ verdict: PasswordPattern.Verdict, _ rules: SecurityCompliance
    ) throws(APIError) {
        switch verdict {
        case .matches: return
        case .differs:
            throw .badRequest(
                "The password does not match the requirements: \(rules.passwordPatternDescription ?? "None").")
        case .unusable, .late:
            var refusal = APIError.badRequest(
                "Password validation error: Unable to validate password due to invalid configuration.")
            refusal.detail =
                verdict == .late ? "identity.password_regex takes too long" : "identity.password_regex is none"
            throw refusal
        case .busy:
            throw APIError(
                status: 503, message: "Too many passwords are being checked: try again in a moment.",
                detail: "passwords that identity.password_regex takes too long for hold the threads that check them",
                headers: [("Retry-After", "1")])
        }
    }

    /// Whether the user may change the password now.
    /// - Throws: ``APIError`` 400.
    package static func checkSelfService(_ user: User, _ rules: SecurityCompliance, at now: Int64) throws(APIError) {
        if user.options.locksPassword {
            throw .badRequest(
                "You cannot change your password at this time due to password policy disallowing password changes. "
                    + "Please contact your administrator to reset your password.")
        }
        guard user.passwordState.isSelfService, let created = user.passwordState.createdAt else { return }
        let day = SecurityCompliance.secondsPerDay * 1_000_000
        let left = created + Int64(rules.minimumPasswordAge) * day - now
        guard left > 0 else { return }
        throw .badRequest(
            "You cannot change your password at this time due to the minimum password age. Once you change your "
                + "password, it must be used for \(rules.minimumPasswordAge) day(s) before it can be changed. Please "
                + "try again in \(left / day) day(s) or contact your administrator to reset your password.")
    }

    /// The hashes that a password which the user chooses must not have: the current one and those before it.
    package static func forbidden(_ user: User, _ rules: SecurityCompliance) -> [String] {
        guard rules.uniqueLastPasswordCount > 0 else { return [] }
        return Array(
            (user.passwordState.history + [user.passwordHash].compactMap { $0 })
                .suffix(rules.uniqueLastPasswordCount))
    }

    package static func repeated(_ rules: SecurityCompliance) -> APIError {
        .badRequest(
            "The new password cannot be identical to a previous password. The total number which includes the new "
                + "password must be unique is \(rules.uniqueLastPasswordCount).")
    }

    /// The user with another password; tokens from before are void.
    package static func replacing(
        _ hash: String?, of user: User, byUser isSelfService: Bool, _ rules: SecurityCompliance, at now: Int64
    ) -> User {
        var changed = user
        let mustChange = !isSelfService && rules.changePasswordUponFirstUse && !user.options.ignoresChangeUponFirstUse
        let history = rules.uniqueLastPasswordCount > 1 ? forbidden(user, rules) : []
        changed.passwordHash = hash
        changed.endTokens(at: now)
        changed.passwordState = PasswordState(
            createdAt: hash == nil ? nil : now, expiresAt: mustChange ? now : expiry(user, rules, from: now),
            isSelfService: isSelfService, history: history)
        if hash == nil { changed.passwordState.expiresAt = nil }
        return changed
    }

    private static func expiry(_ user: User, _ rules: SecurityCompliance, from now: Int64) -> Int64? {
        guard let days = rules.passwordExpiresDays, !user.options.ignoresPasswordExpiry else { return nil }
        let end = now + Int64(days) * SecurityCompliance.secondsPerDay * 1_000_000
        return end - end % 1_000_000
    }
}
