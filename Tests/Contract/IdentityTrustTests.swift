import CoordinatorIdentity
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("identity: trusts")
struct IdentityTrustTests {
    /// Demo trusts eve with a part of demo's roles.
    private struct Scene {
        let cloud: IdentityCloud
        let demo: IdentityPerson
        let eve: IdentityPerson
        let admin: IdentityPerson

        init() async throws {
            cloud = try await IdentityCloud()
            admin = await IdentityPerson.admin(cloud)
            demo = await IdentityPerson.demo(cloud)
            for name in ["eve", "mallory"] {
                let body: JSON = ["user": ["name": .string(name), "password": "pw", "domain_id": "default"]]
                #expect(await admin.post("users", body).status == 201)
            }
            eve = IdentityPerson(cloud: cloud, token: await cloud.token("eve", "pw", scope: "unscoped") ?? "")
        }

        func body(_ extra: [String: JSON] = [:]) throws -> JSON {
            let members: [String: JSON] = [
                "trustor_user_id": .string(try cloud.userKey("demo")),
                "trustee_user_id": .string(try cloud.userKey("eve")), "impersonation": true,
                "project_id": .string(try cloud.projectKey("demo")), "roles": [["name": "reader"]]
            ]
            return ["trust": .object(members.merging(extra) { $1 })]
        }

        func make(_ extra: [String: JSON] = [:]) async throws -> JSON {
            let answer = await demo.post("OS-TRUST/trusts", try body(extra))
            #expect(answer.status == 201, "\(answer.json)")
            return answer.json["trust"] ?? .null
        }

        func use(_ trust: JSON, by person: IdentityPerson? = nil) async -> Answer {
            await cloud.authenticate(
                token: (person ?? eve).token, scope: ["OS-TRUST:trust": ["id": trust["id"] ?? .null]])
        }
    }

    private func path(_ trust: JSON) -> String { "OS-TRUST/trusts/\(trust["id"]?.stringValue ?? "")" }

    @Test("made, shown, listed, its roles looked at, deleted; no update")
    func life() async throws {
        let scene = try await Scene()
        let trust = try await scene.make(["expires_at": "2026-01-01T01:00:00Z"])
        #expect(trust["expires_at"] == "2026-01-01T01:00:00.000000Z" && trust["deleted_at"] == .null)
        #expect(trust["remaining_uses"] == .null && trust["redelegation_count"] == 0)
        #expect(trust["roles"]?.arrayValue?.compactMap { $0["name"]?.stringValue } == ["reader"])
        let own = "https://cloud.test:8700/identity/v3/" + path(trust)
        #expect(trust["links"]?["self"] == .string(own))
        #expect(trust["roles_links"]?["self"] == .string(own + "/roles"))
        for person in [scene.demo, scene.eve, scene.admin] {
            #expect(await person.get(path(trust)).json["trust"] == trust)
        }
        let trustor = try scene.cloud.userKey("demo"), trustee = try scene.cloud.userKey("eve")
        let list = await scene.demo.get("OS-TRUST/trusts?trustor_user_id=\(trustor)")
        #expect(list.json["trusts"]?.arrayValue?.count == 1)
        #expect(list.json["trusts"]?.arrayValue?.first?["roles"] == nil)
        #expect(await scene.eve.get("OS-TRUST/trusts?trustee_user_id=\(trustee)").status == 200)
        #expect(await scene.eve.get("OS-TRUST/trusts?trustor_user_id=\(trustor)").status == 403)
        #expect(await scene.demo.get("OS-TRUST/trusts").status == 403)
        #expect(await scene.admin.get("OS-TRUST/trusts").json["trusts"]?.arrayValue?.count == 1)
        let reader = try scene.cloud.roleKey("reader"), member = try scene.cloud.roleKey("member")
        #expect(await scene.eve.get(path(trust) + "/roles").json["roles"]?.arrayValue?.count == 1)
        #expect(await scene.eve.get(path(trust) + "/roles/\(reader)").json["role"]?["name"] == "reader")
        #expect(await scene.eve.send(.head, path(trust) + "/roles/\(reader)").status == 200)
        #expect(await scene.eve.get(path(trust) + "/roles/\(member)").status == 404)
        #expect(await scene.demo.patch(path(trust), ["trust": [:]]).status == 405)
        #expect(await scene.eve.delete(path(trust)).status == 403)
        #expect(await scene.demo.delete(path(trust)).status == 204)
        #expect(await scene.demo.get(path(trust)).status == 404)
        #expect(try await scene.cloud.restarted().directory.state.delegations.trusts.isEmpty)
    }

    @Test("a token of a trust shows it, acts as the trustor or as the trustee, and makes no other token")
    func tokens() async throws {
        let scene = try await Scene()
        for isImpersonating in [true, false] {
            let trust = try await scene.make(["impersonation": .bool(isImpersonating)])
            let answer = await scene.use(trust)
            #expect(answer.status == 201, "\(answer.json)")
            let token = answer.json["token"]
            let user = isImpersonating ? "demo" : "eve"
            #expect(token?["user"]?["name"] == .string(user))
            #expect(token?["project"]?["name"] == "demo" && token?["is_domain"] == nil)
            #expect(token?["roles"]?.arrayValue?.compactMap { $0["name"]?.stringValue } == ["reader"])
            #expect(
                token?["OS-TRUST:trust"] == [
                    "id": trust["id"] ?? .null, "impersonation": .bool(isImpersonating),
                    "trustor_user": ["id": .string(try scene.cloud.userKey("demo"))],
                    "trustee_user": ["id": .string(try scene.cloud.userKey("eve"))]
                ])
            let caller = try scene.cloud.identity.tokens.authenticate(token: answer.subjectToken)
            #expect(caller?.userName == user && caller?.roles == ["reader"])
            for scope: JSON in ["unscoped", IdentityCloud.project("demo")] {
                #expect(await scene.cloud.authenticate(token: answer.subjectToken, scope: scope).status == 403)
            }
            // What a trust gives must not outlive it.
            let acting = IdentityPerson(cloud: scene.cloud, token: answer.subjectToken)
            let credentials = "users/\(try scene.cloud.userKey("demo"))/application_credentials"
            #expect(await acting.post(credentials, ["application_credential": ["name": "x"]]).status == 403)
            let ec2 = "users/\(try scene.cloud.userKey("demo"))/credentials/OS-EC2"
            #expect(await acting.get(ec2).status == 403)
            #expect(await scene.demo.delete(path(trust)).status == 204)
            #expect(!acting.isAlive)
        }
    }

    @Test("only the trustee uses it, while it lasts and while the trustor has the roles")
    func refusals() async throws {
        let scene = try await Scene()
        let trust = try await scene.make(["expires_at": "2026-01-01T00:10:00Z"])
        let mallory = IdentityPerson(
            cloud: scene.cloud, token: await scene.cloud.token("mallory", "pw", scope: nil) ?? "")
        #expect(await scene.use(trust, by: mallory).status == 403)
        #expect(await scene.use(["id": "unknown"]).status == 401)
        #expect(await scene.use([:]).status == 400)
        let answer = await scene.use(trust)
        #expect(answer.json["token"]?["expires_at"] == "2026-01-01T00:10:00.000000Z")
        let acting = IdentityPerson(cloud: scene.cloud, token: answer.subjectToken)
        #expect(acting.isAlive)
        let cloud = scene.cloud
        let grant = "projects/\(try cloud.projectKey("demo"))/users/\(try cloud.userKey("demo"))/roles/"
        #expect(await scene.admin.delete(grant + (try cloud.roleKey("member"))).status == 204)
        #expect(!acting.isAlive)
        #expect(await scene.use(trust).status == 403)
        #expect(await scene.admin.send(.put, grant + (try cloud.roleKey("member"))).status == 204)
        #expect(acting.isAlive)
        cloud.clock.advance(by: .seconds(601))
        #expect(await scene.use(trust).status == 401)
        #expect(await scene.demo.get(path(trust)).status == 404)
    }

    @Test("as many uses as it has, however many try at once")
    func uses() async throws {
        let scene = try await Scene()
        let trust = try await scene.make(["remaining_uses": 3])
        let statuses = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<12 { group.addTask { await scene.use(trust).status } }
            return await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
        }
        #expect(statuses == [201: 3, 401: 9])
        #expect(await scene.demo.get(path(trust)).status == 404)
        let stored = try await scene.cloud.restarted().directory.state.delegations.trusts.values.first
        #expect(stored?.remainingUses == 0)
    }

    @Test("bodies of another shape, and what is not the trustor's to give")
    func bodies() async throws {
        let scene = try await Scene()
        let cases: [([String: JSON], Int)] = [
            (["trustor_user_id": .string(try scene.cloud.userKey("admin"))], 403), (["trustee_user_id": "nobody"], 404),
            (["impersonation": "yes"], 400), (["roles": []], 403), (["roles": [["name": "admin"]]], 404),
            (["roles": [["name": "unknown"]]], 404), (["roles": "reader"], 400), (["remaining_uses": 0], 400),
            (["remaining_uses": "1"], 400), (["expires_at": "bad.123Z"], 400),
            (["expires_at": "2025-12-31T23:59:59Z"], 400), (["project_id": "unknown"], 404),
            (["project_id": .string(try scene.cloud.projectKey("admin"))], 404), (["redelegation_count": -1], 400),
            (["allow_redelegation": true, "remaining_uses": 1], 400),
            (["allow_redelegation": true, "redelegation_count": 4], 403)
        ]
        for (change, status) in cases {
            let answer = await scene.demo.post("OS-TRUST/trusts", try scene.body(change))
            #expect(answer.status == status, "\(change) \(answer.json)")
        }
        for missing in ["trustor_user_id", "trustee_user_id", "impersonation"] {
            var members = try scene.body()["trust"]?.objectValue ?? [:]
            members[missing] = nil
            #expect(await scene.demo.post("OS-TRUST/trusts", ["trust": .object(members)]).status == 400)
        }
        #expect(scene.cloud.identity.directory.state.delegations.trusts.isEmpty)
    }

    @Test("passed on as far as allowed, never wider, and gone with what it came from")
    func redelegation() async throws {
        let scene = try await Scene()
        let first = try await scene.make([
            "allow_redelegation": true, "redelegation_count": 1, "roles": [["name": "reader"], ["name": "member"]]
        ])
        #expect(first["redelegation_count"] == 1)
        let acting = IdentityPerson(cloud: scene.cloud, token: await scene.use(first).subjectToken)
        let mallory = try scene.cloud.userKey("mallory")
        func pass(_ extra: [String: JSON]) async throws -> Answer {
            let change = ["trustee_user_id": .string(mallory)].merging(extra) { $1 }
            return await acting.post("OS-TRUST/trusts", try scene.body(change))
        }
        #expect(try await pass(["remaining_uses": 2]).status == 403)
        #expect(try await pass(["roles": [["name": "manager"]]]).status == 404)
        // Not for another project, where the trustor has the role as well, and not for none.
        let made = await scene.admin.post("projects", ["project": ["name": "other"]])
        let other = try #require(made.json["project"]?["id"]?.stringValue)
        let grant = "projects/\(other)/users/\(try scene.cloud.userKey("demo"))/roles/"
        #expect(await scene.admin.send(.put, grant + (try scene.cloud.roleKey("reader"))).status == 204)
        #expect(try await pass(["project_id": .string(other)]).status == 403)
        #expect(try await pass(["project_id": .null]).status == 403)
        let second = try await pass(["allow_redelegation": true]).json["trust"] ?? .null
        #expect(second["redelegated_trust_id"] == first["id"] && second["redelegation_count"] == 0)
        let person = IdentityPerson(
            cloud: scene.cloud, token: await scene.cloud.token("mallory", "pw", scope: nil) ?? "")
        let used = await scene.use(second, by: person)
        #expect(used.status == 201)
        let last = IdentityPerson(cloud: scene.cloud, token: used.subjectToken)
        let third = await last.post(
            "OS-TRUST/trusts", try scene.body(["trustee_user_id": .string(try scene.cloud.userKey("admin"))]))
        #expect(third.status == 403)
        #expect(await scene.demo.delete(path(first)).status == 204)
        #expect(!last.isAlive && !acting.isAlive)
        #expect(try await scene.cloud.restarted().directory.state.delegations.trusts.isEmpty)
    }

    @Test("the trustor's or trustee's password, and their deletion, end its tokens")
    func endings() async throws {
        let scene = try await Scene()
        let trust = try await scene.make()
        for name in ["demo", "eve"] {
            let fresh = IdentityPerson(
                cloud: scene.cloud, token: await scene.cloud.token("eve", "pw", scope: "unscoped") ?? "")
            let acting = IdentityPerson(
                cloud: scene.cloud, token: await scene.use(trust, by: fresh).subjectToken)
            #expect(acting.isAlive)
            scene.cloud.clock.advance(by: .seconds(1))
            let user = "users/\(try scene.cloud.userKey(name))"
            #expect(await scene.admin.patch(user, ["user": ["password": "pw"]]).status == 200)
            #expect(!acting.isAlive, "\(name)")
        }
        #expect(await scene.admin.delete("users/\(try scene.cloud.userKey("eve"))").status == 204)
        #expect(scene.cloud.identity.directory.state.delegations.trusts.isEmpty)
        #expect(try await scene.cloud.restarted().directory.state.delegations.trusts.isEmpty)
    }
}
