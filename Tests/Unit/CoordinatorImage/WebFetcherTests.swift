import CoordinatorImage
import NIOCore
import NIOPosix
import ProtocolModel
import Synchronization
import Testing

@Suite("web-download")
struct WebFetcherTests {
    /// Answers every connection with the same bytes, and then closes it.
    private final class Answers: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        let text: String
        let isSilent: Bool

        init(_ text: String, isSilent: Bool) {
            self.text = text
            self.isSilent = isSilent
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            if isSilent { return }
            let done = context.eventLoop.makePromise(of: Void.self)
            context.writeAndFlush(NIOAny(ByteBuffer(string: text)), promise: done)
            done.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        }
    }

    private static func fetch(
        _ answer: String, hosts: [String] = ["*"], networks: [String] = ["127.0.0.0/8"],
        limit: Int64 = 1000, isSilent: Bool = false, host: String = "127.0.0.1"
    ) async throws -> String {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.pipeline.addHandler(Answers(answer, isSilent: isSilent))
            }
            .bind(host: "127.0.0.1", port: 0).get()
        defer { server.close(promise: nil) }
        var settings = ImageSettings.WebDownload()
        let port = server.localAddress?.port ?? 0
        settings.hosts = hosts
        settings.ports = [port]
        settings.networks = networks.compactMap { IPPrefix($0) }
        let address = try WebAddress("http://\(host):\(port)/image", allowed: settings)
        let taken = Mutex("")
        var fetcher = WebFetcher(allowed: settings)
        fetcher.idle = isSilent ? .milliseconds(300) : .seconds(20)
        try await fetcher.fetch(address, limit: limit) { chunk in
            taken.withLock { $0 += String(buffer: chunk) }
        }
        return taken.withLock { $0 }
    }

    @Test("data comes in, with a length or in chunks")
    func good() async throws {
        #expect(try await Self.fetch("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndata") == "data")
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nda\r\n2\r\nta\r\n0\r\n\r\n"
        #expect(try await Self.fetch(chunked) == "data")
    }

    @Test(
        "what is not followed, too large or cut off",
        arguments: [
            ("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/x\r\nContent-Length: 0\r\n\r\n", "redirects", false),
            ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "404", false),
            ("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "503", true),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", "larger", false),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + String(repeating: "x", count: 2000)
                    + "\r\n0\r\n\r\n", "larger", false
            ),
            ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\ndata", "cut off", true),
            ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\ndata", "encodes", false)
        ])
    func refused(answer: String, reason: String, isWorthAnotherTry: Bool) async {
        let error = await #expect(throws: FetchFailure.self) { try await Self.fetch(answer) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
        #expect(error?.isWorthAnotherTry == isWorthAnotherTry)
    }

    @Test("a server that says nothing is given up")
    func silent() async {
        await #expect(throws: FetchFailure.self) { try await Self.fetch("", isSilent: true) }
    }

    @Test("a name on the list that leads to a private address is not connected to")
    func privateName() async {
        await #expect(throws: WebAddress.Refusal.self) {
            try await Self.fetch(
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", networks: [], host: "localhost")
        }
    }
}
