import Glibc
import Logging
import ProtocolTelemetry
import Testing

@Suite("log records")
struct LogTests {
    /// Logs with `body` into a pipe and gives back what came out of it.
    static func lines(_ format: LogFormat, level: Logger.Level = .trace, _ body: (Logger) -> Void) throws -> [String] {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { close(ends[0]) }
        let writer = LogWriter(descriptor: ends[1])
        body(
            Logger(
                label: "agent.core",
                factory: { StructuredLogHandler(label: $0, level: level, format: format, writer: writer) }))
        close(ends[1])
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = read(ends[0], &chunk, chunk.count), count > 0 { bytes += chunk[..<count] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            .dropLast()
            .map(String.init)
    }

    @Test("text: one line a record, fields sorted, quoted only where needed")
    func text() throws {
        let lines = try Self.lines(.text) { logger in
            var logger = logger
            logger[metadataKey: "node"] = "n1"
            logger.info("server started", metadata: ["b": "two words", "a": "1", "c": "", "d": "x=\"y\""])
            logger.error("line one\nline two", metadata: ["e": "tab\tand\u{1B}[31m"])
        }
        try #require(lines.count == 2)
        let time = #/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /#
        #expect(lines[0].prefixMatch(of: time) != nil)
        #expect(lines[0].hasSuffix(#" info agent.core server started a=1 b="two words" c="" d="x=\"y\"" node=n1"#))
        #expect(lines[1].hasSuffix(#" error agent.core "line one\nline two" e="tab\tand\u001b[31m" node=n1"#))
    }

    @Test("JSON: one object a line, and no field hides one of the record's own")
    func json() throws {
        let lines = try Self.lines(.json) { $0.warning("a \"b\" \\", metadata: ["time": "mine", "k": "v\u{0}"]) }
        try #require(lines.count == 1)
        let rest = try #require(lines[0].firstRange(of: #","level""#))
        #expect(
            lines[0][rest.lowerBound...]
                == #","level":"warning","component":"agent.core","message":"a \"b\" \\","k":"v\u0000","time_":"mine"}"#)
        #expect(lines[0].hasPrefix(#"{"time":"20"#))
    }

    @Test("records below the level are not written")
    func level() throws {
        let lines = try Self.lines(.text, level: .warning) { logger in
            logger.info("quiet")
            logger.warning("loud")
        }
        #expect(lines.count == 1)
    }

    // Nobody reads while it is written: a writer that waited would wait for ever.
    @Test(
        "a reader that is behind holds nobody up, gets what fits the bound, and is told of the rest",
        .timeLimit(.minutes(1)))
    func slowReader() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        let writer = LogWriter(descriptor: ends[1])
        let logger = Logger(
            label: "x", factory: { StructuredLogHandler(label: $0, level: .info, format: .text, writer: writer) })
        let filler = String(repeating: "f", count: 1000)
        for number in 0..<3000 { logger.info("\(number) \(filler)") }

        // Three million octets were logged; a pipe and the bound hold less than half of them.
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        var request = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
        while poll(&request, 1, 500) == 1 {
            let count = read(ends[0], &chunk, chunk.count)
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        let numbers = lines.compactMap { line in line.split(separator: " ").dropFirst(3).first.flatMap { Int($0) } }
        #expect(numbers.count > 500)
        #expect(numbers.count < 2000)
        #expect(numbers == Array(0..<numbers.count))
        #expect(lines.last?.contains("\(3000 - numbers.count) log records dropped") == true, "\(lines.last ?? "")")
        close(ends[0])
        close(ends[1])
    }
}
