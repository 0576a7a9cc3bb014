import ArgumentParser
import CoordinatorPlatform
import Glibc

/// Puts the cloud into one sealed file.
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Puts the cloud into one sealed file, while its coordinator serves.",
        discussion: """
            The file is in age's format: 'skerry-coordinator restore' opens it, and so does 'age -d FILE | tar -x'. Without \
            FILE it goes into 'backup.directory' of the configuration, and the oldest there go when there are more than \
            'backup.keep'.
            """)

    @OptionGroup var options: ConfigurationOptions
    @Option(help: "A file whose first line is the passphrase; /dev/stdin to type or pipe it.")
    var passphraseFile: String?
    @Option(help: "The public key (age1...) of one who may open it; may be repeated. Instead of a passphrase.")
    var recipient: [String] = []
    @Flag(help: "With images' data. Without it, copy the folder 'images' of the state directory yourself.")
    var images = false
    @Flag(help: "Does nothing where the configuration has no 'backup.directory': for the timer.")
    var ifScheduled = false
    @Argument(help: "The new file.")
    var file: String?

    func validate() throws {
        if passphraseFile != nil, !recipient.isEmpty {
            throw ValidationError("Give a passphrase or recipients, not both.")
        }
        if let wrong = recipient.first(where: { BackupLock.recipient($0) == nil }) {
            throw ValidationError("'\(wrong)' is no public key of age's (age1...).")
        }
    }

    func run() async throws {
        umask(0o077)
        let configuration = try options.load()
        let settings = configuration.backup
        let now = SystemClock().now()
        guard let path = file ?? settings.directory.map({ "\($0)/\(BackupSchedule.name(at: now))" }) else {
            guard ifScheduled else {
                throw ValidationError("Name a file, or set 'backup.directory' in \(options.config).")
            }
            return
        }
        let files = StateFiles(root: configuration.stateDirectory)
        if case .file(let database) = configuration.storeLocation, !StateFiles.exists(database) {
            throw StartError("There is no cloud in '\(files.root)' to back up.")
        }
        let backup = Backup(
            database: configuration.storeLocation, files: files, configuration: options.files(configuration),
            withImages: images || settings.withImages)
        if file == nil, let folder = settings.directory { try StateFiles.makeFolder(folder, mode: 0o700) }
        let made = try await backup.make(path, lock: try lock(settings), now: now)
        for name in made.manifest.gone { print("Deleted meanwhile, and not in it: image data \(name.prefix(16))...") }
        print(
            """
            \(path): \(made.manifest.files.count) files, \((made.size + 1023) / 1024) KiB, as of \
            \(Timestamp.seconds(now)).
            SHA-256: \(made.sha256)
            """)
        guard file == nil, let folder = settings.directory else { return }
        for name in BackupSchedule.expired(PlainFile.names(in: folder), keep: settings.keep) {
            guard unlink("\(folder)/\(name)") == 0 else {
                throw StartError("'\(folder)/\(name)' cannot be removed: \(StateFiles.reason())")
            }
            print("\(folder)/\(name): removed, \(settings.keep) newer ones are kept.")
        }
    }

    private func lock(_ settings: BackupSettings) throws -> BackupLock {
        if let passphraseFile { return try BackupLock.passphrase(in: passphraseFile) }
        let keys = recipient.isEmpty ? settings.recipients : recipient
        if !keys.isEmpty { return .recipients(keys.compactMap(BackupLock.recipient)) }
        guard let file = settings.passphraseFile else {
            throw ValidationError("Give --passphrase-file or --recipient: a backup has all keys of the cloud in it.")
        }
        return try BackupLock.passphrase(in: file)
    }
}

extension ConfigurationOptions {
    /// The configuration with the files that it names, as a backup has them.
    func files(_ configuration: Configuration) -> [(name: String, path: String)] {
        let named: [(String, String?)] = [
            ("coordinator.yaml", config), ("policy.yaml", policyFile(configuration)),
            ("property-protections.conf", configuration.images.propertyProtections.map { beside($0.path) }),
            ("web-download-ca.pem", configuration.images.data.webDownload.authorities.map(beside))
        ]
        return named.compactMap { name, path in path.flatMap { StateFiles.exists($0) ? (name, $0) : nil } }
    }
}

/// Makes the cloud again of such a file.
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Makes the cloud again of a backup, on a machine without one.",
        discussion: """
            All of the file is verified before anything is written, and a cloud that is there is left as it is unless \
            --replace puts it aside. Hosts join in by themselves when the coordinator runs again at an address that they \
            know. What they run and the backup has not heard of, they keep and name: see 'skerry-agent status'.
            """)

    @OptionGroup var options: ConfigurationOptions
    @Option(help: "A file whose first line is the passphrase; /dev/stdin to type or pipe it.")
    var passphraseFile: String?
    @Option(help: "A file of 'age-keygen' with the secret key.")
    var identityFile: String?
    @Flag(help: "Only verifies the file, and says what is in it.")
    var check = false
    @Flag(help: "Puts the cloud that is there aside: its folder gets another name beside.")
    var replace = false
    @Argument(help: "The backup.")
    var file: String

    func validate() throws {
        if (passphraseFile == nil) == (identityFile == nil) {
            throw ValidationError("Give --passphrase-file or --identity-file.")
        }
    }

    func run() async throws {
        umask(0o077)
        let key =
            try identityFile.map(BackupKey.identities) ?? BackupKey.passphrase(in: passphraseFile ?? "/dev/stdin")
        if check {
            let manifest = try Restoration.verify(try PlainFile(reading: file), key: key)
            print("Whole: \(text(manifest)).")
            return
        }
        let configuration = try options.load()
        let restoration = Restoration(
            files: StateFiles(root: configuration.stateDirectory), database: configuration.storeLocation,
            isReplacing: replace)
        let done = try await restoration.run(file, key: key, now: SystemClock().now())
        print("Restored in \(configuration.stateDirectory): \(text(done.manifest)).")
        if let aside = done.putAside { print("What was there is in \(aside).") }
        if !done.manifest.files.contains(where: { BackupNames.isImage($0.name) }) {
            print("It has no images' data: copy that into \(configuration.stateDirectory)/images.")
        }
        for name in differing(configuration, done.manifest) {
            print("Differs from what is in use here: \(configuration.stateDirectory)/restored-configuration/\(name)")
        }
        print(
            """
            Passwords are those of the backup; 'skerry-coordinator init' sets that of 'admin' and the catalog's addresses. \
            Start the coordinator then.
            """)
    }

    private func text(_ manifest: BackupManifest) -> String {
        let images = manifest.files.filter { BackupNames.isImage($0.name) }.count
        return "\(manifest.files.count) files, \(images) of them images, as of \(Timestamp.seconds(manifest.madeAt)), "
            + "made by release \(manifest.release)"
    }

    /// Files of the configuration that are not here, or not the same.
    private func differing(_ configuration: Configuration, _ manifest: BackupManifest) -> [String] {
        let here = Dictionary(options.files(configuration).map { ($0.name, $0.path) }) { first, _ in first }
        return manifest.files.compactMap { file in
            guard file.name.hasPrefix(BackupNames.configuration) else { return nil }
            let name = String(file.name.dropFirst(BackupNames.configuration.count))
            let restored = "\(configuration.stateDirectory)/restored-configuration/\(name)"
            let ours = here[name].flatMap { try? StateFiles.text(of: $0) }
            return ours != nil && ours == (try? StateFiles.text(of: restored)) ? nil : name
        }
    }
}
