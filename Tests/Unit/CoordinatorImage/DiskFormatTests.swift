import CoordinatorImage
import Testing

@Suite("images are recognised by content")
struct DiskFormatTests {
    /// A version 3 header as `docs/interop/qcow2.txt` lays it out, with some fields changed.
    static func qcow2(
        version: UInt32 = 3, backing: UInt64 = 0, clusterBits: UInt32 = 16, size: UInt64 = 1 << 30, crypt: UInt32 = 0,
        incompatible: UInt64 = 0
    ) -> [UInt8] {
        func big(_ value: UInt64, _ octets: Int) -> [UInt8] {
            (0..<octets).map { UInt8(truncatingIfNeeded: value >> UInt64((octets - 1 - $0) * 8)) }
        }
        var bytes: [UInt8] = [0x51, 0x46, 0x49, 0xFB]
        bytes += big(UInt64(version), 4) + big(backing, 8) + big(0, 4) + big(UInt64(clusterBits), 4) + big(size, 8)
        bytes += big(UInt64(crypt), 4)
        bytes += [UInt8](repeating: 0, count: 72 - bytes.count) + big(incompatible, 8)
        return bytes + [UInt8](repeating: 0, count: 512 - bytes.count)
    }

    @Test("good ones, with the size a guest sees")
    func good() {
        func inspect(_ head: [UInt8]) -> DiskFormatInspector.Finding {
            DiskFormatInspector.inspect(head: head, sizeBytes: 4_096)
        }
        #expect(inspect(Self.qcow2()) == .known(.qcow2, virtualSize: 1 << 30))
        #expect(inspect(Self.qcow2(version: 2)) == .known(.qcow2, virtualSize: 1 << 30))
        #expect(inspect([]) == .known(.raw, virtualSize: 4_096))
        #expect(inspect([UInt8](repeating: 7, count: 40_000)) == .known(.raw, virtualSize: 4_096))
        var iso = [UInt8](repeating: 0, count: 36_864)
        iso.replaceSubrange(32_769..<32_774, with: Array("CD001".utf8))
        #expect(inspect(iso) == .known(.iso, virtualSize: 4_096))
    }

    @Test(
        "what reaches beyond its own bytes, or is broken, is unsafe",
        arguments: [
            qcow2(backing: 512), qcow2(incompatible: 0x4), qcow2(incompatible: 1 << 40), qcow2(crypt: 1),
            qcow2(version: 4), qcow2(clusterBits: 30), qcow2(size: .max), Array(qcow2().prefix(60))
        ])
    func unsafe(head: [UInt8]) {
        guard case .unsafe = DiskFormatInspector.inspect(head: head, sizeBytes: 4_096) else {
            Issue.record("taken for safe")
            return
        }
    }

    @Test("other formats are named", arguments: [("KDMV", "vmdk"), ("vhdxfile", "vhdx"), ("conectix", "vhd")])
    func foreign(magic: String, name: String) {
        #expect(DiskFormatInspector.inspect(head: Array(magic.utf8), sizeBytes: 99) == .foreign(name))
    }
}
