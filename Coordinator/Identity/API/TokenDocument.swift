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
            if withCatalog { members["catalog"] = .array(catalog(payload.scope, state)) }
        }
        switch payload.scope {
        case .unscoped: break
        case .project(let id):
            guard let project = state.projects[id] else { break }
            members["project"] = [
                "id": .string(project.key), "name": .string(project.name), "domain": domain(project.domain, state)
            ]
            members["is_domain"] = false
        case .domain(let key): members["domain"] = domain(key, state)
        case .system: members["system"] = ["all": true]
        }
        return ["token": .object(members)]
    }

    private static func user(_ user: User, _ state: IdentityState) -> JSON {
        [
            "id": .string(user.key), "name": .string(user.name), "domain": domain(user.domain, state),
            "password_expires_at": nil
        ]
    }

    private static func domain(_ key: String, _ state: IdentityState) -> JSON {
        ["id": .string(key), "name": .string(state.domains[key]?.name ?? key)]
    }

    /// Services with their endpoints, by type; `$(project_id)s` in a URL becomes the project.
    static func catalog(_ scope: TokenPayload.Scope, _ state: IdentityState) -> [JSON] {
        var project = ""
        if case .project(let id) = scope { project = id.compact }
        let endpoints = Dictionary(grouping: state.endpoints.values.filter(\.isEnabled), by: \.service)
        return state.services.values.filter(\.isEnabled).sorted { ($0.type, $0.key) < ($1.type, $1.key) }
            .compactMap { service in
                guard let own = endpoints[service.key] else { return nil }
                let list = own.sorted {
                    ($0.region ?? "", $0.interface, $0.key) < ($1.region ?? "", $1.interface, $1.key)
                }
                return [
                    "id": .string(service.key), "type": .string(service.type), "name": .string(service.name),
                    "endpoints": .array(list.map { endpoint($0, project) })
                ]
            }
    }

    private static func endpoint(_ endpoint: Endpoint, _ project: String) -> JSON {
        var url = endpoint.url
        if url.contains("(") {
            for name in ["project_id", "tenant_id"] {
                for opening in ["$(", "%("] { url = url.replacing("\(opening)\(name))s", with: project) }
            }
        }
        return [
            "id": .string(endpoint.key), "interface": .string(endpoint.interface), "region": JSON(endpoint.region),
            "region_id": JSON(endpoint.region), "url": .string(url)
        ]
    }
}
