import CoordinatorIdentity
import CoordinatorPlatform
import ProtocolModel
import Testing

/// What somebody with a part of the power tries in order to get the rest of it.
@Suite("identity: fences")
struct IdentityFenceTests {
    private typealias Scene = IdentityDomainScene

    @Test("a domain's manager takes over no administrator")
    func administrators() async throws {
        let scene = try await Scene()
        let (admin, manager, place) = (scene.admin, scene.manager, JSON.string(scene.domain))
        #expect(await manager.send(.get, "users/\(scene.boss)").status == 200)
        let change: JSON = ["user": ["password": "mine"]]
        #expect(await manager.send(.patch, "users/\(scene.boss)", change).status == 403)
        #expect(await manager.send(.delete, "users/\(scene.boss)").status == 403)
        let group = await manager.make("group", ["name": "g", "domain_id": place])
        let user = await manager.make("user", ["name": "u", "domain_id": place])
        #expect(await manager.send(.patch, "users/\(user)", change).status == 200)
        #expect(await manager.send(.put, "groups/\(group)/users/\(user)").status == 204)
        let role = try admin.cloud.roleKey("admin")
        #expect(await admin.send(.put, "system/groups/\(group)/roles/\(role)").status == 204)
        // The group makes administrators now, and the one in it is one.
        let other = await manager.make("user", ["name": "v", "domain_id": place])
        #expect(await manager.send(.put, "groups/\(group)/users/\(other)").status == 403)
        #expect(await manager.send(.patch, "users/\(user)", change).status == 403)
        #expect(await admin.send(.put, "groups/\(group)/users/\(other)").status == 204)
        #expect(await admin.send(.patch, "users/\(user)", change).status == 200)
    }

    @Test("a domain's manager takes over no account of the services, in whatever spelling")
    func services() async throws {
        let scene = try await Scene()
        let (admin, manager) = (scene.admin, scene.manager)
        let user = await manager.make("user", ["name": "nova", "domain_id": .string(scene.domain)])
        let project = await manager.make("project", ["name": "services", "domain_id": .string(scene.domain)])
        let change: JSON = ["user": ["password": "mine"]]
        let base = try admin.cloud.roleKey("service")
        let above = await admin.make("role", ["name": "above"])
        #expect(await admin.send(.put, "roles/\(above)/implies/\(base)").status == 201)
        for role in [base, above] {
            #expect(await manager.send(.patch, "users/\(user)", change).status == 200)
            let grant = "projects/\(project)/users/\(user)/roles/\(role)"
            #expect(await admin.send(.put, grant).status == 204)
            #expect(await manager.send(.patch, "users/\(user)", change).status == 403)
            #expect(await manager.send(.delete, "users/\(user)").status == 403)
            #expect(await admin.send(.delete, grant).status == 204)
        }
    }

    @Test("a domain's manager puts no stranger into a group, and does not change the domain as a project")
    func foreign() async throws {
        let scene = try await Scene()
        let group = await scene.manager.make("group", ["name": "g", "domain_id": .string(scene.domain)])
        let demo = try scene.admin.cloud.userKey("demo")
        #expect(await scene.manager.send(.put, "groups/\(group)/users/\(demo)").status == 403)
        #expect(await scene.admin.send(.put, "groups/\(group)/users/\(demo)").status == 204)
        for kind in ["domain", "project"] {
            let path = "\(kind)s/\(scene.domain)"
            // As a project it stands in no domain, so it is not theirs to see.
            #expect(await scene.manager.send(.get, path).status == (kind == "domain" ? 200 : 403))
            #expect(await scene.manager.send(.patch, path, [kind: ["enabled": false]]).status == 403, "\(kind)")
            #expect(await scene.manager.send(.delete, path).status == 403, "\(kind)")
        }
        #expect(await scene.admin.send(.patch, "projects/\(scene.domain)", ["project": ["name": "e"]]).status == 200)
    }

    @Test("a domain's manager learns of the cloud's roles only")
    func domainRoles() async throws {
        let scene = try await Scene()
        let other = await scene.admin.make("domain", ["name": "other"])
        let role = await scene.admin.make("role", ["name": "theirs", "domain_id": .string(other)])
        #expect(await scene.admin.send(.get, "roles/\(role)").status == 200)
        #expect(await scene.manager.send(.get, "roles/\(role)").status == 403)
        #expect(await scene.manager.send(.get, "roles?domain_id=\(other)").json["roles"] == .array([]))
        let member = try scene.admin.cloud.roleKey("member")
        #expect(await scene.manager.send(.get, "roles/\(member)").status == 200)
    }

    @Test("an unrestricted application credential trusts nobody with another project")
    func otherProject() async throws {
        let cloud = try await IdentityCloud()
        let admin = await IdentityPerson.admin(cloud), demo = await IdentityPerson.demo(cloud)
        let user = try cloud.userKey("demo")
        let made = await admin.post("projects", ["project": ["name": "other"]])
        let other = try #require(made.json["project"]?["id"]?.stringValue)
        let role = try cloud.roleKey("member")
        #expect(await admin.send(.put, "projects/\(other)/users/\(user)/roles/\(role)").status == 204)
        let body: JSON = ["application_credential": ["name": "a", "secret": "s", "unrestricted": true]]
        let credential = await demo.post("users/\(user)/application_credentials", body)
        let id = credential.json["application_credential"]?["id"] ?? .null
        let login = await cloud.authenticate(application: ["id": id, "secret": "s"])
        let program = IdentityPerson(cloud: cloud, token: login.subjectToken)
        for (project, status) in [(other, 404), (try cloud.projectKey("demo"), 201)] {
            let trust: JSON = [
                "trustor_user_id": .string(user), "trustee_user_id": .string(try cloud.userKey("admin")),
                "impersonation": false, "project_id": .string(project), "roles": [["name": "member"]]
            ]
            #expect(await program.post("OS-TRUST/trusts", ["trust": trust]).status == status)
        }
        // Nor does it end its user's other tokens.
        #expect(await program.delete("users/\(user)/tokens").status == 403)
        #expect(demo.isAlive)
    }

    @Test("trusts that have ended make room, access rules are counted")
    func bounds() async throws {
        var settings = IdentityService.Settings()
        settings.delegationLimit = 2
        let cloud = try await IdentityCloud(settings: settings)
        let demo = await IdentityPerson.demo(cloud)
        let user = try cloud.userKey("demo")
        func trust(_ end: JSON) async throws -> Int {
            let body: JSON = [
                "trustor_user_id": .string(user), "trustee_user_id": .string(try cloud.userKey("admin")),
                "impersonation": false, "expires_at": end
            ]
            return await demo.post("OS-TRUST/trusts", ["trust": body]).status
        }
        #expect(try await trust("2026-01-01T00:01:00Z") == 201)
        #expect(try await trust("2026-01-01T00:02:00Z") == 201)
        #expect(try await trust(nil) == 403)
        cloud.clock.advance(by: .seconds(61))
        #expect(try await trust(nil) == 201)
        #expect(try await trust(nil) == 403)
        #expect(cloud.identity.directory.state.delegations.trusts.count == 2)
        #expect(try await cloud.restarted().directory.state.delegations.trusts.count == 2)

        let credentials = "users/\(user)/application_credentials"
        for (round, status) in [(0, 201), (1, 201), (2, 403)] {
            let rule: JSON = ["service": "compute", "method": "GET", "path": .string("/\(round)")]
            let body: JSON = ["name": "a", "access_rules": [rule]]
            let answer = await demo.post(credentials, ["application_credential": body])
            #expect(answer.status == status, "\(answer.json)")
            if let id = answer.json["application_credential"]?["id"]?.stringValue {
                #expect(await demo.delete("\(credentials)/\(id)").status == 204)
            }
        }
    }

    @Test("the document of a token that has ended shows the roles of now, not those of when it was last looked at")
    func documents() async throws {
        let cloud = try await IdentityCloud()
        let admin = await IdentityPerson.admin(cloud), demo = await IdentityPerson.demo(cloud)
        func roles() async -> [String]? {
            let fresh = await IdentityPerson.admin(cloud)
            return await fresh.validate(demo.token, "?allow_expired=1").json["token"]?["roles"]?.arrayValue?
                .compactMap { $0["name"]?.stringValue }.sorted()
        }
        let grant = "projects/\(try cloud.projectKey("demo"))/users/\(try cloud.userKey("demo"))/roles/"
        #expect(await admin.send(.put, grant + (try cloud.roleKey("manager"))).status == 204)
        #expect(await roles() == ["manager", "member", "reader"])
        cloud.clock.advance(by: .seconds(3700))
        #expect(!demo.isAlive)
        let later = await IdentityPerson.admin(cloud)
        #expect(await later.delete(grant + (try cloud.roleKey("manager"))).status == 204)
        #expect(await roles() == ["member", "reader"])
    }
}
