/// A range of addresses in CIDR form (RFC 4632, RFC 4291 section 2.3).
public struct IPPrefix: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The first address; its host bits are zero.
    public let network: IPAddress
    /// 0 to 32 or 128.
    public let length: Int

    /// - Returns: `nil` for a length out of the family's range. Host bits of `address` are cleared.
    public init?(_ address: IPAddress, length: Int) {
        guard (0...address.family.bitCount).contains(length) else { return nil }
        self.length = length
        network = IPAddress(family: address.family, bits: address.bits & Self.mask(address.family, length))
    }

    /// Reads `ADDRESS/LENGTH`; a bare address is a prefix of full length. Host bits may be set and are cleared.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(first) else { return nil }
        var length = address.family.bitCount
        if parts.count == 2 {
            guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ (48...57).contains($0) }),
                let given = Int(parts[1])
            else { return nil }
            length = given
        }
        self.init(address, length: length)
    }

    public var family: IPAddress.Family { network.family }
    public var first: IPAddress { network }
    public var last: IPAddress {
        IPAddress(family: family, bits: network.bits | ~Self.mask(family, length))
    }

    public func contains(_ address: IPAddress) -> Bool {
        address.family == family && address.bits & Self.mask(family, length) == network.bits
    }

    public func overlaps(_ other: Self) -> Bool {
        family == other.family && (contains(other.network) || other.contains(network))
    }

    /// The address `offset` after the first one.
    public func address(at offset: UInt128) -> IPAddress? {
        let size = family.bitCount - length
        if size < 128 { guard offset < (UInt128(1) << UInt128(size)) else { return nil } }
        return IPAddress(family: family, bits: network.bits | offset)
    }

    public static func < (left: Self, right: Self) -> Bool {
        left.network == right.network ? left.length < right.length : left.network < right.network
    }

    public var description: String { "\(network)/\(length)" }

    /// The netmask of an IPv4 prefix, dotted.
    public var netmask: IPAddress { IPAddress(family: family, bits: Self.mask(family, length)) }

    private static func mask(_ family: IPAddress.Family, _ length: Int) -> UInt128 {
        let all: UInt128 = family == .ipv4 ? 0xFFFF_FFFF : .max
        let shift = family.bitCount - length
        return shift == 128 ? 0 : (all >> UInt128(shift)) << UInt128(shift)
    }
}
