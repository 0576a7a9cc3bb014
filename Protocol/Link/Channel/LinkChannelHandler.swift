import Collections
import NIOCore
import NIOSSL
import NIOTLS
import ProtocolModel
import ProtocolWire

/// One end of a connection inside its channel: feeds frames and the time to ``LinkSession`` and carries its effects out.
/// Everything here runs on the channel's event loop.
final class LinkChannelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What the handler leaves to its owner, on the event loop.
    enum Event {
        case decideHello(Hello, serial: String)
        case decideJoin(JoinRequestMessage)
        case decideRenewal([UInt8])
        case opened(LinkConnection)
        case granted(GrantMessage)
        case refused(WireRefusal)
        /// With what is read of it, if anything is.
        case streamOpened(UInt32, StreamOpening.Source, Mailbox<[UInt8]>?)
        /// The peer ended a stream: it wants no more, or sends no more.
        case streamAbandoned(UInt32)
        case closed(LinkClosure, LinkError?)
    }

    enum Side {
        case dialler(LinkSession.Opening)
        case acceptor

        var isDialler: Bool { if case .dialler = self { true } else { false } }
    }

    let side: Side
    let limits: LinkSession.Limits
    let onEvent: (Event) -> Void
    let remoteAddress: String
    var context: ChannelHandlerContext?
    var session: LinkSession?
    private var decoder: NIOSingleStepByteToMessageProcessor<FrameDecoder>?
    private var timer: Scheduled<Void>?
    var peer: LinkPeer?
    var hello: AgentHello?

    /// What is known of the end once the session is over.
    private(set) var closure: LinkClosure?
    let closed: EventLoopPromise<LinkClosure>

    var messages: Mailbox<LinkMessage>?
    var readers: [UInt32: Mailbox<[UInt8]>] = [:]
    var writers: OrderedDictionary<UInt32, StreamWrite> = [:]
    var outbox: Deque<OutgoingMessage> = []
    var renewalWaiter: CheckedContinuation<GrantMessage, any Error>?
    var isFlushScheduled = false
    var isReading = false
    /// `false` while TCP is still dialling.
    private(set) var wasConnected = false
    var needsFlush = false
    var owedPong: UInt64?
    /// Told of each frame that arrives once there is a session.
    var onFrame: (@Sendable () -> Void)?

    init(
        side: Side, limits: LinkSession.Limits, remoteAddress: String, eventLoop: any EventLoop,
        onEvent: @escaping (Event) -> Void
    ) {
        self.side = side
        self.limits = limits
        self.remoteAddress = remoteAddress
        self.onEvent = onEvent
        closed = eventLoop.makePromise()
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        // TLS must be through by then; the session has its own deadline afterwards.
        arm(at: now(context) + limits.handshake)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        let isNew = side.isDialler && !wasConnected
        finish(
            LinkClosure(reason: nil, isByPeer: true, detail: "the connection broke"),
            isNew ? LinkError(.unreachable, "never connected") : nil)
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        wasConnected = true
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted(_)? = event as? TLSUserEvent { begin(context) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard closure == nil, let decoder else { return }
        isReading = true
        do {
            try decoder.process(buffer: unwrapInboundIn(data)) { frame in
                guard closure == nil else { return }
                try receive(frame, context)
            }
        } catch {
            let detail = "\(remoteAddress): \(error)"
            withSession { $0.fail(LinkError(.protocolViolation, detail), .protocolError) }
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        if needsFlush { flush(context) }
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            if let number = owedPong {
                owedPong = nil
                write(.pong(number))
            }
            pump()
        }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(LinkClosure(reason: nil, isByPeer: true, detail: "the connection broke"), nil)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let isTrust = error is NIOSSLError || error is BoringSSLError
        if case NIOSSLError.uncleanShutdown? = error as? NIOSSLError {
            finish(LinkClosure(reason: nil, isByPeer: true, detail: "the connection broke"), nil)
        } else {
            let code: LinkError.Code = isTrust && session?.phase != .open ? .untrusted : .closed
            finish(
                LinkClosure(reason: nil, isByPeer: true, detail: "\(error)"), LinkError(code, "\(error)"))
        }
        context.close(promise: nil)
    }

    // MARK: Session

    private func begin(_ context: ChannelHandlerContext) {
        guard session == nil, closure == nil else { return }
        var bodyLimit = WireLimits.bodyBytes
        let role: LinkSession.Role
        switch side {
        case .dialler(let opening):
            peer = .coordinator
            if case .hello(let hello) = opening { self.hello = AgentHello(hello) }
            role = .dialler(opening)
        case .acceptor:
            switch PeerCertificate.read(context.pipeline) {
            case .none:
                // All that a stranger may say is a join request.
                bodyLimit = 65_536
                role = .acceptor(nil)
            case .node(let node, let serial):
                peer = .node(node, serial: serial)
                role = .acceptor(node)
            case .unusable:
                finish(
                    LinkClosure(reason: .protocolError, isByPeer: false, detail: "no node certificate"),
                    LinkError(.untrusted, "\(remoteAddress) showed a certificate that is no node's"))
                context.close(promise: nil)
                return
            }
        }
        decoder = NIOSingleStepByteToMessageProcessor(FrameDecoder(bodyLimit: bodyLimit))
        let session = LinkSession(role: role, limits: limits, now: now(context))
        self.session = session
        if let effect = session.start() { apply([effect]) }
        rearm()
    }

    private func receive(_ frame: Frame, _ context: ChannelHandlerContext) throws {
        onFrame?()
        let message = try WireMessage.decode(frame)
        let effects = session?.receive(message, bytes: frame.wireBytes, now: now(context)) ?? []
        if case .streamData(let stream, let bytes)? = message,
            effects == [.streamBytes(stream, bytes: bytes.readableBytes)]
        {
            readers[stream]?.put(Array(bytes.readableBytesView), bytes: bytes.readableBytes)
            return
        }
        apply(effects)
    }

    /// Runs `body` on the session and carries out what it asks for.
    func withSession(_ body: (inout LinkSession) -> [LinkSession.Effect]) {
        guard closure == nil, let effects = session.mutate(body) else { return }
        apply(effects)
    }

    /// Everybody who waits for something hears that nothing comes any more. Once.
    func finish(_ closure: LinkClosure, _ error: LinkError?) {
        guard self.closure == nil else { return }
        self.closure = closure
        timer?.cancel()
        timer = nil
        let failure = error ?? LinkError(.closed, closure.detail)
        // A word of farewell is a proper end; silence is not.
        messages?.finish(error == nil && closure.reason != nil ? .success(()) : .failure(failure))
        for reader in readers.values { reader.finish(.failure(failure)) }
        readers = [:]
        for writer in writers.values { writer.continuation.resume(throwing: failure) }
        writers = [:]
        for message in outbox { message.continuation.resume(throwing: failure) }
        outbox = []
        renewalWaiter.take()?.resume(throwing: failure)
        onEvent(.closed(closure, error))
        closed.succeed(closure)
    }

    // MARK: Time

    func now(_ context: ChannelHandlerContext) -> Duration {
        .nanoseconds(Int64(clamping: context.eventLoop.now.uptimeNanoseconds))
    }

    func rearm() {
        guard let deadline = session?.deadline else { return }
        arm(at: deadline)
    }

    private func arm(at deadline: Duration) {
        timer?.cancel()
        guard let context, closure == nil else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let (seconds, attoseconds) = deadline.components
        let nanoseconds = UInt64(clamping: seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
        timer = context.eventLoop.scheduleTask(deadline: .uptimeNanoseconds(nanoseconds)) { bound.value.tick() }
    }

    private func tick() {
        guard let context, closure == nil else { return }
        guard session != nil else {
            finish(
                LinkClosure(reason: nil, isByPeer: false, detail: "TLS took too long"),
                LinkError(.timedOut, "\(remoteAddress): the TLS handshake did not end in time"))
            context.close(promise: nil)
            return
        }
        withSession { $0.tick(now: self.now(context)) }
        rearm()
    }
}

extension Optional {
    /// The value, leaving `nil` behind.
    mutating func take() -> Wrapped? {
        defer { self = nil }
        return self
    }

    /// Changes the value in place, without a copy of what it holds.
    mutating func mutate<Result>(_ body: (inout Wrapped) -> Result) -> Result? {
        guard var value = take() else { return nil }
        defer { self = value }
        return body(&value)
    }
}
