import CoordinatorPlatform
import Crypto
import Glibc
import ProtocolModel

/// Puts all that a cloud is made of into one sealed file, while its coordinator serves: the database as it is at one
/// moment, the certificate authority and the key that belongs to the database, the configuration's files, and images'
/// data if asked.
package struct Backup {
    var database: StoreLocation
    var files: StateFiles
    /// Files of the configuration, by the names that they have in the backup.
    var configuration: [(name: String, path: String)]
    var withImages: Bool

    struct Made {
        var manifest: BackupManifest
        var size: Int64
        var sha256: String
    }

    /// - Parameter path: There must be no such file, and there is none until all is in it and on the disk.
    func make(_ path: String, lock: BackupLock, now: Int64) async throws -> Made {
        guard !StateFiles.exists(path) else { throw StartError("'\(path)' is there already: choose another name.") }
        let scratch = try BackupScratch(files)
        defer { scratch.remove() }
        try await StoreCopy(Cloud.migrations).snapshot(database, to: scratch.database, now: now)
        let part = path + ".part"
        unlink(part)
        let file = try PlainFile(making: part)
        do {
            let sealed = try SealedWriter(file, lock: lock)
            let manifest = try fill(sealed, from: scratch.database, now: now)
            // It takes no other file's name, and a crash leaves none.
            guard link(part, path) == 0 else { throw StartError("'\(path)' cannot be made: \(StateFiles.reason())") }
            unlink(part)
            PlainFile.flush(folder: StateFiles.folder(of: path))
            return Made(manifest: manifest, size: file.position, sha256: Hex.text(sealed.digest.finalize()))
        } catch {
            unlink(part)
            throw error
        }
    }

    private func fill(_ sealed: SealedWriter, from database: String, now: Int64) throws -> BackupManifest {
        var manifest = BackupManifest(release: Release.version, madeAt: now, files: [])
        let tape = TapeWriter(sealed, modified: now / 1_000_000)
        manifest.files.append(try tape.add(database, as: BackupNames.database))
        for name in BackupNames.keys { manifest.files.append(try tape.add("\(files.root)/\(name)", as: name)) }
        for (name, path) in configuration {
            manifest.files.append(try tape.add(path, as: BackupNames.configuration + name))
        }
        for name in withImages ? PlainFile.names(in: files.images).filter(BackupNames.isContent) : [] {
            let path = "\(files.images)/\(name)"
            if StateFiles.exists(path) {
                manifest.files.append(try tape.add(path, as: BackupNames.image(name)))
            } else {
                manifest.gone.append(name)
            }
        }
        try tape.add(manifest.json.serialize(), as: BackupManifest.name)
        try tape.end()
        try sealed.finish()
        return manifest
    }
}

/// A folder for the database's copy, in the state directory, of one backup at a time. What a crash left in it goes with
/// the next backup.
struct BackupScratch {
    private let folder: String
    private let held: Int32
    var database: String { "\(folder)/\(BackupNames.database)" }

    init(_ files: StateFiles) throws {
        folder = "\(files.root)/.backup"
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else {
            throw StartError("The folder '\(folder)' cannot be made: \(StateFiles.reason())")
        }
        held = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard held >= 0 else { throw StartError("The folder '\(folder)' cannot be opened: \(StateFiles.reason())") }
        guard flock(held, LOCK_EX | LOCK_NB) == 0 else {
            close(held)
            throw StartError("Another backup of '\(files.root)' is being made: wait for its end.")
        }
        for name in PlainFile.names(in: folder) { PlainFile.removeTree("\(folder)/\(name)") }
    }

    func remove() {
        PlainFile.removeTree(folder)
        close(held)
    }
}

/// Writes files one after the other.
final class TapeWriter {
    private static let step = 1 << 20
    private let out: SealedWriter
    private let modified: Int64

    init(_ out: SealedWriter, modified: Int64) {
        self.out = out
        self.modified = modified
    }

    /// A file as long as it is now; what is appended to it meanwhile stays out.
    func add(_ path: String, as name: String) throws -> BackupManifest.File {
        let file = try PlainFile(reading: path)
        let size = try file.size()
        try out.write(TapeArchive.header(.init(name: name, size: size), modified: modified))
        var digest = SHA256()
        var left = size
        while left > 0 {
            let bytes = try file.read(Int(min(left, Int64(Self.step))))
            guard !bytes.isEmpty else { throw StartError("'\(path)' became shorter while it was read.") }
            digest.update(data: bytes)
            try out.write(bytes)
            left -= Int64(bytes.count)
        }
        try pad(size)
        return .init(name: name, size: size, sha256: Hex.text(digest.finalize()))
    }

    func add(_ bytes: [UInt8], as name: String) throws {
        try out.write(TapeArchive.header(.init(name: name, size: Int64(bytes.count)), modified: modified))
        try out.write(bytes)
        try pad(Int64(bytes.count))
    }

    func end() throws { try out.write([UInt8](repeating: 0, count: 2 * TapeArchive.block)) }

    private func pad(_ size: Int64) throws { try out.write([UInt8](repeating: 0, count: TapeArchive.padding(size))) }
}

enum Hex {
    static func text(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
