/// An IPv4 or IPv6 address.
public struct IPAddress: Hashable, Sendable, Comparable, CustomStringConvertible {
    public enum Family: Int, Sendable, Hashable, CaseIterable {
        case ipv4 = 4
        case ipv6 = 6

        /// The length of an address: 32 or 128.
        public var bitCount: Int { self == .ipv4 ? 32 : 128 }
    }

    public let family: Family
    /// The address as a number, IPv4 in the low 32 bits.
    public let bits: UInt128

    public init(family: Family, bits: UInt128) {
        self.family = family
        self.bits = family == .ipv4 ? bits & 0xFFFF_FFFF : bits
    }

    /// Reads dotted-quad IPv4 or RFC 4291 section 2.2 text IPv6 (without zone).
    public init?(_ text: some StringProtocol) {
        if let bits = Self.parseIPv4(text) {
            self.init(family: .ipv4, bits: UInt128(bits))
        } else if let bits = Self.parseIPv6(text) {
            self.init(family: .ipv6, bits: bits)
        } else {
            return nil
        }
    }

    public static func < (left: Self, right: Self) -> Bool {
        (left.family.rawValue, left.bits) < (right.family.rawValue, right.bits)
    }

    /// Network byte order: 4 or 16 octets.
    public var octets: [UInt8] {
        switch family {
        case .ipv4: withUnsafeBytes(of: UInt32(truncatingIfNeeded: bits).bigEndian) { Array($0) }
        case .ipv6: withUnsafeBytes(of: bits.bigEndian) { Array($0) }
        }
    }

    /// - Parameter octets: 4 or 16 in network byte order.
    public init?(octets: some Collection<UInt8>) {
        guard octets.count == 4 || octets.count == 16 else { return nil }
        self.init(
            family: octets.count == 4 ? .ipv4 : .ipv6, bits: octets.reduce(into: 0) { $0 = $0 << 8 | UInt128($1) })
    }

    /// The address `offset` further on, or `nil` past the end of the family's range.
    public func advanced(by offset: Int) -> Self? {
        let limit: UInt128 = family == .ipv4 ? 0xFFFF_FFFF : .max
        if offset >= 0 {
            guard limit - bits >= UInt128(offset) else { return nil }
            return Self(family: family, bits: bits + UInt128(offset))
        }
        guard bits >= UInt128(offset.magnitude) else { return nil }
        return Self(family: family, bits: bits - UInt128(offset.magnitude))
    }

    public var isLinkLocal: Bool {
        family == .ipv4 ? bits >> 16 == 0xA9FE : bits >> 118 == 0x3FA
    }

    public var isMulticast: Bool { family == .ipv4 ? bits >> 28 == 0xE : bits >> 120 == 0xFF }

    public var isLoopback: Bool { family == .ipv4 ? bits >> 24 == 127 : bits == 1 }

    public var isUnspecified: Bool { bits == 0 }

    public var description: String {
        switch family {
        case .ipv4: octets.map(String.init).joined(separator: ".")
        case .ipv6: Self.formatIPv6(bits)
        }
    }

    private static func parseIPv4(_ text: some StringProtocol) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            // A leading zero is refused: some readers take such a part for octal.
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (48...57).contains($0) }),
                part.utf8.count == 1 || part.utf8.first != 48, let octet = UInt8(part)
            else { return nil }
            bits = bits << 8 | UInt32(octet)
        }
        return bits
    }

    private static func parseIPv6(_ text: some StringProtocol) -> UInt128? {
        guard text.utf8.count <= 45 else { return nil }
        let halves = splitAtDoubleColon(text)
        // A dotted quad may stand at the very end only.
        guard let halves, let head = groups(halves.head, mayEndInQuad: halves.tail == nil),
            let tail = groups(halves.tail ?? "", mayEndInQuad: true)
        else { return nil }
        if halves.tail == nil {
            guard head.count == 8 else { return nil }
        } else {
            guard head.count + tail.count <= 7 else { return nil }
        }
        var bits: UInt128 = 0
        for group in head { bits = bits << 16 | UInt128(group) }
        if halves.tail != nil {
            bits <<= UInt128(16 * (8 - head.count))
            var low: UInt128 = 0
            for group in tail { low = low << 16 | UInt128(group) }
            bits |= low
        }
        return bits
    }

    private static func splitAtDoubleColon(_ text: some StringProtocol) -> (head: String, tail: String?)? {
        let bytes = Array(text.utf8)
        var at: Int?
        var index = 0
        while index + 1 < bytes.count {
            if bytes[index] == 58, bytes[index + 1] == 58 {
                guard at == nil else { return nil }
                at = index
                index += 1
            }
            index += 1
        }
        guard let at else { return (String(text), nil) }
        return (String(decoding: bytes[..<at], as: UTF8.self), String(decoding: bytes[(at + 2)...], as: UTF8.self))
    }

    private static func groups(_ text: String, mayEndInQuad: Bool) -> [UInt16]? {
        guard !text.isEmpty else { return [] }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        var result: [UInt16] = []
        for (index, part) in parts.enumerated() {
            if mayEndInQuad, index == parts.count - 1, part.contains("."), let quad = parseIPv4(part) {
                result += [UInt16(quad >> 16), UInt16(quad & 0xFFFF)]
                continue
            }
            guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy({ hexValue($0) != nil }),
                let group = UInt16(part, radix: 16)
            else { return nil }
            result.append(group)
        }
        return result
    }

    /// Lower case, the longest run of two or more zero groups shortened (RFC 5952 section 4).
    private static func formatIPv6(_ bits: UInt128) -> String {
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: bits >> UInt128(112 - $0 * 16)) }
        var best: Range<Int> = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > best.count { best = start..<end }
            start = max(end, start + 1)
        }
        func join(_ part: some Sequence<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard best.count >= 2 else { return join(groups) }
        return join(groups[..<best.lowerBound]) + "::" + join(groups[best.upperBound...])
    }
}
