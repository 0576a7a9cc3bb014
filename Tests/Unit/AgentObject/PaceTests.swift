import AgentObject
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

/// Clients that keep connections and do nothing with them.
@Suite("objects: slow clients")
struct PaceTests {
    /// A server on a port of its own for as long as `body` runs.
    private func serve(
        _ change: (inout ObjectServer.Settings) -> Void, then body: (Int, ObjectCloud) async throws -> Void
    ) async throws {
        let cloud = try ObjectCloud()
        _ = try await cloud.call("PUT", "c", ["X-Container-Write": "*:*", "X-Container-Read": ".r:*"])
        var settings = ObjectServer.Settings(host: "127.0.0.1", port: 0)
        change(&settings)
        let server = ObjectServer(
            responder: cloud.service, settings: settings, tls: nil, group: MultiThreadedEventLoopGroup.singleton,
            logger: Logger(label: "server"))
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let task = Task { try await server.run { port.yield($0) } }
        defer { task.cancel() }
        try await body(try #require(await ports.first { _ in true }), cloud)
    }

    private typealias Client = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    private func connect(_ port: Int) async throws -> Client {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture { try Client(wrappingChannelSynchronously: channel) }
            }
    }

    /// Sends the pieces with a pause before each, and returns what came until the server closed.
    private func talk(_ port: Int, _ pieces: [String], pause: Duration = .zero) async throws -> String {
        try await connect(port).executeThenClose { inbound, outbound in
            let sending = Task {
                for piece in pieces {
                    try await Task.sleep(for: pause)
                    try await outbound.write(ByteBuffer(string: piece))
                }
            }
            defer { sending.cancel() }
            var answer = ByteBuffer()
            do { for try await var piece in inbound { answer.writeBuffer(&piece) } } catch {}
            return String(buffer: answer)
        }
    }

    private static let put =
        "PUT \(ObjectCloud.account)/c/o HTTP/1.1\r\nHost: x\r\nX-Auth-Token: owner\r\nContent-Length: 100\r\nConnection: close\r\n\r\n"

    @Test("a head that comes octet by octet is not waited for", .timeLimit(.minutes(1)))
    func slowHead() async throws {
        try await serve {
            $0.pace.head = .milliseconds(400)
        } then: { port, _ async throws in
            #expect(try await talk(port, "GET /info HTTP/1.1".map(String.init), pause: .milliseconds(60)) == "")
            // Nothing at all, and nothing more behind an answer.
            #expect(try await talk(port, []) == "")
            #expect(try await talk(port, ["GET /healthcheck HTTP/1.1\r\nHost: x\r\n\r\n"]).hasSuffix("OK"))
        }
    }

    @Test("a body that comes octet by octet is not waited for, a slow one is", .timeLimit(.minutes(1)))
    func slowBody() async throws {
        try await serve {
            $0.pace.stall = .seconds(1)
            $0.pace.bytesPerSecond = 20
        } then: { port, cloud async throws in
            let drip = [Self.put] + Array(repeating: "x", count: 100)
            #expect(!(try await talk(port, drip, pause: .milliseconds(110)).contains("201")))
            #expect(try await cloud.call("HEAD", "c/o").status == 404)
            // Longer than the credit for standing still, but faster than the least rate.
            let slow = [Self.put] + Array(repeating: String(repeating: "x", count: 20), count: 5)
            #expect(try await talk(port, slow, pause: .milliseconds(300)).contains("201 Created"))
        }
    }

    @Test("one client has a share of the connections, and idle ones make room", .timeLimit(.minutes(1)))
    func shares() async throws {
        try await serve {
            $0.maximumPerClient = 2
            $0.pace.head = .seconds(30)
        } then: { port, _ async throws in
            let one = try await connect(port), two = try await connect(port)
            // The third is turned away, at once.
            let began = ContinuousClock.now
            #expect(try await talk(port, ["GET /healthcheck HTTP/1.1\r\nHost: x\r\n\r\n"]) == "")
            #expect(ContinuousClock.now - began < .seconds(2))
            for client in [one, two] { try await client.executeThenClose { _, _ in } }
        }
        try await serve {
            $0.maximumConnections = 2
        } then: { port, _ async throws in
            let one = try await connect(port), two = try await connect(port)
            let text = "GET /healthcheck HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            #expect(try await talk(port, [text]).hasSuffix("OK"))
            for client in [one, two] { try? await client.executeThenClose { _, _ in } }
        }
    }

    @Test("a segment's number that is taken already does not stop the store")
    func segmentThere() async throws {
        let cloud = try ObjectCloud()
        _ = try await cloud.call("PUT", "c")
        for number in 1...3 { Folder.write([1], to: "\(cloud.folder)/segments/\(number).segment") }
        #expect(try await cloud.put("c/o", "hello").status == 201)
        #expect(try await cloud.call("GET", "c/o").text == "hello")
    }

    @Test("a copy that must not replace does not, in all spellings")
    func copyCondition() async throws {
        let cloud = try ObjectCloud()
        _ = try await cloud.call("PUT", "c")
        _ = try await cloud.put("c/a", "one")
        _ = try await cloud.put("c/b", "two")
        let headers: HTTPHeaders = ["Destination": "c/b", "If-None-Match": "*"]
        #expect(try await cloud.call("COPY", "c/a", headers).status == 412)
        #expect(try await cloud.call("GET", "c/b").text == "two")
        #expect(try await cloud.call("COPY", "c/a", ["Destination": "c/d", "If-None-Match": "x"]).status == 400)
        #expect(try await cloud.call("COPY", "c/a", ["Destination": "c/d", "If-None-Match": "*"]).status == 201)
    }

    @Test("a page of folders reads a row for each, whatever lies in them", arguments: [10, 5000])
    func foldersCost(each: Int) throws {
        var names: [[UInt8]] = []
        for folder in 100..<150 { names += (0..<each).map { Array("\(folder)/\(100_000 + $0)".utf8) } }
        var query = ListingQuery()
        query.delimiter = "/"
        var read = 0
        let page: [String] = try ListingWalk(query).run(
            names: { low, high, limit -> [([UInt8], Int)] in
                let first = names.partitioningIndex { !$0.lexicographicallyPrecedes(low) }
                let rows = names[first...].prefix(Int(limit)).filter { $0.lexicographicallyPrecedes(high) }
                read += rows.count
                return rows.map { ($0, 0) }
            }, make: { name, _ in name })
        #expect(page == (100..<150).map { "\($0)/" })
        #expect(read == 50)
    }
}

extension Array {
    /// The first index whose element fulfils what all behind it do.
    fileprivate func partitioningIndex(where isBehind: (Element) -> Bool) -> Int {
        var low = 0, high = count
        while low < high {
            let middle = (low + high) / 2
            if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
