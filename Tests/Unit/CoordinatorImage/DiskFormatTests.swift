import CoordinatorImage
import Testing
import TestsSupportRandomness

@Suite("images are recognised by content")
struct DiskFormatTests {
    static func big(_ value: UInt64, _ octets: Int) -> [UInt8] {
        (0..<octets).map { UInt8(truncatingIfNeeded: value >> UInt64((octets - 1 - $0) * 8)) }
    }
    static func little(_ value: UInt64, _ octets: Int) -> [UInt8] { big(value, octets).reversed() }

    static func inspect(_ bytes: [UInt8]) throws -> DiskFormatInspector.Finding {
        try DiskFormatInspector.inspect(sizeBytes: Int64(bytes.count)) { offset, count in
            Array(bytes.dropFirst(Int(offset)).prefix(count))
        }
    }

    /// `bytes` with some of them replaced.
    static func patched(_ bytes: [UInt8], _ changes: (Int, [UInt8])...) -> [UInt8] {
        var bytes = bytes
        for (offset, change) in changes { bytes.replaceSubrange(offset..<offset + change.count, with: change) }
        return bytes
    }

    /// A version 3 header as `docs/interop/qcow2.txt` lays it out, with tables for 1 GiB of clusters of 64 KiB.
    static let qcow2 = patched(
        [UInt8](repeating: 0, count: 4 << 16), (0, [0x51, 0x46, 0x49, 0xFB]), (4, big(3, 4)), (20, big(16, 4)),
        (24, big(1 << 30, 8)), (36, big(2, 4)), (40, big(3 << 16, 8)), (48, big(1 << 16, 8)), (56, big(1, 4)),
        (96, big(4, 4)), (100, big(104, 4)))

    static func vmdk(
        _ descriptor: String = """
        # Disk DescriptorFile
        version=1
        CID=12345678
        parentCID=ffffffff
        createType="monolithicSparse"

        # Extent description
        RW 2048 SPARSE "disk.vmdk"

        ddb.adapterType = "ide"
        """, sectors: UInt64 = 2048, directory: UInt64 = 21
    ) -> [UInt8] {
        patched(
            [UInt8](repeating: 0, count: 64 << 10), (0, Array("KDMV".utf8)), (4, little(1, 4)),
            (12, little(sectors, 8)),
            (20, little(128, 8)), (28, little(1, 8)), (36, little(20, 8)), (44, little(512, 4)),
            (56, little(directory, 8)), (512, Array(descriptor.utf8)))
    }

    /// A footer with its checksum.
    static func vhdFooter(type: UInt64 = 3, size: UInt64 = 1 << 20) -> [UInt8] {
        let footer = patched(
            [UInt8](repeating: 0, count: 512), (0, Array("conectix".utf8)), (16, big(512, 8)), (40, big(size, 8)),
            (48, big(size, 8)), (60, big(type, 4)))
        let sum = footer.reduce(UInt32(0)) { $0 &+ UInt32($1) }
        return patched(footer, (64, big(UInt64(~sum), 4)))
    }

    static func vhd(type: UInt64 = 3, entries: UInt64 = 1, parent: UInt8 = 0, table: UInt64 = 1536) -> [UInt8] {
        let header = patched(
            [UInt8](repeating: 0, count: 1024), (0, Array("cxsparse".utf8)), (16, big(table, 8)), (28, big(entries, 4)),
            (32, big(2 << 20, 4)), (40, [parent]))
        return vhdFooter(type: type) + header + [UInt8](repeating: 0xFF, count: 512) + vhdFooter(type: type)
    }

    static func vhdx(size: UInt64 = 1 << 30, flags: UInt8 = 0, region: UInt64 = 1 << 20) -> [UInt8] {
        let metadataRegion: [UInt8] = [
            0x06, 0xA2, 0x7C, 0x8B, 0x90, 0x47, 0x9A, 0x4B, 0xB8, 0xFE, 0x57, 0x5F, 0x05, 0x0F, 0x88, 0x6E
        ]
        let diskSize: [UInt8] = [
            0x24, 0x42, 0xA5, 0x2F, 0x1B, 0xCD, 0x76, 0x48, 0xB2, 0x11, 0x5D, 0xBE, 0xD8, 0x3B, 0xF4, 0xB8
        ]
        let parameters: [UInt8] = [
            0x37, 0x67, 0xA1, 0xCA, 0x36, 0xFA, 0x43, 0x4D, 0xB3, 0xB6, 0x33, 0xF0, 0xAA, 0x44, 0xE7, 0x6B
        ]
        let at = 1 << 20
        return patched(
            [UInt8](repeating: 0, count: at + (128 << 10)), (0, Array("vhdxfile".utf8)),
            (192 << 10, Array("regi".utf8)),
            ((192 << 10) + 8, little(1, 4)), ((192 << 10) + 16, metadataRegion), ((192 << 10) + 32, little(region, 8)),
            (at, Array("metadata".utf8)), (at + 10, little(2, 2)), (at + 32, diskSize), (at + 48, little(65_536, 4)),
            (at + 64, parameters), (at + 80, little(65_544, 4)), (at + 65_536, little(size, 8)),
            (at + 65_548, [flags]))
    }

    static let vdi = patched(
        [UInt8](repeating: 0, count: 1024), (64, [0x7F, 0x10, 0xDA, 0xBE]), (76, little(1, 4)),
        (0x170, little(5 << 20, 8)))
    static let iso = patched([UInt8](repeating: 0, count: 40_960), (32_769, Array("CD001".utf8)))
    static let gpt = patched([UInt8](repeating: 0, count: 4096), (510, [0x55, 0xAA]))

    @Test("good ones, with the size a guest sees")
    func good() throws {
        for (bytes, format, size) in [
            (Self.qcow2, "qcow2", 1 << 30), (Self.vmdk(), "vmdk", 1 << 20), (Self.vhd(), "vhd", 1 << 20),
            ([UInt8](repeating: 3, count: 1 << 20) + Self.vhdFooter(type: 2), "vhd", 1 << 20),
            (Self.vhdx(), "vhdx", 1 << 30), (Self.vdi, "vdi", 5 << 20), (Self.iso, "iso", 40_960),
            (Self.gpt, "gpt", 4096), ([], "raw", 0), ([UInt8](repeating: 7, count: 40_000), "raw", 40_000),
            // A bootable ISO begins with a partition table; a FAT file system only looks as if.
            (Self.patched(Self.iso, (510, [0x55, 0xAA])), "iso", 40_960),
            (Self.patched(Self.gpt, (0x10, [2]), (0x15, [0xF8])), "raw", 4096)
        ] as [([UInt8], String, Int64)] {
            #expect(try Self.inspect(bytes) == .init(format: format, virtualSize: size))
        }
    }

    static let hostile: [(String, [UInt8], String)] = [
        ("qcow2 with a backing file", patched(qcow2, (8, big(512, 8))), "backing file"),
        ("qcow2 with the name of one", patched(qcow2, (16, big(9, 4))), "backing file"),
        ("qcow2 with external data", patched(qcow2, (72, big(4, 8))), "another file"),
        ("qcow2 of the future", patched(qcow2, (72, big(1 << 40, 8))), "features"),
        ("qcow2 version 1", patched(qcow2, (4, big(1, 4))), "version 1"),
        ("encrypted qcow2", patched(qcow2, (32, big(1, 4))), "encrypted"),
        ("qcow2 of a huge disk", patched(qcow2, (24, big(.max, 8))), "1 PiB"),
        ("qcow2 of a large disk without tables", patched(qcow2, (24, big(1 << 49, 8))), "too small"),
        ("qcow2 with a huge first table", patched(qcow2, (36, big(0xFFFF_FFFF, 4))), "32 MiB"),
        ("qcow2 with its table elsewhere", patched(qcow2, (40, big(1 << 60, 8))), "beyond the end"),
        ("qcow2 with a huge refcount table", patched(qcow2, (56, big(0xFFFF_FFFF, 4))), "8 MiB"),
        ("qcow2 cut short", Array(qcow2.prefix(60)), "cut short"),
        ("qcow2 cut behind its header", Array(qcow2.prefix(512)), "beyond the end"),
        ("vmdk that is a descriptor", Array("# Disk DescriptorFile\nRW 9 FLAT \"/etc/passwd\" 0\n".utf8), "descriptor"),
        ("vmdk descriptor in disguise", Array("\nversion=1\nRW 1 FLAT \"/etc/shadow\"\n".utf8), "descriptor"),
        ("vmdk with a flat extent", vmdk("createType=\"monolithicSparse\"\nRW 9 FLAT \"x\" 0"), "another file"),
        ("vmdk with a path", vmdk("createType=\"monolithicSparse\"\nRW 9 SPARSE \"/etc/passwd\""), "another file"),
        (
            "vmdk with two extents", vmdk("createType=\"monolithicSparse\"\nRW 9 SPARSE \"a\"\nRW 9 SPARSE \"b\""),
            "2 extents"
        ),
        ("vmdk of another type", vmdk("createType=\"monolithicFlat\"\nRW 9 SPARSE \"a\""), "monolithicflat"),
        (
            "vmdk with a parent", vmdk("parentCID=11111111\ncreateType=\"monolithicSparse\"\nRW 9 SPARSE \"a\""),
            "difference"
        ),
        ("vmdk with a strange line", vmdk("createType=\"monolithicSparse\"\nRW 9 SPARSE \"a\"\nwhat is this"), "line"),
        ("vmdk without a capacity", vmdk(sectors: 0), "capacity"),
        ("vmdk of a huge disk", vmdk(sectors: 1 << 60), "1 PiB"),
        ("vmdk with its directory elsewhere", vmdk(directory: 1 << 40), "beyond the end"),
        ("vmdk without the footer it promises", vmdk(directory: .max), "footer"),
        ("vmdk cut short", Array(vmdk().prefix(1024)), "cut short"),
        ("vhd that is a difference", vhd(type: 4), "difference"),
        ("vhd with a parent", vhd(parent: 1), "difference"),
        ("vhd with a wrong checksum", patched(vhd(), (20, [9])), "checksum"),
        ("vhd with a huge table", vhd(entries: 0x7FFF_FFFF), "beyond the end"),
        ("vhd with its table elsewhere", vhd(table: 1 << 60), "beyond the end"),
        ("vhd cut short", Array(vhd().prefix(700)), "cut short"),
        ("vhdx with a parent", vhdx(flags: 2), "difference"),
        ("vhdx of a huge disk", vhdx(size: .max), "1 PiB"),
        ("vhdx with its metadata elsewhere", vhdx(region: .max), "beyond the end"),
        ("vhdx cut short", Array(vhdx().prefix(1000)), "cut short"),
        ("vdi that is a difference", patched(vdi, (76, little(4, 4))), "difference"),
        ("vdi of a huge disk", patched(vdi, (0x170, little(.max, 8))), "1 PiB"),
        ("qed", Array("QED\u{0}".utf8) + [UInt8](repeating: 0, count: 600), "qed"),
        ("luks", Array("LUKS".utf8) + [0xBA, 0xBE, 0, 1], "luks"),
        ("two formats at once", patched(qcow2, (32_769, Array("CD001".utf8))), "several formats")
    ]

    @Test("what reaches beyond its own bytes, is a trap or is broken is refused with its reason", arguments: hostile)
    func refused(name: String, bytes: [UInt8], reason: String) throws {
        let finding = try Self.inspect(bytes)
        #expect(finding.refusal?.contains(reason) == true, "\(finding)")
    }

    @Test("no damage to a header makes the inspection trap")
    func damage() throws {
        var random = SeededGenerator(seed: 7)
        for original in [Self.qcow2, Self.vmdk(), Self.vhd(), Self.vhdx(), Self.vdi] {
            for _ in 0..<300 {
                var bytes = original
                for _ in 0..<4 {
                    let zone = random.next() & 1 == 0 ? 640 : bytes.count
                    bytes[Int(random.next() % UInt64(zone))] = UInt8(truncatingIfNeeded: random.next())
                }
                if random.next() & 3 == 0 { bytes.removeLast(Int(random.next() % UInt64(bytes.count))) }
                _ = try Self.inspect(bytes)
            }
        }
    }

    @Test("declared and detected format, by the image service's rules")
    func acceptance() throws {
        typealias Finding = DiskFormatInspector.Finding
        func size(_ format: String, declared: String, container: String = "bare", refusal: String? = nil) throws
            -> Int64?
        {
            try ImageAcceptance.virtualSize(
                of: Finding(format: format, virtualSize: 9, refusal: refusal), diskFormat: declared,
                containerFormat: container, sizeBytes: 5)
        }
        #expect(try size("qcow2", declared: "qcow2") == 9)
        #expect(try size("qcow2", declared: "raw") == 5)
        #expect(try size("gpt", declared: "raw") == 5)
        #expect(try size("raw", declared: "ami") == nil)
        #expect(try size("gpt", declared: "aki") == nil)
        #expect(try size("raw", declared: "qcow2", container: "ovf") == nil)
        for (format, declared) in [("raw", "qcow2"), ("qcow2", "vmdk"), ("gpt", "iso"), ("qcow2", "ami")] {
            #expect(throws: ImageAcceptance.Refusal.self) { try size(format, declared: declared) }
        }
        for container in ["bare", "ovf"] {
            #expect(throws: ImageAcceptance.Refusal.self) {
                try size("qcow2", declared: "raw", container: container, refusal: "bad")
            }
        }
    }
}
