import CoordinatorPlatform
import ProtocolModel

/// A secret of its own with which a program acts as a user, in one project, with some of the user's roles.
public struct ApplicationCredential: IdentityRecord, Hashable {
    public var key: String
    public var user: UserID
    public var project: ProjectID
    /// Unique for the user.
    public var name: String
    public var description: String?
    /// ``PasswordHash`` in its text form.
    public var secretHash: String
    /// Microseconds since 1970; `nil` for one that lasts until it is deleted.
    public var expiresAt: Int64?
    /// It may make and delete application credentials and trusts.
    public var isUnrestricted: Bool
    /// Keys, with the implied ones at the time. What the user has lost since does not count.
    public var roles: [String]
    /// Keys of ``AccessRuleRecord``; empty for one without limits.
    public var accessRules: [String]
    public var extra: [String: JSON] = [:]
    public var generation: Int64 = 1
}

/// A call that application credentials of a user may be limited to.
public struct AccessRuleRecord: IdentityRecord, Hashable {
    public var key: String
    public var user: UserID
    public var rule: AccessRules.Rule
    public var extra: [String: JSON] = [:]
    public var generation: Int64 = 1
}

/// A user (the trustor) lets another (the trustee) act with some of the trustor's roles in a project.
public struct Trust: IdentityRecord, Hashable {
    public var key: String
    public var trustor: UserID
    public var trustee: UserID
    public var project: ProjectID?
    /// Tokens show the trustor as their user.
    public var isImpersonating: Bool
    /// Keys; all of them must be the trustor's for the trust to hold.
    public var roles: [String]
    /// Microseconds since 1970; `nil` for never.
    public var expiresAt: Int64?
    /// How many more tokens can be had; `nil` for any number.
    public var remainingUses: Int64?
    /// The trust this one passes on.
    public var redelegatedFrom: String?
    /// How many more times it may be passed on.
    public var redelegationCount: Int64
    public var extra: [String: JSON] = [:]
    public var generation: Int64 = 1

    /// Whether it can still be used and seen.
    func isAlive(at now: Int64) -> Bool {
        (expiresAt.map { $0 >= now } ?? true) && (remainingUses.map { $0 > 0 } ?? true)
    }
}

/// Anything secret that a user keeps with the identity service: an EC2 key pair, a one-time-password seed, a
/// certificate.
public struct StoredCredential: IdentityRecord, Hashable {
    /// For `ec2` the SHA-256 of the access key in hexadecimal, so that a request that names the key finds it.
    public var key: String
    public var user: UserID
    public var project: ProjectID?
    /// `ec2`, `totp`, `cert`, or any other word.
    public var type: String
    /// The secret as ``CredentialSealer`` has sealed it.
    public var sealed: [UInt8]
    public var extra: [String: JSON] = [:]
    public var generation: Int64 = 1

    public static let ec2 = "ec2"
}
