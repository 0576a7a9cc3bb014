import CoordinatorPlatform
import ProtocolModel

/// The catalog that goes with a token.
enum ServiceCatalog {
    /// Enabled services with their enabled endpoints, by type; for a project only those that endpoint filters leave it.
    /// Endpoints whose URL needs a project are not in the catalog of a token that has none.
    static func render(_ scope: TokenPayload.Scope, user: UserID?, _ state: IdentityState) -> [JSON] {
        var names = ["user_id": user?.compact ?? "", "compute_host": "", "public_endpoint": ""]
        var visible: Set<String>?
        if case .project(let id) = scope {
            names["project_id"] = id.compact
            names["tenant_id"] = id.compact
            visible = state.resources.filter.visible(to: id, of: state.endpoints.values)
        }
        let shown = state.endpoints.values.filter { $0.isEnabled && visible?.contains($0.key) != false }
        let endpoints = Dictionary(grouping: shown, by: \.service)
        return state.services.values.filter(\.isEnabled).sorted { ($0.type, $0.key) < ($1.type, $1.key) }
            .compactMap { service in
                let list = (endpoints[service.key] ?? []).sorted {
                    ($0.region ?? "", $0.interface, $0.key) < ($1.region ?? "", $1.interface, $1.key)
                }
                let rendered = list.compactMap { endpoint($0, names) }
                guard visible == nil || !rendered.isEmpty else { return nil }
                return [
                    "id": .string(service.key), "type": .string(service.type), "name": .string(service.name),
                    "endpoints": .array(rendered)
                ]
            }
    }

    /// - Returns: `nil` where the URL asks for what this token does not have.
    private static func endpoint(_ endpoint: Endpoint, _ names: [String: String]) -> JSON? {
        guard let url = EndpointURL.fill(endpoint.url, names) else { return nil }
        return [
            "id": .string(endpoint.key), "interface": .string(endpoint.interface), "region": JSON(endpoint.region),
            "region_id": JSON(endpoint.region), "url": .string(url)
        ]
    }
}

extension EndpointURL {
    /// Puts values in the place of `$(name)s` and `%(name)s`.
    /// - Returns: `nil` where one is not known.
    static func fill(_ url: String, _ names: [String: String]) -> String? {
        guard url.contains("(") else { return url }
        var url = url
        for name in self.names {
            for opening in ["$(", "%("] where url.contains("\(opening)\(name))s") {
                guard let value = names[name] else { return nil }
                url = url.replacing("\(opening)\(name))s", with: value)
            }
        }
        return url
    }
}
