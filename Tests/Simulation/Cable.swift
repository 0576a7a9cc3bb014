import NIOCore
import NIOPosix
import Synchronization

/// What connects a host to the coordinator. It can be cut, also in the middle of a frame.
final class Cable: Sendable {
    private struct State {
        /// Where the coordinator listens, while it does.
        var target: Int?
        var isCut = false
        /// Bytes that still pass before it is cut.
        var budget: Int?
        var channels: [ObjectIdentifier: any Channel] = [:]
    }

    private let state = Mutex(State())
    private let listener: Mutex<(any Channel)?> = Mutex(nil)
    private let group: any EventLoopGroup

    init(group: any EventLoopGroup) { self.group = group }

    /// The port at the host's end.
    func lay() async throws -> Int {
        let channel = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in self.accept(channel) }
            .bind(host: "127.0.0.1", port: 0).get()
        listener.withLock { $0 = channel }
        return channel.localAddress?.port ?? 0
    }

    func remove() async {
        cut()
        try? await listener.withLock { $0 }?.close()
    }

    func connect(to port: Int?) { state.withLock { $0.target = port } }

    /// At once, or after so many bytes more.
    func cut(afterBytes bytes: Int = 0) {
        guard bytes == 0 else { return state.withLock { $0.budget = bytes } }
        state.withLock { $0.isCut = true }
        drop()
    }

    func mend() {
        state.withLock { state in
            state.isCut = false
            state.budget = nil
        }
    }

    /// Every connection breaks; new ones are possible.
    func drop() {
        for channel in state.withLock({ Array($0.channels.values) }) { channel.close(promise: nil) }
    }

    private func accept(_ near: any Channel) -> EventLoopFuture<Void> {
        guard let port = state.withLock({ $0.isCut ? nil : $0.target }) else {
            return near.eventLoop.makeFailedFuture(Dead())
        }
        return ClientBootstrap(group: near.eventLoop)
            .channelInitializer { far in
                far.eventLoop.makeCompletedFuture {
                    try far.pipeline.syncOperations.addHandler(Relay(to: near, over: self))
                }
            }
            .connect(host: "127.0.0.1", port: port)
            .flatMapThrowing { far in
                try near.pipeline.syncOperations.addHandler(Relay(to: far, over: self))
                for channel in [near, far] { self.keep(channel) }
            }
    }

    private func keep(_ channel: any Channel) {
        state.withLock { $0.channels[ObjectIdentifier(channel)] = channel }
        channel.closeFuture.whenComplete { _ in
            self.state.withLock { $0.channels[ObjectIdentifier(channel)] = nil }
        }
    }

    /// - Returns: How many of these bytes get through.
    fileprivate func pass(_ bytes: Int) -> Int {
        let passed = state.withLock { state in
            guard !state.isCut else { return 0 }
            guard let budget = state.budget else { return bytes }
            state.budget = budget - bytes
            return max(0, min(bytes, budget))
        }
        return passed
    }
}

/// Hands on what comes from one end to the other.
private final class Relay: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let other: any Channel
    private let cable: Cable

    init(to other: any Channel, over cable: Cable) {
        self.other = other
        self.cable = cable
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        let passed = cable.pass(bytes.readableBytes)
        if let part = bytes.readSlice(length: passed), passed > 0 { other.writeAndFlush(part, promise: nil) }
        if bytes.readableBytes > 0 { cable.cut() }
    }

    func channelInactive(context: ChannelHandlerContext) { other.close(promise: nil) }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
