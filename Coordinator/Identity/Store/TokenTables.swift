import CoordinatorPlatform
import ProtocolModel

/// A token that was ended before its time.
struct RevocationRow: TableRecord {
    static let blank = Self(
        audit: AuditID(high: 0, low: 0),
        revocation: Revocation(
            expiresAt: 0, revokedAt: 0, user: nil, delegation: nil, issuedUpTo: nil, knownAt: Revocation.unpublished))
    static let table = RecordTable<Self>("identity_revocations")

    var audit: AuditID
    var revocation: Revocation

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("audit_id", &audit, .key)
        try column("expires_at", &revocation.expiresAt, .fixed)
        try column("revoked_at", &revocation.revokedAt, .fixed)
        try column.compact("user_key", &revocation.user, .fixed)
        try column("delegation_key", &revocation.delegation, .fixed)
        try column("issued_up_to", &revocation.issuedUpTo, .fixed)
    }
}

/// Which tokens of a delegation are void by their age.
struct DelegationBoundRow: TableRecord {
    static let blank = Self(delegation: "", bound: DelegationBound(issuedBefore: 0, expiresAt: 0))
    static let table = RecordTable<Self>("identity_delegation_bounds")

    var delegation: String
    var bound: DelegationBound

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("delegation_key", &delegation, .key)
        try column("issued_before", &bound.issuedBefore)
        try column("expires_at", &bound.expiresAt)
    }
}

/// Failed and last log-ins.
struct ActivityRow: TableRecord {
    static let blank = Self(user: UserID(high: 0, low: 0), activity: UserActivity())
    static let table = RecordTable<Self>("identity_user_activity")

    var user: UserID
    var activity: UserActivity

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column.compact("user_key", &user, .key)
        try column("failures", &activity.failures)
        try column("failed_at", &activity.failedAt)
        try column("active_at", &activity.activeAt)
    }
}

extension TokenKey: TableRecord {
    package static let blank = TokenKey(number: 0, secret: [], createdAt: 0)
    package static let table = RecordTable<Self>("identity_token_keys")
    package mutating func columns(_ column: inout some ColumnVisitor) throws {
        var number = Int64(self.number)
        try column("number", &number, .key)
        if column.isReading { self.number = UInt32(truncatingIfNeeded: number) }
        try column("secret", &secret)
        try column("created_at", &createdAt, .fixed)
    }
}

/// What the keys of a ring are for; the word is bound to each when it is sealed.
enum KeyRing: String, Sendable, CaseIterable {
    case token, credential

    private static let credentialTable = RecordTable<TokenKey>("identity_credential_keys")
    var table: RecordTable<TokenKey> { self == .token ? TokenKey.table : Self.credentialTable }
}
