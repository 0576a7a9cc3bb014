import CoordinatorPlatform
import ProtocolModel

extension IdentityService {
    /// Ends one token. Where its user has ended very many, the older ones become a bound on the age of all, which the
    /// event log has as a line of its own.
    func revoke(_ payload: TokenPayload, _ call: APICall) async throws {
        // By what the directory knows: only then it is sure that nothing more is made from these tokens.
        let collapse = RevocationPlanner.collapse(
            directory.state.revocations(of: payload.user), limit: settings.revocationLimit)
        let revocation = Revocation(
            expiresAt: payload.expiresAt + tokens.expiredWindow, revokedAt: call.now, user: payload.user,
            knownAt: call.now)
        try await call.write(target: { _ in payload.audit.auditText }) { transaction in
            try IdentityStore.revoke(payload.audit, revocation, now: call.now, in: transaction)
            var isBoundNew = false
            if let collapse {
                isBoundNew = try IdentityStore.collapse(collapse, of: payload.user, in: transaction)
                try EventLog.append(Self.event(of: collapse, payload.user, call), in: transaction)
            }
            let isNew = isBoundNew
            transaction.afterCommit {
                directory.apply { state in
                    var known = revocation
                    known.knownAt = clock.now()
                    if let collapse { state.collapse(collapse, of: payload.user, isNew: isNew) }
                    state.revoke(payload.audit, known, now: call.now)
                }
            }
        }
    }

    private static func event(of collapse: RevocationPlanner.Collapse, _ user: UserID, _ call: APICall) -> Event {
        Event(
            time: call.now, requestID: call.requestID, action: "identity.user.revoke",
            user: call.caller?.user.compact ?? "", userName: call.caller?.userName ?? "",
            project: call.caller?.project?.compact ?? "",
            target: "\(user.compact) issued_before \(Timestamp.micros(collapse.issuedBefore))", outcome: "success",
            remoteAddress: call.remoteAddress)
    }
}
