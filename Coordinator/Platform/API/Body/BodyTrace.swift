import Synchronization

/// Which members the bodies of a request may have, for tests: every schema that reads one of its objects tells.
package final class BodyTrace: Sendable {
    @TaskLocal package static var current: BodyTrace?

    private let names = Mutex<Set<String>>([])

    package init() {}

    package var members: Set<String> { names.withLock { $0 } }

    func note(_ members: some Sequence<String>) { names.withLock { $0.formUnion(members) } }
}
