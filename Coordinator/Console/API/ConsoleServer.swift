import CoordinatorPlatform
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import ProtocolModel
import ServiceLifecycle

/// The port that browsers reach guests' consoles by: WebSockets that carry a console's octets as noVNC speaks them, and the
/// pages that open them.
public struct ConsoleServer: Service {
    let settings: ConsoleSettings
    let listen: ConsoleSettings.Listen
    let certificate: ServedCertificate?
    let doors: ConsoleDoors
    let viewers: ConsoleViewers
    let pages: ConsolePages
    let group: any EventLoopGroup
    let logger: Logger
    private let onListening: @Sendable (_ port: Int) -> Void

    /// - Parameters:
    ///   - certificate: `nil` serves without TLS, which only a loopback address may.
    ///   - onListening: Called with the port once it is open (the settings may say 0).
    public init(
        _ slice: ConsoleSlice, certificate: ServedCertificate?,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        onListening: @escaping @Sendable (_ port: Int) -> Void = { _ in }
    ) throws {
        settings = slice.settings
        listen = slice.settings.listen ?? .init()
        if certificate == nil, !["127.0.0.1", "::1", "localhost"].contains(listen.host) {
            throw HTTPServer.Failure.plainBeyondLoopback(listen.host)
        }
        self.certificate = certificate
        doors = ConsoleDoors(
            tokens: slice.tokens, database: slice.runtime.database, clock: slice.runtime.clock, settings: settings,
            isTLS: certificate != nil)
        viewers = ConsoleViewers(
            desk: slice.desk, counts: ViewerCounts(most: settings.viewersPerServer), settings: settings,
            logger: slice.runtime.logger)
        pages = ConsolePages(folder: settings.novncFolder)
        self.group = group
        logger = slice.runtime.logger
        self.onListening = onListening
    }

    enum Outcome: Sendable {
        case viewer(NIOAsyncChannel<WebSocketFrame, WebSocketFrame>, ConsoleTicket)
        case browser(NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>)
    }

    /// Octets of one frame from a viewer: they send keys, pointers and pasted text.
    static let frameLimit = 65_536
    /// A connection that is no viewer's by then is closed, whatever it does.
    private static let pageTime = TimeAmount.seconds(60)

    /// Between two attempts to open the port.
    private static let retryDelay = Duration.seconds(10)

    /// The cloud does not stop where the port is taken: it is tried again, and the log says so.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            var wasTold = false
            while !Task.isCancelled {
                do { try await serveUntilCancelled() } catch {
                    guard !Task.isCancelled else { return }
                    if !wasTold {
                        logger.error(
                            "the port for consoles cannot be opened, trying on",
                            metadata: ["address": "\(listen.host):\(listen.port)", "error": "\(error)"])
                    }
                    wasTold = true
                }
                try? await Task.sleep(for: Self.retryDelay)
            }
        }
    }

    private func serveUntilCancelled() async throws {
        let connections = ConnectionCount(most: settings.maximumConnections)
        let server: NIOAsyncChannel<EventLoopFuture<Outcome>, Never> = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 128)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .bind(host: listen.host, port: listen.port) { channel in
                channel.eventLoop.makeCompletedFuture { try accept(channel, connections) }
            }
        let port = server.channel.localAddress?.port ?? 0
        logger.notice("serving consoles", metadata: ["port": "\(port)", "url": "\(settings.publicURL)"])
        onListening(port)
        try await withThrowingDiscardingTaskGroup { tasks in
            try await server.executeThenClose { inbound in
                for try await outcome in inbound { tasks.addTask { await serve(outcome) } }
            }
        }
    }

    private func serve(_ outcome: EventLoopFuture<Outcome>) async {
        switch try? await outcome.get() {
        case .viewer(let channel, let ticket): await viewers.serve(channel, ticket)
        case .browser(let channel): await pages.serve(channel)
        case nil: break
        }
    }

    // MARK: A connection

    /// A request to upgrade that is turned down is not handed on as one for a page: it is answered here.
    private static func refuse(_ channel: any Channel) {
        let headers: HTTPHeaders = ["Content-Length": "0", "Connection": "close"]
        let head = HTTPResponseHead(version: .http1_1, status: .forbidden, headers: headers)
        channel.write(HTTPServerResponsePart.head(head), promise: nil)
        channel.writeAndFlush(HTTPServerResponsePart.end(nil)).whenComplete { _ in channel.close(promise: nil) }
    }

    /// One too many is closed at once; that is no trouble of the port's own, so it throws nothing.
    private func accept(
        _ channel: any Channel, _ connections: ConnectionCount
    ) throws -> EventLoopFuture<Outcome> {
        guard connections.enter() else {
            channel.close(promise: nil)
            return channel.eventLoop.makeFailedFuture(ChannelError.eof)
        }
        channel.closeFuture.whenComplete { _ in connections.leave() }
        if let certificate { try channel.pipeline.syncOperations.addHandler(certificate.handler()) }
        let entry = NIOLoopBoundBox(Entry(), eventLoop: channel.eventLoop)
        let deadline = channel.eventLoop.scheduleTask(in: Self.pageTime) {
            if entry.value.ticket == nil { channel.close(promise: nil) }
        }
        channel.closeFuture.whenComplete { _ in deadline.cancel() }
        let doors = doors
        let upgrader = NIOTypedWebSocketServerUpgrader<Outcome>(
            maxFrameSize: Self.frameLimit,
            shouldUpgrade: { channel, head in
                channel.eventLoop.makeFutureWithTask { await doors.open(head) }.map { opened in
                    guard let opened else {
                        Self.refuse(channel)
                        return nil
                    }
                    entry.value.ticket = opened.ticket
                    return opened.headers
                }
            },
            upgradePipelineHandler: { channel, _ in
                channel.eventLoop.makeCompletedFuture {
                    guard let ticket = entry.value.ticket else { throw ChannelError.eof }
                    return .viewer(
                        try NIOAsyncChannel(
                            wrappingChannelSynchronously: channel,
                            configuration: .init(
                                backPressureStrategy: .init(lowWatermark: 1, highWatermark: 4))), ticket)
                }
            })
        let upgrade = NIOTypedHTTPServerUpgradeConfiguration(
            upgraders: [upgrader],
            notUpgradingCompletionHandler: { channel in
                channel.eventLoop.makeCompletedFuture {
                    .browser(try NIOAsyncChannel(wrappingChannelSynchronously: channel))
                }
            })
        var configuration = NIOUpgradableHTTPServerPipelineConfiguration(upgradeConfiguration: upgrade)
        configuration.enablePipelining = true
        configuration.enableErrorHandling = true
        return try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(
            configuration: configuration)
    }

    private struct Entry {
        var ticket: ConsoleTicket?
    }
}
