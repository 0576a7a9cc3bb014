/// A 48-bit Ethernet address.
public struct MACAddress: Hashable, Sendable, CustomStringConvertible {
    /// The address in the low 48 bits, first octet highest.
    public let bits: UInt64

    public init(bits: UInt64) { self.bits = bits & 0xFFFF_FFFF_FFFF }

    /// Reads six two-digit octets separated by `:` or `-`.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(omittingEmptySubsequences: false) { $0 == ":" || $0 == "-" }
        guard parts.count == 6 else { return nil }
        var bits: UInt64 = 0
        for part in parts {
            // `UInt8(_:radix:)` alone would take a sign.
            guard part.utf8.count == 2, part.utf8.allSatisfy({ hexValue($0) != nil }),
                let octet = UInt8(part, radix: 16)
            else { return nil }
            bits = bits << 8 | UInt64(octet)
        }
        self.bits = bits
    }

    /// A random address below `fa:16:3e`, the prefix OpenStack guests are known by.
    public static func random(using generator: inout some RandomNumberGenerator) -> Self {
        Self(bits: 0xFA16_3E00_0000 | UInt64.random(in: 0...0xFF_FFFF, using: &generator))
    }

    public var octets: [UInt8] { (0..<6).map { UInt8(truncatingIfNeeded: bits >> UInt64(40 - $0 * 8)) } }

    public var isMulticast: Bool { bits & 0x0100_0000_0000 != 0 }

    public var description: String {
        octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }

    /// The modified EUI-64 interface identifier that SLAAC derives from this address (RFC 4291 appendix A).
    public var modifiedEUI64: UInt64 {
        let upper = (bits >> 24) ^ 0x020000
        return upper << 40 | 0xFFFE << 24 | (bits & 0xFF_FFFF)
    }
}
