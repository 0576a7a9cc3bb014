import ProtocolModel

/// The addresses of one security group's members, or of an address group, of one family, as an ipset of kind `hash:net`.
public struct AddressSet: Hashable, Sendable {
    public var name: String
    public var family: IPAddress.Family
    public var members: Set<IPPrefix>

    public init(name: String, family: IPAddress.Family, members: Set<IPPrefix>) {
        self.name = name
        self.family = family
        self.members = members
    }

    /// As `ipset` writes them. It knows no prefix of all addresses, but its halves.
    private var entries: Set<String> {
        Set(
            members.flatMap { prefix -> [String] in
                if prefix.length == family.bitCount { return ["\(prefix.network)"] }
                guard prefix.length == 0 else { return ["\(prefix)"] }
                let upper = IPAddress(family: family, bits: UInt128(1) << UInt128(family.bitCount - 1))
                return [prefix.network, upper].map { "\($0)/1" }
            })
    }

    /// `sk4-` or `sk6-` and the group's short identifier.
    public static func name(_ group: SecurityGroupID, _ family: IPAddress.Family) -> String {
        "sk\(family.rawValue)-\(group.short)"
    }

    public static func isOurs(_ name: String) -> Bool {
        guard name.hasPrefix("sk4-") || name.hasPrefix("sk6-"), name.utf8.count == 15 else { return false }
        return name.utf8.dropFirst(4).enumerated().allSatisfy { index, byte in
            index == 8 ? byte == UInt8(ascii: "-") : (48...57).contains(byte) || (97...102).contains(byte)
        }
    }

    /// Reads `ipset save`, leaving out the sets that are not ours.
    public static func parse(saved text: String) -> [String: Set<String>] {
        var sets: [String: Set<String>] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count >= 3 else { continue }
            let name = String(words[1])
            guard isOurs(name) else { continue }
            if words[0] == "create" { sets[name, default: []] = [] }
            if words[0] == "add" { sets[name, default: []].insert(String(words[2])) }
        }
        return sets
    }

    /// What `ipset restore` must be told before the rules change: new sets, and members that come and go.
    public static func additions(desired: [AddressSet], saved: [String: Set<String>]) -> String? {
        var lines: [String] = []
        for set in desired.sorted(by: { $0.name < $1.name }) {
            if saved[set.name] == nil {
                let family = set.family == .ipv4 ? "inet" : "inet6"
                lines.append("create \(set.name) hash:net family \(family) maxelem 131072 -exist")
            }
            let present = saved[set.name] ?? []
            let wanted = set.entries
            lines += present.subtracting(wanted).sorted().map { "del \(set.name) \($0) -exist" }
            lines += wanted.subtracting(present).sorted().map { "add \(set.name) \($0) -exist" }
        }
        return lines.isEmpty ? nil : lines.joined(separator: "\n") + "\n"
    }

    /// What it must be told afterwards: sets that no rule refers to any more.
    public static func removals(desired: [AddressSet], saved: [String: Set<String>]) -> String? {
        let wanted = Set(desired.map(\.name))
        let lines = saved.keys.filter { !wanted.contains($0) }.sorted().map { "destroy \($0)" }
        return lines.isEmpty ? nil : lines.joined(separator: "\n") + "\n"
    }
}
