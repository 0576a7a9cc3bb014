import CNetlink
import Glibc

/// The attributes of one message or of one nest; what is too short for its type reads as absent.
struct Attributes {
    private var found: [Int: UnsafeMutablePointer<nlattr>] = [:]

    init(_ head: UnsafeMutablePointer<nlattr>?, _ length: Int32) {
        var left = length
        var at = head
        while let attribute = at, nla_ok(attribute, left) != 0 {
            found[Int(nla_type(attribute))] = attribute
            at = nla_next(attribute, &left)
        }
    }

    func octets(_ kind: Int) -> [UInt8]? {
        guard let attribute = found[kind], let data = nla_data(attribute) else { return nil }
        return [UInt8](UnsafeRawBufferPointer(start: data, count: Int(nla_len(attribute))))
    }

    /// Text up to its NUL.
    func string(_ kind: Int) -> String? {
        octets(kind).map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    func uint8(_ kind: Int) -> UInt8? { octets(kind)?.first }

    func uint16(_ kind: Int) -> UInt16? { number(kind) }

    func uint32(_ kind: Int) -> UInt32? { number(kind) }

    func uint64(_ kind: Int) -> UInt64? { number(kind) }

    /// A structure as the kernel's headers have it; what a newer kernel puts behind it is left out.
    func structure<Structure: BitwiseCopyable>(_ kind: Int, _: Structure.Type = Structure.self) -> Structure? {
        guard let octets = octets(kind), octets.count >= MemoryLayout<Structure>.size else { return nil }
        return octets.withUnsafeBytes { $0.loadUnaligned(as: Structure.self) }
    }

    func nested(_ kind: Int) -> Attributes? {
        guard let attribute = found[kind], let data = nla_data(attribute) else { return nil }
        return Attributes(data.assumingMemoryBound(to: nlattr.self), nla_len(attribute))
    }

    /// Numbers are in the host's byte order.
    private func number<Number: FixedWidthInteger & BitwiseCopyable>(_ kind: Int) -> Number? {
        guard let octets = octets(kind), octets.count >= MemoryLayout<Number>.size else { return nil }
        return octets.withUnsafeBytes { $0.loadUnaligned(as: Number.self) }
    }
}

/// The C enumerations of attribute kinds are anonymous and so come as plain integers or as raw values.
func attribute<Kind: RawRepresentable>(_ kind: Kind) -> Int where Kind.RawValue == UInt32 { Int(kind.rawValue) }
