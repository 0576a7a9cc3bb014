/// Decides which cached images to remove. Pure.
package enum ImageSweep {
    package struct Entry: Equatable {
        /// The name in the cache's folder.
        var name: String
        var bytes: Int64
        /// Seconds since 1970-01-01T00:00:00Z.
        var lastUsed: Int64
        /// Something here needs it: a server's disk, or a server that is about to be made.
        var isNeeded: Bool

        package init(name: String, bytes: Int64, lastUsed: Int64, isNeeded: Bool) {
            self.name = name
            self.bytes = bytes
            self.lastUsed = lastUsed
            self.isNeeded = isNeeded
        }
    }

    /// - Parameter limitBytes: What the cache may hold in all; needed images count, but stay.
    /// - Parameter idleSeconds: How long an image must have gone unused before it may go.
    /// - Returns: Names, the longest unused first.
    package static func plan(_ entries: [Entry], now: Int64, limitBytes: Int64, idleSeconds: Int64) -> [String] {
        var total = entries.reduce(0) { $0 + $1.bytes }
        var names: [String] = []
        for entry in entries.sorted(by: { ($0.lastUsed, $0.name) < ($1.lastUsed, $1.name) }) {
            guard total > limitBytes else { break }
            guard !entry.isNeeded, now - entry.lastUsed >= idleSeconds else { continue }
            names.append(entry.name)
            total -= entry.bytes
        }
        return names
    }
}
