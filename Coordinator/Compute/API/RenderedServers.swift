import ProtocolModel
import Synchronization

/// Servers as they were last rendered, for lists. Bounded: what was not asked for since the older half filled up goes.
package final class RenderedServers: Sendable {
    /// Everything but the server that an answer depends on.
    package struct Shape: Hashable, Sendable {
        package var band: Int
        package var isAdmin: Bool
        package var baseURL: String

        package init(band: Int, isAdmin: Bool, baseURL: String) {
            self.band = band
            self.isAdmin = isAdmin
            self.baseURL = baseURL
        }
    }

    /// What a rendering was made from.
    package struct Stamp: Hashable, Sendable {
        package var generation: Int64
        package var hostStatus: String
        /// The hash of its ports, groups and tags.
        package var surroundings: Int

        package init(generation: Int64, hostStatus: String, surroundings: Int) {
            self.generation = generation
            self.hostStatus = hostStatus
            self.surroundings = surroundings
        }
    }

    private struct Key: Hashable {
        var server: ServerID
        var shape: Int
    }

    private struct Entry {
        var stamp: Stamp
        var revision: Int?
        var bytes: [UInt8]
    }

    private struct State {
        var shapes: [Shape: Int] = [:]
        /// Never given twice: an answer under way may still keep something under an old number.
        var nextShape = 0
        var young: [Key: Entry] = [:]
        var old: [Key: Entry] = [:]
    }

    private let half: Int
    private let state = Mutex(State())

    package init(limit: Int) { half = max(1, limit / 2) }

    /// A short name for a shape; base URLs come from clients, so their number is bounded by starting anew.
    package func number(of shape: Shape) -> Int {
        state.withLock { state in
            if let number = state.shapes[shape] { return number }
            if state.shapes.count >= 64 {
                state.shapes = [:]
                state.young = [:]
                state.old = [:]
            }
            let number = state.nextShape
            state.nextShape += 1
            state.shapes[shape] = number
            return number
        }
    }

    /// Those that need nothing looked up, because the network slice changed nothing since they were rendered.
    package func find(
        _ lines: [ServerLine], hostStatus: [NodeID: String], shape: Int, revision: Int
    ) -> [[UInt8]?] {
        state.withLock { state in
            lines.map { line in
                let key = Key(server: line.id, shape: shape)
                guard let entry = entry(key, in: &state), entry.revision == revision,
                    entry.stamp.generation == line.generation,
                    entry.stamp.hostStatus == line.node.map({ hostStatus[$0] ?? "" }) ?? ""
                else { return nil }
                return entry.bytes
            }
        }
    }

    package func find(_ server: ServerID, shape: Int, stamp: Stamp, revision: Int?) -> [UInt8]? {
        state.withLock { state in
            let key = Key(server: server, shape: shape)
            guard var entry = entry(key, in: &state), entry.stamp == stamp else { return nil }
            if entry.revision != revision {
                entry.revision = revision
                state.young[key] = entry
            }
            return entry.bytes
        }
    }

    package func keep(_ bytes: [UInt8], of server: ServerID, shape: Int, stamp: Stamp, revision: Int?) {
        state.withLock { state in
            if state.young.count >= half {
                state.old = state.young
                state.young = [:]
            }
            state.young[Key(server: server, shape: shape)] = Entry(stamp: stamp, revision: revision, bytes: bytes)
        }
    }

    private func entry(_ key: Key, in state: inout State) -> Entry? {
        if let entry = state.young[key] { return entry }
        guard let entry = state.old.removeValue(forKey: key) else { return nil }
        state.young[key] = entry
        return entry
    }
}
