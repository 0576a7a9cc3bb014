import CoordinatorIdentity
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("identity state")
struct IdentityStateTests {
    private let alice = User(id: UserID(high: 1, low: 1), domain: "default", name: "alice")
    private let parent = Project(id: ProjectID(high: 2, low: 1), domain: "default", parent: nil, name: "parent")
    private let child = Project(
        id: ProjectID(high: 2, low: 2), domain: "default", parent: ProjectID(high: 2, low: 1), name: "child")

    private func state() -> IdentityState {
        var state = IdentityState()
        state.put(Domain(key: "default", name: "Default"))
        state.put(alice)
        state.put(parent)
        state.put(child)
        for name in ["admin", "manager", "member", "reader"] { state.put(Role(key: "k-\(name)", name: name)) }
        state.imply("k-reader", by: "k-member")
        state.imply("k-member", by: "k-manager")
        return state
    }

    private func names(_ state: IdentityState, at project: Project) -> [String] {
        state.roles(of: alice.id, at: .project(project.id)).map(\.name)
    }

    @Test("roles come directly, through groups, by inheritance and by implication")
    func roles() {
        var state = state()
        #expect(names(state, at: child) == [])
        state.give(Assignment(actor: .user(alice.id), target: .project(child.id), role: "k-reader"))
        #expect(names(state, at: child) == ["reader"])
        state.put(Group(key: "g", domain: "default", name: "g"))
        state.give(Assignment(actor: .group("g"), target: .project(parent.id), role: "k-manager", isInherited: true))
        #expect(names(state, at: child) == ["reader"])
        state.addMember(alice.id, to: "g")
        #expect(names(state, at: child) == ["manager", "member", "reader"])
        #expect(names(state, at: parent) == [])
        state.setMembers([], of: "g")
        #expect(names(state, at: child) == ["reader"])
    }

    @Test("a rename frees the old name, a removal frees all that hung on it")
    func removal() {
        var state = state()
        var renamed = alice
        renamed.name = "alix"
        state.put(renamed)
        #expect(state.user(named: "alice", in: "default") == nil)
        #expect(state.user(named: "alix", in: "default")?.id == alice.id)
        state.give(Assignment(actor: .user(alice.id), target: .project(parent.id), role: "k-member"))
        state.remove(Role(key: "k-member", name: "member"))
        #expect(names(state, at: parent) == [])
        #expect(state.expanded(["k-manager"]) == ["k-manager"])
        state.remove(Domain(key: "default", name: "Default"))
        #expect(state.users.isEmpty && state.projects.isEmpty && state.domain(named: "Default") == nil)
    }

    @Test("a project is usable while all above it are")
    func usable() {
        var state = state()
        #expect(state.isUsable(child))
        var disabled = parent
        disabled.isEnabled = false
        state.put(disabled)
        #expect(!state.isUsable(child))
    }

    @Test("a ring of projects ends the search for ancestors")
    func ring() {
        var state = state()
        var looped = parent
        looped.parent = child.id
        state.put(looped)
        #expect(state.ancestors(of: child).count == 32)
    }
}
