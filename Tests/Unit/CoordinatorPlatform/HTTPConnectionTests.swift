import CoordinatorPlatform
import Logging
import NIOCore
import NIOPosix
import Testing

/// What goes over one connection, byte for byte, between a real socket and the server.
@Suite("HTTP connections")
struct HTTPConnectionTests {
    private struct Broken: Error {}

    private static func service(_ log: EventList) -> ServiceAPI {
        @Sendable func stream(length: Int64?, _ pieces: [String], isBroken: Bool = false) -> APIResponse {
            let (chunks, source) = AsyncThrowingStream.makeStream(of: ByteBuffer.self)
            for piece in pieces { source.yield(ByteBuffer(string: piece)) }
            source.finish(throwing: isBroken ? Broken() : nil)
            return APIResponse(body: .stream(length: length, chunks))
        }
        return ServiceAPI(
            prefix: "/t",
            routes: [
                .direct(.get, "/now/{n}", access: .anybody) { call in .json(["now": .string(call.parameter("n"))]) },
                Route(.get, "/later/{n}", access: .anybody) { call in
                    try await Task.sleep(for: .milliseconds(20))
                    return .json(["later": .string(call.parameter("n"))])
                },
                Route(.get, "/slow", access: .anybody) { _ in
                    try await Task.sleep(for: .seconds(12))
                    return .json("slow")
                },
                Route(.post, "/count", access: .anybody) { call in
                    var count = 0
                    do {
                        try await call.body.forEachChunk {
                            count += $0.readableBytes
                            await Task.yield()
                        }
                    } catch {
                        log.add("cut after \(count)")
                        throw error
                    }
                    return .json(["count": JSON(count)])
                },
                Route(.get, "/sized", access: .anybody) { _ in stream(length: 6, ["abc", "", "def"]) },
                Route(.get, "/unsized", access: .anybody) { _ in stream(length: nil, ["abc", "", "def"]) },
                Route(.get, "/short", access: .anybody) { _ in stream(length: 7, ["abc", "def"]) },
                Route(.get, "/long", access: .anybody) { _ in
                    // More than sockets hold.
                    let piece = ByteBuffer(repeating: UInt8(ascii: "x"), count: 1 << 16)
                    let (chunks, source) = AsyncThrowingStream.makeStream(of: ByteBuffer.self)
                    for _ in 0..<1024 { source.yield(piece) }
                    source.onTermination = { end in if case .cancelled = end { log.add("dropped") } }
                    return APIResponse(body: .stream(length: nil, chunks))
                },
                Route(.get, "/broken", access: .anybody) { _ in stream(length: nil, ["abc"], isBroken: true) }
            ],
            renderError: { error, _ in (["error": JSON(error.status)], "application/json") })
    }

    /// Starts a server, sends each text after the one before it has been answered for a moment, and gathers all that
    /// comes back until the server closes.
    /// - Parameters:
    ///   - endsInput: Says that nothing more will come.
    ///   - gate: What is waited for before anything is read.
    private func exchange(
        _ texts: String..., idle: Duration = .seconds(20), endsInput: Bool = false,
        log: EventList = EventList(), readingAfter gate: () async throws -> Void = {}
    ) async throws -> String {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let pipeline = RequestPipeline(
            services: [Self.service(log)], authenticator: NobodyAuthenticator(),
            database: try EmbeddedDatabase(inMemory: .init()), logger: logger)
        var configuration = HTTPServer.Configuration(host: "127.0.0.1", port: 0, tls: nil, operatorSocket: nil)
        configuration.idleTimeout = idle
        let (ports, found) = AsyncStream.makeStream(of: Int.self)
        let server = try HTTPServer(
            pipeline: pipeline, configuration: configuration, logger: logger, onListening: { found.yield($0) })
        let running = Task { try await server.run() }
        defer { running.cancel() }
        var iterator = ports.makeAsyncIterator()
        let port = try #require(await iterator.next())
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: port)) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(isOutboundHalfClosureEnabled: true))
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            for (index, text) in texts.enumerated() {
                if index > 0 { try await Task.sleep(for: .milliseconds(100)) }
                try await outbound.write(ByteBuffer(string: text))
            }
            if endsInput { outbound.finish() }
            try await gate()
            var answer = ""
            for try await chunk in inbound { answer += String(buffer: chunk) }
            return answer
        }
    }

    private func get(_ path: String, _ fields: String = "") -> String {
        "GET /t\(path) HTTP/1.1\r\nHost: x\r\n\(fields)\r\n"
    }
    private let last = "Connection: close\r\n"

    /// The bodies of answers with a length.
    private func bodies(_ answers: String) -> [String] {
        answers.components(separatedBy: "\r\n\r\n").dropFirst().map {
            $0.components(separatedBy: "HTTP/1.1").first ?? ""
        }
    }

    @Test("requests sent ahead are answered in their order, whether that takes time or not")
    func order() async throws {
        let answers = try await exchange(
            get("/later/1") + get("/now/2") + "HEAD /t/now/3 HTTP/1.1\r\nHost: x\r\n\r\n"
                + "POST /t/count HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcd" + get("/later/5")
                + get("/now/6", last) + get("/now/7"))
        #expect(
            bodies(answers) == [
                #"{"later":"1"}"#, #"{"now":"2"}"#, "", #"{"count":4}"#, #"{"later":"5"}"#, #"{"now":"6"}"#
            ])
        #expect(answers.components(separatedBy: "Connection: close").count == 2)
    }

    @Test("thousands sent ahead")
    func many() async throws {
        let answers = try await exchange(
            get("/later/0") + String(repeating: get("/now/1"), count: 5000) + get("/now/2", last))
        #expect(bodies(answers).count == 5002 && answers.hasSuffix(#"{"now":"2"}"#))
    }

    @Test("HTTP/1.0 ends with its answer unless asked otherwise")
    func old() async throws {
        let once = try await exchange("GET /t/now/1 HTTP/1.0\r\n\r\n")
        #expect(once.hasSuffix("Connection: close\r\n\r\n{\"now\":\"1\"}"))
        let twice = try await exchange(
            "GET /t/now/1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET /t/unsized HTTP/1.0\r\n\r\n")
        #expect(twice.contains("Connection: keep-alive\r\n\r\n{\"now\":\"1\"}HTTP/1.1 200 OK"))
        #expect(twice.hasSuffix("\r\n\r\nabcdef"))
    }

    @Test("bodies in pieces: with a length, in chunks, and cut where they are not whole")
    func streams() async throws {
        #expect(try await exchange(get("/sized", last)).hasSuffix("\r\n\r\nabcdef"))
        let unsized = try await exchange(get("/unsized") + get("/now/1", last))
        #expect(unsized.contains("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\nHTTP/1.1 200"))
        #expect(try await exchange(get("/short")).hasSuffix("\r\n\r\nabcdef"))
        #expect(try await exchange(get("/broken")).hasSuffix("\r\n\r\n3\r\nabc\r\n"))
        let head = try await exchange("HEAD /t/unsized HTTP/1.1\r\nHost: x\r\n\r\n" + get("/now/1", last))
        #expect(head.contains("\r\n\r\nHTTP/1.1 200 OK"))
    }

    @Test("a body larger than what is held arrives whole; one that nobody reads does not disturb what follows")
    func large() async throws {
        let body = String(repeating: "x", count: 3_000_000)
        let counted = try await exchange(
            "POST /t/count HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body
                + get("/now/1", last))
        #expect(bodies(counted) == [#"{"count":3000000}"#, #"{"now":"1"}"#])
        let ignored = try await exchange(
            "POST /t/nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body
                + get("/now/1", last))
        #expect(bodies(ignored) == [#"{"error":404}"#, #"{"now":"1"}"#])
    }

    @Test("Expect: 100-continue is told to go on")
    func expectation() async throws {
        let answers = try await exchange(
            "POST /t/count HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\(last)\r\n", "ab")
        #expect(answers.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"))
        #expect(answers.hasSuffix(#"{"count":2}"#))
    }

    enum Malformed: String, CaseIterable {
        case line = "no such thing\r\n"
        case name = "GET / HTTP/1.1\r\nHost: x\r\nbad name: 1\r\n"
        case large = "GET / HTTP/1.1\r\nHost: x\r\nX-Large: "
        case many = "GET / HTTP/1.1\r\nHost: x\r\n"

        var text: String {
            switch self {
            case .line, .name: rawValue + "\r\n"
            case .large: rawValue + String(repeating: "a", count: 90_000) + "\r\n\r\n"
            case .many: rawValue + String(repeating: "a: b\r\n", count: 1001) + "\r\n"
            }
        }
    }

    @Test("what is not HTTP is refused, and that is the end", arguments: Malformed.allCases)
    func malformed(_ kind: Malformed) async throws {
        let answer = try await exchange(kind.text)
        #expect(answer == "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    }

    @Test("a body that breaks off is no shorter body")
    func cut() async throws {
        let log = EventList()
        let broken = try await exchange(
            "POST /t/count HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n", log: log)
        #expect(broken.hasPrefix("HTTP/1.1 400 Bad Request\r\n") && broken.contains("Connection: close\r\n"))
        let short = try await exchange(
            "POST /t/count HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabcd", endsInput: true, log: log)
        #expect(short.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        #expect(log.entries == ["cut after 3", "cut after 4"])
    }

    @Test("who sends no more is answered still")
    func halfClosed() async throws {
        let answers = try await exchange(get("/later/1") + get("/now/2"), endsInput: true)
        #expect(bodies(answers) == [#"{"later":"1"}"#, #"{"now":"2"}"#])
    }

    @Test("a silent client is let go, one that waits for an answer is not")
    func idleness() async throws {
        #expect(try await exchange("GET /t/now/1 HTTP/1.1\r\n", idle: .seconds(1)) == "")
        // With patience for a machine that is slow to send, and less than the answer takes.
        #expect(try await exchange(get("/slow"), idle: .seconds(10)).hasSuffix(#""slow""#))
    }

    @Test("a client that does not take its answer is let go")
    func unread() async throws {
        let log = EventList()
        _ = try? await exchange(get("/long", last), idle: .seconds(5), log: log) {
            for _ in 0..<1200 where log.entries.isEmpty { try await Task.sleep(for: .milliseconds(100)) }
            #expect(log.entries == ["dropped"])
        }
    }

    @Test("a refusal is said at once to who waits to send the body, and ends the connection")
    func refusedBeforeTheBody() async throws {
        let answer = try await exchange(
            "POST /t/nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 404 Not Found\r\n") && !answer.contains("100 Continue"))
        #expect(answer.contains("\r\nConnection: close\r\n"))
    }

    @Test("nothing is read behind a request to speak otherwise")
    func upgrade() async throws {
        let answer = try await exchange(
            get("/now/1", "Connection: Upgrade\r\nUpgrade: h2c\r\n"), "whatever that protocol says")
        #expect(bodies(answer) == ["{\"now\":\"1\"}"])
        #expect(answer.contains("\r\nConnection: close\r\n"))
    }

    @Test("a client that takes us for a proxy")
    func proxied() async throws {
        #expect(
            try await exchange("GET http://cloud.test:8700/t/now/1?a=http://b HTTP/1.1\r\nHost: x\r\n\(last)\r\n")
                .hasSuffix(#"{"now":"1"}"#))
        #expect(try await exchange("GET http://cloud.test HTTP/1.1\r\nHost: x\r\n\(last)\r\n").contains(" 404 "))
    }
}
