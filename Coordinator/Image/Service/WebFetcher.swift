import CoordinatorPlatform
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import ProtocolModel

/// Fetches an image from the web; the part with effects.
package protocol ImageFetcher: Sendable {
    /// - Parameters:
    ///   - limit: The most bytes taken.
    ///   - each: Takes the data in order; nothing more is read until it returns.
    /// - Throws: ``FetchFailure``, ``WebAddress/Refusal``, what `each` throws.
    func fetch(
        _ address: WebAddress, limit: Int64, each: @escaping @Sendable (ByteBuffer) async throws -> Void
    ) async throws
}

/// A download did not succeed, for the person who asked.
package struct FetchFailure: Error, Sendable, CustomStringConvertible {
    package var description: String
    /// Whether it may go better in a moment.
    package var isWorthAnotherTry = false
}

/// Fetches over HTTP/1.1. The name is looked up once, its addresses are checked, and the connection goes to one of those
/// that passed, so that a name which changes its address meanwhile gains nothing. Redirects are not followed.
package struct WebFetcher: ImageFetcher {
    let allowed: ImageSettings.WebDownload
    /// A connection on which nothing arrives for so long is given up.
    package var idle: TimeAmount = .seconds(60)
    private let resolver = BlockingPool(threads: 2, waiting: 64)

    package init(allowed: ImageSettings.WebDownload) { self.allowed = allowed }

    package func fetch(
        _ address: WebAddress, limit: Int64, each: @escaping @Sendable (ByteBuffer) async throws -> Void
    ) async throws {
        let doubt = WebTrust.Doubt()
        let channel: NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>
        do {
            channel = try await connect(address, doubt)
        } catch  where !(error is WebAddress.Refusal || error is FetchFailure) {
            throw FetchFailure(
                description: "'\(address.host)' port \(address.port) cannot be reached: \(error)",
                isWorthAnotherTry: true)
        }
        do {
            try await channel.executeThenClose { inbound, outbound in
                // In one go: a server may answer the head and be gone before the end is written.
                try await outbound.write(contentsOf: [.head(request(address)), .end(nil)])
                try await Self.take(inbound, limit: limit, each: each)
            }
        } catch {
            // What the end of the connection looks like from here hides why it ended.
            if let refusal = doubt.refusal(of: address) { throw refusal }
            switch error {
            case is ChannelError, is IOError, is HTTPParserError, is NIOSSLError, is NIOAsyncWriterError:
                throw Self.cutOff(error)
            default: throw error
            }
        }
    }

    private static func cutOff(_ error: any Error) -> FetchFailure {
        FetchFailure(description: "The download was cut off: \(error)", isWorthAnotherTry: true)
    }

    private func connect(
        _ address: WebAddress, _ doubt: WebTrust.Doubt
    ) async throws -> NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart> {
        let place = try await resolve(address)
        // Reads certificates from the disk.
        let context = try await resolver.run { [allowed] in
            try address.isSecure ? WebTrust.context(authorities: allowed.authorities) : nil
        }
        let name = IPAddress(address.host) == nil ? address.host : nil
        let idle = idle
        return try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(10))
            .connect(to: place) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let context {
                        try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: name))
                        try pipeline.addHandler(WebTrust.Listener(doubt))
                    }
                    try pipeline.addHandler(IdleStateHandler(readTimeout: idle))
                    try pipeline.addHandler(IdleCloser())
                    try pipeline.addHTTPClientHandlers(leftOverBytesStrategy: .dropBytes)
                    return try NIOAsyncChannel(wrappingChannelSynchronously: channel)
                }
            }
    }

    /// The first of the name's addresses that may be connected to.
    private func resolve(_ address: WebAddress) async throws -> SocketAddress {
        let found = try await resolver.run { try Self.lookUp(address.host, port: address.port) }
        let allowed = allowed
        let place = found.first { place in
            guard let text = place.ipAddress, let address = IPAddress(text) else { return false }
            return WebAddress.mayConnect(to: address, allowed: allowed)
        }
        guard let place else {
            throw WebAddress.Refusal(
                description: "'\(address.host)' has no address that web-download may connect to: it is private or local"
            )
        }
        return place
    }

    private static func lookUp(_ host: String, port: Int) throws -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        guard code == 0 else {
            throw FetchFailure(
                description: "'\(host)' is not known: \(String(cString: gai_strerror(code)))", isWorthAnotherTry: true)
        }
        var found: [SocketAddress] = []
        var next = list
        while let entry = next?.pointee {
            next = entry.ai_next
            guard let raw = entry.ai_addr else { continue }
            switch entry.ai_family {
            case AF_INET:
                found.append(raw.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { SocketAddress($0.pointee) })
            case AF_INET6:
                found.append(raw.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { SocketAddress($0.pointee) })
            default: break
            }
        }
        return found
    }

    private func request(_ address: WebAddress) -> HTTPRequestHead {
        let host = address.host.contains(":") ? "[\(address.host)]" : address.host
        let isUsual = address.port == (address.isSecure ? 443 : 80)
        let headers: HTTPHeaders = [
            "Host": isUsual ? host : "\(host):\(address.port)", "User-Agent": "skerry", "Accept": "*/*",
            "Accept-Encoding": "identity", "Connection": "close"
        ]
        return HTTPRequestHead(version: .http1_1, method: .GET, uri: address.target, headers: headers)
    }

    private static func take(
        _ inbound: NIOAsyncChannelInboundStream<HTTPClientResponsePart>, limit: Int64,
        each: @escaping @Sendable (ByteBuffer) async throws -> Void
    ) async throws {
        var taken: Int64 = 0
        for try await part in inbound {
            switch part {
            case .head(let head): try judge(head, limit: limit)
            case .body(let chunk):
                taken += Int64(chunk.readableBytes)
                guard taken <= limit else { throw tooLarge(limit) }
                try await each(chunk)
            case .end: return
            }
        }
        // The stream ends when the task is cancelled, too.
        try Task.checkCancellation()
        throw FetchFailure(description: "The download was cut off after \(taken) bytes.", isWorthAnotherTry: true)
    }

    private static func judge(_ head: HTTPResponseHead, limit: Int64) throws {
        switch head.status.code {
        case 200: break
        case 300...399:
            throw FetchFailure(
                description:
                    "The server redirects (\(head.status.code)), which web-download does not follow: use the final URL."
            )
        case 408, 429, 500...599:
            throw FetchFailure(description: "The server answered \(head.status).", isWorthAnotherTry: true)
        default: throw FetchFailure(description: "The server answered \(head.status).")
        }
        if let encoding = head.headers.first(name: "Content-Encoding"), encoding.lowercased() != "identity" {
            throw FetchFailure(description: "The server encodes the data as '\(encoding.prefix(40))'.")
        }
        if let length = head.headers.first(name: "Content-Length").flatMap({ Int64($0) }), length > limit {
            throw tooLarge(limit)
        }
    }

    private static func tooLarge(_ limit: Int64) -> FetchFailure {
        FetchFailure(description: "The image is larger than \(limit) bytes.")
    }
}

/// Gives up a connection on which nothing arrives.
private final class IdleCloser: ChannelInboundHandler {
    typealias InboundIn = Any

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.fireErrorCaught(ChannelError.connectTimeout(.seconds(0)))
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}
