import CoordinatorIdentity
import CoordinatorPlatform
import HTTPTypes
import ProtocolModel
import Testing

@Suite("identity: people, projects, roles, catalog")
struct IdentityResourceTests {
    /// A client that is logged in.
    private struct Session: Sendable {
        let cloud: IdentityCloud
        let token: String

        func send(_ method: HTTPRequest.Method, _ path: String, _ body: JSON? = nil) async -> Answer {
            await cloud.harness.send(
                method, "/identity/v3/\(path)", bytes: body?.serialize() ?? [], token: token)
        }
    }

    private static func admin() async throws -> Session {
        let cloud = try await IdentityCloud()
        return Session(cloud: cloud, token: await cloud.adminToken())
    }

    @Test("a project's life")
    func project() async throws {
        let session = try await Self.admin()
        let made = await session.send(
            .post, "projects", ["project": ["name": "p1", "description": "d", "color": "red"]])
        #expect(made.status == 201)
        let project = try #require(made.json["project"])
        let id = try #require(project["id"]?.stringValue)
        #expect(id.utf8.count == 32)
        #expect(project["domain_id"] == "default" && project["parent_id"] == "default" && project["is_domain"] == false)
        #expect(project["enabled"] == true && project["tags"] == [] && project["options"] == [:])
        #expect(project["color"] == "red")
        #expect(project["links"]?["self"] == .string("https://cloud.test:8700/identity/v3/projects/\(id)"))
        let again = await session.send(.post, "projects", ["project": ["name": "p1"]])
        #expect(again.status == 409)
        #expect(
            again.json["error"]?["message"]?.stringValue?.hasPrefix(
                """
                Conflict occurred attempting to store project - it is not permitted to have two projects with either \
                the same name or same id in the same domain: name is p1, project id
                """) == true)
        let changed = await session.send(.patch, "projects/\(id)", ["project": ["description": nil, "enabled": false]])
        #expect(changed.json["project"]?["description"] == "" && changed.json["project"]?["enabled"] == false)
        let listed = await session.send(.get, "projects?name=p1&enabled=false")
        #expect(listed.json["projects"]?.arrayValue?.count == 1)
        #expect(listed.json["links"]?["next"] == .null)
        #expect(await session.send(.patch, "projects/\(id)", ["project": ["enabled": true]]).status == 200)
        let child = await session.send(.post, "projects", ["project": ["name": "p2", "parent_id": .string(id)]])
        #expect(child.json["project"]?["parent_id"] == .string(id), "\(child.json.text)")
        #expect(await session.send(.delete, "projects/\(id)").status == 403)
        let childID = child.json["project"]?["id"]?.stringValue ?? ""
        #expect(await session.send(.delete, "projects/\(childID)").status == 204)
        #expect(await session.send(.delete, "projects/\(id)").status == 204)
        let gone = await session.send(.get, "projects/\(id)")
        #expect(gone.status == 404)
        #expect(gone.json["error"]?["message"] == .string("Could not find project: \(id)."))
    }

    @Test("a user's life")
    func user() async throws {
        let session = try await Self.admin()
        let body: JSON = [
            "user": ["name": "eve", "password": "pw", "email": "eve@example.org", "default_project_id": nil]
        ]
        let made = await session.send(.post, "users", body)
        #expect(made.status == 201)
        let user = try #require(made.json["user"])
        let id = try #require(user["id"]?.stringValue)
        #expect(user["password"] == nil && user["email"] == "eve@example.org" && user["password_expires_at"] == .null)
        #expect(await session.cloud.token("eve", "pw", scope: nil) != nil)
        #expect(await session.send(.get, "users?name__contains=ev").json["users"]?.arrayValue?.count == 1)
        #expect(await session.send(.patch, "users/\(id)", ["user": ["name": "eva", "email": nil]]).status == 200)
        let shown = await session.send(.get, "users/\(id)").json["user"]
        #expect(shown?["name"] == "eva" && shown?["email"] == nil)
        #expect(await session.send(.delete, "users/\(id)").status == 204)
        #expect(await session.cloud.token("eva", "pw", scope: nil) == nil)
    }

    @Test("a domain must be disabled before it goes, and takes what it holds with it")
    func domain() async throws {
        let session = try await Self.admin()
        let made = await session.send(.post, "domains", ["domain": ["name": "branch"]])
        let id = try #require(made.json["domain"]?["id"]?.stringValue)
        _ = await session.send(.post, "users", ["user": ["name": "u", "domain_id": .string(id)]])
        _ = await session.send(.post, "projects", ["project": ["name": "p", "domain_id": .string(id)]])
        #expect(await session.send(.delete, "domains/\(id)").status == 403)
        #expect(await session.send(.patch, "domains/\(id)", ["domain": ["enabled": false]]).status == 200)
        #expect(await session.send(.delete, "domains/\(id)").status == 204)
        #expect(await session.send(.get, "users?domain_id=\(id)").json["users"] == [])
        let stored = try await session.cloud.harness.database.read {
            try $0.count("SELECT COUNT(*) FROM identity_users WHERE domain_key = ?", [id])
        }
        #expect(stored == 0)
    }

    @Test("grants, groups, implied and effective roles")
    func grants() async throws {
        let session = try await Self.admin()
        let state = session.cloud.identity.directory.state
        let demo = try #require(state.user(named: "demo", in: "default"))
        let project = try #require(state.project(named: "admin", in: "default"))
        let manager = try #require(state.role(named: "manager"))
        let group =
            await session.send(.post, "groups", ["group": ["name": "staff"]]).json["group"]?["id"]?.stringValue ?? ""
        #expect(await session.send(.put, "groups/\(group)/users/\(demo.key)").status == 204)
        #expect(await session.send(.head, "groups/\(group)/users/\(demo.key)").status == 204)
        let grant = "projects/\(project.key)/groups/\(group)/roles/\(manager.key)"
        #expect(await session.send(.head, grant).status == 404)
        #expect(await session.send(.put, grant).status == 204)
        #expect(await session.send(.put, grant).status == 204)
        #expect(await session.send(.head, grant).status == 204)
        let roles = await session.send(.get, "projects/\(project.key)/groups/\(group)/roles").json["roles"]
        #expect(roles?.arrayValue?.compactMap { $0["name"] } == ["manager"])
        let token = await session.cloud.token("demo", "demo-secret", scope: IdentityCloud.project("admin"))
        #expect(
            try session.cloud.identity.tokens.authenticate(token: token ?? "")?.roles == ["manager", "member", "reader"]
        )
        let path = "role_assignments?scope.project.id=\(project.key)&user.id=\(demo.key)&effective&include_names=True"
        let list = await session.send(.get, path).json["role_assignments"]?.arrayValue ?? []
        #expect(Set(list.compactMap { $0["role"]?["name"]?.stringValue }) == ["manager", "member", "reader"])
        #expect(
            list.first?["user"]?["domain"]?["name"] == "Default" && list.first?["scope"]?["project"]?["name"] == "admin"
        )
        #expect(await session.send(.delete, grant).status == 204)
        #expect(try session.cloud.identity.tokens.authenticate(token: token ?? "") == nil)
        let inferences = await session.send(.get, "role_inferences").json["role_inferences"]?.arrayValue
        #expect(inferences?.compactMap { $0["prior_role"]?["name"]?.stringValue } == ["admin", "manager", "member"])
    }

    @Test("an inherited role counts below its target only")
    func inherited() async throws {
        let session = try await Self.admin()
        let state = session.cloud.identity.directory.state
        let demo = try #require(state.user(named: "demo", in: "default"))
        let reader = try #require(state.role(named: "reader"))
        let path = "OS-INHERIT/domains/default/users/\(demo.key)/roles/\(reader.key)/inherited_to_projects"
        #expect(await session.send(.put, path).status == 204)
        #expect(await session.cloud.token("demo", "demo-secret", scope: IdentityCloud.project("admin")) != nil)
        #expect(await session.cloud.token("demo", "demo-secret", scope: ["domain": ["id": "default"]]) == nil)
        let list = await session.send(.get, "role_assignments?scope.OS-INHERIT:inherited_to=projects")
        #expect(list.json["role_assignments"]?.arrayValue?.first?["scope"]?["OS-INHERIT:inherited_to"] == "projects")
    }

    @Test("services, endpoints and regions show in the catalog")
    func catalog() async throws {
        let session = try await Self.admin()
        let service = await session.send(.post, "services", ["service": ["type": "dns", "name": "designate"]])
        #expect(service.status == 201)
        let id = service.json["service"]?["id"]?.stringValue ?? ""
        let endpoint: JSON = [
            "endpoint": [
                "service_id": .string(id), "interface": "public", "region_id": "RegionOne",
                "url": "http://x/$(project_id)s"
            ]
        ]
        let made = await session.send(.post, "endpoints", endpoint)
        #expect(made.status == 201 && made.json["endpoint"]?["region"] == "RegionOne")
        let catalog = await session.send(.get, "auth/catalog").json["catalog"]?.arrayValue
        let entry = catalog?.first { $0["type"] == "dns" }
        let admin = session.cloud.identity.directory.state.project(named: "admin", in: "default")?.key ?? ""
        #expect(entry?["endpoints"]?.arrayValue?.first?["url"] == .string("http://x/\(admin)"))
        #expect(await session.send(.delete, "regions/RegionOne").status == 403)
        #expect(await session.send(.delete, "services/\(id)").status == 204)
        #expect(await session.send(.get, "endpoints?service_id=\(id)").json["endpoints"] == [])
        #expect(await session.send(.post, "regions", ["region": ["id": "north"]]).status == 201)
        #expect(await session.send(.post, "regions", ["region": ["id": "north"]]).status == 409)
    }

    @Test("what a plain member may and may not")
    func member() async throws {
        let cloud = try await IdentityCloud()
        let session = Session(cloud: cloud, token: await cloud.demoToken())
        let state = cloud.identity.directory.state
        let demo = try #require(state.user(named: "demo", in: "default"))
        let admin = try #require(state.user(named: "admin", in: "default"))
        let project = try #require(state.project(named: "demo", in: "default"))
        #expect(await session.send(.get, "users/\(demo.key)").status == 200)
        #expect(await session.send(.get, "projects/\(project.key)").status == 200)
        #expect(await session.send(.get, "auth/projects").json["projects"]?.arrayValue?.count == 1)
        for path in ["users", "projects", "domains", "services", "role_assignments", "users/\(admin.key)"] {
            let answer = await session.send(.get, path)
            #expect(answer.status == 403, "\(path)")
            #expect(answer.json["error"]?["title"] == "Forbidden")
        }
        let refused = await session.send(.post, "users", ["user": ["name": "x", "password": "y"]])
        #expect(
            refused.json["error"]?["message"]
                == "You are not authorized to perform the requested action: identity:create_user.")
        #expect(await session.send(.delete, "users/\(demo.key)").status == 403)
        #expect(await session.send(.get, "nowhere").status == 404)
        let wrongMethod = await session.send(.post, "auth/catalog", [:])
        #expect(wrongMethod.status == 405 && wrongMethod.header("Allow") == "GET")
    }

    @Test(
        "refused bodies change nothing",
        arguments: [
            #"{"user": {}}"#, #"{"user": {"name": ""}}"#, #"{"user": {"name": " "}}"#, #"{"user": {"name": 5}}"#,
            #"{"user": {"name": "a", "enabled": "yes"}}"#, #"{"user": {"name": "a", "domain_id": 1}}"#,
            #"{"user": []}"#,
            #"{}"#, #"[]"#, #"{"user": {"name": "a\u0000b"}}"#, #"{"user": null}"#
        ])
    func refused(body: String) async throws {
        let session = try await Self.admin()
        let before = session.cloud.identity.directory.state.generation
        let answer = await session.cloud.harness.send(
            .post, "/identity/v3/users", bytes: Array(body.utf8), token: session.token)
        #expect(answer.status == 400, "\(answer.json.text)")
        #expect(session.cloud.identity.directory.state.generation == before)
    }

    @Test("bootstrap twice changes nothing, with another password and address only those")
    func bootstrap() async throws {
        let cloud = try await IdentityCloud()
        let token = await cloud.adminToken()
        try await IdentityCloud.bootstrap.run(on: cloud.identity)
        #expect(try cloud.identity.tokens.authenticate(token: token) != nil)
        cloud.clock.advance(by: .seconds(1))
        var other = IdentityCloud.bootstrap
        other.publicURL = "https://elsewhere:8700"
        other.admin.password = "changed"
        try await other.run(on: cloud.identity)
        #expect(try cloud.identity.tokens.authenticate(token: token) == nil)
        #expect(await cloud.token("admin", "changed", scope: nil) != nil)
        let urls = cloud.identity.directory.state.endpoints.values.map(\.url)
        #expect(urls.count == 21 && urls.allSatisfy { $0.hasPrefix("https://elsewhere:8700/") })
        let again = try await IdentityService(database: cloud.harness.database, clock: cloud.clock)
        #expect(again.directory.state.users.count == 2)
        #expect(again.directory.state.implications.count == 3)
    }
}
