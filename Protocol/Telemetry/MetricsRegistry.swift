import NIOConcurrencyHelpers

/// All metrics of a process, and their text for Prometheus.
public final class MetricsRegistry: Sendable {
    /// Gives samples at each scrape.
    typealias Collector = @Sendable () -> [Sample]

    /// One metric without labels.
    struct Sample: Sendable {
        var name: String
        var help: String
        var kind: MetricFamily.Kind
        var value: Double
    }

    private struct State {
        var families: [String: MetricFamily] = [:]
        var collectors: [Collector] = []
    }

    private let registryLock = NIOLockedValueBox(State())

    public init() {}

    /// - Parameter name: Letters, digits and `_`, ending in `_total` by custom.
    /// - Returns: The one made before when there is one of that name and kind.
    public func counter(_ name: String, _ help: String, labels: [String] = []) -> Counter {
        Counter(family: family(MetricFamily(name: name, help: help, kind: .counter, labels: labels)))
    }

    public func gauge(_ name: String, _ help: String, labels: [String] = []) -> Gauge {
        Gauge(family: family(MetricFamily(name: name, help: help, kind: .gauge, labels: labels)))
    }

    /// - Parameter buckets: Upper bounds, in the unit of what is recorded.
    public func histogram(
        _ name: String, _ help: String, labels: [String] = [], buckets: [Double] = Histogram.latencyBuckets
    ) -> Histogram {
        Histogram(
            family: family(MetricFamily(name: name, help: help, kind: .histogram, labels: labels, buckets: buckets)))
    }

    /// A gauge that is read at each scrape.
    public func observe(_ name: String, _ help: String, _ value: @escaping @Sendable () -> Double) {
        collect { [Sample(name: name, help: help, kind: .gauge, value: value())] }
    }

    /// Memory, processor time, start and open files of this process, under their customary names.
    public func addProcessMetrics() { collect { ProcessMetrics.read() } }

    /// Prometheus text format, version 0.0.4.
    public func exposition() -> String {
        let (families, collectors) = registryLock.withLockedValue { ($0.families, $0.collectors) }
        var text = ExpositionText()
        for family in families.values.sorted(by: { $0.name < $1.name }) { text.append(family) }
        for sample in collectors.flatMap({ $0() }).sorted(by: { $0.name < $1.name }) { text.append(sample) }
        return text.text
    }

    private func collect(_ collector: @escaping Collector) {
        registryLock.withLockedValue { $0.collectors.append(collector) }
    }

    private func family(_ new: MetricFamily) -> MetricFamily {
        registryLock.withLockedValue { state in
            if let old = state.families[new.name] {
                // Of another kind it is a mistake in the program: that caller's numbers are not shown.
                return old.kind == new.kind && old.labels == new.labels && old.buckets == new.buckets ? old : new
            }
            state.families[new.name] = new
            return new
        }
    }
}
