import ProtocolModel

/// Recognises an image by its content. Pure: it sees the first bytes and the length, nothing else.
public enum DiskFormatInspector {
    /// As many leading bytes as the judgement needs: an ISO 9660 volume descriptor ends at 34 KiB.
    public static let headBytes = 36_864

    public enum Finding: Equatable, Sendable {
        /// - Parameter virtualSize: What a guest would see, in bytes.
        case known(ImageSpec.DiskFormat, virtualSize: Int64)
        /// A format we can name and do not take (`vmdk`, `vhd`, ...).
        case foreign(String)
        /// A format we take, in a form that could reach beyond its own bytes or is broken; the text says which.
        case unsafe(String)
    }

    public static func inspect(head: [UInt8], sizeBytes: Int64) -> Finding {
        if head.starts(with: [0x51, 0x46, 0x49, 0xFB]) { return inspectQcow2(head, sizeBytes: sizeBytes) }
        if let name = foreignName(head) { return .foreign(name) }
        if head.count >= 32_774, Array(head[32_769..<32_774]) == Array("CD001".utf8) {
            return .known(.iso, virtualSize: sizeBytes)
        }
        return .known(.raw, virtualSize: sizeBytes)
    }

    /// QEMU's `docs/interop/qcow2.txt`: versions 2 and 3, header fields big-endian.
    private static func inspectQcow2(_ head: [UInt8], sizeBytes: Int64) -> Finding {
        guard head.count >= 72 else { return .unsafe("the qcow2 header is cut short") }
        let version = number(head, at: 4, octets: 4)
        guard version == 2 || version == 3 else { return .unsafe("qcow2 version \(version) is not known") }
        guard number(head, at: 8, octets: 8) == 0 else {
            return .unsafe("it has a backing file; only images complete in themselves are taken")
        }
        let clusterBits = number(head, at: 20, octets: 4)
        guard (9...21).contains(clusterBits) else { return .unsafe("the qcow2 cluster size is out of range") }
        guard number(head, at: 32, octets: 4) == 0 else { return .unsafe("it is encrypted") }
        if version == 3 {
            guard head.count >= 104 else { return .unsafe("the qcow2 header is cut short") }
            let incompatible = number(head, at: 72, octets: 8)
            guard incompatible & 0x4 == 0 else { return .unsafe("it keeps its data in another file") }
            // Dirty, corrupt, compression type, extended L2 are known; anything newer is not judged.
            guard incompatible & ~0x1F == 0 else { return .unsafe("it uses qcow2 features that are not known here") }
        }
        let virtual = number(head, at: 24, octets: 8)
        guard virtual <= 1 << 50 else { return .unsafe("its virtual size is larger than 1 PiB") }
        return .known(.qcow2, virtualSize: Int64(virtual))
    }

    private static func foreignName(_ head: [UInt8]) -> String? {
        let magics: [(String, Int, [UInt8])] = [
            ("vmdk", 0, Array("KDMV".utf8)), ("vmdk", 0, Array("# Disk DescriptorFile".utf8)),
            ("vmdk", 0, Array("COWD".utf8)), ("vhdx", 0, Array("vhdxfile".utf8)), ("vhd", 0, Array("conectix".utf8)),
            ("qed", 0, [0x51, 0x45, 0x44, 0x00]), ("vdi", 64, [0x7F, 0x10, 0xDA, 0xBE]),
            ("luks", 0, [0x4C, 0x55, 0x4B, 0x53, 0xBA, 0xBE]), ("qcow", 0, Array("QFI\u{0}".utf8))
        ]
        return magics.first { _, offset, magic in
            head.count >= offset + magic.count && Array(head[offset..<offset + magic.count]) == magic
        }?.0
    }

    private static func number(_ bytes: [UInt8], at offset: Int, octets: Int) -> UInt64 {
        bytes[offset..<offset + octets].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
