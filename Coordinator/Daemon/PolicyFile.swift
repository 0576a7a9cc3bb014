import CoordinatorPlatform
import Glibc
import Logging
import ProtocolModel
import ProtocolSettings
import ServiceLifecycle
import UnixSignals

/// Reads an operator's file of rules: a mapping of rule names to expressions, as oslo.policy has it. Pure.
package enum PolicyFile {
    /// - Throws: ``PolicyFileError`` for what is no such mapping. Names and expressions are judged by ``PolicyBook``.
    package static func parse(_ text: String) throws(PolicyFileError) -> [PolicyOverride] {
        let root: YAMLNode?
        do { root = try YAMLParser.parse(text) } catch {
            throw PolicyFileError(problems: ["It is not YAML: \(error)"])
        }
        // A file of comments changes nothing.
        guard let root, !root.isNull else { return [] }
        guard let mapping = root.mapping else {
            throw PolicyFileError(problems: ["line \(root.line): the file must map rule names to expressions."])
        }
        return mapping.map { key, value in
            PolicyOverride(
                name: key.string ?? "?", text: value.string ?? "", line: key.line,
                defect: defect(value))
        }
    }

    private static func defect(_ value: YAMLNode) -> String? {
        guard value.string != nil else {
            return "must be an expression as text; the old form with lists is not read"
        }
        // A bare `!` is a tag without a text, and nothing at all would mean "everybody": neither may open a door.
        guard !value.isNull else {
            return "says nothing: write \"!\" or \"@\" in quotes"
        }
        return nil
    }
}

/// Keeps the rules in force the same as the operator's file: looks at it every few seconds and at SIGHUP. A file that is
/// wrong changes nothing.
actor PolicyWatch: Service {
    /// What tells that a file was changed.
    private struct Stamp: Equatable {
        var seconds: Int
        var nanoseconds: Int
        var size: Int
        var inode: UInt
    }

    private enum Content: Sendable {
        case absent
        case text(String)
        case unreadable(String)
    }

    private let path: String
    private let isRequired: Bool
    private let book: PolicyBook
    private let clock: any WallClock
    private let logger: Logger
    private let pool = BlockingPool(threads: 1, waiting: 4)
    private var seen: Stamp?

    /// - Parameter isRequired: The operator named the file, so that its absence is a mistake.
    init(path: String, isRequired: Bool, book: PolicyBook, clock: any WallClock, logger: Logger) {
        self.path = path
        self.isRequired = isRequired
        self.book = book
        self.clock = clock
        self.logger = logger
    }

    /// - Throws: ``StartError`` where the file is wrong: a coordinator that is restarted must not take other rules than
    ///   the operator wrote.
    func loadAtStart() async throws {
        let (stamp, content) = try await look()
        if case .absent = content, !isRequired { return }
        do { try take(content) } catch {
            throw StartError(
                "The policy file '\(path)' cannot be used:\n"
                    + error.problems.map { "  - \($0)" }.joined(separator: "\n"))
        }
        seen = stamp
    }

    func run() async throws {
        let hangups = await UnixSignalsSequence(trapping: .sighup)
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { for await _ in hangups { await self.reload(isForced: true) } }
                group.addTask {
                    while !Task.isCancelled {
                        try? await Task.sleep(for: .seconds(2), tolerance: .milliseconds(200))
                        await self.reload(isForced: false)
                    }
                }
            }
        }
    }

    /// - Parameter isForced: Also when the file looks unchanged; and then the absence of a file that nobody named means
    ///   the defaults. Without that it only means that somebody is replacing the file, or lost it.
    func reload(isForced: Bool) async {
        do {
            let stamp = try await stamp()
            guard isForced || stamp != seen else { return }
            let (read, content) = try await look()
            seen = read
            if case .absent = content, isForced, !isRequired {
                try book.apply([], file: nil, now: clock.now())
                logger.notice("no policy file: the default rules are in force", metadata: ["file": "\(path)"])
                return
            }
            try take(content)
            logger.notice(
                "policy file in force", metadata: ["file": "\(path)", "rules": "\(book.overrides.count)"])
        } catch is CancellationError {
            return
        } catch let error as PolicyFileError {
            logger.error(
                "policy file refused, the old rules stay in force",
                metadata: ["file": "\(path)", "problems": "\(error.problems.joined(separator: " "))"])
        } catch {
            logger.error("policy file not looked at", metadata: ["file": "\(path)", "error": "\(error)"])
        }
    }

    private func take(_ content: Content) throws(PolicyFileError) {
        let overrides: [PolicyOverride]
        do throws(PolicyFileError) {
            switch content {
            case .text(let text): overrides = try PolicyFile.parse(text)
            case .absent:
                throw PolicyFileError(problems: ["The file is gone; an empty one, or SIGHUP, means the default rules."])
            case .unreadable(let reason): throw PolicyFileError(problems: [reason])
            }
        } catch {
            book.refuse(error)
            throw error
        }
        try book.apply(overrides, file: path, now: clock.now())
    }

    private func stamp() async throws -> Stamp? { try await pool.run { [path] in Self.stamp(of: path) } }

    /// The stamp is taken first: a change in between is then seen at the next look.
    private func look() async throws -> (Stamp?, Content) {
        try await pool.run { [path] in
            guard let stamp = Self.stamp(of: path) else { return (nil, .absent) }
            do { return (stamp, .text(try StateFiles.text(of: path))) } catch {
                return (stamp, .unreadable("\(error)"))
            }
        }
    }

    private static func stamp(of path: String) -> Stamp? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Stamp(
            seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec, size: Int(status.st_size),
            inode: UInt(status.st_ino))
    }
}
