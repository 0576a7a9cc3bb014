import Synchronization

/// Which members the bodies of a request may have, for tests: every schema that reads one of its objects tells.
package final class BodyTrace: Sendable {
    @TaskLocal package static var current: BodyTrace?

    private struct State {
        /// The names on the way to the object that is read.
        var path: [String] = []
        var fields: Set<String> = []
    }

    private let state = Mutex(State())

    package init() {}

    /// By their own names.
    package var members: Set<String> {
        Set(fields.compactMap { $0.split(separator: ".").last.map(String.init) })
    }
    /// With the names on the way: `server.networks.uuid`.
    package var fields: Set<String> { state.withLock { $0.fields } }

    func note(_ members: some Sequence<String>) {
        state.withLock { state in
            let way = state.path.map { $0 + "." }.joined()
            for member in members { state.fields.insert(way + member) }
        }
    }

    package func enter(_ member: String) { state.withLock { $0.path.append(member) } }
    package func leave() { state.withLock { _ = $0.path.popLast() } }
}

extension BodyTrace {
    /// For readers that are no schemas: what they take.
    package static func note(_ members: Set<String>, under path: String...) {
        guard let current else { return }
        for name in path { current.enter(name) }
        current.note(members)
        for _ in path { current.leave() }
    }
}
