/// Judges whether dnsmasq's memory of leases stands in the way of its new instructions. Pure.
///
/// dnsmasq refuses to give an address to a port as long as a lease of it to another one runs, even when its
/// instructions have changed. Since every address is fixed, leases hold nothing worth keeping, and starting afresh is the cure.
package enum DHCPLeases {
    /// - Parameters:
    ///   - leases: dnsmasq's lease file.
    ///   - hosts: the new `dhcp-hostsfile`.
    ///   - previousHosts: the one before.
    /// - Returns: whether an address that was given to a new owner is leased to somebody else.
    package static func conflict(leases: String, hosts: String, previousHosts: String) -> Bool {
        let before = owners(previousHosts)
        let moved = owners(hosts).filter { before[$0.key] != $0.value }
        guard !moved.isEmpty else { return false }
        return leases.split(separator: "\n").contains { line in
            // Expiry, then a MAC (or for IPv6 a number), then the address.
            let words = line.split(separator: " ")
            guard words.count >= 4, let owner = moved[String(words[2])] else { return false }
            return words[1] != owner
        }
    }

    /// Address to MAC.
    private static func owners(_ hosts: String) -> [String: String] {
        var owners: [String: String] = [:]
        for line in hosts.split(separator: "\n") {
            let words = line.split(separator: ",")
            guard words.count >= 2 else { continue }
            owners[words[1].filter { $0 != "[" && $0 != "]" }] = String(words[0])
        }
        return owners
    }
}
