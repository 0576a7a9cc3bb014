import CoordinatorPlatform
import ProtocolModel

/// The body that tells what a token means, and the catalog.
enum TokenDocument {
    static func render(_ token: ValidToken, _ state: IdentityState, withCatalog: Bool) -> JSON {
        let payload = token.payload
        var members: [String: JSON] = [
            "methods": .array(payload.methods.names.map { .string($0) }),
            "user": user(token.user, state),
            "audit_ids": .array(
                ([payload.audit] + [payload.parentAudit].compactMap { $0 }).map { .string($0.auditText) }),
            "issued_at": .string(Timestamp.micros(payload.issuedAt)),
            "expires_at": .string(Timestamp.micros(payload.expiresAt))
        ]
        if payload.scope != .unscoped {
            members["roles"] = .array(token.roles.map { ["id": .string($0.key), "name": .string($0.name)] })
            if withCatalog { members["catalog"] = .array(catalog(payload.scope, user: token.user.id, state)) }
        }
        switch payload.scope {
        case .unscoped: break
        case .project(let id):
            guard let project = state.projects[id] else { break }
            members["project"] = [
                "id": .string(project.key), "name": .string(project.name), "domain": domain(project.domain, state)
            ]
            if token.trust == nil { members["is_domain"] = false }
        case .domain(let key): members["domain"] = domain(key, state)
        case .system: members["system"] = ["all": true]
        }
        if let trust = token.trust { members["OS-TRUST:trust"] = self.trust(trust) }
        if let credential = token.applicationCredential {
            members["application_credential"] = applicationCredential(credential, state)
        }
        return ["token": .object(members)]
    }

    private static func trust(_ trust: Trust) -> JSON {
        [
            "id": .string(trust.key), "impersonation": .bool(trust.isImpersonating),
            "trustor_user": ["id": .string(trust.trustor.compact)],
            "trustee_user": ["id": .string(trust.trustee.compact)]
        ]
    }

    private static func applicationCredential(_ credential: ApplicationCredential, _ state: IdentityState) -> JSON {
        var members: [String: JSON] = [
            "id": .string(credential.key), "name": .string(credential.name),
            "restricted": .bool(!credential.isUnrestricted)
        ]
        if !credential.accessRules.isEmpty {
            let rules = credential.accessRules.compactMap { state.delegations.accessRules[$0] }
            members["access_rules"] = .array(rules.map { .object($0.rendered) })
        }
        return .object(members)
    }

    private static func user(_ user: User, _ state: IdentityState) -> JSON {
        [
            "id": .string(user.key), "name": .string(user.name), "domain": domain(user.domain, state),
            "password_expires_at": JSON(user.passwordState.expiresAt.map(Timestamp.microsWithoutZone))
        ]
    }

    private static func domain(_ key: String, _ state: IdentityState) -> JSON {
        ["id": .string(key), "name": .string(state.domains[key]?.name ?? key)]
    }

    /// Services with their endpoints, by type.
    static func catalog(_ scope: TokenPayload.Scope, user: UserID? = nil, _ state: IdentityState) -> [JSON] {
        ServiceCatalog.render(scope, user: user, state)
    }
}
