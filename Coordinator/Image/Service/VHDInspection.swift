/// Microsoft's "Virtual Hard Disk Image Format Specification", which QEMU calls `vpc`: big-endian. A disk that grows
/// has a copy of its footer at the start, one of full size has only the footer.
enum VHDInspection {
    private static let cookie = Array("conectix".utf8)

    static func inspect(_ file: InspectedFile) throws -> DiskFormatInspector.Finding? {
        if file.has(cookie, at: 0) {
            guard file.head.count >= 512 else { return refuse("the VHD header is cut short") }
            return try growing(file, footer: Array(file.head[..<512]))
        }
        guard file.sizeBytes > 512, let footer = try file.bytes(UInt64(file.sizeBytes) - 512, 512),
            footer.starts(with: cookie), isWhole(footer)
        else { return nil }
        let size = InspectedFile.big(footer, 48, 8)
        guard InspectedFile.big(footer, 60, 4) == 2, size == UInt64(file.sizeBytes) - 512 else {
            return refuse("its footer does not fit its length: it is cut short or damaged")
        }
        return DiskFormatInspector.Finding(format: "vhd", virtualSize: Int64(size))
    }

    private static func growing(_ file: InspectedFile, footer: [UInt8]) throws -> DiskFormatInspector.Finding {
        guard isWhole(footer) else { return refuse("the checksum of its footer is wrong") }
        let size = InspectedFile.big(footer, 48, 8)
        guard size <= DiskFormatInspector.largestDisk else { return refuse("its virtual size is larger than 1 PiB") }
        switch InspectedFile.big(footer, 60, 4) {
        case 3: break
        case 4: return refuse("it is a difference to another image", size)
        default: return refuse("its type of disk is not known", size)
        }
        guard let header = try file.bytes(InspectedFile.big(footer, 16, 8), 1024),
            header.starts(with: Array("cxsparse".utf8))
        else { return refuse("its dynamic header is missing: it is cut short or damaged", size) }
        // A parent's identifier, and the places of its name.
        guard header[40..<56].allSatisfy({ $0 == 0 }), header[576..<768].allSatisfy({ $0 == 0 }) else {
            return refuse("it is a difference to another image", size)
        }
        let (table, entries) = (InspectedFile.big(header, 16, 8), InspectedFile.big(header, 28, 4))
        let block = InspectedFile.big(header, 32, 4)
        guard block >= 512, block & (block - 1) == 0, block <= 256 << 20 else {
            return refuse("its block size is out of range", size)
        }
        guard entries * block >= size else { return refuse("its block table is too small for its virtual size", size) }
        guard entries <= 16 << 20, file.holds(table, entries * 4) else {
            return refuse("its block table lies beyond the end: it is cut short", size)
        }
        return DiskFormatInspector.Finding(format: "vhd", virtualSize: Int64(size))
    }

    /// The one's complement of the sum of all other bytes.
    private static func isWhole(_ footer: [UInt8]) -> Bool {
        var sum: UInt32 = 0
        for (index, byte) in footer.enumerated() where !(64..<68).contains(index) { sum &+= UInt32(byte) }
        return UInt64(~sum) == InspectedFile.big(footer, 64, 4)
    }

    private static func refuse(_ reason: String, _ size: UInt64 = 0) -> DiskFormatInspector.Finding {
        DiskFormatInspector.Finding(format: "vhd", virtualSize: Int64(size), refusal: reason)
    }
}
