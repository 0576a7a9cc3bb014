import AgentCore
import AgentStorage
import CoordinatorImage

extension FuzzTarget {
    /// Images that tenants upload, and what guests' config drives are made of.
    static let disks: [FuzzTarget] =
        formats.map { name, corpus in
            FuzzTarget(name: name, corpus: corpus, words: magic, runs: 2_000) { bytes in
                var looks = 0
                var bytesRead = 0
                let finding = try DiskFormatInspector.inspect(sizeBytes: Int64(bytes.count)) { offset, count in
                    looks += 1
                    guard offset >= 0, count >= 0 else { throw BadRead() }
                    let found = Array(bytes.dropFirst(Int(clamping: offset)).prefix(count))
                    bytesRead += found.count
                    return found
                }
                if finding.virtualSize < 0 { return "a negative size" }
                if finding.refusal == nil, finding.virtualSize > 1 << 50 { return "a disk of more than 1 PiB" }
                return looks > 4_096 || bytesRead > 64 << 20 ? "\(looks) reads of \(bytesRead) bytes" : nil
            }
        } + [
            FuzzTarget(name: "qcow2 of agents", corpus: [qcow2], words: magic) { bytes in
                let header = try Qcow2Header(head: bytes)
                return header.virtualSize < 0 ? "a negative size" : nil
            },
            FuzzTarget(name: "qcow2 backing path", corpus: backed, words: magic) { bytes in
                guard let path = Qcow2Disk.backingPath(head: bytes) else { return nil }
                return path.utf8.count > 3 * bytes.count ? "longer than its file" : nil
            },
            FuzzTarget(
                "config drives", texts: ["openstack/latest/meta_data.json", "a/b", "ec2/2009-04-04/user-data"],
                words: ["/", "..", "//", ".", "\u{0}", "\u{FFFD}", "a/b/c/d/e/f/g/h/i/j"], runs: 1_000
            ) { text in
                let files = text.split(separator: "\n", omittingEmptySubsequences: false).map {
                    ConfigDriveContent.File(path: String($0), bytes: Array($0.utf8))
                }
                let content = ConfigDriveContent(files: files)
                guard let image = ISOImage.bytes(content, label: "config-2", secondsSinceEpoch: 0) else { return nil }
                let at = Int(ISOImage.descriptorOffset)
                guard ISOImage.digest(inDescriptor: Array(image[at..<at + 2048])) != nil else { return "no digest" }
                return image.count % 2048 == 0 ? nil : "part of a sector"
            },
            FuzzTarget(name: "config drive descriptors", corpus: descriptors, words: magic) { bytes in
                _ = ISOImage.digest(inDescriptor: bytes)
                return nil
            }
        ]

    private struct BadRead: Error {}

    private static let magic = [
        "QFI\u{FB}", "KDMV", "# Disk DescriptorFile", "RW 1 FLAT \"/etc/passwd\" 0\n", "conectix", "cxsparse",
        "vhdxfile", "regi", "metadata", "CD001", "QED\u{0}", "LUKS\u{BA}\u{BE}"
    ].map { Array($0.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }) }

    // MARK: Images

    private static func image(_ size: Int, _ parts: (Int, [UInt8])...) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: size)
        for (offset, part) in parts { bytes.replaceSubrange(offset..<offset + part.count, with: part) }
        return bytes
    }

    private static func big(_ value: UInt64, _ octets: Int) -> [UInt8] {
        (0..<octets).map { UInt8(truncatingIfNeeded: value >> UInt64((octets - 1 - $0) * 8)) }
    }
    private static func little(_ value: UInt64, _ octets: Int) -> [UInt8] { big(value, octets).reversed() }

    /// 1 GiB in clusters of 64 KiB, cut after the header and the beginning of its tables.
    private static let qcow2 = image(
        4_096, (0, [0x51, 0x46, 0x49, 0xFB]), (4, big(3, 4)), (20, big(16, 4)), (24, big(1 << 30, 8)),
        (36, big(2, 4)), (40, big(1 << 10, 8)), (48, big(2 << 10, 8)), (56, big(1, 4)), (96, big(4, 4)),
        (100, big(104, 4)))

    private static let backed: [[UInt8]] = {
        let backing = Qcow2Disk.Backing(path: "/var/lib/base.raw", format: "raw")
        return [Qcow2Disk.bytes(virtualSize: 1 << 20, backing: backing).map { Array($0.prefix(4_096)) } ?? []]
    }()

    private static let vmdk = image(
        8_192, (0, Array("KDMV".utf8)), (4, little(1, 4)), (12, little(2_048, 8)), (20, little(128, 8)),
        (28, little(1, 8)), (36, little(8, 8)), (44, little(512, 4)), (56, little(10, 8)),
        (512, Array("# Disk DescriptorFile\ncreateType=\"monolithicSparse\"\nRW 2048 SPARSE \"d.vmdk\"\n".utf8)))

    private static let vhd: [UInt8] = {
        var footer = image(
            512, (0, Array("conectix".utf8)), (16, big(512, 8)), (40, big(1 << 20, 8)), (48, big(1 << 20, 8)),
            (60, big(3, 4)))
        let sum = footer.reduce(UInt32(0)) { $0 &+ UInt32($1) }
        footer.replaceSubrange(64..<68, with: big(UInt64(~sum), 4))
        let header = image(
            1_024, (0, Array("cxsparse".utf8)), (16, big(1_536, 8)), (28, big(1, 4)), (32, big(2 << 20, 4)))
        return footer + header + [UInt8](repeating: 0xFF, count: 512) + footer
    }()

    private static let vhdx: [UInt8] = {
        let region: [UInt8] = [
            0x06, 0xA2, 0x7C, 0x8B, 0x90, 0x47, 0x9A, 0x4B, 0xB8, 0xFE, 0x57, 0x5F, 0x05, 0x0F, 0x88, 0x6E
        ]
        let size: [UInt8] = [
            0x24, 0x42, 0xA5, 0x2F, 0x1B, 0xCD, 0x76, 0x48, 0xB2, 0x11, 0x5D, 0xBE, 0xD8, 0x3B, 0xF4, 0xB8
        ]
        // The metadata lies early, so that the whole stays small.
        return image(
            (256 << 10) + 4_096, (0, Array("vhdxfile".utf8)), (192 << 10, Array("regi".utf8)),
            ((192 << 10) + 8, little(1, 4)), ((192 << 10) + 16, region), ((192 << 10) + 32, little(256 << 10, 8)),
            (256 << 10, Array("metadata".utf8)), ((256 << 10) + 10, little(1, 2)), ((256 << 10) + 32, size),
            ((256 << 10) + 48, little(2_048, 4)), ((256 << 10) + 2_048, little(1 << 30, 8)))
    }()

    private static let formats: [(String, [[UInt8]])] = [
        ("qcow2", [qcow2]), ("VMDK", [vmdk]), ("VHD", [vhd]),
        ("VDI", [image(1_024, (64, [0x7F, 0x10, 0xDA, 0xBE]), (76, little(1, 4)), (0x170, little(5 << 20, 8)))]),
        ("ISO and partitions", [image(40_960, (32_769, Array("CD001".utf8)), (510, [0x55, 0xAA]))]),
        ("any disk", [qcow2, vmdk, vhd])
    ]

    /// The inputs are longer than others'.
    static let vhdxTarget: FuzzTarget = {
        var target = disks[0]
        target.name = "VHDX"
        target.corpus = [vhdx]
        target.runs = 200
        return target
    }()

    private static let descriptors: [[UInt8]] = [
        image(2_048, (1, Array("CD001".utf8)), (883, Array("skerry-content:0123456789abcdef".utf8)))
    ]
}
