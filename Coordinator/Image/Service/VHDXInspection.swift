/// Microsoft's [MS-VHDX]: little-endian; a region table at 192 KiB names the metadata, which name the size.
enum VHDXInspection {
    /// Identifiers as they stand in the file.
    private static let metadataRegion: [UInt8] = [
        0x06, 0xA2, 0x7C, 0x8B, 0x90, 0x47, 0x9A, 0x4B, 0xB8, 0xFE, 0x57, 0x5F, 0x05, 0x0F, 0x88, 0x6E
    ]
    private static let virtualDiskSize: [UInt8] = [
        0x24, 0x42, 0xA5, 0x2F, 0x1B, 0xCD, 0x76, 0x48, 0xB2, 0x11, 0x5D, 0xBE, 0xD8, 0x3B, 0xF4, 0xB8
    ]
    private static let fileParameters: [UInt8] = [
        0x37, 0x67, 0xA1, 0xCA, 0x36, 0xFA, 0x43, 0x4D, 0xB3, 0xB6, 0x33, 0xF0, 0xAA, 0x44, 0xE7, 0x6B
    ]
    private static let parentLocator: [UInt8] = [
        0x2D, 0x5F, 0xD3, 0xA8, 0x0B, 0xB3, 0x4D, 0x45, 0xAB, 0xF7, 0xD3, 0xD8, 0x48, 0x34, 0xAB, 0x0C
    ]

    static func inspect(_ file: InspectedFile) throws -> DiskFormatInspector.Finding? {
        guard file.has(Array("vhdxfile".utf8), at: 0) else { return nil }
        guard let regions = try file.bytes(192 << 10, 64 << 10) else { return refuse("the VHDX header is cut short") }
        let count = InspectedFile.little(regions, 8, 4)
        guard regions.starts(with: Array("regi".utf8)), count <= 2047 else {
            return refuse("its region table is damaged")
        }
        for index in 0..<Int(count) {
            let at = 16 + index * 32
            guard regions[at..<at + 16].elementsEqual(metadataRegion) else { continue }
            return try metadata(file, at: InspectedFile.little(regions, at + 16, 8))
        }
        return refuse("it has no metadata")
    }

    private static func metadata(_ file: InspectedFile, at region: UInt64) throws -> DiskFormatInspector.Finding {
        guard let table = try file.bytes(region, 64 << 10) else {
            return refuse("its metadata lie beyond the end: it is cut short")
        }
        let count = InspectedFile.little(table, 10, 2)
        guard table.starts(with: Array("metadata".utf8)), count <= 2047 else {
            return refuse("its metadata are damaged")
        }
        var size: UInt64?
        for index in 0..<Int(count) {
            let at = 32 + index * 32
            let item = table[at..<at + 16]
            if item.elementsEqual(parentLocator) { return refuse("it is a difference to another image") }
            let isSize = item.elementsEqual(virtualDiskSize)
            guard isSize || item.elementsEqual(fileParameters) else { continue }
            let (place, overflows) = region.addingReportingOverflow(InspectedFile.little(table, at + 16, 4))
            guard !overflows, let value = try file.bytes(place, 8) else {
                return refuse("its metadata lie beyond the end: it is cut short")
            }
            if isSize { size = InspectedFile.little(value, 0, 8) }
            // The second flag of the file parameters: it has a parent.
            if !isSize, value[4] & 2 != 0 { return refuse("it is a difference to another image") }
        }
        guard let size else { return refuse("it does not say how large its disk is") }
        guard size <= DiskFormatInspector.largestDisk else { return refuse("its virtual size is larger than 1 PiB") }
        return DiskFormatInspector.Finding(format: "vhdx", virtualSize: Int64(size))
    }

    private static func refuse(_ reason: String) -> DiskFormatInspector.Finding {
        DiskFormatInspector.Finding(format: "vhdx", virtualSize: 0, refusal: reason)
    }
}
