import ProtocolTelemetry

/// Counts requests by service and class of status, and times them.
struct RequestMetrics: Sendable {
    private let requests: Counter
    private let seconds: Histogram

    init(_ registry: MetricsRegistry) {
        requests = registry.counter(
            "skerry_http_requests_total", "Requests by service and class of status.", labels: ["service", "class"])
        seconds = registry.histogram(
            "skerry_http_request_seconds", "From the request's head to the answer's, by service.", labels: ["service"])
    }

    func record(service: String, status: Int, since start: ContinuousClock.Instant) {
        requests.add(1, [service, Self.classes[min(max(status / 100, 0), 5)]])
        seconds.record(ContinuousClock.now - start, [service])
    }

    private static let classes = ["other", "1xx", "2xx", "3xx", "4xx", "5xx"]
}
