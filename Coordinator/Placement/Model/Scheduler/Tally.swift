import ProtocolModel

/// Counts why hosts were dropped: each kind of reason once, with a few of its hosts.
struct Tally {
    private struct Entry {
        var refusal: Refusal
        var count = 0
        /// The most that a host has of what is scarce.
        var best = 0
        /// The first by name.
        var samples: [PlacementDecision.Sample] = []
    }

    private var entries: [Refusal.Kind: Entry] = [:]

    /// - Parameter samples: Hosts of these refused in the order of their names; only the first count.
    mutating func add(
        _ refusal: Refusal, count: Int, best: Int = 0, samples: some Sequence<PlacementDecision.Sample>
    ) {
        guard count > 0 else { return }
        var entry = entries[refusal.kind] ?? Entry(refusal: refusal)
        entry.count += count
        entry.best = max(entry.best, best)
        entry.samples = Array(
            (entry.samples + samples.prefix(PlacementDecision.samples)).sorted { $0.hostname < $1.hostname }
                .prefix(PlacementDecision.samples))
        entries[refusal.kind] = entry
    }

    /// In the order in which a summary lists them, and few.
    var groups: [PlacementDecision.Group] {
        let sorted = entries.sorted { $0.key < $1.key }.map(\.value)
        let limit = PlacementDecision.groups
        var groups = sorted.prefix(sorted.count > limit ? limit - 1 : limit).map { entry in
            PlacementDecision.Group(
                isKept: false, summary: entry.refusal.summary(count: entry.count, best: entry.best),
                count: entry.count, samples: entry.samples)
        }
        let rest = sorted.dropFirst(groups.count)
        if !rest.isEmpty {
            let count = rest.reduce(0) { $0 + $1.count }
            groups.append(
                PlacementDecision.Group(
                    isKept: false, summary: "\(count) for \(rest.count) other reasons", count: count,
                    samples: Array(rest.flatMap(\.samples).prefix(PlacementDecision.samples))))
        }
        return groups
    }
}
