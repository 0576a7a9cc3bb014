import CoordinatorIdentity
import CoordinatorPlatform
import HTTPTypes
import ProtocolModel
import Testing

@Suite("identity: tokens")
struct IdentityTokenTests {
    @Test("an empty identifier beside a name is none")
    func emptyIdentifiers() async throws {
        let cloud = try await IdentityCloud()
        let domain: JSON = ["id": "", "name": "Default"]
        let user: JSON = ["id": "", "name": "demo", "password": "demo-secret", "domain": domain]
        let body: JSON = [
            "auth": [
                "identity": ["methods": ["password"], "password": ["user": user]],
                "scope": ["project": ["id": "", "name": "demo", "domain": domain]]
            ]
        ]
        let made = await cloud.harness.post("/identity/v3/auth/tokens", body, as: nil)
        #expect(made.status == 201, "\(made.json)")
        let nobody: JSON = ["id": "", "password": "demo-secret"]
        let refused = await cloud.harness.post(
            "/identity/v3/auth/tokens",
            ["auth": ["identity": ["methods": ["password"], "password": ["user": nobody]]]], as: nil)
        #expect(refused.status == 400)
        #expect(refused.json["error"]?["message"]?.stringValue?.contains("id or name") == true)
    }

    private let path = "/identity/v3/auth/tokens"

    @Test("version documents need no token and have the shapes that discovery expects")
    func discovery() async throws {
        let cloud = try await IdentityCloud()
        let root = await cloud.harness.get("/identity", as: nil)
        #expect(root.status == 300)
        let version = try #require(root.json["versions"]?["values"]?.arrayValue?.first)
        #expect(version["id"] == "v3.14" && version["status"] == "stable")
        #expect(version["links"]?.arrayValue?.first?["href"] == "https://cloud.test:8700/identity/v3/")
        for path in ["/identity/v3", "/identity/v3/"] {
            let answer = await cloud.harness.get(path, as: nil)
            #expect(answer.status == 200)
            #expect(answer.json["version"]?["id"] == "v3.14")
        }
    }

    @Test("a password gives a project token with roles and catalog")
    func password() async throws {
        let cloud = try await IdentityCloud()
        let answer = await cloud.harness.post(
            path, IdentityCloud.login("admin", "secret", scope: IdentityCloud.project("admin")), as: nil)
        #expect(answer.status == 201)
        #expect(answer.header("X-Openstack-Request-Id")?.hasPrefix("req-") == true)
        #expect(answer.header("Vary") == "X-Auth-Token")
        let token = try #require(answer.json["token"])
        #expect(token["methods"] == ["password"])
        #expect(token["project"]?["name"] == "admin")
        #expect(token["project"]?["domain"] == ["id": "default", "name": "Default"])
        #expect(token["is_domain"] == false)
        #expect(token["user"]?["name"] == "admin" && token["user"]?["password_expires_at"] == .null)
        #expect(
            token["roles"]?.arrayValue?.compactMap { $0["name"]?.stringValue } == [
                "admin", "manager", "member", "reader"
            ])
        #expect(token["issued_at"] == "2026-01-01T00:00:00.000000Z")
        #expect(token["expires_at"] == "2026-01-01T01:00:00.000000Z")
        #expect(token["audit_ids"]?.arrayValue?.first?.stringValue?.utf8.count == 22)
        let types = token["catalog"]?.arrayValue?.compactMap { $0["type"]?.stringValue }
        #expect(
            types == ["block-storage", "compute", "identity", "image", "network", "placement", "volumev3"])
        let compute = token["catalog"]?.arrayValue?.first { $0["type"] == "compute" }
        let endpoint = compute?["endpoints"]?.arrayValue?.first {
            $0["interface"] == "public"
        }
        #expect(endpoint?["url"] == "https://cloud.test:8700/compute/v2.1")
        #expect(endpoint?["region_id"] == "RegionOne" && endpoint?["region"] == "RegionOne")
    }

    @Test("domain, system, unscoped and default scope")
    func scopes() async throws {
        let cloud = try await IdentityCloud()
        func token(_ scope: JSON?) async -> JSON? {
            await cloud.harness.post(path, IdentityCloud.login("admin", "secret", scope: scope), as: nil).json["token"]
        }
        let domain = await token(["domain": ["name": "Default"]])
        #expect(domain?["domain"]?["id"] == "default" && domain?["project"] == nil)
        let system = await token(["system": ["all": true]])
        #expect(system?["system"] == ["all": true])
        let unscoped = await token("unscoped")
        #expect(unscoped?["roles"] == nil && unscoped?["catalog"] == nil && unscoped?["user"] != nil)
        let implicit = await token(nil)
        #expect(implicit?["project"]?["name"] == "admin")
    }

    @Test("every wrong log-in gets the same 401")
    func refusals() async throws {
        let cloud = try await IdentityCloud()
        let bodies: [JSON] = [
            IdentityCloud.login("admin", "wrong", scope: nil), IdentityCloud.login("nobody", "secret", scope: nil),
            IdentityCloud.login("admin", "", scope: nil),
            IdentityCloud.login("demo", "demo-secret", scope: IdentityCloud.project("admin")),
            IdentityCloud.login("demo", "demo-secret", scope: IdentityCloud.project("missing")),
            IdentityCloud.login("demo", "demo-secret", scope: ["system": ["all": true]])
        ]
        for body in bodies {
            let answer = await cloud.harness.post(path, body, as: nil)
            #expect(answer.status == 401)
            let error: JSON = [
                "code": 401, "title": "Unauthorized", "message": "The request you have made requires authentication."
            ]
            #expect(answer.json == ["error": error])
            #expect(answer.header("WWW-Authenticate") == "Keystone uri=\"https://cloud.test:8700/identity\"")
        }
        await cloud.harness.pipeline.refusals.flush()
        let lines = try await cloud.harness.database.read {
            try $0.count("SELECT SUM(count) FROM events WHERE action = 'identity.authenticate'")
        }
        #expect(lines == bodies.count)
    }

    @Test(
        "bodies of another shape get 400",
        arguments: [
            "{}", "{\"auth\": 1}", "{\"auth\": {\"identity\": {}}}", "{\"auth\": {\"identity\": {\"methods\": []}}}",
            "{\"auth\": {\"identity\": {\"methods\": [\"password\"]}}}", "not json", "[]", "\u{7}",
            "{\"auth\": {\"identity\": {\"methods\": [\"password\"], \"password\": {\"user\": {\"name\": \"x\"}}}}}"
        ])
    func shapes(body: String) async throws {
        let cloud = try await IdentityCloud()
        let answer = await cloud.harness.send(.post, path, bytes: Array(body.utf8), token: nil)
        #expect(answer.status == 400)
        #expect(answer.json["error"]?["code"] == 400)
        #expect(answer.json["error"]?["title"] == "Bad Request")
    }

    @Test("validate, check and revoke")
    func lifecycle() async throws {
        let cloud = try await IdentityCloud()
        let admin = await cloud.adminToken()
        let demo = await cloud.demoToken()
        func ask(_ method: HTTPRequest.Method, _ subject: String, as token: String) async -> Answer {
            await cloud.harness.send(method, path, bytes: [], token: token, headers: ["X-Subject-Token": subject])
        }
        let shown = await ask(.get, demo, as: admin)
        #expect(shown.status == 200 && shown.json["token"]?["user"]?["name"] == "demo")
        #expect(shown.header("X-Subject-Token") == demo)
        let checked = await ask(.head, demo, as: demo)
        #expect(checked.status == 200 && checked.bytes.isEmpty)
        #expect(await ask(.get, admin, as: demo).status == 403)
        #expect(await ask(.delete, admin, as: demo).status == 403)
        #expect(await ask(.delete, demo, as: demo).status == 204)
        #expect(await ask(.get, demo, as: admin).status == 404)
        #expect(await ask(.get, demo, as: demo).status == 401)
        #expect(await ask(.get, "nonsense", as: admin).status == 404)
        // The revocation outlives a restart.
        let again = try await IdentityService(database: cloud.harness.database, clock: cloud.clock)
        #expect(try again.tokens.authenticate(token: demo) == nil)
        #expect(try again.tokens.authenticate(token: admin) != nil)
    }

    @Test("a token made from a token keeps its expiry and its chain")
    func fromToken() async throws {
        let cloud = try await IdentityCloud()
        let first = await cloud.token("admin", "secret", scope: "unscoped") ?? ""
        cloud.clock.advance(by: .seconds(600))
        let body: JSON = [
            "auth": [
                "identity": ["methods": ["token"], "token": ["id": .string(first)]],
                "scope": IdentityCloud.project("admin")
            ]
        ]
        let answer = await cloud.harness.post(path, body, as: nil)
        #expect(answer.status == 201)
        #expect(answer.json["token"]?["methods"] == ["token", "password"])
        #expect(answer.json["token"]?["expires_at"] == "2026-01-01T01:00:00.000000Z")
        #expect(answer.json["token"]?["audit_ids"]?.arrayValue?.count == 2)
        cloud.clock.advance(by: .seconds(3000))
        #expect(await cloud.harness.send(.get, path, bytes: [], token: first).status == 401)
    }

    @Test("disabling a user, changing the password or losing the role ends tokens at once")
    func ending() async throws {
        let cloud = try await IdentityCloud()
        let admin = await cloud.adminToken()
        let user = try #require(cloud.identity.directory.state.user(named: "demo", in: "default"))
        func isAlive(_ token: String) -> Bool { (try? cloud.identity.tokens.authenticate(token: token)) != nil }
        func patch(_ body: JSON) async -> Int {
            await cloud.harness.send(
                .patch, "/identity/v3/users/\(user.key)", bytes: body.serialize(), token: admin
            ).status
        }
        var token = await cloud.demoToken()
        #expect(isAlive(token))
        cloud.clock.advance(by: .seconds(1))
        #expect(await patch(["user": ["enabled": false]]) == 200)
        #expect(!isAlive(token))
        #expect(await patch(["user": ["enabled": true]]) == 200)
        #expect(!isAlive(token))
        token = await cloud.demoToken()
        #expect(isAlive(token))
        cloud.clock.advance(by: .seconds(1))
        let change: JSON = ["user": ["original_password": "demo-secret", "password": "new"]]
        #expect(await cloud.harness.post("/identity/v3/users/\(user.key)/password", change, as: nil).status == 204)
        #expect(!isAlive(token))
        #expect(await cloud.token("demo", "demo-secret", scope: nil) == nil)
        token = await cloud.token("demo", "new", scope: IdentityCloud.project("demo")) ?? ""
        #expect(isAlive(token))
        let project = try #require(cloud.identity.directory.state.project(named: "demo", in: "default"))
        let role = try #require(cloud.identity.directory.state.role(named: "member"))
        let grant = "/identity/v3/projects/\(project.key)/users/\(user.key)/roles/\(role.key)"
        #expect(await cloud.harness.send(.delete, grant, bytes: [], token: admin).status == 204)
        #expect(!isAlive(token))
    }
}
