import CoordinatorPlatform
import ProtocolModel

extension IdentityService {
    /// Ends one token. Where its user or delegation has ended very many, the older ones become a bound on the age of
    /// all of them, which the event log has as a line of its own.
    func revoke(_ payload: TokenPayload, _ call: APICall) async throws {
        // By what the directory knows: only then it is sure that nothing more is made from these tokens.
        let collapse = RevocationPlanner.collapse(
            directory.state.revocations(of: payload.user), delegation: payload.delegation,
            limit: settings.revocationLimit)
        let revocation = Revocation(
            expiresAt: payload.expiresAt + tokens.expiredWindow, revokedAt: call.now, user: payload.user,
            delegation: payload.delegation, issuedUpTo: max(payload.issuedAt, tokens.latestIssue(call.now)),
            knownAt: call.now)
        try await call.write(target: { _ in payload.audit.auditText }) { transaction in
            try IdentityStore.revoke(payload.audit, revocation, now: call.now, in: transaction)
            let follow = try collapse.map { try note($0, payload, call, transaction) }
            transaction.afterCommit {
                directory.apply { state in
                    var known = revocation
                    known.knownAt = tokens.latestIssue(clock.now())
                    follow?(&state)
                    state.revoke(payload.audit, known, now: call.now)
                }
            }
        }
    }

    private func note(
        _ collapse: RevocationPlanner.Collapse, _ payload: TokenPayload, _ call: APICall,
        _ transaction: any SQLTransaction
    ) throws -> StateChange {
        try EventLog.append(Self.event(of: collapse, payload.user, call), in: transaction)
        guard let delegation = collapse.delegation else {
            let isNew = try IdentityStore.collapse(collapse, of: payload.user, in: transaction)
            return { $0.collapse(collapse, of: payload.user, isNew: isNew) }
        }
        // No token from before the bound is good for anything after this.
        let end = collapse.issuedBefore + tokens.lifetime + tokens.expiredWindow
        try IdentityStore.collapse(collapse, of: delegation, expiresAt: end, in: transaction)
        return { $0.collapse(collapse, of: delegation, expiresAt: end) }
    }

    private static func event(of collapse: RevocationPlanner.Collapse, _ user: UserID, _ call: APICall) -> Event {
        let isOfUser = collapse.delegation == nil
        return Event(
            time: call.now, requestID: call.requestID,
            action: isOfUser ? "identity.user.revoke" : "identity.delegation.revoke",
            user: call.caller?.user.compact ?? "", userName: call.caller?.userName ?? "",
            project: call.caller?.project?.compact ?? "",
            target: "\(collapse.delegation ?? user.compact) issued_before \(Timestamp.micros(collapse.issuedBefore))",
            outcome: "success", remoteAddress: call.remoteAddress)
    }
}
