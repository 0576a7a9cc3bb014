import Crypto

/// Reads a backup from its start to its end and takes nothing on trust: each file is compared with the manifest, which
/// is its last, and what no backup has is refused.
struct TapeReader {
    private static let step = 1 << 20
    /// A backup of ours has no more.
    private static let filesLimit = 1_000_000
    let sealed: SealedReader
    let path: String

    /// - Parameter target: Where a file's content is to go; `nil` where it is to be read only.
    /// - Throws: ``StartError`` when anything is not as it was made.
    func walk(_ target: (_ place: String) throws -> PlainFile?) throws -> BackupManifest {
        var seen: [BackupManifest.File] = []
        var names: Set<String> = []
        while true {
            guard let entry = TapeArchive.entry(try sealed.read(TapeArchive.block)) else { throw damaged }
            if entry.name == BackupManifest.name { return try finish(entry, seen) }
            guard let place = BackupNames.place(entry.name), names.insert(entry.name).inserted,
                seen.count < Self.filesLimit
            else { throw damaged }
            seen.append(try take(entry, to: try target(place)))
        }
    }

    private func take(_ entry: TapeArchive.Entry, to file: PlainFile?) throws -> BackupManifest.File {
        var digest = SHA256()
        var left = entry.size
        while left > 0 {
            let bytes = try sealed.read(Int(min(left, Int64(Self.step))))
            guard !bytes.isEmpty else { throw damaged }
            digest.update(data: bytes)
            try file?.write(bytes)
            left -= Int64(bytes.count)
        }
        try file?.flush()
        try skipPadding(entry.size)
        return .init(name: entry.name, size: entry.size, sha256: Hex.text(digest.finalize()))
    }

    private func finish(_ entry: TapeArchive.Entry, _ seen: [BackupManifest.File]) throws -> BackupManifest {
        guard entry.size <= BackupManifest.sizeLimit else { throw damaged }
        let bytes = try sealed.read(Int(entry.size))
        try skipPadding(entry.size)
        let end = try sealed.read(2 * TapeArchive.block + 1)
        guard bytes.count == Int(entry.size), end == [UInt8](repeating: 0, count: 2 * TapeArchive.block), sealed.isAtEnd
        else { throw damaged }
        let manifest = try BackupManifest.parse(bytes)
        let names = Set(seen.map(\.name))
        guard manifest.files == seen, names.contains(BackupNames.database), names.isSuperset(of: BackupNames.keys)
        else {
            throw damaged
        }
        return manifest
    }

    private func skipPadding(_ size: Int64) throws {
        let count = TapeArchive.padding(size)
        guard try sealed.read(count) == [UInt8](repeating: 0, count: count) else { throw damaged }
    }

    private var damaged: StartError {
        StartError("'\(path)' is damaged, or no backup of Skerry's: nothing was restored.")
    }
}
