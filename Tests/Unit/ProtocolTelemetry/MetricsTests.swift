import NIOCore
import NIOPosix
import ProtocolTelemetry
import Testing

@Suite("metrics")
struct MetricsTests {
    @Test("counters, gauges and histograms in Prometheus text, in order and escaped")
    func exposition() {
        let registry = MetricsRegistry()
        let requests = registry.counter("requests_total", "Requests \\ so\nfar.", labels: ["method", "code"])
        requests.add(1, ["GET", "200"])
        requests.add(2, ["GET", "200"])
        requests.add(-5, ["GET", "200"])
        requests.add(1, ["P\"O\\S\nT", "500"])
        let guests = registry.gauge("guests", "Guests.")
        guests.set(3)
        guests.add(-0.5)
        let latency = registry.histogram("latency_seconds", "Latency.", buckets: [0.1, 1])
        latency.record(0.05)
        latency.record(0.1)
        latency.record(.milliseconds(500))
        latency.record(7)
        registry.observe("answer", "Read at each scrape.") { .infinity }
        #expect(
            registry.exposition() == """
                # HELP guests Guests.
                # TYPE guests gauge
                guests 2.5
                # HELP latency_seconds Latency.
                # TYPE latency_seconds histogram
                latency_seconds_bucket{le="0.1"} 2
                latency_seconds_bucket{le="1"} 3
                latency_seconds_bucket{le="+Inf"} 4
                latency_seconds_sum 7.65
                latency_seconds_count 4
                # HELP requests_total Requests \\\\ so\\nfar.
                # TYPE requests_total counter
                requests_total{method="GET",code="200"} 3
                requests_total{method="P\\"O\\\\S\\nT",code="500"} 1
                # HELP answer Read at each scrape.
                # TYPE answer gauge
                answer +Inf

                """)
    }

    @Test("what was never counted shows as zero, but only without labels")
    func zero() {
        let registry = MetricsRegistry()
        _ = registry.counter("plain_total", "P.")
        _ = registry.counter("labelled_total", "L.", labels: ["a"])
        #expect(registry.exposition().contains("\nplain_total 0\n"))
        #expect(!registry.exposition().contains("labelled_total{"))
    }

    @Test("the same name twice is the same metric")
    func sameName() {
        let registry = MetricsRegistry()
        registry.counter("a_total", "A.").add()
        registry.counter("a_total", "A.").add()
        registry.gauge("a_total", "Not a gauge.").set(9)
        #expect(registry.exposition().contains("a_total 2\n"))
    }

    @Test("label values from outside cannot grow the process")
    func bounded() {
        let registry = MetricsRegistry()
        let counter = registry.counter("c_total", "C.", labels: ["who"])
        for number in 0..<5000 { counter.add(1, ["\(number)"]) }
        let lines = registry.exposition().split(separator: "\n").filter { $0.hasPrefix("c_total{") }
        #expect(lines.count == 201)
        #expect(lines.contains("c_total{who=\"other\"} 4800"))
    }

    @Test("wrongly many label values are put right, not lost")
    func labelCount() {
        let registry = MetricsRegistry()
        let counter = registry.counter("c_total", "C.", labels: ["a", "b"])
        counter.add(1, ["x"])
        counter.add(1, ["x", "", "z"])
        #expect(registry.exposition().contains("c_total{a=\"x\",b=\"\"} 2\n"))
    }

    @Test("counts from many tasks all arrive")
    func concurrency() async {
        let registry = MetricsRegistry()
        let counter = registry.counter("c_total", "C.")
        let histogram = registry.histogram("h", "H.")
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1000 {
                        counter.add()
                        histogram.record(0.001)
                    }
                }
            }
        }
        #expect(registry.exposition().contains("c_total 8000\n"))
        #expect(registry.exposition().contains("h_count 8000\n"))
    }

    @Test("the process's own figures are there and sensible")
    func process() throws {
        let registry = MetricsRegistry()
        registry.addProcessMetrics()
        let values = Dictionary(
            uniqueKeysWithValues: registry.exposition().split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap
            {
                line -> (String, Double)? in
                let parts = line.split(separator: " ")
                return Double(parts[1]).map { (String(parts[0]), $0) }
            })
        #expect(try #require(values["process_resident_memory_bytes"]) > 1_000_000)
        #expect(try #require(values["process_cpu_seconds_total"]) >= 0)
        #expect(try #require(values["process_start_time_seconds"]) > 1_600_000_000)
        #expect(try #require(values["process_open_fds"]) >= 3)
    }

    @Test(
        "the listener answers GET /metrics and nothing else",
        arguments: [
            ("GET /metrics", "200 OK", true), ("GET /metrics?x=1", "200 OK", true), ("HEAD /metrics", "200 OK", false),
            ("GET /", "404 Not Found", false), ("GET /metrics/", "404 Not Found", false),
            ("POST /metrics", "405 Method Not Allowed", false), ("GET /../etc/passwd", "404 Not Found", false)
        ])
    func listener(request: String, status: String, hasMetrics: Bool) async throws {
        let registry = MetricsRegistry()
        registry.counter("seen_total", "Seen.").add(4)
        let server = try await MetricsServer.start(host: "127.0.0.1", port: 0, registry: registry)
        let answer = try await ask(server.port, "\(request) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 \(status)\r\n"), "\(answer)")
        #expect(answer.contains("seen_total 4\n") == hasMetrics)
        if status == "200 OK" { #expect(answer.contains("text/plain; version=0.0.4; charset=utf-8")) }
        await server.stop()
    }

    @Test("what is no HTTP is turned away and the listener lives on")
    func garbage() async throws {
        let server = try await MetricsServer.start(host: "127.0.0.1", port: 0, registry: MetricsRegistry())
        #expect(try await ask(server.port, "\u{1}\u{2}garbage\r\n\r\n").hasPrefix("HTTP/1.1 400"))
        #expect(try await ask(server.port, "GET /metrics HTTP/1.0\r\n\r\n").contains("200 OK"))
        await server.stop()
    }

    private func ask(_ port: Int, _ request: String) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: request))
            var answer = ""
            for try await part in inbound { answer += String(buffer: part) }
            return answer
        }
    }
}
