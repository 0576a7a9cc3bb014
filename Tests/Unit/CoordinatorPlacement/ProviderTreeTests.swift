import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel
import Testing

struct ProviderTreeTests {
    static let wood = Wood("a\na/b\na/b/c\na/d\ne\ne/f")

    private static func provider(_ name: String) -> Provider? {
        wood.states.first { $0.provider.name == name }?.provider
    }

    struct Case: Sendable {
        var provider: String
        var parent: String?
        var mayMove: Bool
        var refusal: ProviderTree.Refusal?
    }

    static let cases = [
        Case(provider: "e", parent: "a", mayMove: false, refusal: nil),
        Case(provider: "a", parent: nil, mayMove: false, refusal: nil),
        Case(provider: "a/b", parent: "a", mayMove: false, refusal: nil),
        Case(provider: "a/b", parent: "e", mayMove: false, refusal: .otherParent),
        Case(provider: "a/b", parent: nil, mayMove: false, refusal: .noParent),
        Case(provider: "a/b", parent: "e", mayMove: true, refusal: nil),
        Case(provider: "a/b", parent: "a/d", mayMove: true, refusal: nil),
        Case(provider: "a/b", parent: nil, mayMove: true, refusal: nil),
        Case(provider: "a/b", parent: "a/b/c", mayMove: true, refusal: .loop),
        Case(provider: "a/b", parent: "a/b", mayMove: true, refusal: .loop),
        Case(provider: "a", parent: "a/b/c", mayMove: false, refusal: .loop)
    ]

    @Test("where a provider may be put", arguments: cases)
    func places(_ one: Case) throws {
        let provider = try #require(Self.provider(one.provider))
        let members = Self.wood.states.map(\.provider).filter { $0.root == provider.root }
        #expect(
            ProviderTree.refusal(
                of: provider, below: one.parent.flatMap(Self.provider), among: members, mayMove: one.mayMove)
                == one.refusal)
    }

    @Test("each stands after its parent")
    func order() throws {
        let members = Self.wood.states.map(\.provider).filter { $0.name.hasPrefix("a") }
        let root = try #require(Self.provider("a"))
        #expect(ProviderTree.order(members.reversed()).map(\.name) == ["a", "a/d", "a/b", "a/b/c"])
        let below = try #require(Self.provider("a/b"))
        #expect(ProviderTree.subtree(of: below.uuid, among: members).map(\.name) == ["a/b", "a/b/c"])
        #expect(ProviderTree.subtree(of: root.uuid, among: members).count == 4)
    }

    @Test("a forest knows who stands above whom, and whom somebody shares with")
    func forest() {
        let wood = Wood("a @x\na/b\na/b/c\nd @y\nd/e @x\ns +MISC_SHARES_VIA_AGGREGATE @x\nt +MISC_SHARES_VIA_AGGREGATE")
        let forest = ProviderForest(wood.states)
        #expect(forest.roots == [0, 0, 0, 3, 3, 5, 6])
        #expect(forest.members[0] == [0, 1, 2])
        #expect(forest.isSubtree([0, 2]) && forest.isSubtree([2]) && forest.isSubtree([]))
        #expect(!forest.isSubtree([1, 4]) && !forest.isSubtree([0, 3]))
        #expect(forest.anchors == [5: [0, 3, 5], 6: []])
    }

    @Test(
        "filters of lists",
        arguments: [
            ("", ["a", "a/b", "c"]), ("name=c", ["c"]), ("uuid={a/b}", ["a/b"]), ("in_tree={a/b}", ["a", "a/b"]),
            ("in_tree=99999999-9999-4999-8999-999999999999", []), ("resources=VCPU:3", ["c"]),
            ("resources=VCPU:1,DISK_GB:1", ["c"]), ("required=CUSTOM_X", ["a/b", "c"]),
            ("required=CUSTOM_X,!CUSTOM_Y", ["a/b"]), ("required=in:CUSTOM_Y,CUSTOM_Z", ["c"]),
            ("member_of={g}", ["a"]), ("member_of=!{g}", ["a/b", "c"]), ("member_of=in:{g},{h}", ["a", "c"]),
            ("member_of={g}&member_of={h}", [])
        ])
    func lists(query: String, names: [String]) throws {
        let wood = Wood("a VCPU:2 @g\na/b +CUSTOM_X\nc VCPU:4 DISK_GB:1 +CUSTOM_X +CUSTOM_Y @h")
        #expect(try PlacementQuery.providers(try wood.call(query)).select(wood.states).map(\.name) == names)
    }
}

struct WantedClaimsTests {
    private static let held = Consumer(uuid: "c", project: "p", user: "u", generation: 3, updatedAt: 0)

    @Test(
        "what a caller believes of a consumer is held against what is",
        arguments: [
            (WantedClaims.Expectation.anything, true, nil), (.anything, false, nil), (.nothing, false, nil),
            (.nothing, true, "consumer generation conflict - expected 3 but got None"), (.generation(3), true, nil),
            (.generation(2), true, "consumer generation conflict - expected 3 but got 2"),
            (.generation(2), false, "consumer generation conflict - expected null but got 2")
        ] as [(WantedClaims.Expectation, Bool, String?)])
    func expectations(expected: WantedClaims.Expectation, isHeld: Bool, conflict: String?) {
        let wanted = WantedClaims(consumer: "c", claims: [], project: "p", user: "u", expected: expected)
        #expect(wanted.conflict(with: isHeld ? Self.held : nil) == conflict)
    }
}

struct InventoryTests {
    @Test(
        "room",
        arguments: [
            (Inventory(total: 10), 10, true), (Inventory(total: 10), 11, false),
            (Inventory(total: 10, used: 4), 7, false), (Inventory(total: 10, used: 12), 1, false),
            (Inventory(total: 10, reserved: 2), 9, false), (Inventory(total: 10, reserved: 10), 1, false),
            (Inventory(total: 10, allocationRatio: 2.05), 20, true),
            (Inventory(total: 10, allocationRatio: 2.05), 21, false), (Inventory(total: 10, minUnit: 2), 1, false),
            (Inventory(total: 10, maxUnit: 4), 5, false), (Inventory(total: 10, stepSize: 3), 4, false),
            (Inventory(total: 10, stepSize: 3), 9, true), (Inventory(total: 10, used: 1), Int.max, false)
        ])
    func room(inventory: Inventory, amount: Int, fits: Bool) {
        #expect(inventory.hasRoom(for: amount) == fits)
    }

    @Test("more may be reserved than there is; then nothing is left")
    func surplus() {
        #expect(Inventory(total: 4, reserved: 6, allocationRatio: 2).surplus == -4)
        #expect(Inventory(total: 4, reserved: 6, allocationRatio: 2).capacity == 0)
    }
}
