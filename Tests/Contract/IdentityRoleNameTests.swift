import CoordinatorIdentity
import CoordinatorPlatform
import ProtocolModel
import Testing

/// Policies compare roles without regard to case, so whoever has `ADMIN` has what `admin` has.
@Suite("identity: roles whose names differ in case only")
struct IdentityRoleNameTests {
    @Test("none is made beside another, by creating or renaming", arguments: ["Admin", "ADMIN", "aDmIn"])
    func distinct(name: String) async throws {
        let session = try await IdentitySession.admin()
        let conflict = "409 Conflict occurred attempting to store role - Duplicate entry found with name \(name)"
        #expect(await session.refusal(.post, "roles", ["role": ["name": .string(name)]]).hasPrefix(conflict))
        let other = await session.make("role", ["name": "other"])
        #expect(
            await session.refusal(.patch, "roles/\(other)", ["role": ["name": .string(name)]]).hasPrefix(conflict))
        #expect(session.cloud.identity.directory.state.roles[other]?.name == "other")
        // The role itself may be written otherwise, and other names may differ in more than case.
        #expect(await session.send(.patch, "roles/\(other)", ["role": ["name": "Other"]]).status == 200)
        #expect(await session.send(.patch, "roles/\(other)", ["role": ["description": "d"]]).status == 200)
        #expect(await session.send(.post, "roles", ["role": ["name": .string(name + "s")]]).status == 201)
        // A domain's own roles are in no token, so they have names of their own.
        let domain = await session.make("domain", ["name": "d"])
        let own: JSON = ["name": .string(name), "domain_id": .string(domain)]
        #expect(await session.send(.post, "roles", ["role": own]).status == 201)
    }

    @Test("one that is there already keeps its name, and no domain's manager gives it or takes over its holder")
    func lookalike() async throws {
        let scene = try await IdentityDomainScene()
        let cloud = scene.admin.cloud
        let key = AnyID.random().compact
        // As a release before this one may have left it.
        try await cloud.harness.database.write {
            try $0.execute(
                """
                INSERT INTO identity_roles (record_key, generation, extra, name, domain_key, description)
                VALUES (?, 1, '{}', 'ADMIN', '', NULL)
                """, [key])
        }
        let again = try await cloud.restarted()
        let admin = IdentitySession(cloud: IdentityCloud(cloud, serving: again), token: scene.admin.token)
        let manager = IdentitySession(cloud: admin.cloud, token: scene.manager.token)
        #expect(await admin.send(.patch, "roles/\(key)", ["role": ["description": "d"]]).status == 200)
        let user = await admin.make("user", ["name": "u", "domain_id": .string(scene.domain)])
        let grant = "domains/\(scene.domain)/users/\(user)/roles/\(key)"
        #expect(await manager.send(.put, grant).status == 403)
        #expect(await admin.send(.put, grant).status == 204)
        #expect(await manager.send(.patch, "users/\(user)", ["user": ["password": "mine"]]).status == 403)
        #expect(await manager.send(.delete, grant).status == 403)
        let member = try cloud.roleKey("member")
        #expect(
            await admin.refusal(.put, "roles/\(member)/implies/\(key)")
                == "403 \(key) cannot be an implied roles.")
    }

    @Test("a domain's manager gives no role of an ordinary name that has come to make administrators")
    func implied() async throws {
        let scene = try await IdentityDomainScene()
        let cloud = scene.admin.cloud
        let own = await scene.admin.make("role", ["name": "reader", "domain_id": .string(scene.domain)])
        let user = await scene.manager.make("user", ["name": "u", "domain_id": .string(scene.domain)])
        let grant = "domains/\(scene.domain)/users/\(user)/roles/\(own)"
        #expect(await scene.manager.send(.put, grant).status == 204)
        #expect(await scene.manager.send(.delete, grant).status == 204)
        let admin = try cloud.roleKey("admin")
        try await cloud.harness.database.write {
            try $0.execute(
                "INSERT INTO identity_implied_roles (prior_key, implied_key) VALUES (?, ?)", [own, admin])
        }
        let again = IdentityCloud(cloud, serving: try await cloud.restarted())
        let manager = IdentitySession(cloud: again, token: scene.manager.token)
        #expect(await manager.send(.put, grant).status == 403)
    }
}
