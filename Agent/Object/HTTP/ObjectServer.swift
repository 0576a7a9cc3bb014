import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// Answers requests.
package protocol ObjectResponder: Sendable {
    func respond(to request: ObjectRequest) async -> ObjectResponse
}

/// The certificate that is shown, from the next connection on.
package final class ServedTLS: Sendable {
    private let held: Mutex<NIOSSLContext>

    package init(certificatePEM: String, privateKeyPEM: String) throws {
        held = Mutex(try Self.context(certificatePEM, privateKeyPEM))
    }

    package func use(certificatePEM: String, privateKeyPEM: String) throws {
        let context = try Self.context(certificatePEM, privateKeyPEM)
        held.withLock { $0 = context }
    }

    var context: NIOSSLContext { held.withLock { $0 } }

    private static func context(_ certificatePEM: String, _ privateKeyPEM: String) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(certificatePEM.utf8)).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(privateKeyPEM.utf8), format: .pem)))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        return try NIOSSLContext(configuration: configuration)
    }
}

/// The HTTP face of the object store. Each connection is a task that reads a request, has it answered and writes the
/// answer; while one end does not get on, the other one waits.
package struct ObjectServer: Sendable {
    package struct Settings: Sendable {
        package var host: String
        package var port: Int
        /// Where there are so many, the one that has waited longest for a request makes room; where none waits, further
        /// ones stay in the kernel's backlog.
        package var maximumConnections = 512
        /// Of one client: an address, or a network of 64 bits of IPv6.
        package var maximumPerClient = 128
        package var pace = Pace()
        /// A connection on which nothing moves for so long is closed.
        package var idleTimeout = TimeAmount.seconds(75)

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    /// How long clients may keep a connection that does nothing.
    package struct Pace: Sendable {
        /// From the connection, or the answer before it, to the end of a request's head.
        package var head = TimeAmount.seconds(60)
        /// While a body is read or an answer is taken.
        package var stall = TimeAmount.seconds(30)
        /// A second more for so many octets, up to ``stall``.
        package var bytesPerSecond = 1024

        package init() {}
    }

    typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

    private let responder: any ObjectResponder
    private let settings: Settings
    /// `nil` in tests.
    private let tls: ServedTLS?
    private let group: any EventLoopGroup
    private let logger: Logger

    package init(
        responder: any ObjectResponder, settings: Settings, tls: ServedTLS?, group: any EventLoopGroup, logger: Logger
    ) {
        self.responder = responder
        self.settings = settings
        self.tls = tls
        self.group = group
        self.logger = logger
    }

    /// Serves until the task is cancelled.
    /// - Parameter onListening: Called with the port once it is open.
    package func run(onListening: @Sendable (Int) -> Void = { _ in }) async throws {
        let (tls, settings) = (tls, settings)
        let server = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 512)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .bind(host: settings.host, port: settings.port) { channel in
                channel.eventLoop.makeCompletedFuture { try Self.connection(channel, tls, settings) }
            }
        onListening(server.channel.localAddress?.port ?? 0)
        let seats = Seats(settings.maximumConnections, perClient: settings.maximumPerClient)
        try await withThrowingDiscardingTaskGroup { tasks in
            try await server.executeThenClose { connections in
                for try await connection in connections {
                    let seat = await seats.take(connection.channel)
                    tasks.addTask {
                        guard let seat else { return await turnAway(connection) }
                        await serve(connection, seat)
                        await seats.leave(seat)
                    }
                }
            }
        }
    }

    private static func connection(
        _ channel: any Channel, _ tls: ServedTLS?, _ settings: Settings
    ) throws -> Connection {
        let pipeline = channel.pipeline.syncOperations
        if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls.context)) }
        // Bytes of all of a request's fields together, and of each: what Swift takes and no more.
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 16 << 10
        limits.maxHeaderListSize = 64 << 10
        limits.maxHeaderFieldCount = 256
        try pipeline.addHandler(IdleStateHandler(allTimeout: settings.idleTimeout))
        try pipeline.addHandler(IdleConnectionCloser())
        try pipeline.addHandler(HTTPResponseEncoder())
        try pipeline.addHandler(
            ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: limits), maximumBufferSize: 1 << 20))
        try pipeline.addHandler(HTTPServerProtocolErrorHandler())
        // A field of an answer never becomes two.
        try pipeline.addHandler(NIOHTTPResponseHeadersValidator())
        try pipeline.addHandler(PaceKeeper(settings.pace))
        return try Connection(wrappingChannelSynchronously: channel)
    }

    private func turnAway(_ connection: Connection) async {
        logger.debug(
            "a client has too many connections",
            metadata: ["address": "\(connection.channel.remoteAddress?.ipAddress ?? "unknown")"])
        try? await connection.executeThenClose { _, _ in }
    }

    private func serve(_ connection: Connection, _ seat: Seat) async {
        do {
            try await connection.executeThenClose { inbound, outbound in
                let exchange = Exchange(
                    parts: inbound.makeAsyncIterator(), outbound: outbound, responder: responder,
                    remote: connection.channel.remoteAddress?.ipAddress ?? "unknown",
                    scheme: tls == nil ? "http" : "https", seat: seat)
                while try await exchange.next() {}
            }
        } catch {
            // The client went away, or the answer could not be made to its end: the cut tells.
            logger.debug("a connection ended", metadata: ["error": "\(error)"])
        }
    }
}

private final class IdleConnectionCloser: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is IdleStateHandler.IdleStateEvent else { return context.fireUserInboundEventTriggered(event) }
        context.close(promise: nil)
    }
}

/// The requests of one connection, one after the other. For one task.
private final class Exchange {
    /// What is taken in and thrown away of a body whose request was refused: many clients look at the answer only when
    /// they have sent all.
    private static let discardLimit = 64 << 20

    private var parts: NIOAsyncChannelInboundStream<HTTPServerRequestPart>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>
    private let responder: any ObjectResponder
    private let remote: String
    private let scheme: String
    private let seat: Seat
    /// The client waits for a word before it sends the body.
    private var awaitsContinue = false

    init(
        parts: NIOAsyncChannelInboundStream<HTTPServerRequestPart>.AsyncIterator,
        outbound: NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>, responder: any ObjectResponder,
        remote: String, scheme: String, seat: Seat
    ) {
        self.parts = parts
        self.outbound = outbound
        self.responder = responder
        self.remote = remote
        self.scheme = scheme
        self.seat = seat
    }

    /// - Returns: Whether the connection may have another one.
    func next() async throws -> Bool {
        seat.isIdle = true
        guard case .head(let head)? = try await parts.next() else { return false }
        seat.isIdle = false
        awaitsContinue = head.headers.first(name: "expect")?.lowercased() == "100-continue"
        let body = RequestBody { [self] in try await piece() }
        let request = ObjectRequest(
            method: head.method.rawValue, target: head.uri, headers: head.headers, body: body, remoteAddress: remote,
            scheme: scheme)
        let response = await responder.respond(to: request)
        // A body that nobody asked for and that the client has not begun never comes.
        var isLast = !head.isKeepAlive || (awaitsContinue && !body.isOver)
        try await write(response, isHead: head.method == .HEAD, isLast: isLast)
        guard !isLast else { return false }
        var discarded = 0
        while let piece = try await body.next() {
            discarded += piece.readableBytes
            if discarded > Self.discardLimit { isLast = true }
            if isLast { return false }
        }
        return true
    }

    private func piece() async throws -> ByteBuffer? {
        if awaitsContinue {
            awaitsContinue = false
            try await outbound.write(.head(HTTPResponseHead(version: .http1_1, status: .continue)))
        }
        switch try await parts.next() {
        case .body(let bytes)?: return bytes
        case .end?: return nil
        case .head?, nil: throw ChannelError.inputClosed
        }
    }

    private func write(_ response: ObjectResponse, isHead: Bool, isLast: Bool) async throws {
        var headers = response.headers
        switch response.body {
        case .none: if !headers.contains(name: "content-length") { headers.add(name: "Content-Length", value: "0") }
        case .bytes(let bytes): headers.replaceOrAdd(name: "Content-Length", value: String(bytes.count))
        case .stream(let length?, _): headers.replaceOrAdd(name: "Content-Length", value: String(length))
        case .stream(nil, _): headers.replaceOrAdd(name: "Transfer-Encoding", value: "chunked")
        }
        if isLast { headers.replaceOrAdd(name: "Connection", value: "close") }
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: response.status), headers: headers)
        try await outbound.write(.head(head))
        if !isHead {
            switch response.body {
            case .none: break
            case .bytes(let bytes): try await outbound.write(.body(.byteBuffer(ByteBuffer(bytes: bytes))))
            case .stream(_, let body):
                try await body { [outbound] bytes in
                    try await outbound.write(.body(.byteBuffer(ByteBuffer(bytes: bytes))))
                }
            }
        }
        try await outbound.write(.end(nil))
    }
}
