import CoordinatorPlatform
import Synchronization

/// Where the service puts jobs down. The engine needs the service's kinds of jobs, and the service needs the engine, so
/// one of the two comes later.
final class JobPort: Sendable {
    private struct Reference {
        weak var engine: JobEngine?
    }
    private let reference = Mutex(Reference())

    func connect(_ engine: JobEngine) { reference.withLock { $0.engine = engine } }

    func engine() throws -> JobEngine {
        guard let engine = reference.withLock({ $0.engine }) else {
            throw APIError(status: 503, message: "Imports are not possible while the coordinator starts or stops.")
        }
        return engine
    }
}
