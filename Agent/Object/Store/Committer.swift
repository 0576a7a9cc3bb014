import Dispatch
import ProtocolSQLite
import Synchronization

/// Makes changes true, many at a time: whatever waits while the disk is busy becomes one sync of the segment and one
/// transaction of the index.
///
/// `@unchecked Sendable`: ``database`` and ``writer`` are touched only on the serial queue.
final class Committer: @unchecked Sendable {
    /// One change: may put bytes into a segment, and writes to the index what it is about.
    private struct Work: Sendable {
        let bytes: (content: ContentReference, bytes: [UInt8])?
        let apply: @Sendable (ObjectIndex, ContentPlace?) throws -> Void
        /// Called once: with `nil` when the change is on the disk.
        let finish: @Sendable ((any Error)?) -> Void
    }

    private struct State {
        var waiting: [Work] = []
        var isRunning = false
    }

    private static let batch = 256

    private let queue = DispatchQueue(label: "skerry.objects.commit")
    private let state = Mutex(State())
    private let database: SQLiteDatabase
    private var writer: SegmentWriter
    private let faults: StoreFaults

    init(_ database: sending SQLiteDatabase, _ files: SegmentFiles, faults: StoreFaults) {
        self.database = database
        writer = SegmentWriter(files)
        self.faults = faults
    }

    /// - Returns: What the change returned, once it is on the disk.
    func commit<T: Sendable>(
        _ bytes: (content: ContentReference, bytes: [UInt8])? = nil,
        _ change: @escaping @Sendable (ObjectIndex, ContentPlace?) throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            let result = Mutex<T?>(nil)
            submit(
                Work(
                    bytes: bytes,
                    apply: { index, place in
                        let value = try change(index, place)
                        result.withLock { $0 = value }
                    },
                    finish: { error in
                        if let error { return continuation.resume(throwing: error) }
                        guard let value = result.withLock({ $0 }) else {
                            return continuation.resume(throwing: StoreFailure.failed("a change was not made"))
                        }
                        continuation.resume(returning: value)
                    }))
        }
    }

    /// The segment that is being written, which is not to be compacted.
    func openSegment() async -> Int64 {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: self.writer.segment) }
        }
    }

    func close() { queue.sync { database.close() } }

    private func submit(_ work: Work) {
        let starts = state.withLock { state in
            state.waiting.append(work)
            defer { state.isRunning = true }
            return !state.isRunning
        }
        if starts { queue.async { self.run() } }
    }

    private func run() {
        while true {
            let batch = state.withLock { state -> [Work] in
                let batch = Array(state.waiting.prefix(Self.batch))
                state.waiting.removeFirst(batch.count)
                if batch.isEmpty { state.isRunning = false }
                return batch
            }
            if batch.isEmpty { return }
            process(batch)
        }
    }

    private func process(_ batch: [Work]) {
        var (rest, places) = write(batch)
        guard !rest.isEmpty else { return }
        var outcomes: [(any Error)?] = []
        do {
            faults.at(.segmentSynced)
            try database.run("BEGIN IMMEDIATE")
            let index = ObjectIndex(database: database)
            for (work, place) in zip(rest, places) { outcomes.append(try apply(work, place, index)) }
            faults.at(.indexWritten)
            try database.run("COMMIT")
            faults.at(.committed)
        } catch {
            if database.isInTransaction { try? database.run("ROLLBACK") }
            outcomes = rest.map { _ in Self.storeFailure(error) }
        }
        for (work, outcome) in zip(rest, outcomes) { work.finish(outcome) }
        rest = []
        places = []
    }

    /// Puts the bytes into the segment and syncs it.
    /// - Returns: The changes that may go on; the others have been told.
    private func write(_ batch: [Work]) -> ([Work], [ContentPlace?]) {
        var places: [ContentPlace?] = []
        do throws(StoreFailure) {
            for work in batch {
                guard let bytes = work.bytes else {
                    places.append(nil)
                    continue
                }
                places.append(try writer.append(bytes.bytes, of: bytes.content))
            }
            faults.at(.segmentWritten)
            try writer.sync()
            return (batch, places)
        } catch {
            writer.abandon()
            for work in batch where work.bytes != nil { work.finish(error) }
            // What brings no bytes, a deletion say, is possible on a full disk too.
            let rest = batch.filter { $0.bytes == nil }
            return (rest, rest.map { _ in nil })
        }
    }

    /// One change's failure undoes that change only.
    /// - Returns: Why it was refused.
    /// - Throws: What fails the whole transaction.
    private func apply(_ work: Work, _ place: ContentPlace?, _ index: ObjectIndex) throws -> (any Error)? {
        try database.run("SAVEPOINT change")
        do {
            try work.apply(index, place)
            try database.run("RELEASE change")
            return nil
        } catch let error {
            guard database.isInTransaction else { throw error }
            try database.run("ROLLBACK TO change")
            try database.run("RELEASE change")
            return Self.storeFailure(error)
        }
    }

    static func storeFailure(_ error: any Error) -> any Error {
        guard let error = error as? SQLiteError else { return error }
        return error.kind == .full ? StoreFailure.diskFull : StoreFailure.failed(error.description)
    }
}

/// Where a store may be cut off, for tests that look at what is on the disk at each of these moments.
package struct StoreFaults: Sendable {
    package enum Step: String, Sendable, CaseIterable {
        case segmentWritten, segmentSynced, indexWritten, committed, segmentMoved
    }

    private let body: (@Sendable (Step) -> Void)?

    package init(_ body: (@Sendable (Step) -> Void)? = nil) { self.body = body }

    func at(_ step: Step) { body?(step) }
}
