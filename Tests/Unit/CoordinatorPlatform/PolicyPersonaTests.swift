import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("policy")
struct PolicyTests {
    private let own = ProjectID(high: 1, low: 1)
    private let other = ProjectID(high: 2, low: 2)

    private func caller(_ roles: Set<String>, _ scope: Caller.Scope) -> Caller {
        Caller(
            user: UserID(high: 3, low: 3), userName: "u", userDomain: "default", scope: scope, projectName: "p",
            roles: roles)
    }

    @Test("personas reach as far as their scope")
    func personas() {
        let policy = Policy(rules: [
            "member": .projectMember, "domain": .domain("reader"), "own": .owner, "system": .systemReader,
            "either": .owner || .domain("manager")
        ])
        let member = caller(["member", "reader"], .project(own))
        #expect(policy.allows("member", member, .init(project: own)))
        #expect(!policy.allows("member", member, .init(project: other)))
        #expect(policy.allows("member", member))
        #expect(!policy.allows("member", caller(["reader"], .project(own)), .init(project: own)))
        #expect(policy.allows("domain", caller(["reader"], .domain("d")), .init(domain: "d")))
        #expect(!policy.allows("domain", caller(["reader"], .domain("d")), .init(domain: "e")))
        #expect(!policy.allows("domain", caller(["reader"], .project(own)), .init(domain: "default")))
        #expect(policy.allows("own", member, .init(user: member.user)))
        #expect(!policy.allows("own", member, .init(user: UserID(high: 9, low: 9))))
        #expect(!policy.allows("own", member))
        #expect(policy.allows("system", caller(["reader"], .system)) && !policy.allows("system", member))
        #expect(policy.allows("either", caller(["manager"], .domain("d")), .init(domain: "d")))
        #expect(!policy.allows("unknown", member) && policy.allows("unknown", caller(["admin"], .project(own))))
    }
}
