import CoordinatorImage
import CoordinatorPlatform
import NIOCore
import NIOPosix
import NIOSSL
import ProtocolLink
import ProtocolModel

/// A web server on loopback with one image, over TLS where it has a certificate. `/slow` is never answered.
final class ImageWebServer: Sendable {
    static let image: [UInt8] = Array("an image from the web".utf8)

    let port: Int
    private let channel: any Channel

    init(certificate: ServerCertificate? = nil) async throws {
        let context = try certificate.map { certificate in
            let chain = try NIOSSLCertificate.fromPEMBytes(Array(certificate.certificatePEM.utf8))
            let key = try NIOSSLPrivateKey(bytes: Array(certificate.privateKeyPEM.utf8), format: .pem)
            return try NIOSSLContext(
                configuration: .makeServerConfiguration(
                    certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key)))
        }
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let context {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    }
                    try channel.pipeline.syncOperations.addHandler(Answers())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    deinit { channel.close(promise: nil) }

    /// What lets a cloud download from here.
    func allow(_ settings: inout ImageSettings) {
        settings.webDownload.hosts = ["localhost", "127.0.0.1"]
        settings.webDownload.ports = [port]
        settings.webDownload.networks = ["127.0.0.0/8"].compactMap { IPPrefix($0) }
    }

    func download(_ path: String = "/image", scheme: String = "http", host: String = "127.0.0.1") -> JSON {
        ["method": ["name": "web-download", "uri": JSON("\(scheme)://\(host):\(port)\(path)")]]
    }

    private final class Answers: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let request = String(buffer: unwrapInboundIn(data))
            guard request.hasPrefix("GET "), !request.hasPrefix("GET /slow") else { return }
            let head = "HTTP/1.1 200 OK\r\nContent-Length: \(ImageWebServer.image.count)\r\nConnection: close\r\n\r\n"
            let answer = ByteBuffer(bytes: Array(head.utf8) + ImageWebServer.image)
            let done = context.eventLoop.makePromise(of: Void.self)
            context.writeAndFlush(NIOAny(answer), promise: done)
            done.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
