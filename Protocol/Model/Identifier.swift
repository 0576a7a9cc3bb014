/// The identity of one resource: a 128-bit UUID (RFC 9562) that cannot be confused with another kind's.
///
/// Compute, network, image and volume services write it with hyphens; the identity service writes 32 bare digits
/// (``compact``). Both spellings are read.
public struct Identifier<Resource>: Hashable, Sendable {
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A random identifier, version 4 variant 1 (RFC 9562 section 5.4).
    public static func random(using generator: inout some RandomNumberGenerator) -> Self {
        let high: UInt64 = generator.next()
        let low: UInt64 = generator.next()
        return Self(
            high: (high & 0xFFFF_FFFF_FFFF_0FFF) | 0x4000, low: (low & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000)
    }

    /// Reads `8-4-4-4-12` hexadecimal digits or 32 bare ones, in either case.
    /// - Returns: `nil` for any other text.
    public init?(_ text: String) {
        // Rows are full of identifiers: the bytes are read where they lie.
        var text = text
        guard let words = text.withUTF8(parseIdentifier) else { return nil }
        self.init(high: words.high, low: words.low)
    }

    public init?(_ text: some StringProtocol) { self.init(String(text)) }

    /// The hyphenated form, in lower case.
    public var text: String {
        var out = [UInt8]()
        out.reserveCapacity(36)
        appendDigits(to: &out, hyphens: true)
        return String(decoding: out, as: UTF8.self)
    }

    /// 32 hexadecimal digits, in lower case.
    public var compact: String {
        var out = [UInt8]()
        out.reserveCapacity(32)
        appendDigits(to: &out, hyphens: false)
        return String(decoding: out, as: UTF8.self)
    }

    /// The first eleven characters of the hyphenated form: what the kernel's 15-byte interface names leave room for.
    public var short: String { String(text.prefix(11)) }

    /// The same bits under another kind, for tables that hold resources of several kinds.
    public func cast<Other>(to _: Other.Type = Other.self) -> Identifier<Other> { .init(high: high, low: low) }

    private func appendDigits(to out: inout [UInt8], hyphens: Bool) {
        for index in 0..<32 {
            if hyphens, index == 8 || index == 12 || index == 16 || index == 20 { out.append(UInt8(ascii: "-")) }
            let word = index < 16 ? high : low
            let digit = UInt8(truncatingIfNeeded: word >> UInt64(60 - (index % 16) * 4)) & 0xF
            out.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}

extension Identifier: Comparable {
    public static func < (left: Self, right: Self) -> Bool { (left.high, left.low) < (right.high, right.low) }
}

extension Identifier: CustomStringConvertible {
    public var description: String { text }
}

/// Outside the generic type, so that it is compiled once and not for each kind of resource.
private func parseIdentifier(_ bytes: UnsafeBufferPointer<UInt8>) -> (high: UInt64, low: UInt64)? {
    guard bytes.count == 36 || bytes.count == 32 else { return nil }
    var words: (high: UInt64, low: UInt64) = (0, 0)
    var digits = 0
    for offset in 0..<bytes.count {
        if bytes.count == 36, offset == 8 || offset == 13 || offset == 18 || offset == 23 {
            guard bytes[offset] == UInt8(ascii: "-") else { return nil }
            continue
        }
        guard let value = hexValue(bytes[offset]) else { return nil }
        if digits < 16 {
            words.high = words.high << 4 | UInt64(value)
        } else {
            words.low = words.low << 4 | UInt64(value)
        }
        digits += 1
    }
    return words
}

/// The value of one hexadecimal digit.
func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}

/// Tags for ``Identifier``; never instantiated.
public enum NodeTag {}
public enum ServerTag {}
public enum NetworkTag {}
public enum SubnetTag {}
public enum PortTag {}
public enum SecurityGroupTag {}
public enum SecurityGroupRuleTag {}
public enum RouterTag {}
public enum FloatingIPTag {}
public enum PortForwardingTag {}
public enum SubnetPoolTag {}
public enum AddressScopeTag {}
public enum AddressGroupTag {}
public enum RBACPolicyTag {}
public enum QoSPolicyTag {}
public enum QoSRuleTag {}
public enum ImageTag {}
public enum VolumeTag {}
public enum VolumeSnapshotTag {}
public enum VolumeAttachmentTag {}
public enum ProjectTag {}
public enum UserTag {}
public enum OperationTag {}
public enum ConsoleTag {}
public enum AnyTag {}

public typealias NodeID = Identifier<NodeTag>
public typealias ServerID = Identifier<ServerTag>
public typealias NetworkID = Identifier<NetworkTag>
public typealias SubnetID = Identifier<SubnetTag>
public typealias PortID = Identifier<PortTag>
public typealias SecurityGroupID = Identifier<SecurityGroupTag>
public typealias SecurityGroupRuleID = Identifier<SecurityGroupRuleTag>
public typealias RouterID = Identifier<RouterTag>
public typealias FloatingIPID = Identifier<FloatingIPTag>
public typealias PortForwardingID = Identifier<PortForwardingTag>
public typealias SubnetPoolID = Identifier<SubnetPoolTag>
public typealias AddressScopeID = Identifier<AddressScopeTag>
public typealias AddressGroupID = Identifier<AddressGroupTag>
public typealias RBACPolicyID = Identifier<RBACPolicyTag>
public typealias QoSPolicyID = Identifier<QoSPolicyTag>
public typealias QoSRuleID = Identifier<QoSRuleTag>
public typealias ImageID = Identifier<ImageTag>
public typealias VolumeID = Identifier<VolumeTag>
public typealias VolumeSnapshotID = Identifier<VolumeSnapshotTag>
public typealias VolumeAttachmentID = Identifier<VolumeAttachmentTag>
public typealias ProjectID = Identifier<ProjectTag>
public typealias UserID = Identifier<UserTag>
public typealias OperationID = Identifier<OperationTag>
/// One viewer's connection to a console.
public typealias ConsoleID = Identifier<ConsoleTag>
/// A resource whose kind stands beside it.
public typealias AnyID = Identifier<AnyTag>
