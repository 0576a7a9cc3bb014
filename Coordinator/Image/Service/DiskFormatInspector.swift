import ProtocolModel

/// Recognises an image by its content and says whether anything in it could reach beyond its own bytes. It sees bytes
/// and nothing else: where they come from is the caller's business.
///
/// What is checked follows oslo.utils' `format_inspector`, which the image and compute services share, and goes on where
/// QEMU's drivers read more than that looks at.
public enum DiskFormatInspector {
    public struct Finding: Equatable, Sendable {
        /// `raw`, `qcow2`, `vmdk`, `vhd`, `vhdx`, `vdi`, `iso`, `gpt` (a disk with a partition table), or one of those that
        /// nothing takes: `qcow`, `qed`, `luks`.
        public var format: String
        /// What a guest would see, bytes.
        public var virtualSize: Int64
        /// Why the image must not be used, `nil` where nothing speaks against it.
        public var refusal: String?

        public init(format: String, virtualSize: Int64, refusal: String? = nil) {
            self.format = format
            self.virtualSize = virtualSize
            self.refusal = refusal
        }
    }

    /// The bytes from an offset on, as many as asked for or as there are.
    public typealias Read = (_ offset: Int64, _ count: Int) throws -> [UInt8]

    /// No disk is larger; what says so is a trap for whoever makes tables for it.
    static let largestDisk: UInt64 = 1 << 50

    /// - Throws: What `read` throws.
    public static func inspect(sizeBytes: Int64, read: @escaping Read) throws -> Finding {
        let file = InspectedFile(sizeBytes: sizeBytes, head: try read(0, 36_864), read: read)
        var findings: [Finding] = []
        for inspection in inspections {
            if let finding = try inspection(file) { findings.append(finding) }
        }
        // A bootable ISO may begin with a partition table, and a VHD of full size begins with its disk.
        if [["iso", "gpt"], ["vhd", "gpt"]].contains(findings.map(\.format)) { findings.removeLast() }
        guard findings.count <= 1 else {
            let names = findings.map(\.format).joined(separator: ", ")
            return Finding(
                format: findings[0].format, virtualSize: 0, refusal: "it is several formats at once: \(names)")
        }
        return findings.first ?? Finding(format: "raw", virtualSize: sizeBytes)
    }

    private static let inspections: [@Sendable (InspectedFile) throws -> Finding?] = [
        Qcow2Inspection.inspect, VMDKInspection.inspect, VHDInspection.inspect, VHDXInspection.inspect, vdi, banned,
        iso,
        partitions
    ]

    /// VirtualBox: QEMU's `block/vdi.c`, little-endian.
    private static func vdi(_ file: InspectedFile) -> Finding? {
        guard file.has([0x7F, 0x10, 0xDA, 0xBE], at: 64) else { return nil }
        guard file.head.count >= 512 else {
            return Finding(format: "vdi", virtualSize: 0, refusal: "the VDI header is cut short")
        }
        let size = file.little(0x170, 8)
        guard size <= largestDisk else {
            return Finding(format: "vdi", virtualSize: 0, refusal: "its virtual size is larger than 1 PiB")
        }
        // 1 grows, 2 is of full size; the others are differences to another file.
        guard [1, 2].contains(file.little(76, 4)) else {
            return Finding(format: "vdi", virtualSize: Int64(size), refusal: "it is a difference to another image")
        }
        return Finding(format: "vdi", virtualSize: Int64(size))
    }

    /// Formats that are known only in order to refuse them.
    private static func banned(_ file: InspectedFile) -> Finding? {
        let magics: [(String, [UInt8])] = [
            ("qed", Array("QED\u{0}".utf8)), ("luks", Array("LUKS".utf8) + [0xBA, 0xBE]), ("cow", Array("COWD".utf8))
        ]
        guard let (name, _) = magics.first(where: { file.has($0.1, at: 0) }) else { return nil }
        return Finding(
            format: name, virtualSize: 0,
            refusal: "the format \(name) is not taken; convert it to qcow2 or raw (qemu-img convert) and use that")
    }

    /// ECMA-119 and ECMA-167: the first volume descriptor stands in the 17th sector.
    private static func iso(_ file: InspectedFile) -> Finding? {
        guard ["CD001", "NSR02", "NSR03"].contains(where: { file.has(Array($0.utf8), at: 32_769) }) else { return nil }
        return Finding(format: "iso", virtualSize: file.sizeBytes)
    }

    /// A boot sector's signature, unless it is that of a FAT file system, which has the same.
    private static func partitions(_ file: InspectedFile) -> Finding? {
        guard file.has([0x55, 0xAA], at: 510) else { return nil }
        let isFAT = file.head[0x10] == 2 && file.head[0x15] == 0xF8
        return isFAT ? nil : Finding(format: "gpt", virtualSize: file.sizeBytes)
    }
}

/// The file as the inspections see it.
struct InspectedFile {
    let sizeBytes: Int64
    /// The first bytes: up to and with the first volume descriptor of an ISO.
    let head: [UInt8]
    let read: DiskFormatInspector.Read

    func has(_ magic: [UInt8], at offset: Int) -> Bool {
        head.count >= offset + magic.count && head[offset..<offset + magic.count].elementsEqual(magic)
    }

    /// A number in the head, which must reach so far.
    func big(_ offset: Int, _ octets: Int) -> UInt64 { Self.big(head, offset, octets) }
    func little(_ offset: Int, _ octets: Int) -> UInt64 { Self.little(head, offset, octets) }

    static func big(_ bytes: [UInt8], _ offset: Int, _ octets: Int) -> UInt64 {
        bytes[offset..<offset + octets].reduce(0) { $0 << 8 | UInt64($1) }
    }
    static func little(_ bytes: [UInt8], _ offset: Int, _ octets: Int) -> UInt64 {
        bytes[offset..<offset + octets].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Whether so many bytes from there on are in the file.
    func holds(_ offset: UInt64, _ count: UInt64) -> Bool {
        let (end, overflows) = offset.addingReportingOverflow(count)
        return !overflows && end <= UInt64(sizeBytes)
    }

    /// Exactly so many bytes, or `nil`.
    func bytes(_ offset: UInt64, _ count: Int) throws -> [UInt8]? {
        guard holds(offset, UInt64(count)) else { return nil }
        let bytes = try read(Int64(offset), count)
        return bytes.count == count ? bytes : nil
    }
}
