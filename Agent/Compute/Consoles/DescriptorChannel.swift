import AgentCore
import NIOCore
import NIOPosix

/// A connected socket or a terminal, read no faster than somebody takes what comes.
final class DescriptorChannel: ByteChannel {
    private let channel: any Channel
    private let receiver: NIOLoopBound<Receiver>

    private init(_ channel: any Channel, _ receiver: NIOLoopBound<Receiver>) {
        self.channel = channel
        self.receiver = receiver
    }

    /// - Parameter socket: Its own from now on, also when this fails.
    static func adopt(
        socket: CInt, group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws -> DescriptorChannel {
        let channel = try await ClientBootstrap(group: group)
            .channelOption(.autoRead, value: false)
            .channelInitializer(Self.prepare).withConnectedSocket(socket).get()
        return try await make(channel)
    }

    /// - Parameter terminal: As of a socket.
    static func adopt(
        terminal: CInt, group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws -> DescriptorChannel {
        let channel = try await NIOPipeBootstrap(group: group)
            .channelOption(.autoRead, value: false)
            .channelInitializer(Self.prepare).takingOwnershipOfDescriptor(inputOutput: terminal).get()
        return try await make(channel)
    }

    @Sendable private static func prepare(_ channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Receiver()) }
    }

    private static func make(_ channel: any Channel) async throws -> DescriptorChannel {
        let receiver = try await channel.eventLoop.submit {
            NIOLoopBound(
                try channel.pipeline.syncOperations.handler(type: Receiver.self), eventLoop: channel.eventLoop)
        }.get()
        return DescriptorChannel(channel, receiver)
    }

    func read() async throws -> [UInt8]? {
        try await withCheckedThrowingContinuation { continuation in
            channel.eventLoop.execute { self.receiver.value.take(continuation) }
        }
    }

    func write(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
    }

    func close() { channel.close(promise: nil) }
}

/// Hands over what was read, and reads on when somebody asks for more. On the event loop.
private final class Receiver: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private var context: ChannelHandlerContext?
    /// At most what one turn of the loop reads.
    private var waiting: [ByteBuffer] = []
    private var reader: CheckedContinuation<[UInt8]?, any Error>?
    private var isEnded = false

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
        self.context = nil
    }

    func take(_ continuation: CheckedContinuation<[UInt8]?, any Error>) {
        guard waiting.isEmpty else {
            let bytes = waiting.flatMap { Array($0.readableBytesView) }
            waiting = []
            return continuation.resume(returning: bytes)
        }
        // Two readers are a mistake of the caller's: the first one hears of the end.
        reader?.resume(returning: nil)
        reader = nil
        guard !isEnded, let context else { return continuation.resume(returning: nil) }
        reader = continuation
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        guard let reader else { return waiting.append(bytes) }
        self.reader = nil
        reader.resume(returning: Array(bytes.readableBytesView))
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    /// A terminal whose guest is gone ends with an error too.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end()
        context.close(promise: nil)
    }

    private func end() {
        isEnded = true
        reader?.resume(returning: nil)
        reader = nil
    }
}
