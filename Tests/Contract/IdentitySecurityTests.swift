import CoordinatorIdentity
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("identity: security compliance")
struct IdentitySecurityTests {
    private func cloud(_ change: (inout SecurityCompliance) -> Void) async throws -> IdentityCloud {
        var settings = IdentityService.Settings()
        change(&settings.security)
        return try await IdentityCloud(settings: settings)
    }

    private func logIn(_ cloud: IdentityCloud, _ password: String, _ user: String = "demo") async -> Answer {
        await cloud.harness.post(
            "/identity/v3/auth/tokens", IdentityCloud.login(user, password, scope: nil), as: nil)
    }

    private func change(_ cloud: IdentityCloud, _ old: String, _ new: String, _ user: String = "demo") async throws
        -> Answer
    {
        await cloud.harness.post(
            "/identity/v3/users/\(try cloud.userKey(user))/password",
            ["user": ["original_password": .string(old), "password": .string(new)]], as: nil)
    }

    /// What the event log says of refused log-ins of demo.
    private func reasons(_ cloud: IdentityCloud) async throws -> [String] {
        await cloud.harness.pipeline.refusals.flush()
        let user = try cloud.userKey("demo")
        return try await cloud.harness.database.read {
            try $0.query(
                "SELECT outcome FROM events WHERE action = 'identity.authenticate' AND user_id = ?", [user]
            ) { $0.text(0) }
        }
    }

    @Test("too many wrong passwords lock an account for a while, also after a restart, with the same words")
    func lockout() async throws {
        let cloud = try await cloud {
            $0.lockoutFailureAttempts = 2
            $0.lockoutDuration = 5
        }
        #expect(await logIn(cloud, "demo-secret").status == 201)
        for _ in 0..<2 { #expect(await logIn(cloud, "wrong").status == 401) }
        let locked = await logIn(cloud, "demo-secret")
        #expect(locked.status == 401 && locked.message == "The request you have made requires authentication.")
        #expect(try await change(cloud, "demo-secret", "other").status == 401)
        #expect(try await cloud.restarted().directory.state.activity.values.first?.failures == 2)
        #expect(await logIn(cloud, "secret", "admin").status == 201)
        let reasons = try await self.reasons(cloud)
        #expect(reasons.contains { $0.contains("wrong password") })
        #expect(reasons.contains { $0.contains("the account is locked") })
        cloud.clock.advance(by: .seconds(5))
        #expect(await logIn(cloud, "demo-secret").status == 201)
        // The count starts anew: with a right password, and after a lock.
        #expect(await logIn(cloud, "wrong").status == 401)
        #expect(await logIn(cloud, "demo-secret").status == 201)
        for _ in 0..<2 { #expect(await logIn(cloud, "wrong").status == 401) }
        cloud.clock.advance(by: .seconds(6))
        #expect(await logIn(cloud, "wrong").status == 401)
        #expect(await logIn(cloud, "demo-secret").status == 201)
    }

    @Test("an administrator ends a lock; some are never locked; many guesses at once are all counted")
    func unlocking() async throws {
        let cloud = try await cloud {
            $0.lockoutFailureAttempts = 3
            $0.lockoutDuration = nil
        }
        let admin = await IdentityPerson.admin(cloud)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<10 { group.addTask { #expect(await logIn(cloud, "wrong").status == 401) } }
        }
        cloud.clock.advance(by: .seconds(1_000_000))
        #expect(await logIn(cloud, "demo-secret").status == 401)
        let path = "users/\(try cloud.userKey("demo"))"
        let fresh = await IdentityPerson.admin(cloud)
        #expect(!admin.isAlive)
        #expect(await fresh.patch(path, ["user": ["enabled": true]]).status == 200)
        #expect(await logIn(cloud, "demo-secret").status == 201)
        let options: JSON = ["user": ["options": ["ignore_lockout_failure_attempts": true]]]
        let exempt = await fresh.patch(path, options)
        #expect(exempt.json["user"]?["options"] == ["ignore_lockout_failure_attempts": true])
        for _ in 0..<4 { #expect(await logIn(cloud, "wrong").status == 401) }
        #expect(await logIn(cloud, "demo-secret").status == 201)
    }

    @Test("the last passwords cannot be chosen again, but an administrator may set them")
    func history() async throws {
        let cloud = try await cloud { $0.uniqueLastPasswordCount = 2 }
        #expect(try await change(cloud, "demo-secret", "one").status == 204)
        for repeated in ["one", "demo-secret"] {
            let answer = try await change(cloud, "one", repeated)
            #expect(answer.status == 400)
            #expect(
                answer.message
                    == "The new password cannot be identical to a previous password. The total number which includes "
                    + "the new password must be unique is 2.")
        }
        #expect(try await change(cloud, "one", "two").status == 204)
        #expect(try await change(cloud, "two", "demo-secret").status == 204)
        let admin = await IdentityPerson.admin(cloud)
        let path = "users/\(try cloud.userKey("demo"))"
        for _ in 0..<2 { #expect(await admin.patch(path, ["user": ["password": "demo-secret"]]).status == 200) }
        #expect(await logIn(cloud, "demo-secret").status == 201)
        #expect(
            try await cloud.restarted().directory.state.users.values.contains { $0.passwordState.history.count == 2 })
    }

    @Test("an expired password logs nobody in, and can be changed")
    func expiry() async throws {
        let cloud = try await cloud { $0.passwordExpiresDays = 1 }
        #expect(try await change(cloud, "demo-secret", "one").status == 204)
        let token = await logIn(cloud, "one")
        #expect(token.json["token"]?["user"]?["password_expires_at"] == "2026-01-02T00:00:00.000000")
        let admin = await IdentityPerson.admin(cloud)
        let user = "users/\(try cloud.userKey("demo"))"
        #expect(await admin.get(user).json["user"]?["password_expires_at"] == "2026-01-02T00:00:00.000000")
        for (comparison, count) in [("lt", 0), ("gte", 1), ("neq", 0), ("eq", 1), ("what", 0)] {
            let list = await admin.get("users?password_expires_at=\(comparison):2026-01-02T00:00:00Z")
            #expect(list.json["users"]?.arrayValue?.count == count, "\(comparison)")
        }
        cloud.clock.advance(by: .seconds(86_400))
        let expired = await logIn(cloud, "one")
        #expect(expired.status == 401)
        #expect(
            expired.message
                == "The password is expired and needs to be changed for user: \(try cloud.userKey("demo")).")
        // Who does not know it is not told that it has expired.
        #expect(await logIn(cloud, "wrong").message == "The request you have made requires authentication.")
        #expect(try await change(cloud, "one", "two").status == 204)
        #expect(await logIn(cloud, "two").status == 201)
    }

    @Test("a password that an administrator set must be changed first, unless the user is exempt")
    func firstUse() async throws {
        let cloud = try await cloud { $0.changePasswordUponFirstUse = true }
        let admin = await IdentityPerson.admin(cloud)
        let exempt: JSON = ["ignore_change_password_upon_first_use": true]
        for (name, options) in [("eve", [:]), ("service", exempt)] as [(String, JSON)] {
            let body: JSON = ["user": ["name": .string(name), "password": "first", "options": options]]
            let made = await admin.post("users", body)
            #expect(made.status == 201 && made.json["user"]?["options"] == options)
        }
        #expect(await logIn(cloud, "first", "service").status == 201)
        #expect(await logIn(cloud, "first", "eve").status == 401)
        #expect(try await change(cloud, "first", "own", "eve").status == 204)
        #expect(await logIn(cloud, "own", "eve").status == 201)
        let reset = await admin.patch("users/\(try cloud.userKey("eve"))", ["user": ["password": "again"]])
        #expect(reset.status == 200)
        #expect(await logIn(cloud, "again", "eve").status == 401)
    }

    @Test("weak, too young and locked passwords")
    func rules() async throws {
        let cloud = try await cloud {
            $0.passwordPattern = "^[a-z-]{4,}$"
            $0.passwordPatternDescription = "four small letters"
            $0.minimumPasswordAge = 1
        }
        let weak = try await change(cloud, "demo-secret", "A1")
        #expect(weak.status == 400)
        #expect(weak.message == "The password does not match the requirements: four small letters.")
        let admin = await IdentityPerson.admin(cloud)
        let user = "users/\(try cloud.userKey("demo"))"
        #expect(await admin.patch(user, ["user": ["password": "A1"]]).status == 400)
        #expect(await admin.post("users", ["user": ["name": "x", "password": "A1"]]).status == 400)
        #expect(try await change(cloud, "demo-secret", "first").status == 204)
        #expect(try await change(cloud, "first", "second").status == 400)
        #expect(await admin.patch(user, ["user": ["password": "third"]]).status == 200)
        #expect(try await change(cloud, "third", "fourth").status == 204)
        #expect(await admin.patch(user, ["user": ["options": ["lock_password": true]]]).status == 200)
        cloud.clock.advance(by: .seconds(90_000))
        #expect(try await change(cloud, "fourth", "fifth").status == 400)
        #expect(try await change(cloud, "wrong", "fifth").status == 401)
    }

    @Test("who stays away for too long is disabled until an administrator enables them")
    func inactive() async throws {
        let cloud = try await cloud { $0.disableUserAccountDaysInactive = 10 }
        let day = Duration.seconds(86_400)
        for _ in 0..<3 {
            cloud.clock.advance(by: day * 9)
            #expect(await logIn(cloud, "secret", "admin").status == 201)
        }
        #expect(await logIn(cloud, "demo-secret").status == 401)
        let admin = await IdentityPerson.admin(cloud)
        let user = "users/\(try cloud.userKey("demo"))"
        #expect(await admin.get(user).json["user"]?["enabled"] == false)
        #expect(await admin.patch(user, ["user": ["enabled": true]]).json["user"]?["enabled"] == true)
        #expect(await logIn(cloud, "demo-secret").status == 201)
    }

    @Test("a rule for more factors is kept, and one that could not be kept is refused")
    func factors() async throws {
        let cloud = try await IdentityCloud()
        let admin = await IdentityPerson.admin(cloud)
        let user = "users/\(try cloud.userKey("demo"))"
        func rule(_ methods: JSON) -> JSON { ["user": ["options": ["multi_factor_auth_rules": [methods]]]] }
        #expect(await admin.patch(user, rule(["password", "totp"])).status == 400)
        let before = await logIn(cloud, "demo-secret").subjectToken
        #expect(await admin.patch(user, rule(["password", "token"])).status == 200)
        let refused = await logIn(cloud, "demo-secret")
        #expect(refused.status == 401 && refused.message.contains("Insufficient auth methods received"))
        let person: JSON = ["id": .string(try cloud.userKey("demo")), "password": "demo-secret"]
        let both = await cloud.authenticate([
            "methods": ["password", "token"], "password": ["user": person], "token": ["id": .string(before)]
        ])
        #expect(both.status == 201 && both.json["token"]?["methods"] == ["token", "password"])
    }
}
