/// VMware's virtual disks ("Virtual Disk Format 5.0"), as QEMU's `block/vmdk.c` reads them: little-endian, and a text
/// that can name other files. Only disks in one sparse file are taken.
enum VMDKInspection {
    private static let directoryAtEnd = UInt64.max
    private static let types = ["monolithicsparse", "streamoptimized"]

    static func inspect(_ file: InspectedFile) throws -> DiskFormatInspector.Finding? {
        if file.has(Array("KDMV".utf8), at: 0) { return try sparse(file) }
        return isDescriptor(file.head)
            ? refuse("it is a descriptor that names other files; only disks in one file are taken") : nil
    }

    /// A text that QEMU would take for a disk description.
    private static func isDescriptor(_ head: [UInt8]) -> Bool {
        let text = lowered(head.prefix(4096))
        if text.hasPrefix("# disk descriptorfile") { return true }
        guard !head.isEmpty, head.prefix(512).allSatisfy({ (32...126).contains($0) || (9...13).contains($0) }) else {
            return false
        }
        return text.contains("createtype=") || text.split(separator: "\n").contains { $0.hasPrefix("version=") }
    }

    private static func sparse(_ file: InspectedFile) throws -> DiskFormatInspector.Finding {
        guard file.head.count >= 512 else { return refuse("the VMDK header is cut short") }
        guard (1...3).contains(file.little(4, 4)) else {
            return refuse("VMDK version \(file.little(4, 4)) is not known")
        }
        let sectors = file.little(12, 8)
        // Without a capacity of its own the disk is what its descriptor names.
        guard sectors > 0 else { return refuse("it has no capacity of its own and would take its data from elsewhere") }
        guard sectors <= DiskFormatInspector.largestDisk / 512 else {
            return refuse("its virtual size is larger than 1 PiB")
        }
        let size = Int64(sectors * 512)
        let (offset, count) = (file.little(28, 8), file.little(36, 8))
        guard offset == 1, count > 0, count <= 2047 else {
            return refuse("its descriptor is not where it belongs", size)
        }
        guard let descriptor = try file.bytes(512, Int(count) * 512) else {
            return refuse("its descriptor lies beyond the end: it is cut short", size)
        }
        if let reason = judge(descriptor) { return refuse(reason, size) }
        if let reason = try tables(file) { return refuse(reason, size) }
        return DiskFormatInspector.Finding(format: "vmdk", virtualSize: size)
    }

    /// Every line must be understood, or the disk is refused.
    private static func judge(_ descriptor: [UInt8]) -> String? {
        let text = lowered(descriptor.prefix { $0 != 0 })
        var extents = 0
        var type = ""
        for line in text.split(separator: "\n").map({ trim($0) }) where !line.isEmpty && !line.hasPrefix("#") {
            if line.hasPrefix("ddb") { continue }
            let words = line.split(separator: " ")
            if ["rw", "rdonly", "noaccess"].contains(words[0]) {
                extents += 1
                guard words.count >= 4, words[2] == "sparse", !line.contains("/"), !line.contains("..") else {
                    return "an extent of its descriptor points to another file"
                }
            } else if let equals = line.firstIndex(of: "="), !line[..<equals].contains(" ") {
                let value = line[line.index(after: equals)...].filter { $0 != "\"" }
                switch line[..<equals] {
                case "createtype": type = value
                case "parentcid" where value != "ffffffff": return "it is a difference to another image"
                case "parentfilenamehint": return "it names a parent image"
                default: break
                }
            } else {
                return "its descriptor has a line that is not understood"
            }
        }
        guard types.contains(type) else {
            return "its VMDK type '\(type.prefix(40))' is not taken; only monolithicSparse and streamOptimized are"
        }
        return extents == 1 ? nil : "its descriptor names \(extents) extents, not one"
    }

    private static func tables(_ file: InspectedFile) throws -> String? {
        let directory = file.little(56, 8)
        guard directory == directoryAtEnd else {
            return file.holds(directory.multipliedReportingOverflow(by: 512).partialValue, 4)
                ? nil : "its grain directory lies beyond the end: it is cut short"
        }
        // Footer marker, footer, end-of-stream marker, 512 bytes each.
        guard file.sizeBytes >= 2048, let end = try file.bytes(UInt64(file.sizeBytes) - 1536, 1536) else {
            return "its footer is cut short"
        }
        let footer = Array(end[512..<1024])
        guard InspectedFile.little(end, 12, 4) == 3, InspectedFile.little(end, 8, 4) == 0,
            InspectedFile.little(end, 1024, 8) == 0, InspectedFile.little(end, 1036, 4) == 0
        else { return "its footer is cut short or damaged" }
        // All but the place of the grain directory must be as in the header, or the two describe different disks.
        guard footer[..<56].elementsEqual(file.head[..<56]), InspectedFile.little(footer, 56, 8) != directoryAtEnd
        else {
            return "its footer contradicts its header"
        }
        return nil
    }

    private static func lowered(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: bytes.filter { $0 < 128 && $0 != 13 }, as: UTF8.self).lowercased()
    }

    private static func trim(_ line: Substring) -> String {
        var line = line.drop { $0 == " " || $0 == "\t" }
        while line.last == " " || line.last == "\t" { line.removeLast() }
        return String(line)
    }

    private static func refuse(_ reason: String, _ size: Int64 = 0) -> DiskFormatInspector.Finding {
        DiskFormatInspector.Finding(format: "vmdk", virtualSize: size, refusal: reason)
    }
}
