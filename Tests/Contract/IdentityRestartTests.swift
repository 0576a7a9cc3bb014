import CoordinatorIdentity
import CoordinatorPlatform
import ProtocolModel
import Testing

/// Memory follows each change, rows are what a restart finds: both must be the same after every kind of removal.
@Suite("identity: memory and rows")
struct IdentityRestartTests {
    /// Names of the parts in which two states differ.
    static func differences(_ left: IdentityState, _ right: IdentityState) -> [String] {
        func filled<Key, Value: Collection>(_ parts: [Key: Value]) -> [Key: Value] {
            parts.filter { !$0.value.isEmpty }
        }
        let (a, b) = (left.delegations, right.delegations), (c, d) = (left.resources, right.resources)
        let parts: [(String, Bool)] = [
            ("domains", left.domains == right.domains), ("projects", left.projects == right.projects),
            ("users", left.users == right.users), ("groups", left.groups == right.groups),
            ("roles", left.roles == right.roles), ("regions", left.regions == right.regions),
            ("services", left.services == right.services), ("endpoints", left.endpoints == right.endpoints),
            ("implications", filled(left.implications) == filled(right.implications)),
            ("assignments", filled(left.assignments) == filled(right.assignments)),
            ("members", filled(left.membersOfGroup) == filled(right.membersOfGroup)),
            ("memberships", filled(left.groupsOfUser) == filled(right.groupsOfUser)),
            ("revocations", left.revoked == right.revoked),
            ("bounds of delegations", left.delegationBounds == right.delegationBounds),
            ("activity", left.activity == right.activity),
            ("application credentials", a.applicationCredentials == b.applicationCredentials),
            ("access rules", a.accessRules == b.accessRules), ("trusts", a.trusts == b.trusts),
            ("credentials", a.credentials == b.credentials),
            ("endpoint groups", c.filter.groups == d.filter.groups),
            ("project endpoints", filled(c.filter.endpointsOfProject) == filled(d.filter.endpointsOfProject)),
            ("project groups", filled(c.filter.groupsOfProject) == filled(d.filter.groupsOfProject)),
            ("policies", c.policies.policies == d.policies.policies),
            ("policy targets", c.policies.policyOfTarget == d.policies.policyOfTarget),
            ("registered limits", c.limits.registered == d.limits.registered),
            ("limits", c.limits.limits == d.limits.limits), ("configurations", c.configurations == d.configurations),
            ("names", right.users.values.allSatisfy { left.user(named: $0.name, in: $0.domain)?.id == $0.id }),
            ("project names", right.projects.values.allSatisfy { left.project(named: $0.name, in: $0.domain) == $0 })
        ]
        return parts.filter { !$0.1 }.map(\.0)
    }

    /// Without the moments at which revocations became known, which a restart sets anew.
    static func forgettingMoments(_ state: IdentityState) -> IdentityState {
        var state = state
        for (token, revocation) in state.revoked {
            var revocation = revocation
            revocation.knownAt = 0
            state.revoke(token, revocation, now: 0)
        }
        return state
    }

    @Test(
        "after a removal, live changes have left what a restart reads",
        arguments: ["nothing", "user", "project", "group", "role", "service", "region", "domain", "trust", "grant"])
    func removal(_ kind: String) async throws {
        let admin = try await IdentitySession.admin()
        let cloud = admin.cloud
        let domain = await admin.make("domain", ["name": "d"])
        let place = JSON.string(domain)
        let project = await admin.make("project", ["name": "p", "domain_id": place])
        let user = await admin.make(
            "user",
            ["name": "u", "password": "pw", "domain_id": place, "default_project_id": .string(project)])
        let other = await admin.make("user", ["name": "o", "default_project_id": .string(project)])
        let group = await admin.make("group", ["name": "g", "domain_id": place])
        let role = await admin.make("role", ["name": "r"])
        let region = await admin.make("region", ["id": "above"])
        let below = await admin.make("region", ["id": "below", "parent_region_id": .string(region)])
        let service = await admin.make("service", ["type": "t", "name": "s"])
        let reader = try cloud.roleKey("reader")
        for path in [
            "groups/\(group)/users/\(user)", "groups/\(group)/users/\(other)",
            "projects/\(project)/users/\(user)/roles/\(role)", "projects/\(project)/groups/\(group)/roles/\(reader)",
            "domains/\(domain)/users/\(other)/roles/\(role)", "system/users/\(other)/roles/\(role)",
            "OS-INHERIT/domains/\(domain)/groups/\(group)/roles/\(role)/inherited_to_projects"
        ] {
            #expect(await admin.send(.put, path).status == 204, "\(path)")
        }
        #expect(await admin.send(.put, "roles/\(role)/implies/\(reader)").status == 201)
        let scope: JSON = ["project": ["id": .string(project)]]
        let login: JSON = ["methods": ["password"], "password": ["user": ["id": .string(user), "password": "pw"]]]
        let own = IdentityPerson(cloud: cloud, token: await cloud.authenticate(login, scope: scope).subjectToken)
        let rule: JSON = ["service": "compute", "method": "GET", "path": "/v2.1/servers"]
        let credential: JSON = ["name": "a", "access_rules": [rule]]
        let credentials = "users/\(user)/application_credentials"
        #expect(await own.post(credentials, ["application_credential": credential]).status == 201)
        let blob: JSON = [
            "type": "ec2", "blob": "{\"access\": \"a\", \"secret\": \"s\"}", "user_id": .string(other),
            "project_id": .string(project)
        ]
        #expect(await admin.send(.post, "credentials", ["credential": blob]).status == 201)
        let trust = await own.post(
            "OS-TRUST/trusts",
            [
                "trust": [
                    "trustor_user_id": .string(user), "trustee_user_id": .string(other), "impersonation": true,
                    "project_id": .string(project), "roles": [["id": .string(role)]]
                ]
            ])
        #expect(trust.status == 201)
        await hang(on: project, service: service, region: below, admin)
        let paths = [
            "user": "users/\(user)", "project": "projects/\(project)", "group": "groups/\(group)",
            "role": "roles/\(role)", "service": "services/\(service)", "region": "regions/\(region)",
            "domain": "domains/\(domain)", "grant": "projects/\(project)/users/\(user)/roles/\(role)"
        ]
        if kind == "domain" {
            #expect(await admin.send(.patch, "domains/\(domain)", ["domain": ["enabled": false]]).status == 200)
        }
        if kind == "trust" {
            #expect(await own.delete("OS-TRUST/trusts/\(trust.json["trust"]?["id"]?.stringValue ?? "")").status == 204)
        } else if let path = paths[kind] {
            #expect(await admin.send(.delete, path).status == 204)
        }
        let after = try await cloud.restarted().directory.state
        #expect(Self.differences(cloud.identity.directory.state, after) == [])
    }

    /// Limits and a policy, which go with what they are for.
    private func hang(on project: String, service: String, region below: String, _ admin: IdentitySession) async {
        let registered: JSON = [
            "service_id": .string(service), "resource_name": "x", "default_limit": 5, "region_id": .string(below)
        ]
        #expect(await admin.send(.post, "registered_limits", ["registered_limits": [registered]]).status == 201)
        let limit: JSON = [
            "service_id": .string(service), "resource_name": "x", "resource_limit": 5, "region_id": .string(below),
            "project_id": .string(project)
        ]
        #expect(await admin.send(.post, "limits", ["limits": [limit]]).status == 201)
        let policy = await admin.make("policy", ["blob": "b", "type": "t"], at: "policies")
        let target = "services/\(service)/regions/\(below)"
        #expect(await admin.send(.put, "policies/\(policy)/OS-ENDPOINT-POLICY/\(target)").status == 204)
    }
}
