import CoordinatorIdentity
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("identity: a user who revokes many tokens")
struct IdentityRevocationTests {
    private struct Scene {
        let cloud: IdentityCloud
        let admin: IdentityPerson

        /// - Parameter limit: How many revocations of one user are remembered.
        init(limit: Int) async throws {
            var settings = IdentityService.Settings()
            settings.revocationLimit = limit
            cloud = try await IdentityCloud(settings: settings)
            admin = await IdentityPerson.admin(cloud)
        }

        /// A token of the demo user, a second later than everything before.
        func next() async -> IdentityPerson {
            cloud.clock.advance(by: .seconds(1))
            return await IdentityPerson.demo(cloud)
        }

        func revoke(_ person: IdentityPerson) async -> Int {
            await person.send(.delete, "auth/tokens", headers: ["X-Subject-Token": person.token]).status
        }

        func stored() async throws -> Int {
            try await cloud.harness.database.read {
                try $0.count("SELECT COUNT(*) FROM identity_revocations")
            }
        }
    }

    @Test("they are bounded in memory and table, and none of them is good again")
    func bounded() async throws {
        let scene = try await Scene(limit: 8)
        var revoked: [IdentityPerson] = []
        for _ in 0..<40 {
            let person = await scene.next()
            #expect(await scene.revoke(person) == 204)
            revoked.append(person)
            #expect(scene.cloud.identity.directory.state.revoked.count <= 8)
            #expect(try await scene.stored() == scene.cloud.identity.directory.state.revoked.count)
        }
        let living = await scene.next()
        #expect(living.isAlive && scene.admin.isAlive)
        for person in revoked { #expect(!person.isAlive) }
        let again = try await scene.cloud.restarted()
        #expect(
            IdentityRestartTests.differences(
                IdentityRestartTests.forgettingMoments(again.directory.state),
                IdentityRestartTests.forgettingMoments(scene.cloud.identity.directory.state)) == [])
        for person in revoked { #expect(try again.tokens.authenticate(token: person.token) == nil) }
        #expect(try again.tokens.authenticate(token: living.token) != nil)
        // The user can still be changed: memory and row agree on the generation.
        let demo = try scene.cloud.userKey("demo")
        #expect(await scene.admin.patch("users/\(demo)", ["user": ["description": "d"]]).status == 200)
    }

    @Test("a token made from a revoked one stays void when its revocation is one of many")
    func chain() async throws {
        let scene = try await Scene(limit: 2)
        let first = await scene.next()
        let made = await scene.cloud.authenticate(token: first.token, scope: IdentityCloud.project("demo"))
        scene.cloud.clock.advance(by: .seconds(5))
        let late = await scene.cloud.authenticate(token: first.token, scope: IdentityCloud.project("demo"))
        let children = [made, late].map { IdentityPerson(cloud: scene.cloud, token: $0.subjectToken) }
        #expect(children.map { $0.isAlive } == [true, true])
        scene.cloud.clock.advance(by: .seconds(5))
        #expect(await scene.revoke(first) == 204)
        #expect(children.map { $0.isAlive } == [false, false])
        for _ in 0..<2 {
            let other = await scene.next()
            #expect(await scene.revoke(other) == 204)
        }
        #expect(scene.cloud.identity.directory.state.revoked.count == 2, "the first has become a bound")
        #expect(children.map { $0.isAlive } == [false, false])
    }

    @Test("other users' tokens and younger ones of the same stay good, and the event log has the bound")
    func events() async throws {
        let scene = try await Scene(limit: 2)
        let old = await scene.next()
        let tokens = [await scene.next(), await scene.next(), await scene.next()]
        let young = await scene.next()
        for token in tokens {
            #expect(await scene.revoke(token) == 204)
            scene.cloud.clock.advance(by: .seconds(1))
        }
        #expect(!old.isAlive, "it is from before the first of them was revoked")
        #expect(!young.isAlive, "so is this one")
        let fresh = await scene.next()
        #expect(fresh.isAlive && scene.admin.isAlive)
        let demo = try scene.cloud.userKey("demo")
        let lines = try await scene.cloud.harness.database.read { reader in
            try EventLog.events(after: 0, limit: 1000, in: reader).map(\.event)
                .filter { $0.action == "identity.user.revoke" }
        }
        #expect(lines.count == 1 && lines.first?.user == demo && lines.first?.outcome == "success")
        #expect(lines.first?.target.hasPrefix("\(demo) issued_before 2026-01-01T00:00:") == true)
        let shown = await scene.admin.get("OS-REVOKE/events").json["events"]?.arrayValue ?? []
        #expect(shown.contains { $0["user_id"] == .string(demo) })
    }

    @Test("who has an application credential ends its tokens by revoking many, and no others of its user")
    func delegated() async throws {
        let scene = try await Scene(limit: 4)
        let owner = await scene.next()
        let demo = try scene.cloud.userKey("demo")
        let wanted: JSON = ["name": "ci", "roles": [["name": "reader"]]]
        let made = await owner.post("users/\(demo)/application_credentials", ["application_credential": wanted])
        #expect(made.status == 201, "\(made.json)")
        let proof: JSON = [
            "id": made.json["application_credential"]?["id"] ?? .null,
            "secret": made.json["application_credential"]?["secret"] ?? .null
        ]
        func logIn() async -> IdentityPerson {
            scene.cloud.clock.advance(by: .seconds(1))
            let token = await scene.cloud.authenticate(application: proof).subjectToken
            return IdentityPerson(cloud: scene.cloud, token: token)
        }
        let bound = scene.cloud.identity.directory.state.users.values.first { $0.key == demo }?.tokensValidFrom
        let early = await logIn()
        #expect(early.isAlive)
        var revoked: [IdentityPerson] = []
        for _ in 0..<12 {
            let person = await logIn()
            #expect(await person.send(.delete, "auth/tokens", headers: ["X-Subject-Token": person.token]).status == 204)
            revoked.append(person)
            #expect(scene.cloud.identity.directory.state.revoked.count <= 4)
            #expect(try await scene.stored() == scene.cloud.identity.directory.state.revoked.count)
        }
        let late = await logIn()
        #expect(owner.isAlive && late.isAlive && !early.isAlive)
        #expect(scene.cloud.identity.directory.state.users.values.first { $0.key == demo }?.tokensValidFrom == bound)
        let again = try await scene.cloud.restarted()
        for person in revoked {
            #expect(!person.isAlive)
            #expect(try again.tokens.authenticate(token: person.token) == nil)
        }
        for person in [owner, late] { #expect(try again.tokens.authenticate(token: person.token) != nil) }
        #expect(
            IdentityRestartTests.differences(
                IdentityRestartTests.forgettingMoments(again.directory.state),
                IdentityRestartTests.forgettingMoments(scene.cloud.identity.directory.state)) == [])
        // The bound goes when the last token from before it is good for nothing.
        #expect(again.directory.state.delegationBounds.count == 1)
        scene.cloud.clock.advance(by: .seconds(50 * 3600))
        #expect(try await scene.cloud.restarted().directory.state.delegationBounds.isEmpty)
    }

    @Test("a token from before the clock was set back stays revoked, and its user can log in", arguments: [false, true])
    func clockSetBack(isRestarted: Bool) async throws {
        let scene = try await Scene(limit: 2)
        scene.cloud.clock.advance(by: .seconds(1800))
        let ahead = await scene.next()
        scene.cloud.clock.advance(by: .seconds(-1800))
        #expect(ahead.isAlive)
        #expect(await scene.revoke(ahead) == 204)
        var cloud = scene.cloud
        if isRestarted {
            var settings = IdentityService.Settings()
            settings.revocationLimit = 2
            let identity = try await IdentityService(
                database: cloud.harness.database, clock: cloud.clock, settings: settings)
            cloud = IdentityCloud(identity, after: cloud)
        }
        for _ in 0..<6 {
            cloud.clock.advance(by: .seconds(1))
            let person = await IdentityPerson.demo(cloud)
            #expect(person.isAlive, "the bound that lies ahead is no end to new tokens")
            #expect(await person.send(.delete, "auth/tokens", headers: ["X-Subject-Token": person.token]).status == 204)
            #expect(!person.isAlive)
            #expect(try cloud.identity.tokens.authenticate(token: ahead.token) == nil)
        }
        #expect(cloud.identity.directory.state.revoked.count <= 2)
    }

    @Test("another password ends tokens from before the clock was set back")
    func passwordAfterClockSetBack() async throws {
        let scene = try await Scene(limit: 8)
        scene.cloud.clock.advance(by: .seconds(1800))
        let ahead = await scene.next()
        scene.cloud.clock.advance(by: .seconds(-1800))
        let demo = try scene.cloud.userKey("demo")
        for _ in 0..<2 {
            let person = await IdentityPerson.demo(scene.cloud)
            #expect(person.isAlive)
            let change: JSON = ["user": ["password": "demo-secret"]]
            #expect(await scene.admin.patch("users/\(demo)", change).status == 200)
            #expect(!ahead.isAlive && !person.isAlive)
        }
        #expect(await IdentityPerson.demo(scene.cloud).isAlive)
    }
}
