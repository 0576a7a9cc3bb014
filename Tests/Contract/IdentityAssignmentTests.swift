import CoordinatorIdentity
import CoordinatorPlatform
import HTTPTypes
import ProtocolModel
import Testing

@Suite("identity: assignments as they are given and as they take effect")
struct IdentityAssignmentTests {
    private struct Scene {
        let session: IdentitySession
        let parent: String
        let child: String
        let user: String
        let group: String

        init() async throws {
            session = try await IdentitySession.admin()
            parent = await session.make("project", ["name": "parent"])
            child = await session.make("project", ["name": "child", "parent_id": .string(parent)])
            user = await session.make("user", ["name": "eve", "password": "eve-secret"])
            group = await session.make("group", ["name": "staff"])
            _ = await session.send(.put, "groups/\(group)/users/\(user)")
        }

        func role(_ name: String) -> String {
            session.cloud.identity.directory.state.role(named: name)?.key ?? ""
        }

        func give(_ path: String) async -> Int { await session.send(.put, path).status }

        func list(_ query: String) async -> [JSON] {
            await session.send(.get, "role_assignments?\(query)").json["role_assignments"]?.arrayValue ?? []
        }

        func link(_ path: String) -> JSON { .string("https://cloud.test:8700/identity/v3/\(path)") }
    }

    @Test("an effective assignment says which group and which project it came from")
    func provenance() async throws {
        let scene = try await Scene()
        let reader = scene.role("reader")
        let path = "OS-INHERIT/projects/\(scene.parent)/groups/\(scene.group)/roles/\(reader)/inherited_to_projects"
        #expect(await scene.give(path) == 204)
        let found = await scene.list("user.id=\(scene.user)&effective&include_names=1")
        let only = try #require(found.first)
        #expect(found.count == 1)
        #expect(
            only["scope"]?["project"]?["name"] == "child" && only["scope"]?["OS-INHERIT:inherited_to"] == "projects")
        #expect(only["user"]?["name"] == "eve" && only["user"]?["domain"] == ["id": "default", "name": "Default"])
        #expect(only["role"] == ["id": .string(reader), "name": "reader"])
        #expect(only["links"]?["assignment"] == scene.link(path))
        #expect(only["links"]?["membership"] == scene.link("groups/\(scene.group)/users/\(scene.user)"))
        let given = await scene.list("group.id=\(scene.group)")
        #expect(given.count == 1 && given.first?["links"] == ["assignment": scene.link(path)])
        #expect(given.first?["scope"]?["project"] == ["id": .string(scene.parent)])
        #expect(await scene.list("scope.project.id=\(scene.parent)&effective&user.id=\(scene.user)").isEmpty)
        #expect(await scene.list("scope.project.id=\(scene.child)&effective&user.id=\(scene.user)").count == 1)
        let projects = await scene.session.list("projects", "users/\(scene.user)/projects")
        #expect(projects == ["child"])
    }

    @Test("implied roles name the role that implied them")
    func implied() async throws {
        let scene = try await Scene()
        let (member, reader) = (scene.role("member"), scene.role("reader"))
        #expect(await scene.give("projects/\(scene.parent)/users/\(scene.user)/roles/\(member)") == 204)
        let found = await scene.list("user.id=\(scene.user)&effective")
        #expect(found.count == 2)
        let second = found.first { $0["role"]?["id"] == .string(reader) }
        #expect(second?["links"]?["prior_role"] == scene.link("prior_role/\(reader)/implies/\(member)"))
        #expect(
            second?["links"]?["assignment"]
                == scene.link("projects/\(scene.parent)/users/\(scene.user)/roles/\(member)"))
        #expect(await scene.list("user.id=\(scene.user)&effective&role.id=\(reader)").count == 1)
        #expect(await scene.list("user.id=\(scene.user)&role.id=\(reader)").isEmpty)
    }

    @Test("a domain's role shows where it is given, and counts only by what it implies")
    func domainRole() async throws {
        let scene = try await Scene()
        let role = await scene.session.make("role", ["name": "keeper", "domain_id": "default"])
        #expect(await scene.session.list("roles").contains("keeper") == false)
        #expect(await scene.session.list("roles", "roles?domain_id=default") == ["keeper"])
        #expect(await scene.give("projects/\(scene.parent)/users/\(scene.user)/roles/\(role)") == 204)
        let named = await scene.list("user.id=\(scene.user)&include_names=true")
        #expect(named.first?["role"]?["domain"]?["id"] == "default")
        #expect(await scene.list("user.id=\(scene.user)&effective=true").isEmpty)
        let scope = IdentityCloud.project("parent")
        #expect(await scene.session.cloud.token("eve", "eve-secret", scope: scope) == nil)
        let reader = scene.role("reader")
        #expect(await scene.session.send(.put, "roles/\(role)/implies/\(reader)").status == 201)
        #expect(
            await scene.session.refusal(.put, "roles/\(reader)/implies/\(role)")
                == "403 Global role cannot imply a domain-specific role")
        let token = await scene.session.cloud.token("eve", "eve-secret", scope: scope) ?? ""
        #expect(try scene.session.cloud.identity.tokens.authenticate(token: token)?.roles == ["reader"])
        let other = await scene.session.make("domain", ["name": "other"])
        let project = await scene.session.make("project", ["name": "p", "domain_id": .string(other)])
        #expect(
            await scene.session.refusal(.put, "projects/\(project)/users/\(scene.user)/roles/\(role)")
                == "403 Project \(project) must be in the same domain as the role \(role) being assigned.")
    }

    @Test("grants for the system, and their filter")
    func system() async throws {
        let scene = try await Scene()
        let reader = scene.role("reader")
        #expect(await scene.give("system/groups/\(scene.group)/roles/\(reader)") == 204)
        #expect(await scene.session.send(.head, "system/groups/\(scene.group)/roles/\(reader)").status == 204)
        #expect(await scene.session.list("roles", "system/groups/\(scene.group)/roles") == ["reader"])
        let given = await scene.list("scope.system=all&group.id=\(scene.group)")
        #expect(given.first?["scope"] == ["system": ["all": true]])
        #expect(
            given.first?["links"]?["assignment"]
                == scene.link("system/groups/\(scene.group)/roles/\(reader)"))
        let eve = await scene.session.user("eve", "eve-secret", scope: ["system": ["all": true]])
        #expect(await eve.list("auth/system").isEmpty)
        #expect(await eve.send(.get, "auth/system").json["system"] == [["all": true]])
        #expect(await eve.send(.get, "users").status == 200)
        #expect(await eve.send(.post, "users", ["user": ["name": "x"]]).status == 403)
        #expect(await scene.session.send(.delete, "system/groups/\(scene.group)/roles/\(reader)").status == 204)
        #expect(await eve.send(.get, "users").status == 401)
        #expect(
            await scene.session.refusal(.delete, "system/groups/\(scene.group)/roles/\(reader)")
                == """
                404 Could not find role assignment with role: \(reader), user or group: \(scene.group), project, \
                domain, or system: system.
                """)
    }

    @Test("a subtree's assignments, by whom they may be asked for")
    func subtree() async throws {
        let scene = try await Scene()
        let member = scene.role("member")
        #expect(await scene.give("projects/\(scene.child)/users/\(scene.user)/roles/\(member)") == 204)
        #expect(await scene.list("scope.project.id=\(scene.parent)").isEmpty)
        #expect(await scene.list("scope.project.id=\(scene.parent)&include_subtree").count == 1)
        #expect(
            await scene.session.refusal(.get, "role_assignments?include_subtree=1")
                == "400 scope.project.id must be specified if include_subtree is also specified")
        let eve = await scene.session.user("eve", "eve-secret", scope: IdentityCloud.project("child"))
        #expect(await eve.send(.get, "role_assignments?user.id=\(scene.user)").status == 403)
        #expect(await eve.send(.get, "role_assignments?scope.project.id=\(scene.child)&include_subtree").status == 403)
        #expect(await eve.list("auth/projects", "auth/projects").isEmpty)
        #expect(await eve.list("projects", "auth/projects") == ["child"])
    }

    @Test(
        "filters that exclude each other are refused",
        arguments: [
            ("scope.domain.id=default&scope.project.id=1", "Specify a domain or project, not both"),
            ("scope.domain.id=default&scope.system=all", "Specify system or domain, not both"),
            ("scope.project.id=1&scope.system=all", "Specify system or project, not both"),
            ("user.id=1&group.id=2", "Specify a user or group, not both"),
            ("effective&group.id=2", "Combining effective and group filter will always result in an empty list."),
            (
                "effective&scope.domain.id=1&scope.OS-INHERIT:inherited_to=projects",
                "Combining effective, domain and inherited filters will always result in an empty list."
            )
        ])
    func contradictions(query: String, message: String) async throws {
        let session = try await IdentitySession.admin()
        #expect(await session.refusal(.get, "role_assignments?\(query)") == "400 \(message)")
    }

    @Test("what does not exist has no assignments")
    func unknown() async throws {
        let scene = try await Scene()
        for query in ["user.id=nobody", "scope.project.id=nowhere", "role.id=none", "scope.domain.id=none"] {
            #expect(await scene.list(query).isEmpty, "\(query)")
        }
    }

    @Test("roles imply in chains, not in rings, and not twice")
    func inference() async throws {
        let session = try await IdentitySession.admin()
        let names = ["a", "b", "c"]
        var keys: [String] = []
        for name in names { keys.append(await session.make("role", ["name": .string(name)])) }
        let made = await session.send(.put, "roles/\(keys[0])/implies/\(keys[1])")
        #expect(made.status == 201)
        let inference = made.json["role_inference"]
        #expect(inference?["prior_role"]?["name"] == "a" && inference?["implies"]?["name"] == "b")
        #expect(Set(inference?["implies"]?.objectValue?.keys ?? [:].keys) == ["id", "name", "links"])
        #expect(await session.send(.put, "roles/\(keys[0])/implies/\(keys[1])").status == 409)
        #expect(await session.send(.put, "roles/\(keys[1])/implies/\(keys[2])").status == 201)
        #expect(await session.send(.put, "roles/\(keys[2])/implies/\(keys[0])").status == 400)
        #expect(await session.send(.put, "roles/\(keys[2])/implies/\(keys[2])").status == 400)
        let admin = session.cloud.identity.directory.state.role(named: "admin")?.key ?? ""
        #expect(await session.send(.put, "roles/\(keys[0])/implies/\(admin)").status == 403)
        #expect(await session.send(.head, "roles/\(keys[0])/implies/\(keys[1])").status == 204)
        let listed = await session.send(.get, "roles/\(keys[0])/implies").json["role_inference"]?["implies"]?.arrayValue
        #expect(listed?.count == 1)
        #expect(await session.send(.delete, "roles/\(keys[1])/implies/\(keys[2])").status == 204)
        #expect(
            await session.refusal(.get, "roles/\(keys[1])/implies/\(keys[2])")
                == "404 \(keys[1]) does not imply \(keys[2]).")
        // A role that goes takes its inferences along.
        #expect(await session.send(.delete, "roles/\(keys[1])").status == 204)
        #expect(await session.send(.get, "roles/\(keys[0])/implies").json["role_inference"]?["implies"] == [])
    }
}
