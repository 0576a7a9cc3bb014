import CoordinatorIdentity
import ProtocolSettings

/// `identity`: what is demanded of passwords and log-ins. The names are those of Keystone's `[security_compliance]`;
/// where that has nothing set, 0 says so here.
extension SettingsReader {
    mutating func readIdentity(_ node: Node, into security: inout SecurityCompliance) {
        for (name, value) in members(node, of: "'identity'") {
            let path = "identity.\(name)"
            switch name {
            case "lockout_failure_attempts":
                number(value, path, "a number of failures", 0...1_000).map {
                    security.lockoutFailureAttempts = Self.some($0)
                }
            case "lockout_duration":
                number(value, path, "a number of seconds", 0...31_536_000).map {
                    security.lockoutDuration = Self.some($0)
                }
            case "disable_user_account_days_inactive":
                number(value, path, "a number of days", 0...36_500).map {
                    security.disableUserAccountDaysInactive = Self.some($0)
                }
            case "password_expires_days":
                number(value, path, "a number of days", 0...36_500).map { security.passwordExpiresDays = Self.some($0) }
            case "unique_last_password_count":
                // Each is compared with the slow hash.
                number(value, path, "a number of passwords", 0...24).map { security.uniqueLastPasswordCount = Int($0) }
            case "minimum_password_age":
                number(value, path, "a number of days", 0...36_500).map { security.minimumPasswordAge = Int($0) }
            case "password_regex":
                guard let pattern = string(value, path) else { continue }
                if let problem = SecurityCompliance.problem(with: pattern) {
                    wrong(value, path, "a regular expression (\(problem))")
                }
                security.passwordPattern = pattern
            case "password_regex_description": string(value, path).map { security.passwordPatternDescription = $0 }
            case "change_password_upon_first_use": flag(value, path).map { security.changePasswordUponFirstUse = $0 }
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
