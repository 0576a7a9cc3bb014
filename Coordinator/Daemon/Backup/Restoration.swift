import CoordinatorFleet
import CoordinatorPlatform
import Glibc
import ProtocolLink

/// Makes a cloud again of a backup: all of it is verified before anything is written, and written beside the place that
/// it is for before it gets there, in one step.
struct Restoration {
    var files: StateFiles
    var database: StoreLocation
    /// Whether a cloud that is there is put aside.
    var isReplacing: Bool

    struct Done {
        var manifest: BackupManifest
        /// Where what was there is now.
        var putAside: String?
    }

    /// Reads all of a backup, and says what is in it.
    static func verify(_ file: PlainFile, key: BackupKey) throws -> BackupManifest {
        try TapeReader(sealed: try SealedReader(file, key: key), path: file.path).walk { _ in nil }
    }

    func run(_ path: String, key: BackupKey, now: Int64) async throws -> Done {
        try checkTarget()
        let file = try PlainFile(reading: path)
        _ = try Self.verify(file, key: key)
        let lock = isThere ? try await files.takeLock() : nil
        defer { lock.map(StateFiles.release) }
        let stage = StateFiles(root: files.root + ".restoring")
        // What a crash left.
        PlainFile.removeTree(stage.root)
        defer { PlainFile.removeTree(stage.root) }
        let owner = try Self.owner(of: isThere ? files.root : StateFiles.folder(of: files.root))
        try stage.makeFolders()
        let manifest = try unpack(file, key: key, into: stage)
        try await settle(stage, manifest: manifest, now: now)
        try Self.give(stage.root, to: owner)
        return Done(manifest: manifest, putAside: try exchange(stage, now: now))
    }

    /// Whether the state directory has anything in it.
    private var isThere: Bool { !PlainFile.names(in: files.root).isEmpty }

    private func checkTarget() throws {
        if case .file(let path) = database, path != files.database {
            throw StartError(
                "'store.url' names a file outside of the state directory: restore without it, and move the file there then."
            )
        }
        guard isReplacing || !isThere else {
            throw StartError(
                "There is a cloud in '\(files.root)' already. Restore on an empty machine, or put it aside with --replace."
            )
        }
    }

    private func unpack(_ file: PlainFile, key: BackupKey, into stage: StateFiles) throws -> BackupManifest {
        // Their own modes, whatever the mask is.
        for folder in [stage.images, "\(stage.root)/restored-configuration"] {
            try StateFiles.makeFolder(folder, mode: 0o700)
        }
        let manifest = try TapeReader(sealed: try SealedReader(file, key: key), path: file.path).walk { place in
            try PlainFile(making: "\(stage.root)/\(place)")
        }
        chmod("\(stage.authority)/ca.crt", 0o644)
        return manifest
    }

    /// Proves that a coordinator can work on it, brings it up to this release, and begins new histories of plans: hosts
    /// may have seen what this database has never heard of.
    private func settle(_ stage: StateFiles, manifest: BackupManifest, now: Int64) async throws {
        _ = try CertificateAuthority.load(directory: stage.authority)
        let restored = try EmbeddedDatabase(path: stage.database)
        defer { try? restored.close() }
        let verdict = try await restored.read { try $0.query("PRAGMA integrity_check(1)", []) { $0.text(0) } }
        guard verdict == ["ok"] else { throw StartError("The backup's database is damaged: \(verdict.joined())") }
        try await Migrator(Cloud.migrations).migrate(restored, now: now)
        _ = try await SealingKey.loadOrCreate(stage, for: restored)
        let event = Event(
            time: now, requestID: "", action: "cloud.restore", user: "", project: "",
            target: Timestamp.seconds(manifest.madeAt), outcome: "success", remoteAddress: "")
        try await restored.write { transaction in
            try PlanStore().restartAll(epoch: now, in: transaction)
            try EventLog.append(event, in: transaction)
        }
        guard case .server = database else { return }
        let server = try await database.open()
        defer { try? server.close() }
        _ = try await StoreCopy(Cloud.migrations).run(from: restored, to: server, now: now)
        try restored.close()
        for end in ["", "-wal", "-shm"] { unlink(stage.database + end) }
    }

    /// The one step. What was there keeps another name.
    private func exchange(_ stage: StateFiles, now: Int64) throws -> String? {
        var aside: String?
        if isThere {
            let name = "\(files.root).before-\(BackupSchedule.stamp(now))"
            guard rename(files.root, name) == 0 else { throw failed("put aside") }
            aside = name
        } else if rmdir(files.root) != 0, errno != ENOENT {
            throw failed("replaced")
        }
        guard rename(stage.root, files.root) == 0 else {
            let failure = failed("restored")
            if let aside { rename(aside, files.root) }
            throw failure
        }
        PlainFile.flush(folder: StateFiles.folder(of: files.root))
        return aside
    }

    private func failed(_ action: String) -> StartError {
        StartError("'\(files.root)' cannot be \(action): \(StateFiles.reason())")
    }

    private static func owner(of path: String) throws -> (user: uid_t, group: gid_t) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw StartError("'\(path)' cannot be looked at: \(StateFiles.reason())")
        }
        return (status.st_uid, status.st_gid)
    }

    /// Files that root restores are the coordinator's.
    private static func give(_ path: String, to owner: (user: uid_t, group: gid_t)) throws {
        guard geteuid() == 0 else { return }
        guard lchown(path, owner.user, owner.group) == 0 else {
            throw StartError("'\(path)' cannot be given to its owner: \(StateFiles.reason())")
        }
        for name in PlainFile.names(in: path) { try give("\(path)/\(name)", to: owner) }
    }
}
