import CoordinatorIdentity
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("identity: the project that acts as a domain")
struct IdentityActingDomainTests {
    @Test("a domain's manager writes no tags of the domain, and reads none")
    func tags() async throws {
        let scene = try await IdentityDomainScene()
        let (admin, manager) = (scene.admin, scene.manager)
        let path = "projects/\(scene.domain)/tags"
        #expect(await admin.send(.put, path, ["tags": ["a", "b"]]).json["tags"] == ["a", "b"])
        let refused = "403 You are not authorized to perform the requested action: identity:"
        #expect(await manager.refusal(.put, path, ["tags": ["x"]]) == "\(refused)update_project_tags.")
        #expect(await manager.refusal(.put, "\(path)/x") == "\(refused)create_project_tag.")
        #expect(await manager.refusal(.delete, "\(path)/a") == "\(refused)delete_project_tag.")
        #expect(await manager.refusal(.delete, path) == "\(refused)delete_project_tags.")
        #expect(await manager.refusal(.get, path) == "\(refused)list_project_tags.")
        #expect(await manager.refusal(.get, "\(path)/a") == "\(refused)get_project_tag.")
        let options: JSON = ["options": ["immutable": true], "tags": ["x"]]
        #expect(await manager.refusal(.patch, "domains/\(scene.domain)", ["domain": options]).hasPrefix("403"))
        #expect(await manager.refusal(.patch, "projects/\(scene.domain)", ["project": options]).hasPrefix("403"))
        #expect(await admin.send(.get, path).json["tags"] == ["a", "b"])
        // Projects in the domain are the manager's.
        let project = await manager.make("project", ["name": "p", "domain_id": .string(scene.domain)])
        #expect(await manager.send(.put, "projects/\(project)/tags", ["tags": ["x"]]).status == 200)
        #expect(await manager.send(.get, "projects/\(project)/tags/x").status == 204)
    }

    @Test("with a domain's token one sees its projects, and not the one that acts as the domain")
    func lists() async throws {
        let scene = try await IdentityDomainScene()
        _ = await scene.manager.make("project", ["name": "p", "domain_id": .string(scene.domain)])
        #expect(await scene.manager.list("projects") == ["p"])
        #expect(await scene.manager.list("projects", "projects?is_domain=true") == [])
        #expect(await scene.admin.list("projects", "projects?is_domain=true") == ["Default", "d"])
    }

    @Test("a role on it is another than one on the domain", arguments: [false, true])
    func grants(isDefault: Bool) async throws {
        let session = try await IdentitySession.admin()
        let made = await session.make("project", ["name": "branch", "is_domain": true])
        let domain = isDefault ? "default" : made
        let user = await session.make("user", ["name": "u", "password": "pw", "domain_id": .string(domain)])
        let role = await session.make("role", ["name": "r"])
        let asDomain = "domains/\(domain)/users/\(user)/roles/\(role)"
        let asProject = "projects/\(domain)/users/\(user)/roles/\(role)"
        #expect(await session.send(.put, asDomain).status == 204)
        #expect(
            await session.refusal(.get, asProject)
                == """
                404 Could not find role assignment with role: \(role), user or group: \(user), project, domain, or \
                system: \(domain).
                """)
        #expect(await session.send(.put, asProject).status == 204)
        #expect(await session.send(.head, asProject).status == 204)
        #expect(await session.list("roles", "projects/\(domain)/users/\(user)/roles") == ["r"])
        let path = "role_assignments?user.id=\(user)"
        func scopes(_ query: String) async -> [JSON] {
            await session.send(.get, query).json["role_assignments"]?.arrayValue?.compactMap { $0["scope"] } ?? []
        }
        let scope: JSON = ["project": ["id": .string(domain)]]
        let both = Set(await scopes(path))
        #expect(both == [scope, ["domain": ["id": .string(domain)]]])
        #expect(await scopes("\(path)&scope.project.id=\(domain)") == [scope])
        #expect(await scopes("\(path)&scope.project.id=\(domain)&effective") == [scope])
        #expect(await scopes("\(path)&scope.project.id=\(domain)&include_subtree") == [scope])
        #expect(await session.list("projects", "users/\(user)/projects", "id") == [domain])
        let again = try await session.cloud.restarted().directory.state
        #expect(IdentityRestartTests.differences(again, session.cloud.identity.directory.state) == [])
        // Taking the one leaves the other.
        #expect(await session.send(.delete, asDomain).status == 204)
        #expect(await session.send(.head, asProject).status == 204)
        #expect(await session.send(.delete, asProject).status == 204)
        #expect(await scopes(path) == [])
    }

    @Test("no token is for it, whoever has a role on it")
    func tokens() async throws {
        let session = try await IdentitySession.admin()
        let domain = await session.make("project", ["name": "branch", "is_domain": true])
        let user = await session.make("user", ["name": "u", "password": "pw", "domain_id": .string(domain)])
        for role in ["admin", "member"] {
            let path = "projects/\(domain)/users/\(user)/roles/\(try session.cloud.roleKey(role))"
            #expect(await session.send(.put, path).status == 204)
        }
        let password: JSON = ["methods": ["password"], "password": ["user": ["id": .string(user), "password": "pw"]]]
        let place: JSON = ["id": .string(domain)]
        for scope: JSON in [
            ["project": place], ["domain": place], ["project": ["name": "branch", "domain": place]],
            ["project": ["name": "branch", "domain": ["name": "branch"]]]
        ] {
            let answer = await session.cloud.authenticate(password, scope: scope)
            #expect(answer.status == 401, "\(scope.text)")
        }
        let unscoped = await session.cloud.authenticate(password).subjectToken
        let own = IdentitySession(cloud: session.cloud, token: unscoped)
        #expect(await own.list("projects", "auth/projects") == [], "what is listed can be had a token for")
        #expect(await own.list("projects", "users/\(user)/projects") == ["branch"])
        // A project of the same name in the domain is another one, and open to who has a role there.
        let inner = await session.make("project", ["name": "branch", "domain_id": .string(domain)])
        let role = try session.cloud.roleKey("member")
        #expect(await session.send(.put, "projects/\(inner)/users/\(user)/roles/\(role)").status == 204)
        let scoped = await session.cloud.authenticate(
            password, scope: ["project": ["name": "branch", "domain": ["name": "branch"]]])
        #expect(scoped.json["token"]?["project"]?["id"] == .string(inner))
    }

    @Test("an inherited role on it counts in the domain's projects; a domain's own role does not go on it")
    func inherited() async throws {
        let scene = try await IdentityDomainScene()
        let admin = scene.admin
        let project = await admin.make("project", ["name": "p", "domain_id": .string(scene.domain)])
        let user = await admin.make("user", ["name": "u", "password": "pw", "domain_id": .string(scene.domain)])
        let role = try admin.cloud.roleKey("reader")
        let path = "OS-INHERIT/projects/\(scene.domain)/users/\(user)/roles/\(role)/inherited_to_projects"
        #expect(await scene.manager.send(.put, path).status == 403, "only administrators give roles on it")
        #expect(
            await scene.manager.send(.put, "projects/\(scene.domain)/users/\(user)/roles/\(role)").status == 403)
        #expect(await admin.send(.put, path).status == 204)
        let password: JSON = ["methods": ["password"], "password": ["user": ["id": .string(user), "password": "pw"]]]
        let token = await admin.cloud.authenticate(password, scope: ["project": ["id": .string(project)]])
        #expect(token.json["token"]?["roles"]?.arrayValue?.compactMap { $0["name"] } == ["reader"])
        #expect(
            await admin.cloud.authenticate(password, scope: ["domain": ["id": .string(scene.domain)]]).status == 401)
        let own = await admin.make("role", ["name": "own", "domain_id": .string(scene.domain)])
        #expect(
            await admin.refusal(.put, "projects/\(scene.domain)/users/\(user)/roles/\(own)")
                == "403 Project \(scene.domain) must be in the same domain as the role \(own) being assigned.")
        // With the domain goes what was given on it.
        #expect(await admin.send(.patch, "domains/\(scene.domain)", ["domain": ["enabled": false]]).status == 200)
        #expect(await admin.send(.delete, "domains/\(scene.domain)").status == 204)
        let left = try await admin.cloud.harness.database.read {
            try $0.count("SELECT COUNT(*) FROM identity_assignments WHERE as_project = 1")
        }
        #expect(left == 0)
    }
}
