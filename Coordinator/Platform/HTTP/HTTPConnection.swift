import HTTPTypes
import NIOCore
import NIOHTTP1

/// The server's end of one connection: takes requests one after the other and writes their answers, in their order.
///
/// Lives on the connection's event loop. What the pipeline can answer from memory is answered right there, without a
/// task and without another thread; everything else becomes a ``Job`` for the connection's task. Nothing grows with
/// what a client sends: while a body waits to be taken, a further request waits for its turn or answers wait to be
/// taken off, nothing is read.
final class HTTPConnection: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// A request whose answer takes time.
    struct Job: Sendable {
        let exchange: Int
        let answer: @Sendable () async -> OutgoingResponse
    }

    /// The request at hand.
    private struct Exchange {
        let number: Int
        let version: HTTPVersion
        /// The connection ends with it.
        var isLast: Bool
        /// The request came in to its end.
        var isRead = false
        var isAnswered = false
    }

    /// Pieces of a body that may wait; each is at most what one read from the socket brought.
    private static let bodyLimit = 8

    private let pipeline: RequestPipeline
    private let listener: Listener
    private let idleTimeout: TimeAmount
    private let jobs: AsyncStream<Job>.Continuation

    private var context: ChannelHandlerContext?
    private var remoteAddress: String?
    private var exchange: Exchange?
    private var exchanges = 0
    /// Parts of requests whose turn has not come.
    private var waiting = CircularBuffer<HTTPServerRequestPart>()
    /// Pieces of the body at hand that nobody has taken yet, and who waits for some.
    private var body: [ByteBuffer] = []
    private var taker: EventLoopPromise<[ByteBuffer]?>?
    private var isReadHeld = false
    private var isTaking = false
    /// The end of the connection's last answer, once it is written.
    private var lastWrite: EventLoopFuture<Void>?
    /// Nothing more will come in, for this reason.
    private var failure: (any Error)?
    /// The server stops: what is under way is finished, nothing is begun.
    private var isQuiescing = false
    private var lastActivity = NIODeadline.now()
    private var timer: Scheduled<Void>?

    init(
        pipeline: RequestPipeline, listener: Listener, idleTimeout: TimeAmount, jobs: AsyncStream<Job>.Continuation
    ) {
        self.pipeline = pipeline
        self.listener = listener
        self.idleTimeout = idleTimeout
        self.jobs = jobs
    }

    // MARK: - What happens on the channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        schedule(context, in: idleTimeout)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end(with: ChannelError.ioOnClosedChannel)
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(with: ChannelError.ioOnClosedChannel)
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        lastActivity = .now()
        if waiting.isEmpty { take(part, context) } else { waiting.append(part) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        deliverBody()
        context.fireChannelReadComplete()
    }

    /// The channel wants to read: not while it brought more than can be used.
    func read(context: ChannelHandlerContext) {
        isReadHeld = body.count >= Self.bodyLimit || !waiting.isEmpty
        if !isReadHeld { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        takeNext(context)
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { stopReading(for: error, context) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent:
            isQuiescing = true
            if exchange == nil { context.close(promise: nil) }
        case ChannelEvent.inputClosed: stopReading(for: ChannelError.inputClosed, context)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    // MARK: - Requests

    private var isInputOver: Bool { failure != nil && waiting.isEmpty }

    private func take(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        switch part {
        case .head(let head):
            // Not before the one before it is done with, nor for a client that does not take its answers.
            guard exchange == nil, context.channel.isWritable else { return waiting.prepend(part) }
            begin(head, context)
        case .body(let bytes):
            // After the answer, what is left of the body is of no use.
            if exchange?.isAnswered == false { body.append(bytes) }
        case .end:
            exchange?.isRead = true
            deliverBody()
            proceed(context)
        }
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        exchanges += 1
        exchange = Exchange(number: exchanges, version: head.version, isLast: !head.isKeepAlive || isQuiescing)
        let remote = remoteAddress ?? context.remoteAddress?.ipAddress ?? "local"
        remoteAddress = remote
        guard let request = IncomingRequest(head, body: incomingBody(head, context), listener, remote: remote) else {
            return refuseMessage(context)
        }
        switch pipeline.begin(request) {
        case .answered(let response): answer(response, exchanges)
        case .later(let answer): jobs.yield(Job(exchange: exchanges, answer: answer))
        }
    }

    private func incomingBody(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) -> IncomingBody {
        guard head.headers.contains(name: "content-length") || head.headers.contains(name: "transfer-encoding") else {
            return .bytes([])
        }
        if head.headers.first(name: "expect")?.lowercased() == "100-continue" {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")), promise: nil)
        }
        let reader = BodyReader(connection: NIOLoopBound(self, eventLoop: context.eventLoop), exchange: exchanges)
        return .stream { try await reader.forEach($0) }
    }

    /// What comes is not HTTP: says so, and that was it.
    private func refuseMessage(_ context: ChannelHandlerContext) {
        exchange?.isLast = true
        write(OutgoingResponse(status: 400, headers: [.contentLength: "0"], body: .none), context)
        conclude(context)
    }

    /// Nothing more will be read. What came until then still counts.
    private func stopReading(for error: any Error, _ context: ChannelHandlerContext) {
        guard failure == nil else { return }
        failure = error
        deliverBody()
        if exchange == nil, waiting.isEmpty { fail(context) } else { proceed(context) }
    }

    private func fail(_ context: ChannelHandlerContext) {
        guard failure is HTTPParserError, context.channel.isActive else { return context.close(promise: nil) }
        exchanges += 1
        exchange = Exchange(number: exchanges, version: .http1_1, isLast: true, isRead: true)
        refuseMessage(context)
    }

    // MARK: - Bodies

    /// - Parameter number: The exchange whose body is asked for; that of another one is not handed out.
    func takeBody(of number: Int, _ promise: EventLoopPromise<[ByteBuffer]?>) {
        guard let exchange, exchange.number == number, !exchange.isAnswered else { return promise.succeed(nil) }
        guard taker == nil else { return promise.fail(ChannelError.operationUnsupported) }
        taker = promise
        deliverBody()
    }

    private func deliverBody() {
        guard let taker else { return }
        if !body.isEmpty {
            self.taker = nil
            let pieces = body
            body = []
            taker.succeed(pieces)
            resumeReading()
        } else if exchange?.isRead != false {
            self.taker = nil
            taker.succeed(nil)
        } else if let failure, waiting.isEmpty {
            self.taker = nil
            taker.fail(failure)
        }
    }

    private func resumeReading() {
        guard isReadHeld, let context, waiting.isEmpty, body.count < Self.bodyLimit else { return }
        isReadHeld = false
        context.read()
    }

    // MARK: - Answers

    /// Writes an answer that is whole.
    func answer(_ response: OutgoingResponse, _ number: Int) {
        guard let context, exchange?.number == number else { return }
        write(response, context)
        conclude(context)
    }

    /// Writes the head of an answer whose body comes in pieces.
    func answerHead(_ response: OutgoingResponse) throws -> ResponseEncoder.Framing {
        guard let context, let current = exchange else { throw ChannelError.ioOnClosedChannel }
        let framing = ResponseEncoder.framing(response, version: current.version)
        if framing == .untilClose { exchange?.isLast = true }
        write(response, context)
        return framing
    }

    /// The pieces are all written.
    func answerEnd() {
        if let context { conclude(context) }
    }

    private func write(_ response: OutgoingResponse, _ context: ChannelHandlerContext) {
        guard let current = exchange else { return }
        let isLast = current.isLast || isQuiescing || isInputOver
        exchange?.isLast = isLast
        let bytes = ResponseEncoder.encode(
            response, version: current.version, isLast: isLast, allocator: context.channel.allocator)
        guard isLast else { return context.writeAndFlush(wrapOutboundOut(bytes), promise: nil) }
        lastWrite = context.writeAndFlush(wrapOutboundOut(bytes))
    }

    private func conclude(_ context: ChannelHandlerContext) {
        exchange?.isAnswered = true
        lastActivity = .now()
        body = []
        taker?.succeed(nil)
        taker = nil
        resumeReading()
        proceed(context)
    }

    /// Goes on to the next request once the one at hand is read and answered.
    private func proceed(_ context: ChannelHandlerContext) {
        guard let done = exchange, done.isAnswered, done.isRead || isInputOver else { return }
        exchange = nil
        guard done.isLast || isQuiescing || !done.isRead else { return takeNext(context) }
        let channel = context.channel
        // Closing drops what has not gone out yet.
        guard let lastWrite else { return channel.close(promise: nil) }
        lastWrite.whenComplete { _ in channel.close(promise: nil) }
    }

    private func takeNext(_ context: ChannelHandlerContext) {
        // What is taken may be done with at once and come here again.
        guard !isTaking else { return }
        isTaking = true
        defer { isTaking = false }
        while exchange == nil || exchange?.isRead == false, context.channel.isWritable, let part = waiting.popFirst() {
            take(part, context)
        }
        deliverBody()
        if exchange == nil, isInputOver { return fail(context) }
        resumeReading()
    }

    // MARK: - Ends

    private func end(with error: any Error) {
        failure = failure ?? error
        deliverBody()
        jobs.finish()
        timer?.cancel()
        timer = nil
        waiting.removeAll()
    }

    private func schedule(_ context: ChannelHandlerContext, in time: TimeAmount) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: time) { [self] in checkIdleness() }
    }

    /// A client that should send something and does not is let go; one that waits for us is not.
    private func checkIdleness() {
        guard let context, context.channel.isActive else { return }
        let rest = lastActivity + idleTimeout - .now()
        let isOurTurn = exchange.map { $0.isRead || isReadHeld } ?? false
        if rest <= .nanoseconds(0), !isOurTurn { return context.close(promise: nil) }
        schedule(context, in: isOurTurn ? idleTimeout : rest)
    }
}
