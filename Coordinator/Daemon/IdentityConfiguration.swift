import CoordinatorIdentity
import Yams

/// `identity`: what is demanded of passwords and log-ins. The names are those of Keystone's `[security_compliance]`;
/// where that has nothing set, 0 says so here.
extension Configuration.Reader {
    mutating func readIdentity(_ node: Node, into security: inout SecurityCompliance) {
        for (name, value) in members(node, of: "'identity'") {
            let path = "identity.\(name)"
            switch name {
            case "lockout_failure_attempts":
                whole(value, path, "a number of failures", 0...1_000) {
                    security.lockoutFailureAttempts = Self.some($0)
                }
            case "lockout_duration":
                whole(value, path, "a number of seconds", 0...31_536_000) { security.lockoutDuration = Self.some($0) }
            case "disable_user_account_days_inactive":
                whole(value, path, "a number of days", 0...36_500) {
                    security.disableUserAccountDaysInactive = Self.some($0)
                }
            case "password_expires_days":
                whole(value, path, "a number of days", 0...36_500) { security.passwordExpiresDays = Self.some($0) }
            case "unique_last_password_count":
                // Each is compared with the slow hash.
                whole(value, path, "a number of passwords", 0...24) { security.uniqueLastPasswordCount = Int($0) }
            case "minimum_password_age":
                whole(value, path, "a number of days", 0...36_500) { security.minimumPasswordAge = Int($0) }
            case "password_regex":
                let pattern = string(value, path)
                if let problem = SecurityCompliance.problem(with: pattern) {
                    wrong(value, path, "a regular expression (\(problem))")
                }
                security.passwordPattern = pattern
            case "password_regex_description": security.passwordPatternDescription = string(value, path)
            case "change_password_upon_first_use": security.changePasswordUponFirstUse = flag(value, path)
            default:
                unknown(
                    name, value,
                    known: """
                        lockout_failure_attempts, lockout_duration, disable_user_account_days_inactive, \
                        password_expires_days, unique_last_password_count, minimum_password_age, password_regex, \
                        password_regex_description, change_password_upon_first_use
                        """)
            }
        }
        if let days = security.passwordExpiresDays, security.minimumPasswordAge >= days {
            wrong(node, "identity.minimum_password_age", "less than identity.password_expires_days")
        }
    }

    private static func some(_ value: Int64) -> Int? { value == 0 ? nil : Int(value) }
}
