import ArgumentParser
import CoordinatorPlatform
import Glibc

/// What is done to the database of a coordinator that is not running.
struct StoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store", abstract: "Works on the database of a stopped coordinator.",
        subcommands: [StoreCopyCommand.self])
}

/// Moves a cloud from one engine to the other.
struct StoreCopyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy",
        abstract: "Copies a cloud's database into another one, in one transaction, and verifies it.",
        discussion: """
            FROM and TO are what 'store.url' takes: sqlite:///PATH or postgresql://USER@HOST/DATABASE. The coordinator must \
            not run, and TO must be new. Nothing else moves: keys and images stay in the state directory.
            """)

    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "The database with the cloud.")
    var from: String
    @Argument(help: "The new database.")
    var to: String

    func run() async throws {
        umask(0o077)
        let configuration = try options.load()
        let (first, second) = (try location(from), try location(to))
        guard first != second else { throw StartError("FROM and TO are the same database.") }
        if case .file(let path) = first, !StateFiles.exists(path) { throw StartError("There is no file '\(path)'.") }
        let lock = try await StateFiles(root: configuration.stateDirectory).takeLock()
        defer { StateFiles.release(lock) }
        let started = ContinuousClock.now
        let source = try await first.open()
        let target = try await second.open()
        let moved: [StoreCopy.Moved]
        do {
            moved = try await StoreCopy(Cloud.migrations).run(from: source, to: target, now: SystemClock().now())
        } catch StoreError.unavailable(let reason) { throw StartError(reason) }
        try target.close()
        try source.close()
        for part in moved where part.rows > 0 { print("\(part.table): \(part.rows)") }
        let seconds = (ContinuousClock.now - started).components
        let hundredths = seconds.seconds * 100 + seconds.attoseconds / 10_000_000_000_000_000
        print(
            """
            Copied and verified \(moved.reduce(0) { $0 + $1.rows }) rows of \(moved.count) tables in \
            \(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100) s.
            Now set 'url' under 'store' in \(options.config) to the second URL as you gave it, and start the coordinator.
            """)
    }

    private func location(_ text: String) throws -> StoreLocation {
        guard let location = StoreLocation(text) else {
            throw ValidationError("'\(text)' is neither sqlite:///PATH nor postgresql://USER@HOST/DATABASE.")
        }
        return location
    }
}
