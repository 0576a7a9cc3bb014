import CoordinatorNetwork
import ProtocolModel
import Testing

/// What of a pool is free, and which part of it is given away.
struct PrefixSetTests {
    private static func set(_ prefixes: [String]) -> PrefixSet {
        let read = prefixes.compactMap { IPPrefix($0) }
        return PrefixSet(read, read.first?.family ?? .ipv4)
    }

    /// A set, what is taken from it, and what is left.
    static let differences: [([String], [String], [String])] = [
        (["10.0.0.0/24"], [], ["10.0.0.0/24"]),
        (["10.0.1.0/24", "10.0.0.0/24"], [], ["10.0.0.0/23"]),
        (["10.0.0.0/24", "10.0.0.128/25", "10.0.0.0/24"], [], ["10.0.0.0/24"]),
        (["10.0.0.0/24"], ["10.0.0.0/24"], []),
        (["10.0.0.0/24"], ["10.0.0.0/8"], []),
        (["10.0.0.0/24"], ["10.0.0.64/26"], ["10.0.0.0/26", "10.0.0.128/25"]),
        (["10.0.0.0/24"], ["10.0.0.0/26", "10.0.0.192/26"], ["10.0.0.64/26", "10.0.0.128/26"]),
        (["10.0.0.0/24", "10.0.2.0/24"], ["10.0.0.128/25", "10.0.2.0/25"], ["10.0.0.0/25", "10.0.2.128/25"]),
        (["10.0.0.0/24"], ["10.1.0.0/24", "9.0.0.0/8"], ["10.0.0.0/24"]),
        (["0.0.0.0/0"], ["128.0.0.0/1"], ["0.0.0.0/1"]), (["0.0.0.0/0"], [], ["0.0.0.0/0"]),
        (["::/0"], [], ["::/0"]), (["::/0"], ["::/1"], ["8000::/1"]),
        (["fd00::/62"], ["fd00:0:0:1::/64"], ["fd00::/64", "fd00:0:0:2::/63"]),
        (["255.255.255.254/31"], ["255.255.255.255/32"], ["255.255.255.254/32"])
    ]

    @Test("what is left of a set", arguments: differences.indices)
    func difference(_ index: Int) {
        let (whole, gone, left) = Self.differences[index]
        let set = Self.set(whole)
        let taken = PrefixSet(gone.compactMap { IPPrefix($0) }, set.family)
        let rest = set.subtracting(taken)
        #expect(rest.prefixes.map(\.description) == left)
        #expect(rest.isDisjoint(with: taken))
        #expect(set.isSuperset(of: rest))
        #expect(rest.isEmpty == left.isEmpty)
        #expect(PrefixSet(rest.prefixes, set.family) == rest)
    }

    /// A set, a length, and the prefix that a subnet of that length gets.
    static let cuts: [([String], Int, String?)] = [
        (["10.0.0.0/16"], 24, "10.0.0.0/24"), (["10.0.0.0/24"], 24, "10.0.0.0/24"), (["10.0.0.0/24"], 23, nil),
        // The smallest block that is large enough, and among equals the first.
        (["10.0.0.0/16", "192.168.4.0/24"], 26, "192.168.4.0/26"),
        (["10.0.0.0/24", "10.9.0.0/24"], 26, "10.0.0.0/26"),
        (["fd00::/48", "fd01::/56"], 64, "fd01::/64"), ([], 24, nil), (["fd00::/64"], 128, "fd00::/128")
    ]

    @Test("what is cut from a set", arguments: cuts.indices)
    func cut(_ index: Int) {
        let (prefixes, length, expected) = Self.cuts[index]
        #expect(Self.set(prefixes).first(ofLength: length)?.description == expected)
    }

    @Test("cutting until nothing is left gives everything once")
    func exhaust() {
        var free = Self.set(["10.0.0.0/22", "10.8.0.0/24"])
        var given: [IPPrefix] = []
        while let next = free.first(ofLength: 26) {
            given.append(next)
            free = free.subtracting(PrefixSet([next], .ipv4))
        }
        #expect(free.isEmpty)
        #expect(given.count == 20 && Set(given).count == 20)
        #expect(PrefixSet(given, .ipv4) == Self.set(["10.0.0.0/22", "10.8.0.0/24"]))
    }
}
