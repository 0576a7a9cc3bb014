import Logging
import Synchronization

extension SQLTransaction {
    /// Does the work for each of them as a part of its own (``savepoint(_:)``): one that fails costs what was written for
    /// it alone, is told once, and the others go on. What ails the store itself ails all, and is thrown.
    /// - Parameters:
    ///   - work: What is done, for the log.
    ///   - name: Tells one from the others.
    public func apart<Item>(
        _ items: [Item], _ work: String, _ name: (Item) -> String, _ failures: PartFailures?,
        _ body: (Item) throws -> Void
    ) throws {
        for item in items {
            do {
                do {
                    try savepoint { try body(item) }
                } catch StoreError.stale(_) {
                    // Somebody else was faster: decided again on what is there now.
                    try savepoint { try body(item) }
                }
            } catch {
                if error.isOfStore { throw error }
                failures?.note("\(error)", work, name(item))
                continue
            }
            failures?.worked(work, name(item))
        }
    }
}

extension Error {
    /// Whether it says something about the database rather than about what was to be written.
    package var isOfStore: Bool {
        switch self as? StoreError {
        case .overloaded, .unavailable: true
        case .duplicate, .corrupt, .stale, nil: false
        }
    }
}

/// Tells of parts of repeated work that fail: each once, and not at every turn.
public final class PartFailures: Sendable {
    private let logger: Logger
    private let told = Mutex<[String: String]>([:])
    /// Failures that are remembered; of more, each turn tells again.
    private static let most = 1_000

    public init(logger: Logger) { self.logger = logger }

    public func note(_ reason: String, _ work: String, _ name: String) {
        let key = "\(work) \(name)"
        let isNews = told.withLock { told in
            guard told[key] != reason else { return false }
            if told.count >= Self.most { told.removeAll() }
            told[key] = reason
            return true
        }
        guard isNews else { return }
        logger.error("\(work) failed for one of several", metadata: ["which": "\(name)", "error": "\(reason)"])
    }

    public func worked(_ work: String, _ name: String) {
        told.withLock { told in
            if !told.isEmpty { told["\(work) \(name)"] = nil }
        }
    }

    /// How many are failing, as far as known.
    public var count: Int { told.withLock { $0.count } }
}
