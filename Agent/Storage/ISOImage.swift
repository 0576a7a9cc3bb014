import AgentCore

/// A config drive's file system: ISO 9660 (ECMA-119) with Rock Ridge names for Unix and Joliet names for Windows, all
/// three over the same file extents. Pure: the same content always gives the same bytes.
package enum ISOImage {
    static let sectorBytes = 2048
    /// Longer names do not fit a directory record beside the rest.
    static let longestName = 64
    /// Where the primary volume descriptor keeps what the application that made it likes to keep.
    private static let applicationUse = 883
    private static let primaryDescriptor = 16
    private static let marker = Array("skerry-content:".utf8)

    /// - Parameter label: At most 16 ASCII characters (Joliet's limit).
    /// - Parameter secondsSinceEpoch: What all files are dated.
    /// - Returns: `nil` for a name longer than ``longestName`` bytes or a path that is both file and folder.
    package static func bytes(_ content: ConfigDriveContent, label: String, secondsSinceEpoch: Int64) -> [UInt8]? {
        guard let root = ISOTree(content) else { return nil }
        let time = ISOTime(secondsSinceEpoch: secondsSinceEpoch)
        var primary = ISOVolume(root: root, naming: .primary, time: time)
        var joliet = ISOVolume(root: root, naming: .joliet, time: time)

        // Descriptors (primary, Joliet, end), four path tables, folders, files.
        var next = primaryDescriptor + 3
        primary.place(pathTablesAt: &next)
        joliet.place(pathTablesAt: &next)
        primary.place(foldersAt: &next)
        joliet.place(foldersAt: &next)
        let extents = root.placeFiles(at: &next)

        var out = [UInt8](repeating: 0, count: next * sectorBytes)
        out.put(
            primary.descriptor(label: label, sectors: next, use: marker + content.digest.utf8),
            at: primaryDescriptor * sectorBytes)
        out.put(joliet.descriptor(label: label, sectors: next, use: []), at: (primaryDescriptor + 1) * sectorBytes)
        out.put([255] + Array("CD001".utf8) + [1], at: (primaryDescriptor + 2) * sectorBytes)
        for volume in [primary, joliet] { volume.write(to: &out, files: extents) }
        for (path, extent) in extents { out.put(root.file(at: path), at: extent.sector * sectorBytes) }
        return out
    }

    /// The digest of the content that an image was made from.
    /// - Parameter descriptor: The sector at ``descriptorOffset``.
    package static func digest(inDescriptor descriptor: [UInt8]) -> String? {
        guard descriptor.count == sectorBytes, descriptor[1..<6].elementsEqual("CD001".utf8),
            descriptor[applicationUse...].starts(with: marker)
        else { return nil }
        return String(decoding: descriptor[(applicationUse + marker.count)...].prefix(32), as: UTF8.self)
    }

    package static let descriptorOffset = Int64(primaryDescriptor * sectorBytes)
}

/// Where a file's bytes lie.
struct ISOExtent: Equatable {
    var sector: Int
    var bytes: Int

    static func sectors(_ bytes: Int) -> Int { (bytes + ISOImage.sectorBytes - 1) / ISOImage.sectorBytes }
}

/// A date as directory records hold it (ECMA-119 section 9.1.5): seven bytes, UTC.
struct ISOTime {
    let record: [UInt8]

    init(secondsSinceEpoch: Int64) {
        let seconds = max(0, secondsSinceEpoch)
        let (days, rest) = (Int(seconds / 86_400), Int(seconds % 86_400))
        // Days since 0000-03-01, in the eras of 400 years in which the calendar repeats.
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        record = [year - 1900, month, day, rest / 3600, rest / 60 % 60, rest % 60, 0].map { UInt8(clamping: $0) }
    }
}
