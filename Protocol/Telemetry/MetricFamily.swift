import NIOConcurrencyHelpers

/// One metric with all its label sets. Values come in from any thread; the lock is held for a dictionary access.
final class MetricFamily: Sendable {
    enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    struct Series: Sendable {
        var value: Double = 0
        /// Histograms: observations in each bucket (not summed up yet), the last one for those above all bounds.
        var counts: [UInt64] = []
    }

    /// A label whose values come from outside must not grow the process: what exceeds this is counted together.
    static let seriesLimit = 200
    static let overflow = "other"

    let name: String
    let help: String
    let kind: Kind
    let labels: [String]
    let buckets: [Double]
    private let seriesLock = NIOLockedValueBox<[[String]: Series]>([:])

    init(name: String, help: String, kind: Kind, labels: [String], buckets: [Double] = []) {
        self.name = name
        self.help = help
        self.kind = kind
        self.labels = labels
        self.buckets = buckets.sorted()
        if labels.isEmpty { update([]) { _ in } }
    }

    /// - Parameter values: One for each label, in their order; missing ones are empty, surplus ones are dropped.
    func update(_ values: [String], _ change: (inout Series) -> Void) {
        var key = values
        if key.count != labels.count {
            key = Array((values + Array(repeating: "", count: labels.count)).prefix(labels.count))
        }
        seriesLock.withLockedValue { series in
            if series[key] == nil, series.count >= Self.seriesLimit {
                key = Array(repeating: Self.overflow, count: labels.count)
            }
            change(
                &series[
                    key,
                    default: Series(counts: kind == .histogram ? Array(repeating: 0, count: buckets.count + 1) : [])]
            )
        }
    }

    func snapshot() -> [(labels: [String], series: Series)] {
        seriesLock.withLockedValue { Array($0) }.map { ($0.key, $0.value) }.sorted {
            $0.labels.lexicographicallyPrecedes($1.labels)
        }
    }
}

/// A number that only rises.
public struct Counter: Sendable {
    let family: MetricFamily

    /// - Parameter labels: Values in the order of the counter's labels.
    public func add(_ amount: Double = 1, _ labels: [String] = []) {
        guard amount >= 0 else { return }
        family.update(labels) { $0.value += amount }
    }
}

/// A number that goes up and down.
public struct Gauge: Sendable {
    let family: MetricFamily

    public func set(_ value: Double, _ labels: [String] = []) { family.update(labels) { $0.value = value } }
    public func add(_ amount: Double, _ labels: [String] = []) { family.update(labels) { $0.value += amount } }
}

/// How observations are spread.
public struct Histogram: Sendable {
    /// Seconds, from half a millisecond to half a minute.
    public static let latencyBuckets = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30
    ]

    let family: MetricFamily

    public func record(_ value: Double, _ labels: [String] = []) {
        let bucket = family.buckets.firstIndex { value <= $0 } ?? family.buckets.count
        family.update(labels) { series in
            series.counts[bucket] += 1
            series.value += value
        }
    }

    public func record(_ duration: Duration, _ labels: [String] = []) { record(duration / .seconds(1), labels) }
}
