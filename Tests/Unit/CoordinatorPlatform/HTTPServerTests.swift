import CoordinatorPlatform
import Foundation
import Logging
import NIOCore
import NIOPosix
import Testing

@Suite("HTTP server")
struct HTTPServerTests {
    /// Sends raw text on a new connection and gathers what comes back until the server closes.
    private func exchange(_ address: SocketAddress, _ text: String) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(to: address) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: text))
            var answer = ""
            for try await chunk in inbound { answer += String(buffer: chunk) }
            return answer
        }
    }

    @Test("keep-alive, bodies in chunks and the operator's socket")
    func sockets() async throws {
        let folder = try TemporaryFolder()
        let socket = folder.path + "/operator.sock"
        let port = EventList()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let server = try HTTPServer(
            pipeline: try RequestPipelineTests.pipeline(),
            configuration: .init(host: "127.0.0.1", port: 0, tls: nil, operatorSocket: socket), logger: logger,
            onListening: { port.add(String($0)) })
        let running = Task { try await server.run() }
        while port.entries.isEmpty || !FileManager.default.fileExists(atPath: socket) {
            try await Task.sleep(for: .milliseconds(5))
        }
        let number = try #require(port.entries.first.flatMap { Int($0) })
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: number)
        let two = try await exchange(
            address,
            "GET /compute/ HTTP/1.1\r\nHost: x\r\n\r\nGET /compute/servers/7 HTTP/1.1\r\nHost: x\r\nX-Auth-Token: good\r\nConnection: close\r\n\r\n"
        )
        #expect(two.contains("{\"version\":\"2.1\"}") && two.contains("\"id\":\"7\""))
        let chunked = try await exchange(
            address,
            "POST /compute/servers HTTP/1.1\r\nHost: x\r\nX-Auth-Token: good\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n3\r\n{\"a\r\n5\r\n\": 1}\r\n0\r\n\r\n"
        )
        #expect(chunked.contains("100 Continue") && chunked.contains("202 Accepted") && chunked.contains("{\"a\":1}"))
        let trusted = try await exchange(
            try SocketAddress(unixDomainSocketPath: socket),
            "DELETE /compute/servers/7 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        #expect(trusted.hasPrefix("HTTP/1.1 204"))
        let mode = try FileManager.default.attributesOfItem(atPath: socket)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        running.cancel()
        _ = await running.result
    }

    @Test("plain HTTP beyond loopback is refused")
    func plain() throws {
        #expect(throws: HTTPServer.Failure.self) {
            try HTTPServer(
                pipeline: try RequestPipelineTests.pipeline(),
                configuration: .init(host: "0.0.0.0", port: 0, tls: nil, operatorSocket: nil),
                logger: Logger(label: "x"))
        }
    }
}
