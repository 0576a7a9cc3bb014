import AgentCore
import NIOCore
import NIOHTTP1
import ProtocolModel

/// Answers one guest's connection. The guest is known by its address, which anti-spoofing vouches for.
final class MetadataHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// Nothing here takes a body; a guest that sends more than this is cut off.
    private static let bodyLimit = 65536

    private let network: NetworkID
    private let directory: MetadataDirectory
    private var head: HTTPRequestHead?
    private var bodyBytes = 0

    init(network: NetworkID, directory: MetadataDirectory) {
        self.network = network
        self.directory = directory
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            bodyBytes = 0
        case .body(let part):
            bodyBytes += part.readableBytes
            if bodyBytes > Self.bodyLimit { context.close(promise: nil) }
        case .end:
            guard let head else { return }
            self.head = nil
            answer(head, context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func answer(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        guard request.method == .GET || request.method == .HEAD else {
            return send(.methodNotAllowed, [], "text/plain; charset=UTF-8", request, context)
        }
        let path = String(request.uri.prefix { $0 != "?" })
        let source = context.channel.remoteAddress?.ipAddress.flatMap { IPAddress($0) }
        let answer = source.map { directory.answer(network: network, source: $0, path: path) } ?? .notFound
        switch answer {
        case .text(let text): send(.ok, Array(text.utf8), "text/plain; charset=UTF-8", request, context)
        case .bytes(let bytes, let contentType): send(.ok, bytes, contentType, request, context)
        case .notFound: send(.notFound, Array("404 Not Found\n".utf8), "text/plain; charset=UTF-8", request, context)
        }
    }

    private func send(
        _ status: HTTPResponseStatus, _ body: [UInt8], _ contentType: String, _ request: HTTPRequestHead,
        _ context: ChannelHandlerContext
    ) {
        var headers: HTTPHeaders = ["Content-Type": contentType, "Content-Length": String(body.count)]
        if !request.isKeepAlive { headers.add(name: "Connection", value: "close") }
        let head = HTTPResponseHead(version: request.version, status: status, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if request.method != .HEAD {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
        }
        let written = context.writeAndFlush(wrapOutboundOut(.end(nil)))
        if !request.isKeepAlive {
            let channel = context.channel
            written.whenComplete { _ in channel.close(promise: nil) }
        }
    }
}
