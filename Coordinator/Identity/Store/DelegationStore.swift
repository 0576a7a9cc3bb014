import CoordinatorPlatform
import ProtocolModel

/// What application credentials, trusts and stored credentials need beyond insert, update and delete.
enum DelegationStore {
    static func load(_ reader: any SQLReader) throws -> DelegationState {
        var state = DelegationState()
        for record in try ApplicationCredential.all(in: reader) { state.put(record) }
        for record in try AccessRuleRecord.all(in: reader) { state.put(record) }
        for record in try Trust.all(in: reader) { state.put(record) }
        for record in try StoredCredential.all(in: reader) { state.put(record) }
        return state
    }

    /// Uses a trust once, if it has a use left.
    /// - Returns: The uses left afterwards; `nil` when there was none, or the trust is gone.
    static func consume(_ trust: String, in transaction: any SQLTransaction) throws -> Int64? {
        let changed = try transaction.execute(
            """
            UPDATE identity_trusts SET remaining_uses = remaining_uses - 1, generation = generation + 1
            WHERE record_key = ? AND remaining_uses > 0
            """, [trust])
        guard changed == 1 else { return nil }
        return try transaction.first(
            "SELECT remaining_uses FROM identity_trusts WHERE record_key = ?", [trust], { $0.integer(0) })
    }

    /// With it go all trusts that were made from it; one that is gone already is no mistake.
    static func delete(_ trust: Trust, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM identity_trusts WHERE record_key = ?", [trust.key])
    }

    static func deleteApplicationCredentials(
        of user: UserID, in project: ProjectID?, _ transaction: any SQLTransaction
    ) throws {
        guard let project else {
            try transaction.execute(
                "DELETE FROM identity_application_credentials WHERE user_key = ?", [user.compact])
            return
        }
        try transaction.execute(
            "DELETE FROM identity_application_credentials WHERE user_key = ? AND project_key = ?",
            [user.compact, project.compact])
    }
}
