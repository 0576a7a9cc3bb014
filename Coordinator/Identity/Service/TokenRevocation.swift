import CoordinatorPlatform
import ProtocolModel

extension IdentityService {
    /// Ends one token. Where its user or delegation has ended very many, the older ones become a bound on the age of
    /// all of them, which the event log has as a line of its own.
    /// - Parameter event: That line but for what was done to what.
    func revoke(_ payload: TokenPayload, _ event: Event, in edit: inout IdentityEdit) throws {
        let now = event.time
        // By what is in force: only then it is sure that nothing more is made from these tokens.
        let collapse = RevocationPlanner.collapse(
            directory.state.revocations(of: payload.user), delegation: payload.delegation,
            limit: settings.revocationLimit)
        let revocation = Revocation(
            expiresAt: payload.expiresAt + tokens.expiredWindow, revokedAt: now, user: payload.user,
            delegation: payload.delegation, issuedUpTo: max(payload.issuedAt, tokens.latestIssue(now)),
            knownAt: Revocation.unpublished)
        if let collapse {
            var line = event
            let bound = Timestamp.micros(collapse.issuedBefore)
            line.action = collapse.delegation == nil ? "identity.user.revoke" : "identity.delegation.revoke"
            line.target = "\(collapse.delegation ?? payload.user.compact) issued_before \(bound)"
            try EventLog.append(line, in: edit.transaction)
            if let delegation = collapse.delegation {
                // No token from before the bound is good for anything after this.
                let end = collapse.issuedBefore + tokens.lifetime + tokens.expiredWindow
                try edit.collapse(collapse, of: delegation, expiresAt: end)
            } else {
                try edit.collapse(collapse, of: payload.user)
            }
        }
        try edit.revoke(payload.audit, revocation)
    }
}
