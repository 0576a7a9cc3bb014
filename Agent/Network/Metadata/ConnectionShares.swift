import ProtocolModel

/// Who may have one more connection to a network's metadata. Pure. A guest asks over one or two at a time; what is beyond
/// its share, or all guests' together, is refused and not queued, so that no guest takes the service from another.
package struct ConnectionShares {
    package static let perGuest = 16
    package static let perNetwork = 256

    private var counts: [ServerID?: Int] = [:]
    private var total = 0

    package init() {}

    /// - Parameter guest: `nil` for all whose address is nobody's: they share one share.
    package mutating func admit(_ guest: ServerID?) -> Bool {
        guard total < Self.perNetwork, counts[guest, default: 0] < Self.perGuest else { return false }
        counts[guest, default: 0] += 1
        total += 1
        return true
    }

    package mutating func leave(_ guest: ServerID?) {
        total -= 1
        let left = counts[guest, default: 1] - 1
        counts[guest] = left > 0 ? left : nil
    }
}
