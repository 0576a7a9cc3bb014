import CoordinatorIdentity
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("identity: application credentials")
struct IdentityApplicationCredentialTests {
    private struct Made {
        let person: IdentityPerson
        let path: String
        let credential: JSON
        var id: String { credential["id"]?.stringValue ?? "" }
        var secret: String { credential["secret"]?.stringValue ?? "" }
        var proof: JSON { ["id": .string(id), "secret": .string(secret)] }
    }

    private func make(_ cloud: IdentityCloud, _ extra: [String: JSON] = [:]) async throws -> Made {
        let demo = await IdentityPerson.demo(cloud)
        let path = "users/\(try cloud.userKey("demo"))/application_credentials"
        let body: [String: JSON] = ["name": "ci"].merging(extra) { $1 }
        let answer = await demo.post(path, ["application_credential": .object(body)])
        #expect(answer.status == 201, "\(answer.json)")
        return Made(person: demo, path: path, credential: answer.json["application_credential"] ?? .null)
    }

    @Test("made, shown without its secret, listed by name, used and deleted")
    func life() async throws {
        let cloud = try await IdentityCloud()
        let made = try await make(cloud, ["description": "for the build", "expires_at": "2026-01-01T00:30:00.000000"])
        #expect(made.secret.utf8.count == 86)
        #expect(made.credential["expires_at"] == "2026-01-01T00:30:00.000000")
        #expect(made.credential["unrestricted"] == false && made.credential["access_rules"] == nil)
        #expect(
            made.credential["roles"]?.arrayValue?.compactMap { $0["name"]?.stringValue } == ["member", "reader"])
        let shown = await made.person.get("\(made.path)/\(made.id)")
        #expect(shown.status == 200 && shown.json["application_credential"]?["secret"] == nil)
        let list = await made.person.get("\(made.path)?name=ci")
        #expect(list.json["application_credentials"]?.arrayValue?.count == 1)
        #expect(await made.person.get("\(made.path)?name=x").json["application_credentials"] == [])
        let answer = await cloud.authenticate(application: made.proof)
        #expect(answer.status == 201)
        let token = answer.json["token"]
        #expect(token?["methods"] == ["application_credential"])
        #expect(token?["project"]?["id"] == .string(try cloud.projectKey("demo")))
        #expect(
            token?["application_credential"] == ["id": .string(made.id), "name": "ci", "restricted": true])
        // The token ends no later than what it was made with.
        #expect(token?["expires_at"] == "2026-01-01T00:30:00.000000Z")
        let program = IdentityPerson(cloud: cloud, token: answer.subjectToken)
        #expect(program.isAlive)
        // The same by name.
        let named: JSON = [
            "name": "ci", "secret": .string(made.secret), "user": ["name": "demo", "domain": ["id": "default"]]
        ]
        #expect(await cloud.authenticate(application: named).status == 201)
        #expect(await made.person.delete("\(made.path)/\(made.id)").status == 204)
        #expect(!program.isAlive)
        #expect(await cloud.authenticate(application: made.proof).status == 404)
        #expect(await made.person.get("\(made.path)/\(made.id)").status == 404)
        #expect(try await cloud.restarted().directory.state.delegations.applicationCredentials.isEmpty)
    }

    @Test("wrong secrets, scopes of their own, the end of its time and a disabled user are refused")
    func refusedLogIns() async throws {
        let cloud = try await IdentityCloud()
        let made = try await make(cloud, ["expires_at": "2026-01-01T00:30:00Z"])
        let wrong: JSON = ["id": .string(made.id), "secret": "wrong"]
        #expect(await cloud.authenticate(application: wrong).status == 401)
        let scoped = await cloud.authenticate(
            ["methods": ["application_credential"], "application_credential": made.proof],
            scope: IdentityCloud.project("demo"))
        #expect(scoped.status == 401)
        #expect(
            scoped.message
                == "Error authenticating with application credential: Application credentials cannot request a scope.")
        let incomplete: [JSON] = [["id": .string(made.id)], ["secret": "x"], ["name": "ci", "secret": "x"], []]
        for body in incomplete { #expect(await cloud.authenticate(application: body).status == 400) }
        let foreign: JSON = [
            "name": "ci", "secret": .string(made.secret), "user": ["name": "admin", "domain": ["id": "default"]]
        ]
        #expect(await cloud.authenticate(application: foreign).status == 401)
        cloud.clock.advance(by: .seconds(1800))
        #expect(await cloud.authenticate(application: made.proof).status == 401)
    }

    @Test("a body of another shape, roles that are not held and a second one of the same name")
    func refusedBodies() async throws {
        let cloud = try await IdentityCloud()
        let made = try await make(cloud)
        let bodies: [(JSON, Int)] = [
            ([:], 400), (["name": ""], 400), (["name": "x", "unknown": 1], 400),
            (["name": "x", "roles": "member"], 400),
            (["name": "x", "roles": [["id": "a", "name": "b"]]], 400), (["name": "x", "roles": [["name": "no"]]], 404),
            (["name": "x", "roles": [["name": "admin"]]], 400), (["name": "x", "expires_at": "soon"], 400),
            (["name": "x", "expires_at": "2025-01-01T00:00:00Z"], 400), (["name": "x", "unrestricted": "yes"], 400),
            (["name": "x", "access_rules": [["path": "v2", "method": "GET", "service": "compute"]]], 400),
            (["name": "x", "access_rules": [["path": "/v2", "method": "LOOK", "service": "compute"]]], 400),
            (["name": "x", "access_rules": [["id": "unknown"]]], 404), (["name": "ci"], 409)
        ]
        for (body, status) in bodies {
            let answer = await made.person.post(made.path, ["application_credential": body])
            #expect(answer.status == status, "\(body) \(answer.json)")
        }
        let unassigned = await made.person.post(
            made.path, ["application_credential": ["name": "x", "roles": [["name": "admin"]]]])
        #expect(
            unassigned.message
                == "Invalid application credential: Cannot create an application credential with unassigned role")
        #expect(await made.person.get(made.path).json["application_credentials"]?.arrayValue?.count == 1)
    }

    @Test("nobody makes one for somebody else; others do not see or delete it")
    func others() async throws {
        let cloud = try await IdentityCloud()
        let made = try await make(cloud)
        let admin = await IdentityPerson.admin(cloud)
        #expect(await admin.post(made.path, ["application_credential": ["name": "x"]]).status == 403)
        #expect(await admin.get("\(made.path)/\(made.id)").status == 200)
        let body: JSON = ["user": ["name": "eve", "password": "pw", "domain_id": "default"]]
        #expect(await admin.post("users", body).status == 201)
        let eve = IdentityPerson(cloud: cloud, token: await cloud.token("eve", "pw", scope: nil) ?? "")
        let own = "users/\(try cloud.userKey("eve"))/application_credentials"
        // The credential's own user counts, not the one in the path.
        #expect(await eve.get("\(own)/\(made.id)").status == 403)
        #expect(await eve.delete("\(own)/\(made.id)").status == 403)
        #expect(await eve.get(made.path).status == 403)
        #expect(await admin.delete("\(made.path)/\(made.id)").status == 204)
    }

    @Test("a restricted one makes and deletes none, and no trusts; an unrestricted one does")
    func restriction() async throws {
        let cloud = try await IdentityCloud()
        let demo = try cloud.userKey("demo"), admin = try cloud.userKey("admin")
        for isUnrestricted in [false, true] {
            let made = try await make(
                cloud, ["name": .string("\(isUnrestricted)"), "unrestricted": .bool(isUnrestricted)])
            let token = await cloud.authenticate(application: made.proof).subjectToken
            let program = IdentityPerson(cloud: cloud, token: token)
            let second = await program.post(
                made.path, ["application_credential": ["name": .string("second \(isUnrestricted)")]])
            #expect(second.status == (isUnrestricted ? 201 : 403))
            func trust(_ role: JSON) -> JSON {
                [
                    "trust": [
                        "trustor_user_id": .string(demo), "trustee_user_id": .string(admin), "impersonation": false,
                        "project_id": .string((try? cloud.projectKey("demo")) ?? ""), "roles": [["name": role]]
                    ]
                ]
            }
            #expect(await program.post("OS-TRUST/trusts", trust("reader")).status == (isUnrestricted ? 201 : 403))
            #expect(await program.get(made.path).status == 200)
            #expect(await program.post("credentials", ["credential": [:]]).status == 400)
            // No way out of its bounds by another token.
            let other = await cloud.authenticate(token: token, scope: "unscoped")
            #expect(other.status == 403)
            #expect(await program.delete("\(made.path)/\(made.id)").status == (isUnrestricted ? 204 : 403))
        }
    }

    @Test("a part of the roles, which shrinks with the user's; a lost role ends it")
    func roles() async throws {
        let cloud = try await IdentityCloud()
        let made = try await make(cloud, ["roles": [["name": "reader"]]])
        let answer = await cloud.authenticate(application: made.proof)
        #expect(answer.json["token"]?["roles"]?.arrayValue?.compactMap { $0["name"]?.stringValue } == ["reader"])
        let program = IdentityPerson(cloud: cloud, token: answer.subjectToken)
        // The admin of a domain or of the system is nothing to it.
        let admin = await IdentityPerson.admin(cloud)
        let grant = "projects/\(try cloud.projectKey("demo"))/users/\(try cloud.userKey("demo"))/roles/"
        #expect(await admin.send(.put, grant + (try cloud.roleKey("admin"))).status == 204)
        #expect(try cloud.identity.tokens.authenticate(token: program.token)?.isAdmin == false)
        #expect(await admin.delete(grant + (try cloud.roleKey("member"))).status == 204)
        #expect(!program.isAlive)
        #expect(try await cloud.restarted().directory.state.delegations.applicationCredentials.isEmpty)
    }

    @Test("access rules bind its tokens to some calls, and go when nothing needs them")
    func accessRules() async throws {
        let cloud = try await IdentityCloud()
        let rule: JSON = ["service": "identity", "method": "GET", "path": "/v3/auth/projects"]
        let made = try await make(cloud, ["access_rules": [rule]])
        let id = made.credential["access_rules"]?.arrayValue?.first?["id"]?.stringValue ?? ""
        var expected = rule.objectValue ?? [:]
        expected["id"] = .string(id)
        #expect(made.credential["access_rules"] == [.object(expected)])
        let answer = await cloud.authenticate(application: made.proof)
        #expect(answer.json["token"]?["application_credential"]?["access_rules"] == [.object(expected)])
        let program = IdentityPerson(cloud: cloud, token: answer.subjectToken)
        #expect(await program.get("auth/projects").status == 200)
        #expect(await program.get("auth/domains").status == 401)
        #expect(await program.send(.head, "auth/projects").status == 401)
        // It may be looked at, by who understands access rules.
        #expect(await program.validate(program.token, headers: Self.support).status == 200)
        let admin = await IdentityPerson.admin(cloud)
        #expect(await admin.validate(program.token).status == 404)
        #expect(await admin.validate(program.token, headers: Self.support).status == 200)
        // A rule that is said again is the same rule; by its id, too.
        let rules = "users/\(try cloud.userKey("demo"))/access_rules"
        for (name, again) in [("b", rule), ("c", ["id": .string(id)] as JSON)] {
            let body: JSON = ["application_credential": ["name": .string(name), "access_rules": [again]]]
            let second = await made.person.post(made.path, body)
            #expect(second.json["application_credential"]?["access_rules"]?.arrayValue?.first?["id"] == .string(id))
            let key = second.json["application_credential"]?["id"]?.stringValue ?? ""
            #expect(await made.person.delete("\(made.path)/\(key)").status == 204)
        }
        #expect(await made.person.get(rules).json["access_rules"]?.arrayValue?.count == 1)
        #expect(await made.person.get("\(rules)?service=compute").json["access_rules"] == [])
        #expect(await made.person.get("\(rules)/\(id)").json["access_rule"]?["path"] == "/v3/auth/projects")
        #expect(await made.person.delete("\(rules)/\(id)").status == 403)
        #expect(await made.person.delete("\(made.path)/\(made.id)").status == 204)
        #expect(await made.person.delete("\(rules)/\(id)").status == 204)
        #expect(await made.person.get("\(rules)/\(id)").status == 404)
    }

    private static let support = ["OpenStack-Identity-Access-Rules": "1.0"]

    @Test("a service that passes a request on may use the token beyond its rules and its end")
    func serviceToken() async throws {
        let cloud = try await IdentityCloud()
        let rule: JSON = ["service": "compute", "method": "GET", "path": "/v2.1/servers"]
        let made = try await make(cloud, ["access_rules": [rule]])
        let program = IdentityPerson(
            cloud: cloud, token: await cloud.authenticate(application: made.proof).subjectToken)
        let admin = await IdentityPerson.admin(cloud)
        let user: JSON = ["user": ["name": "nova", "password": "pw", "domain_id": "default"]]
        #expect(await admin.post("users", user).status == 201)
        let grant = "projects/\(try cloud.projectKey("admin"))/users/\(try cloud.userKey("nova"))/roles/"
        #expect(await admin.send(.put, grant + (try cloud.roleKey("service"))).status == 204)
        func service() async -> [String: String] {
            ["X-Service-Token": await cloud.token("nova", "pw", scope: IdentityCloud.project("admin")) ?? ""]
        }
        #expect(await program.get("auth/projects").status == 401)
        #expect(await program.send(.get, "auth/projects", headers: await service()).status == 200)
        #expect(await program.send(.get, "auth/projects", headers: ["X-Service-Token": admin.token]).status == 401)
        cloud.clock.advance(by: .seconds(4000))
        #expect(await program.send(.get, "auth/projects", headers: await service()).status == 200)
        #expect(await made.person.send(.get, "auth/projects", headers: await service()).status == 200)
        #expect(await made.person.get("auth/projects").status == 401)
        cloud.clock.advance(by: .seconds(48 * 3600))
        #expect(await program.send(.get, "auth/projects", headers: await service()).status == 401)
    }

    @Test("a disabled or deleted user's are gone for good")
    func endings() async throws {
        let cloud = try await IdentityCloud()
        let admin = await IdentityPerson.admin(cloud)
        let user = "users/\(try cloud.userKey("demo"))"
        _ = try await make(cloud)
        #expect(await admin.patch(user, ["user": ["enabled": false]]).status == 200)
        #expect(cloud.identity.directory.state.delegations.applicationCredentials.isEmpty)
        #expect(await admin.patch(user, ["user": ["enabled": true]]).status == 200)
        #expect(try await cloud.restarted().directory.state.delegations.applicationCredentials.isEmpty)
        _ = try await make(cloud)
        #expect(await admin.delete(user).status == 204)
        #expect(cloud.identity.directory.state.delegations.applicationCredentials.isEmpty)
        #expect(try await cloud.restarted().directory.state.delegations.applicationCredentials.isEmpty)
    }
}
