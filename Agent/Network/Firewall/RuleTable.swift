/// The chains we keep in one table of one filter (iptables, ip6tables or ebtables), and the jumps that lead to them.
public struct RuleTable: Hashable, Sendable {
    /// A jump from a chain of the kernel's to one of ours.
    public struct Hook: Hashable, Sendable {
        public var chain: String
        public var target: String

        public init(chain: String, target: String) {
            self.chain = chain
            self.target = target
        }
    }

    public var name: String
    public var hooks: [Hook]
    /// The rules of each chain without the leading `-A CHAIN`, in the order in which they are tried.
    public var chains: [String: [String]]

    public init(name: String, hooks: [Hook] = [], chains: [String: [String]] = [:]) {
        self.name = name
        self.hooks = hooks
        self.chains = chains
    }

    /// Whether a chain of that name is ours: others are never written.
    public static func isOurs(_ chain: String) -> Bool {
        if chain.hasPrefix("skerry-") { return true }
        // sk-, one letter, and the eleven characters of a short identifier.
        guard chain.hasPrefix("sk-"), chain.utf8.count == 15 else { return false }
        return chain.utf8.dropFirst(4).enumerated().allSatisfy { index, byte in
            index == 8 ? byte == UInt8(ascii: "-") : (48...57).contains(byte) || (97...102).contains(byte)
        }
    }
}

/// Which of the filters a table belongs to, and how that one's `restore` wants it written.
public enum FilterFamily: Hashable, Sendable, CaseIterable {
    case ipv4
    case ipv6
    case frames

    var saveCommand: String {
        switch self {
        case .ipv4: "iptables-save"
        case .ipv6: "ip6tables-save"
        case .frames: "ebtables-save"
        }
    }

    var restoreCommand: String {
        switch self {
        case .ipv4: "iptables-restore"
        case .ipv6: "ip6tables-restore"
        case .frames: "ebtables-restore"
        }
    }

    /// `--wait` for the lock that the older implementation takes; ebtables knows no such option.
    var restoreArguments: [String] { self == .frames ? ["--noflush"] : ["--noflush", "--wait", "5"] }

    /// A chain's declaration, which also empties it.
    func declaration(_ chain: String) -> String { self == .frames ? ":\(chain) RETURN" : ":\(chain) - [0:0]" }

    /// Whether rules can carry a comment: with one, a chain's fingerprint lives in the chain itself.
    var hasComments: Bool { self != .frames }
}

extension RuleTable {
    /// The rules as they are written: with a first one that does nothing but carry the fingerprint of the others.
    static func stamped(_ rules: [String], _ family: FilterFamily) -> [String] {
        guard family.hasComments else { return rules }
        return ["-m comment --comment \"skerry:\(fingerprint(rules))\""] + rules
    }

    /// FNV-1a, 64 bits, of the rules' text. The kernel gives rules back in another spelling than it took them in, so a
    /// chain is told to be as written by this and by the number of its rules.
    static func fingerprint(_ rules: [String]) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for rule in rules {
            for byte in rule.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            hash = (hash ^ 0x0A) &* 0x100_0000_01b3
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
