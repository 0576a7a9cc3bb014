import ProtocolModel

/// What a change of a port's addresses keeps, asks for and gives back.
enum FixedIPChange {
    /// A request that names a subnet alone keeps an address that the port has there. Each address is kept once; the
    /// time grows with the two lists and not with their product.
    static func plan(
        _ request: [FixedIPRequest], of old: [PortSpec.FixedIP]
    ) -> (kept: [PortSpec.FixedIP], wanted: [FixedIPRequest], gone: [PortSpec.FixedIP]) {
        // Named addresses first, or a mere subnet could keep one of them.
        let named = Set(request.compactMap(\.address))
        var byAddress = Dictionary(old.map { ($0.address, $0) }) { first, _ in first }
        var bySubnet = Dictionary(grouping: old.filter { !named.contains($0.address) }.reversed(), by: \.subnet)
        var kept: [PortSpec.FixedIP] = []
        var wanted: [FixedIPRequest] = []
        for item in request {
            var same: PortSpec.FixedIP?
            if let address = item.address {
                same = byAddress[address].flatMap { (item.subnet ?? $0.subnet) == $0.subnet ? $0 : nil }
            } else if let subnet = item.subnet {
                same = bySubnet[subnet]?.popLast()
            }
            if let same {
                byAddress[same.address] = nil
                kept.append(same)
            } else {
                wanted.append(item)
            }
        }
        let stays = Set(kept.map(\.address))
        return (kept, wanted, old.filter { !stays.contains($0.address) })
    }
}
