import CoordinatorPlatform

/// The JSON-home document: every resource of the API by its relation, for clients that ask for
/// `application/json-home` (draft-nottingham-json-home-03; relations as Keystone names them).
enum JSONHome {
    static let contentType = "application/json-home"

    /// - Parameter prefix: What stands before each path: nothing below `/v3`, `/v3` above it.
    static func document(prefix: String) -> JSON {
        var resources: [String: JSON] = [:]
        for (place, entries) in places {
            for (name, path) in entries { resources[place.relation(name)] = resource(prefix + path, place, name) }
        }
        return ["resources": .object(resources)]
    }

    /// Whether the client likes this form better than plain JSON.
    static func isWanted(_ accept: String?) -> Bool {
        guard let accept else { return false }
        func quality(_ type: String) -> Double {
            accept.split(separator: ",").reduce(0) { best, part in
                let pieces = part.split(separator: ";").map { $0.trimmed }
                guard let range = pieces.first, range == type || range == "*/*" || range == "application/*" else {
                    return best
                }
                let weight = pieces.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) }
                return max(best, weight ?? 1)
            }
        }
        return quality(contentType) > quality("application/json")
    }

    // MARK: - Relations

    private static let base = "https://docs.openstack.org/api/openstack-identity/3"

    private struct Place: Hashable {
        /// An extension's name and version; empty for the core.
        var name = ""

        func relation(_ resource: String) -> String {
            name.isEmpty ? "\(base)/rel/\(resource)" : "\(base)/ext/\(name)/rel/\(resource)"
        }
    }

    private static let experimental: Set<String> = [
        "limits", "limit", "limit_model", "registered_limits", "registered_limit"
    ]

    private static func resource(_ path: String, _ place: Place, _ name: String) -> JSON {
        let names = path.split(separator: "/").filter { $0.first == "{" }.map { String($0.dropFirst().dropLast()) }
        var members: [String: JSON] = [:]
        if names.isEmpty {
            members["href"] = .string(path)
        } else {
            members["href-template"] = .string(path)
            members["href-vars"] = .object(
                Dictionary(names.map { ($0, .string(parameter($0))) }, uniquingKeysWith: { first, _ in first }))
        }
        if place.name.isEmpty, experimental.contains(name) { members["hints"] = ["status": "experimental"] }
        return .object(members)
    }

    private static func parameter(_ name: String) -> String {
        switch name {
        case "endpoint_group_id": "\(base)/ext/OS-EP-FILTER/1.0/param/\(name)"
        case "trust_id": "\(base)/ext/OS-TRUST/1.0/param/\(name)"
        case "prior_role_id", "implied_role_id": "\(base)/param/role_id"
        case "value": "\(base)/param/tag_value"
        case "group", "option": "\(base)/param/config_\(name)"
        default: "\(base)/param/\(name)"
        }
    }

    // MARK: - The resources

    private static let places: [(Place, [(String, String)])] = [
        (Place(), core + people + catalog + grants),
        (
            Place(name: "OS-EC2/1.0"),
            [
                ("ec2tokens", "/ec2tokens"), ("user_credentials", "/users/{user_id}/credentials/OS-EC2"),
                ("user_credential", "/users/{user_id}/credentials/OS-EC2/{credential_id}")
            ]
        ),
        (Place(name: "s3tokens/1.0"), [("s3tokens", "/s3tokens")]), (Place(name: "OS-EP-FILTER/1.0"), filters),
        (Place(name: "OS-INHERIT/1.0"), inherited), (Place(name: "OS-ENDPOINT-POLICY/1.0"), policies),
        (
            Place(name: "OS-TRUST/1.0"),
            [
                ("trusts", "/OS-TRUST/trusts"), ("trust", "/OS-TRUST/trusts/{trust_id}"),
                ("trust_roles", "/OS-TRUST/trusts/{trust_id}/roles"),
                ("trust_role", "/OS-TRUST/trusts/{trust_id}/roles/{role_id}")
            ]
        )
    ]

    private static let core = [
        ("auth_tokens", "/auth/tokens"), ("auth_projects", "/auth/projects"), ("auth_domains", "/auth/domains"),
        ("auth_system", "/auth/system"), ("auth_catalog", "/auth/catalog"), ("domains", "/domains"),
        ("domain", "/domains/{domain_id}"), ("domain_config", "/domains/{domain_id}/config"),
        ("domain_config_group", "/domains/{domain_id}/config/{group}"),
        ("domain_config_option", "/domains/{domain_id}/config/{group}/{option}"),
        ("domain_config_default", "/domains/config/default"),
        ("domain_config_default_group", "/domains/config/{group}/default"),
        ("domain_config_default_option", "/domains/config/{group}/{option}/default"), ("projects", "/projects"),
        ("project", "/projects/{project_id}"), ("project_tags", "/projects/{project_id}/tags/{value}")
    ]

    private static let people = [
        ("users", "/users"), ("user", "/users/{user_id}"), ("user_change_password", "/users/{user_id}/password"),
        ("user_groups", "/users/{user_id}/groups"), ("user_projects", "/users/{user_id}/projects"),
        ("groups", "/groups"), ("group", "/groups/{group_id}"), ("group_users", "/groups/{group_id}/users"),
        ("group_user", "/groups/{group_id}/users/{user_id}"), ("credentials", "/credentials"),
        ("credential", "/credentials/{credential_id}"),
        ("application_credentials", "/users/{user_id}/application_credentials"),
        ("application_credential", "/users/{user_id}/application_credentials/{application_credential_id}"),
        ("access_rules", "/users/{user_id}/access_rules"),
        ("access_rule", "/users/{user_id}/access_rules/{access_rule_id}"), ("roles", "/roles"),
        ("role", "/roles/{role_id}"), ("implied_roles", "/roles/{prior_role_id}/implies"),
        ("implied_role", "/roles/{prior_role_id}/implies/{implied_role_id}"),
        ("role_inferences", "/role_inferences"), ("role_assignments", "/role_assignments")
    ]

    private static let catalog = [
        ("regions", "/regions"), ("region", "/regions/{region_id}"), ("services", "/services"),
        ("service", "/services/{service_id}"), ("endpoints", "/endpoints"), ("endpoint", "/endpoints/{endpoint_id}"),
        ("policies", "/policies"), ("policy", "/policies/{policy_id}"), ("limits", "/limits"),
        ("limit", "/limits/{limit_id}"), ("limit_model", "/limits/model"),
        ("registered_limits", "/registered_limits"),
        ("registered_limit", "/registered_limits/{registered_limit_id}")
    ]

    /// Roles on projects, domains and the system, of users and groups.
    private static let grants: [(String, String)] = ["user", "group"].flatMap { actor in
        ["project", "domain", "system"].flatMap { target in
            let place = target == "system" ? "/system" : "/\(target)s/{\(target)_id}"
            let path = "\(place)/\(actor)s/{\(actor)_id}/roles"
            return [("\(target)_\(actor)_roles", path), ("\(target)_\(actor)_role", "\(path)/{role_id}")]
        }
    }

    private static let inherited: [(String, String)] = ["user", "group"].flatMap { actor in
        let end = "inherited_to_projects"
        let domain = "/OS-INHERIT/domains/{domain_id}/\(actor)s/{\(actor)_id}/roles"
        let project = "/OS-INHERIT/projects/{project_id}/\(actor)s/{\(actor)_id}/roles"
        return [
            ("domain_\(actor)_roles_\(end)", "\(domain)/\(end)"),
            ("domain_\(actor)_role_\(end)", "\(domain)/{role_id}/\(end)"),
            ("project_\(actor)_role_\(end)", "\(project)/{role_id}/\(end)")
        ]
    }

    private static let filters: [(String, String)] = {
        let place = "/OS-EP-FILTER"
        let group = "\(place)/endpoint_groups/{endpoint_group_id}"
        return [
            ("endpoint_groups", "\(place)/endpoint_groups"), ("endpoint_group", group),
            ("endpoint_projects", "\(place)/endpoints/{endpoint_id}/projects"),
            ("project_endpoint", "\(place)/projects/{project_id}/endpoints/{endpoint_id}"),
            ("project_endpoints", "\(place)/projects/{project_id}/endpoints"),
            ("project_endpoint_groups", "\(place)/projects/{project_id}/endpoint_groups"),
            ("endpoints_in_endpoint_group", "\(group)/endpoints"),
            ("projects_associated_with_endpoint_group", "\(group)/projects"),
            ("endpoint_group_to_project_association", "\(group)/projects/{project_id}")
        ]
    }()

    private static let policies: [(String, String)] = {
        let place = "/policies/{policy_id}/OS-ENDPOINT-POLICY"
        return [
            ("endpoint_policy", "/endpoints/{endpoint_id}/OS-ENDPOINT-POLICY/policy"),
            ("policy_endpoints", "\(place)/endpoints"),
            ("endpoint_policy_association", "\(place)/endpoints/{endpoint_id}"),
            ("service_policy_association", "\(place)/services/{service_id}"),
            ("region_and_service_policy_association", "\(place)/services/{service_id}/regions/{region_id}")
        ]
    }()
}
