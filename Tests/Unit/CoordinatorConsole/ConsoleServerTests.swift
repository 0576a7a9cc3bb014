import CoordinatorConsole
import CoordinatorFleet
import CoordinatorPlatform
import Foundation
import Logging
import NIOCore
import NIOPosix
import ProtocolModel
import Testing

/// Hosts of which none has the server running.
private struct ColdHosts: OperationDispatcher {
    func submit(
        _ action: ProtocolModel.Operation.Action, on node: NodeID, deadline: Int64, in transaction: any SQLTransaction
    ) throws -> OperationID { .random() }

    func ask(_ action: ProtocolModel.Operation.Action, on node: NodeID, within: Duration) async throws
        -> OperationResult
    {
        OperationResult(
            id: .random(),
            outcome: .failed(
                StatusError(code: .conflict, message: "The server does not run: start it first.", detail: "")))
    }
}

@Suite("the console port", .timeLimit(.minutes(1)))
struct ConsoleServerTests {
    private let server = ServerID(high: 4, low: 4)

    /// A port on loopback, for as long as `body` runs.
    private func serve(
        _ change: (inout ConsoleSettings) -> Void = { _ in },
        _ body: (_ port: Int, _ slice: ConsoleSlice, _ database: any SQLDatabase) async throws -> Void
    ) async throws {
        let database = try EmbeddedDatabase(inMemory: .init())
        _ = try await Migrator(PlatformMigrations.all + ConsoleSlice.migrations).migrate(database, now: 0)
        var settings = ConsoleSettings()
        settings.listen = .init(port: 0)
        settings.publicURL = "http://127.0.0.1:6080"
        change(&settings)
        var logger = Logger(label: "console")
        logger.logLevel = .critical
        let runtime = SliceRuntime(database: database, clock: SystemClock(), logger: logger)
        let slice = ConsoleSlice(settings: settings, operations: ColdHosts(), runtime: runtime) { _, _ in
            NodeID(high: 5, low: 5)
        }
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let console = try ConsoleServer(slice, certificate: nil) { port.yield($0) }
        let running = Task { try await console.run() }
        var iterator = ports.makeAsyncIterator()
        let number = try #require(await iterator.next())
        do { try await body(number, slice, database) } catch {
            running.cancel()
            throw error
        }
        running.cancel()
        _ = try? await running.value
    }

    private func token(_ slice: ConsoleSlice, _ database: any SQLDatabase) async throws -> String {
        let (tokens, server) = (slice.tokens, server)
        let url = try await database.write {
            try tokens.open(server, .serial, at: SystemClock().now(), in: $0)
        }
        return String(url.suffix(64))
    }

    /// Sends octets and reads until the port closes the connection, or `enough` says so.
    private func talk(
        _ port: Int, _ bytes: [UInt8], enough: @escaping @Sendable ([UInt8]) -> Bool = { _ in false }
    ) async throws -> [UInt8] {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var heard: [UInt8] = []
            do {
                // It may be closed before anything is said.
                try await outbound.write(ByteBuffer(bytes: bytes))
                for try await piece in inbound {
                    heard += Array(piece.readableBytesView)
                    if enough(heard) { break }
                }
            } catch is ChannelError {} catch is IOError {}
            return heard
        }
    }

    private func request(_ target: String, _ headers: [String] = [], upgrade: Bool = true) -> [UInt8] {
        var lines = ["GET \(target) HTTP/1.1", "Host: 127.0.0.1:6080"] + headers
        if upgrade {
            lines += [
                "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==",
                "Sec-WebSocket-Version: 13"
            ]
        } else {
            lines.append("Connection: close")
        }
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test("a token lets in once; a bad one, a foreign page and an unknown protocol do not, and use nothing up")
    func doors() async throws {
        try await serve { port, slice, database in
            let token = try await token(slice, database)
            for (target, headers) in [
                ("/?token=bad\(token)", []), ("/?token=\(token)", ["Origin: http://evil.test"]),
                ("/?token=\(token)", ["Sec-WebSocket-Protocol: base64"]), ("/", []), ("/vnc?token=\(token)", [])
            ] as [(String, [String])] {
                let answer = text(try await talk(port, request(target, headers)))
                #expect(answer.hasPrefix("HTTP/1.1 403"), "\(headers) \(answer)")
                #expect(answer.hasSuffix("\r\n\r\n"))
            }
            let good = request(
                "/?token=\(token)", ["Origin: http://127.0.0.1:6080", "Sec-WebSocket-Protocol: binary"])
            let opened = try await talk(port, good)
            #expect(text(opened).hasPrefix("HTTP/1.1 101"))
            #expect(text(opened).lowercased().contains("sec-websocket-protocol: binary"))
            // The guest does not run: said in a close frame, 1011.
            #expect(text(opened).hasSuffix("The server does not run: start it first."))
            #expect(opened.firstRange(of: [0x03, 0xF3]) != nil)
            #expect(text(try await talk(port, good)).hasPrefix("HTTP/1.1 403"))
        }
    }

    @Test("pages: noVNC's files where they are, what to install where they are not, and the serial console's own")
    func pages() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "skerry-novnc-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data("<html>noVNC</html>".utf8).write(to: folder.appending(path: "vnc_lite.html"))
        try Data("secret".utf8).write(to: folder.appending(path: "key.pem"))
        try await serve({ $0.novncFolder = folder.path }) { port, _, _ in
            func get(_ target: String) async throws -> String {
                text(try await talk(port, request(target, upgrade: false)))
            }
            let page = try await get("/vnc_lite.html?path=%3Ftoken%3Dabc")
            #expect(page.hasPrefix("HTTP/1.1 200") && page.hasSuffix("<html>noVNC</html>"))
            #expect(page.contains("Referrer-Policy: no-referrer"))
            for target in ["/key.pem", "/../etc/passwd", "/core/rfb.js", "/%2e%2e/x"] {
                #expect(try await get(target).hasPrefix("HTTP/1.1 404"), "\(target)")
            }
            #expect(try await get("/serial.html").contains("<title>Serial console</title>"))
            try FileManager.default.removeItem(at: folder.appending(path: "vnc_lite.html"))
            let absent = try await get("/vnc_lite.html")
            #expect(absent.hasPrefix("HTTP/1.1 404") && absent.contains("<code>novnc</code>"))
            let post = Array("POST /serial.html HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".utf8)
            #expect(text(try await talk(port, post)).hasPrefix("HTTP/1.1 405"))
        }
    }

    @Test("one connection too many is closed at once")
    func crowd() async throws {
        try await serve({ $0.maximumConnections = 1 }) { port, _, _ in
            let first = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: port).get()
            // The kernel tells of a connection before the port has counted it.
            for _ in 0..<50 {
                let answer = try await talk(port, request("/serial.html", upgrade: false))
                if answer.isEmpty { break }
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(try await talk(port, request("/serial.html", upgrade: false)).isEmpty)
            try await first.close()
            var answer = ""
            for _ in 0..<50 where !answer.hasPrefix("HTTP/1.1 200") {
                answer = text(try await talk(port, request("/serial.html", upgrade: false)))
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(answer.hasPrefix("HTTP/1.1 200"))
        }
    }
}
