import CoordinatorPlatform
import ProtocolModel

/// The kinds of records with the usual five calls.
enum IdentityKinds {
    static func newKey() -> String { IdentityService.newKey() }

    static let groups = IdentityKind<Group>(
        names: IdentityKind<Group>.names("group", "groups"), filters: ["name", "domain_id"], render: { $0.rendered },
        schema: BodySchema(
            blank: .blank, unknown: .kept(\.extra),
            [
                .required("name", \.name, .identityName()), .given("description", \.description, .text().orNull("")),
                .given("domain_id", \.domain, .referenceOrEmpty)
            ]),
        complete: { group, old, input in
            guard let old else {
                group.domain = try input.domain(group.domain)
                group.key = newKey()
                return
            }
            guard group.domain == old.domain else { throw APIError.badRequest("Cannot change Domain ID") }
        },
        target: { Policy.Target(domain: $0.domain) })

    /// The list holds the roles of the whole cloud, or with `domain_id` those of one domain.
    static let roles = IdentityKind<Role>(
        names: IdentityKind<Role>.names("role", "roles"), filters: ["name", "domain_id"], render: { $0.rendered },
        schema: BodySchema(
            blank: .blank, unknown: .kept(\.extra),
            [
                .required("name", \.name, .identityName()), .given("description", \.description, .textOrNull()),
                .given("domain_id", \.domain, .reference), .resourceOptions
            ]),
        complete: { role, old, input in
            guard let old else {
                if let domain = role.domain, input.state.domains[domain] == nil {
                    throw IdentityAPI.notFound("domain", domain)
                }
                role.key = newKey()
                return
            }
            try old.requireMutable("role", for: input.members)
            guard role.domain == old.domain else {
                throw APIError.badRequest("Update of `domain_id` is not allowed.")
            }
        },
        target: {
            Policy.Target(
                domain: $0.domain,
                attributes: ["target.role.name": $0.name, "target.role.domain_id": $0.domain ?? "None"])
        },
        isListed: { role, call in call.query.contains { $0.name == "domain_id" } || role.domain == nil },
        beforeWrite: { role, edit in
            // Policies do not tell `admin` from `ADMIN`, so neither may be made beside the other. A role that has its
            // name already keeps it.
            let isTaken = edit.state.roles.values.contains {
                $0.key != role.key && $0.domain == role.domain && $0.foldedName == role.foldedName
            }
            guard !isTaken || edit.state.roles[role.key]?.name == role.name else {
                throw StoreError.duplicate("role \(role.name)")
            }
        },
        beforeDelete: { role, _, _ in try role.requireDeletable("role") })

    static let domains = IdentityKind<Domain>(
        names: IdentityKind<Domain>.names("domain", "domains"), filters: ["name", "enabled"], render: { $0.rendered },
        schema: BodySchema(
            blank: .blank, unknown: .kept(\.extra),
            [
                .required("name", \.name, .identityName(64)), .given("description", \.description, .text().orNull("")),
                .given("enabled", \.isEnabled, .flag), .given("tags", \.tags, ProjectTags.list), .resourceOptions,
                .checked("explicit_domain_id", BodyFormat<String>.text(1...64))
            ]),
        complete: { domain, old, input in
            if let old {
                try old.requireMutable("domain", for: input.members)
            } else {
                domain.key = try explicitKey(input.members) ?? newKey()
            }
            // A change is not refused for what it leaves as it was.
            guard domain.name != old?.name else { return }
            guard domain.name.lowercased() != "federated" else {
                throw APIError.badRequest("Domain cannot be named \(domain.name)")
            }
            domain.name = String(domain.name[...].trimmed)
        },
        target: { Policy.Target(domain: $0.key) }, ignored: ["domain_id", "parent_id", "is_domain"],
        conflict: {
            "project - it is not permitted to have two projects acting as domains with the same name: \($0.name)"
        })

    /// The identifier that the request chose: 32 hexadecimal digits in lower case.
    private static func explicitKey(_ members: [String: JSON]) throws(APIError) -> String? {
        guard let key = members["explicit_domain_id"]?.stringValue else { return nil }
        guard AnyID(key)?.compact == key else {
            throw .badRequest("Domain ID does not conform to required UUID format.")
        }
        return key
    }

    static func requireDeletable(_ domain: Domain) throws {
        try domain.requireDeletable("domain")
        guard !domain.isEnabled else {
            throw APIError.forbidden("Cannot delete a domain that is enabled, please disable it first.")
        }
    }
}

extension IdentityService {
    static func newKey() -> String { AnyID.random().compact }

    /// List, show, create, update and delete for every kind of record.
    var resourceRoutes: [Route] {
        let people =
            IdentityKinds.users(self).routes(self) + IdentityKinds.groups.routes(self)
            + IdentityKinds.roles.routes(self)
        let catalog =
            [IdentityKinds.regionRoute(self)] + IdentityKinds.regions.routes(self)
            + IdentityKinds.catalogServices.routes(self) + IdentityKinds.endpoints.routes(self)
            + IdentityKinds.endpointGroups.routes(self) + IdentityKinds.policies.routes(self)
        return ProjectRoutes(identity: self).all + people + catalog
    }
}

extension IdentityRecord {
    /// Not to be changed or deleted before it is said to be mutable again.
    var isImmutable: Bool { extra["options"]?["immutable"] == true }

    /// - Throws: ``APIError`` 403 for an immutable one, unless the change is to make it mutable and nothing else.
    func requireMutable(_ kind: String, for members: [String: JSON]) throws(APIError) {
        guard isImmutable else { return }
        let option = members["options"]?["immutable"]
        guard members.count == 1, option == false || option == .null else {
            throw Self.immutable("update", kind, key)
        }
    }

    func requireDeletable(_ kind: String) throws(APIError) {
        if isImmutable { throw Self.immutable("delete", kind, key) }
    }

    private static func immutable(_ verb: String, _ kind: String, _ key: String) -> APIError {
        .forbidden(
            "Unable to \(verb) immutable \(kind) resource: `\(key). Set resource option \"immutable\" to false first.")
    }
}
