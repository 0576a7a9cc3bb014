import CoordinatorPlatform
import ProtocolModel

extension IdentityService {
    /// List, show, create, update and delete for every kind of record.
    var resourceRoutes: [Route] {
        let people = [Self.domains.routes(self), users.routes(self), Self.groups.routes(self), Self.roles.routes(self)]
        let catalog = [
            [regionRoute], Self.regions.routes(self), Self.catalogServices.routes(self), Self.endpoints.routes(self),
            Self.endpointGroups.routes(self), Self.policies.routes(self)
        ]
        return ProjectRoutes(identity: self).all + people.flatMap { $0 } + catalog.flatMap { $0 }
    }

    static let groups = ResourceKind<Group>(
        singular: "group", plural: "groups", filters: ["name", "domain_id"],
        all: { Array($0.groups.values) }, find: { $0.groups[$1] }, render: { $0.rendered },
        target: { Policy.Target(domain: $0.domain) },
        make: { fields, call, state in
            Group(
                key: newKey(), domain: try domain(fields, call, state), name: try name(fields),
                description: try fields.nullableString("description").flatMap { $0 } ?? "",
                extra: extra(fields, known: groupMembers))
        },
        change: { group, fields, _, _ in
            try requireDomain(fields, group.domain)
            if let name = try changedName(fields) { group.name = name }
            if let description = try fields.nullableString("description") { group.description = description ?? "" }
            group.extra = extra(fields, known: groupMembers, over: group.extra)
        },
        checkDelete: { _, _ in }, put: { $0.put($1) }, remove: { $0.remove($1) })

    private static let groupMembers: Set<String> = ["name", "description", "domain_id"]

    /// The list holds the roles of the whole cloud, or with `domain_id` those of one domain.
    static let roles = ResourceKind<Role>(
        singular: "role", plural: "roles", filters: ["name", "domain_id"],
        all: { Array($0.roles.values) }, find: { $0.roles[$1] }, render: { $0.rendered },
        target: {
            Policy.Target(
                domain: $0.domain,
                attributes: ["target.role.name": $0.name, "target.role.domain_id": $0.domain ?? "None"])
        },
        make: { fields, _, state in
            let domain = try reference(fields, "domain_id")
            if let domain, state.domains[domain] == nil { throw IdentityAPI.notFound("domain", domain) }
            var role = Role(
                key: newKey(), name: try name(fields), domain: domain,
                description: try fields.nullableString("description").flatMap { $0 },
                extra: extra(fields, known: roleMembers))
            role.extra["options"] = try ResourceOptions.read(fields, over: nil)
            return role
        },
        change: { role, fields, _, _ in
            try role.requireMutable("role", for: fields)
            if let given = fields["domain_id"], given != JSON(role.domain) {
                throw APIError.badRequest("Update of `domain_id` is not allowed.")
            }
            if let name = try changedName(fields) { role.name = name }
            if let description = try fields.nullableString("description") { role.description = description }
            let options = try ResourceOptions.read(fields, over: role.extra["options"])
            role.extra = extra(fields, known: roleMembers, over: role.extra)
            role.extra["options"] = options
        },
        checkDelete: { role, _ in try role.requireDeletable("role") }, put: { $0.put($1) }, remove: { $0.remove($1) },
        isListed: { role, call in call.query.contains { $0.name == "domain_id" } || role.domain == nil },
        beforeWrite: { role, transaction in
            try IdentityStore.requireDistinctName(role, in: transaction)
            return { _ in }
        })

    private static let roleMembers: Set<String> = ["name", "description", "domain_id", "options"]

    static let policies = ResourceKind<PolicyBlob>(
        singular: "policy", plural: "policies", filters: ["type"],
        all: { Array($0.resources.policies.policies.values) }, find: { $0.resources.policies.policies[$1] },
        render: { $0.rendered }, target: { _ in Policy.Target() },
        make: { fields, _, _ in
            PolicyBlob(
                key: newKey(), blob: .string(try fields.string("blob")),
                type: try fields.string("type", length: 0...255),
                extra: extra(fields, known: policyMembers))
        },
        change: { policy, fields, _, _ in
            if let blob = try fields.optionalString("blob") { policy.blob = .string(blob) }
            if let type = try fields.optionalString("type", length: 0...255) { policy.type = type }
            policy.extra = extra(fields, known: policyMembers, over: policy.extra)
        },
        checkDelete: { _, _ in },
        put: { state, policy in state.changeResources { $0.policies.put(policy) } },
        remove: { state, policy in state.changeResources { $0.policies.remove(policy) } })

    private static let policyMembers: Set<String> = ["blob", "type"]
}
