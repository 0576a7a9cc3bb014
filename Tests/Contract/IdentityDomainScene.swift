import CoordinatorIdentity
import CoordinatorPlatform
import ProtocolModel
import Testing

/// The manager of a domain with an administrator in it.
struct IdentityDomainScene {
    let admin: IdentitySession
    let domain: String
    let boss: String
    let manager: IdentitySession

    init() async throws {
        admin = try await IdentitySession.admin()
        domain = await admin.make("domain", ["name": "d"])
        let place = JSON.string(domain)
        boss = await admin.make("user", ["name": "boss", "password": "pw", "domain_id": place])
        let user = await admin.make("user", ["name": "m", "password": "pw", "domain_id": place])
        for (name, who) in [("manager", user), ("admin", boss)] {
            let role = try admin.cloud.roleKey(name)
            #expect(await admin.send(.put, "domains/\(domain)/users/\(who)/roles/\(role)").status == 204)
        }
        let login: JSON = [
            "methods": ["password"],
            "password": ["user": ["id": .string(user), "password": "pw"]]
        ]
        let answer = await admin.cloud.authenticate(login, scope: ["domain": ["id": place]])
        manager = IdentitySession(cloud: admin.cloud, token: answer.subjectToken)
    }
}
