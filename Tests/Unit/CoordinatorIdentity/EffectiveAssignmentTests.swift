import CoordinatorIdentity
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("assignments in effect")
struct EffectiveAssignmentTests {
    private let alice = UserID(high: 1, low: 1)
    private let bob = UserID(high: 1, low: 2)
    private let top = ProjectID(high: 2, low: 1)
    private let low = ProjectID(high: 2, low: 2)
    private let far = ProjectID(high: 2, low: 3)

    private func state() -> IdentityState {
        var state = IdentityState()
        for key in ["one", "two"] { state.put(Domain(key: key, name: key)) }
        state.put(Project(id: top, domain: "one", parent: nil, name: "top"))
        state.put(Project(id: low, domain: "one", parent: top, name: "low"))
        state.put(Project(id: far, domain: "two", parent: nil, name: "far"))
        for id in [alice, bob] { state.put(User(id: id, domain: "one", name: id.compact)) }
        state.put(Group(key: "g", domain: "one", name: "g"))
        for id in [alice, bob] { state.addMember(id, to: "g") }
        for name in ["a", "b", "c"] { state.put(Role(key: name, name: name)) }
        state.put(Role(key: "own", name: "own", domain: "one"))
        state.imply("b", by: "a")
        state.imply("c", by: "b")
        state.imply("c", by: "own")
        return state
    }

    private func query(_ change: (inout AssignmentQuery) -> Void) -> AssignmentQuery {
        var query = AssignmentQuery()
        change(&query)
        return query
    }

    @Test("a role on the project that acts as a domain is none on the domain, and counts below when inherited")
    func actingProject() {
        var state = state()
        state.give(Assignment(actor: .user(alice), target: .domainAsProject("one"), role: "c"))
        state.give(Assignment(actor: .user(bob), target: .domainAsProject("one"), role: "c", isInherited: true))
        #expect(state.roles(of: alice, at: .domain("one")).isEmpty)
        #expect(state.roles(of: alice, at: .project(top)).isEmpty)
        #expect(state.roles(of: alice, at: .domainAsProject("one")).map(\.name) == ["c"])
        #expect(state.roles(of: bob, at: .project(low)).map(\.name) == ["c"])
        #expect(state.roles(of: bob, at: .project(far)).isEmpty && state.roles(of: bob, at: .domain("one")).isEmpty)
        let given = state.given(query { $0.domainAsProject = "one" })
        #expect(Set(given.map(\.assignment.actor)) == [.user(alice), .user(bob)])
        #expect(state.given(query { $0.domain = "one" }).isEmpty)
        #expect(state.given(query { $0.domainAsProject = "two" }).isEmpty)
        let effective = state.effective(
            query {
                $0.domainAsProject = "one"
                $0.projects = [top, low]
            })
        #expect(
            Set(effective.map(\.assignment.target)) == [.domainAsProject("one"), .project(top), .project(low)])
        state.remove(Domain(key: "one", name: "one"))
        #expect(state.assignments(of: alice).isEmpty)
    }

    @Test("a domain's inherited role counts in each of its projects and nowhere else")
    func inherited() {
        var state = state()
        let given = Assignment(actor: .user(alice), target: .domain("one"), role: "c", isInherited: true)
        state.give(given)
        let found = state.effective(AssignmentQuery())
        #expect(Set(found.map(\.assignment.target)) == [.project(top), .project(low)])
        #expect(found.allSatisfy { $0.source == .domain("one") && $0.group == nil && $0.prior == nil })
        #expect(state.effective(query { $0.domain = "one" }).isEmpty)
        #expect(state.effective(query { $0.projects = [far] }).isEmpty)
        #expect(state.effective(query { $0.isInherited = false }).isEmpty)
        #expect(state.given(query { $0.isInherited = true }) == [ShownAssignment(given)])
        #expect(state.given(query { $0.domain = "one" }) == [ShownAssignment(given)])
    }

    @Test("a group's role is each member's, with what it implies, step by step")
    func group() {
        var state = state()
        state.give(Assignment(actor: .group("g"), target: .project(low), role: "a"))
        let found = state.effective(query { $0.user = bob })
        #expect(
            Set(found.map { [$0.assignment.role, $0.prior ?? "", $0.group ?? ""] }) == [
                ["a", "", "g"], ["b", "a", "g"], ["c", "b", "g"]
            ])
        #expect(found.allSatisfy { $0.assignment.actor == .user(bob) })
        #expect(state.effective(query { $0.role = "c" }).count == 2)
        #expect(state.effective(AssignmentQuery()).count == 6)
    }

    @Test("a domain's own role vanishes behind what it implies")
    func domainRole() {
        var state = state()
        state.give(Assignment(actor: .user(alice), target: .project(top), role: "own"))
        #expect(state.effective(AssignmentQuery()).map(\.assignment.role) == ["c"])
        #expect(state.roles(of: alice, at: .project(top)).map(\.name) == ["c"])
        #expect(state.given(AssignmentQuery()).map(\.assignment.role) == ["own"])
    }

    @Test("the system's roles are in effect only for who asks for them")
    func system() {
        var state = state()
        state.give(Assignment(actor: .group("g"), target: .system, role: "c"))
        #expect(state.effective(AssignmentQuery()).isEmpty)
        #expect(
            Set(state.effective(query { $0.isSystem = true }).map(\.assignment.actor)) == [.user(alice), .user(bob)])
        #expect(state.given(query { $0.isSystem = true }).count == 1)
    }

    @Test("a subtree is listed from the top down")
    func descendants() {
        #expect(state().descendants(of: top).map(\.id) == [low])
        #expect(state().descendants(of: low).isEmpty)
    }
}

@Suite("domain configurations")
struct DomainConfigurationTests {
    private typealias Refusal = DomainConfiguration.Refusal
    private let stored = DomainConfiguration(["identity": ["driver": "x"], "ldap": ["url": "u", "password": "p"]])

    @Test("what is sensitive is kept and not shown")
    func sensitive() throws {
        #expect(try stored.shown(group: nil, option: nil) == ["identity": ["driver": "x"], "ldap": ["url": "u"]])
        #expect(try stored.shown(group: "ldap", option: "url") == ["url": "u"])
        #expect(throws: Refusal.notFound("option password in group ldap")) {
            try stored.shown(group: "ldap", option: "password")
        }
        #expect(DomainConfiguration.options["ldap"]?.contains("password") == true)
    }

    @Test("secrets are sealed once, everything else stays readable")
    func sealed() throws {
        var asked: [String] = []
        let sealed = stored.sealed { group, option, value in
            asked.append("\(group) \(option) \(value.text)")
            return [7]
        }
        #expect(asked == [#"ldap password "p""#])
        #expect(stored.hasOpenSecrets && !sealed.hasOpenSecrets)
        #expect(sealed.groups["ldap"] == ["url": .open("u"), "password": .sealed([7])])
        #expect(try sealed.shown(group: nil, option: nil) == ["identity": ["driver": "x"], "ldap": ["url": "u"]])
        #expect(throws: Refusal.notFound("option password in group ldap")) {
            try sealed.shown(group: "ldap", option: "password")
        }
        var changed = sealed.sealed { _, _, _ in [8] }
        #expect(changed == sealed, "what is sealed is not sealed again")
        try changed.merge(DomainConfiguration(["ldap": ["password": "q"]]), group: "ldap", option: "password")
        #expect(changed.hasOpenSecrets)
        try changed.remove(group: "ldap", option: "password")
        #expect(changed.groups["ldap"] == ["url": .open("u")])
    }

    @Test("a change of a group or an option says nothing else, and of something that is there")
    func merge() throws {
        var changed = stored
        try changed.merge(DomainConfiguration(["ldap": ["suffix": "s"]]), group: "ldap", option: nil)
        #expect(changed.groups["ldap"] == ["url": .open("u"), "password": .open("p"), "suffix": .open("s")])
        let two = DomainConfiguration(["ldap": ["url": "v"], "identity": ["driver": "y"]])
        #expect(throws: Refusal.self) { try changed.merge(two, group: "ldap", option: nil) }
        #expect(throws: Refusal.notFound("option list_limit in group identity")) {
            try changed.merge(
                DomainConfiguration(["identity": ["list_limit": 1]]), group: "identity", option: "list_limit")
        }
        try changed.merge(two, group: nil, option: nil)
        #expect(changed.groups["identity"] == ["driver": .open("y")])
    }

    @Test("only known groups and options are read")
    func read() {
        #expect(throws: Refusal.notSupported("No options specified")) { try DomainConfiguration.read([:]) }
        for members in [["nova": ["a": 1]], ["ldap": ["nope": 1]], ["ldap": 1], ["ldap": [:]]] as [[String: JSON]] {
            #expect(throws: Refusal.self) { try DomainConfiguration.read(members) }
        }
    }
}
