/// One of an image's two sets of folders: the same tree under names of the standard's (with Rock Ridge ones beside them),
/// or under Joliet's.
struct ISOVolume {
    enum Naming {
        case primary, joliet
    }

    private let root: ISOTree
    private let naming: Naming
    private let time: ISOTime
    private var pathTables = (little: 0, big: 0)
    private var pathTableBytes = 0
    private var folderSectors: [Int] = []
    private var folderBytes: [Int] = []

    init(root: ISOTree, naming: Naming, time: ISOTime) {
        self.root = root
        self.naming = naming
        self.time = time
    }

    mutating func place(pathTablesAt next: inout Int) {
        pathTableBytes = pathTable(bigEndian: false).count
        pathTables.little = next
        pathTables.big = next + ISOExtent.sectors(pathTableBytes)
        next = pathTables.big + ISOExtent.sectors(pathTableBytes)
    }

    mutating func place(foldersAt next: inout Int) {
        for index in root.folders.indices {
            // A record's length does not depend on the sectors in it, so they may still be unknown.
            let bytes = records(of: index, files: [:]).count
            folderSectors.append(next)
            folderBytes.append(bytes)
            next += ISOExtent.sectors(bytes)
        }
    }

    func write(to out: inout [UInt8], files: [String: ISOExtent]) {
        out.put(pathTable(bigEndian: false), at: pathTables.little * ISOImage.sectorBytes)
        out.put(pathTable(bigEndian: true), at: pathTables.big * ISOImage.sectorBytes)
        for index in root.folders.indices {
            out.put(records(of: index, files: files), at: folderSectors[index] * ISOImage.sectorBytes)
        }
    }

    /// ECMA-119 sections 8.4 and 8.5.
    func descriptor(label: String, sectors: Int, use: [UInt8]) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: ISOImage.sectorBytes)
        out[0] = naming == .primary ? 1 : 2
        out.put("CD001".utf8, at: 1)
        out[6] = 1
        put("LINUX", in: &out, at: 8, width: 32)
        put(label, in: &out, at: 40, width: 32)
        out.put(UInt32(sectors), bothEndianAt: 80)
        if naming == .joliet { out.put("%/E".utf8, at: 88) }  // UCS-2 level 3
        out.put(UInt16(1), bothEndianAt: 120)
        out.put(UInt16(1), bothEndianAt: 124)
        out.put(UInt16(ISOImage.sectorBytes), bothEndianAt: 128)
        out.put(UInt32(pathTableBytes), bothEndianAt: 132)
        out.put(UInt32(pathTables.little), littleEndianAt: 140)
        out.put(UInt32(pathTables.big), bigEndianAt: 148)
        out.put(record(identifier: [0], extent: extent(of: 0), isFolder: true, systemUse: []), at: 156)
        for offset in [190, 318, 446, 574] { put("", in: &out, at: offset, width: 128) }
        put("SKERRY", in: &out, at: 574, width: 128)
        for offset in [702, 739, 776] { put("", in: &out, at: offset, width: 37) }
        for offset in [813, 830, 847, 864] { out.put([UInt8](repeating: UInt8(ascii: "0"), count: 16), at: offset) }
        out[881] = 1
        out.put(use, at: 883)
        return out
    }

    private func extent(of folder: Int) -> ISOExtent {
        guard folderSectors.indices.contains(folder) else { return ISOExtent(sector: 0, bytes: 0) }
        return ISOExtent(
            sector: folderSectors[folder],
            bytes: ISOExtent.sectors(folderBytes[folder]) * ISOImage.sectorBytes)
    }

    /// ECMA-119 section 9.4.
    private func pathTable(bigEndian: Bool) -> [UInt8] {
        var out: [UInt8] = []
        for (index, folder) in root.folders.enumerated() {
            let identifier = index == 0 ? [0] : identifiers(of: folder.parent).folders[index] ?? []
            var entry = [UInt8](repeating: 0, count: 8 + identifier.count + identifier.count % 2)
            entry[0] = UInt8(identifier.count)
            let (sector, parent) = (UInt32(extent(of: index).sector), UInt16(folder.parent + 1))
            if bigEndian {
                entry.put(sector, bigEndianAt: 2)
                entry.put(parent, bigEndianAt: 6)
            } else {
                entry.put(sector, littleEndianAt: 2)
                entry.put(parent, littleEndianAt: 6)
            }
            entry.put(identifier, at: 8)
            out += entry
        }
        return out
    }

    private func records(of index: Int, files: [String: ISOExtent]) -> [UInt8] {
        let folder = root.folders[index]
        let names = identifiers(of: index)
        var records = [
            record(
                identifier: [0], extent: extent(of: index), isFolder: true,
                systemUse: rockRidge(name: nil, isFolder: true, isRoot: index == 0)),
            record(
                identifier: [1], extent: extent(of: folder.parent), isFolder: true,
                systemUse: rockRidge(name: nil, isFolder: true))
        ]
        var named: [(identifier: [UInt8], record: [UInt8])] = []
        for inner in folder.folders {
            let identifier = names.folders[inner] ?? []
            let use = rockRidge(name: root.folders[inner].name, isFolder: true)
            let record = record(identifier: identifier, extent: extent(of: inner), isFolder: true, systemUse: use)
            named.append((identifier, record))
        }
        for path in folder.files {
            let identifier = names.files[path] ?? []
            let use = rockRidge(name: ISOTree.lastName(path), isFolder: false)
            let place = files[path] ?? ISOExtent(sector: 0, bytes: 0)
            named.append((identifier, record(identifier: identifier, extent: place, isFolder: false, systemUse: use)))
        }
        records += named.sorted { $0.identifier.lexicographicallyPrecedes($1.identifier) }.map(\.record)

        var out: [UInt8] = []
        for record in records {
            // No record goes across the end of a sector (section 6.8.1.1).
            let left = ISOImage.sectorBytes - out.count % ISOImage.sectorBytes
            if record.count > left { out += [UInt8](repeating: 0, count: left) }
            out += record
        }
        return out
    }

    /// ECMA-119 section 9.1.
    private func record(identifier: [UInt8], extent: ISOExtent, isFolder: Bool, systemUse: [UInt8]) -> [UInt8] {
        let nameEnd = 33 + identifier.count + (identifier.count + 1) % 2
        let length = (nameEnd + systemUse.count + 1) / 2 * 2
        var out = [UInt8](repeating: 0, count: length)
        out[0] = UInt8(length)
        out.put(UInt32(extent.sector), bothEndianAt: 2)
        out.put(UInt32(extent.bytes), bothEndianAt: 10)
        out.put(time.record, at: 18)
        out[25] = isFolder ? 2 : 0
        out.put(UInt16(1), bothEndianAt: 28)
        out[32] = UInt8(identifier.count)
        out.put(identifier, at: 33)
        out.put(systemUse, at: nameEnd)
        return out
    }

    /// System use entries of SUSP (IEEE P1281) and Rock Ridge (IEEE P1282): mode and name, and in the root what says that
    /// they are there.
    private func rockRidge(name: String?, isFolder: Bool, isRoot: Bool = false) -> [UInt8] {
        guard naming == .primary else { return [] }
        var out: [UInt8] = []
        if isRoot {
            out += Array("SP".utf8) + [7, 1, 0xBE, 0xEF, 0]
            out += Array("ER".utf8) + [18, 1, 10, 0, 0, 1] + Array("RRIP_1991A".utf8)
        }
        var mode = [UInt8](repeating: 0, count: 36)
        mode.put("PX".utf8, at: 0)
        mode.put([36, 1], at: 2)
        mode.put(UInt32(isFolder ? 0o040555 : 0o100444), bothEndianAt: 4)
        mode.put(UInt32(isFolder ? 2 : 1), bothEndianAt: 12)
        out += mode
        if let name { out += Array("NM".utf8) + [UInt8(5 + name.utf8.count), 1, 0] + Array(name.utf8) }
        return out
    }

    /// Unique identifiers for what is in a folder.
    private func identifiers(of index: Int) -> (folders: [Int: [UInt8]], files: [String: [UInt8]]) {
        let folder = root.folders[index]
        var used: Set<[UInt8]> = []
        var result: (folders: [Int: [UInt8]], files: [String: [UInt8]]) = ([:], [:])
        for inner in folder.folders {
            result.folders[inner] = identifier(root.folders[inner].name, isFolder: true, used: &used)
        }
        for path in folder.files {
            result.files[path] = identifier(ISOTree.lastName(path), isFolder: false, used: &used)
        }
        return result
    }

    private func identifier(_ name: String, isFolder: Bool, used: inout Set<[UInt8]>) -> [UInt8] {
        let suffix = isFolder ? "" : ";1"
        if naming == .joliet { return (name + suffix).utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } }
        // Level 2: capitals, digits and underscores, one dot in files, 30 characters.
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        let dotted = !isFolder && parts.count > 1
        let stem = Self.restricted(dotted ? parts.dropLast().joined(separator: "_") : name).prefix(20)
        let tail = "." + (dotted ? Self.restricted(String(parts[parts.count - 1])).prefix(6) : "")
        for attempt in 0... {
            let text = stem + (attempt == 0 ? "" : String(attempt)) + (isFolder ? "" : tail + suffix)
            let identifier = Array(text.utf8)
            if used.insert(identifier).inserted { return identifier }
        }
        return []
    }

    private static func restricted(_ name: String) -> String {
        String(decoding: name.uppercased().utf8.map { isPlain($0) ? $0 : UInt8(ascii: "_") }, as: UTF8.self)
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || byte == 95
    }

    private func put(_ text: String, in out: inout [UInt8], at offset: Int, width: Int) {
        let encoded: [UInt8] =
            naming == .primary ? Array(text.utf8) : text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        for index in 0..<width {
            let blank: UInt8 = naming == .primary || index % 2 == 1 ? 32 : 0
            out[offset + index] = index < encoded.count ? encoded[index] : blank
        }
    }
}
