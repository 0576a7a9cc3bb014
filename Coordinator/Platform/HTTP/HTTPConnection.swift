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
        /// The client waits for a word before it sends the body.
        var awaitsContinue = false
        /// The request came in to its end.
        var isRead = false
        var isAnswered = false
        /// Bytes of the body that came after the answer and were thrown away.
        var discarded = 0

        /// Nothing is expected any more: what is left of a body that nobody asked for never comes.
        var isComplete: Bool { isAnswered && (isRead || awaitsContinue) }
    }

    /// Pieces of a body that may wait; each is at most what one read from the socket brought.
    private static let bodyLimit = 8
    /// Smaller pieces are put together.
    private static let pieceBytes = 16 << 10
    /// What is taken in and thrown away of a body whose request was refused: many clients look at the answer only when
    /// they have sent all.
    private static let discardLimit = 64 << 20
    /// Parts of requests that may wait. Reading stops at the first, but one read may bring many.
    private static let waitingLimit = 16_384
    /// Requests that are begun before other connections of the loop have their turn.
    private static let burst = 64
    /// Larger answers are written in pieces of so many bytes, so that a slow client is seen to get on.
    private static let writeBytes = 256 << 10

    private let pipeline: RequestPipeline
    private let listener: Listener
    private let idleTimeout: TimeAmount
    private let jobs: AsyncStream<Job>.Continuation

    private var context: ChannelHandlerContext?
    private var remoteAddress: String?
    private var exchange: Exchange?
    private var exchanges = 0
    /// Requests begun since the last pause in what comes in.
    private var begunInRead = 0
    /// Parts of requests whose turn has not come.
    private var waiting = CircularBuffer<HTTPServerRequestPart>()
    /// Pieces of the body at hand that nobody has taken yet, and who waits for some.
    private var body: [ByteBuffer] = []
    private var taker: EventLoopPromise<[ByteBuffer]?>?
    private var isReadHeld = false
    private var isTaking = false
    /// What was written last, and how many writes have not gone out yet.
    private var lastWrite: EventLoopFuture<Void>?
    private var writesUnderWay = 0
    /// The connection is ending: nothing more is begun, whatever still comes in.
    private var isClosing = false
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
        // TLS goes on bringing what the client has sent until it has said its own farewell.
        guard !isClosing else { return }
        let part = unwrapInboundIn(data)
        lastActivity = .now()
        if waiting.isEmpty, begunInRead < Self.burst { return take(part, context) }
        guard waiting.count < Self.waitingLimit else { return abort() }
        waiting.append(part)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        deliverBody()
        begunInRead = 0
        if exchange == nil, !waiting.isEmpty { takeLater(context) }
        context.fireChannelReadComplete()
    }

    /// The channel wants to read: not while it brought more than can be used.
    func read(context: ChannelHandlerContext) {
        isReadHeld = body.count >= Self.bodyLimit || !waiting.isEmpty
        if !isReadHeld { context.read() }
    }

    /// Pieces of an answer come here from the connection's task.
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        write(unwrapOutboundIn(data), context, promise ?? context.eventLoop.makePromise())
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
            if exchange?.isAnswered ?? true { close(context) }
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
        case .body(let bytes): take(bytes, context)
        case .end:
            exchange?.isRead = true
            deliverBody()
            proceed(context)
        }
    }

    private func take(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        if exchange?.isAnswered == false {
            if let last = body.last, last.readableBytes + bytes.readableBytes <= Self.pieceBytes {
                body[body.count - 1].writeImmutableBuffer(bytes)
            } else {
                body.append(bytes)
            }
        } else {
            // After the answer, what is left of the body is of no use.
            exchange?.discarded += bytes.readableBytes
            if let exchange, exchange.discarded > Self.discardLimit { close(context) }
        }
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        exchanges += 1
        begunInRead += 1
        // Behind an upgrade, which is never granted, the decoder reads no further.
        let isLast =
            !head.isKeepAlive || isQuiescing || head.method == .CONNECT || head.headers.contains(name: "upgrade")
        exchange = Exchange(number: exchanges, version: head.version, isLast: isLast)
        let remote = remoteAddress ?? context.remoteAddress?.ipAddress ?? "local"
        remoteAddress = remote
        guard let request = IncomingRequest(head, body: incomingBody(head, context), listener, remote: remote) else {
            return refuseMessage(context)
        }
        switch pipeline.begin(request) {
        case .answered(let response):
            if case .stream = response.body {
                jobs.yield(Job(exchange: exchanges) { response })
            } else {
                answer(response, exchanges)
            }
        case .later(let answer): jobs.yield(Job(exchange: exchanges, answer: answer))
        }
    }

    private func incomingBody(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) -> IncomingBody {
        guard head.headers.contains(name: "content-length") || head.headers.contains(name: "transfer-encoding") else {
            return .bytes([])
        }
        exchange?.awaitsContinue =
            head.version == .http1_1 && head.headers.first(name: "expect")?.lowercased() == "100-continue"
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
        guard !isClosing else { return }
        guard failure is HTTPParserError, context.channel.isActive else { return close(context) }
        exchanges += 1
        exchange = Exchange(number: exchanges, version: .http1_1, isLast: true, isRead: true)
        refuseMessage(context)
    }

    // MARK: - Bodies

    /// - Parameter number: The exchange whose body is asked for; that of another one is not handed out.
    func takeBody(of number: Int, _ promise: EventLoopPromise<[ByteBuffer]?>) {
        guard let exchange, exchange.number == number, !exchange.isAnswered else {
            return promise.fail(ChannelError.eof)
        }
        guard taker == nil else { return promise.fail(ChannelError.operationUnsupported) }
        if exchange.awaitsContinue, let context {
            self.exchange?.awaitsContinue = false
            write(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n"), context, context.eventLoop.makePromise())
            context.flush()
        }
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
        lastActivity = .now()
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
        let isLast = current.isLast || isQuiescing || isInputOver || current.awaitsContinue
        exchange?.isLast = isLast
        var bytes = ResponseEncoder.encode(
            response, version: current.version, isLast: isLast, allocator: context.channel.allocator)
        while bytes.readableBytes > Self.writeBytes, let piece = bytes.readSlice(length: Self.writeBytes) {
            write(piece, context, context.eventLoop.makePromise())
        }
        write(bytes, context, context.eventLoop.makePromise())
        context.flush()
    }

    private func write(_ bytes: ByteBuffer, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>) {
        writesUnderWay += 1
        lastWrite = promise.futureResult
        promise.futureResult.assumeIsolated().whenComplete { [self] _ in
            writesUnderWay -= 1
            lastActivity = .now()
        }
        context.write(wrapOutboundOut(bytes), promise: promise)
    }

    private func conclude(_ context: ChannelHandlerContext) {
        exchange?.isAnswered = true
        lastActivity = .now()
        body = []
        taker?.fail(ChannelError.eof)
        taker = nil
        resumeReading()
        proceed(context)
    }

    /// Goes on to the next request once the one at hand is read and answered.
    private func proceed(_ context: ChannelHandlerContext) {
        guard let done = exchange, done.isAnswered, done.isComplete || isInputOver || isQuiescing else { return }
        exchange = nil
        guard done.isLast || isQuiescing || !done.isRead else { return takeNext(context) }
        close(context)
    }

    private func takeNext(_ context: ChannelHandlerContext) {
        // What is taken may be done with at once and come here again.
        guard !isTaking else { return }
        isTaking = true
        defer { isTaking = false }
        let begun = exchanges
        while exchange == nil || exchange?.isRead == false, context.channel.isWritable, let part = waiting.popFirst() {
            take(part, context)
            guard exchanges - begun < Self.burst || waiting.isEmpty else { return takeLater(context) }
        }
        deliverBody()
        if exchange == nil, isInputOver { return fail(context) }
        resumeReading()
    }

    private func takeLater(_ context: ChannelHandlerContext) {
        context.eventLoop.assumeIsolated().execute { [self] in
            if let context = self.context { takeNext(context) }
        }
    }

    // MARK: - Ends

    /// Ends the connection as soon as what was answered has gone out.
    private func close(_ context: ChannelHandlerContext) {
        guard !isClosing else { return }
        beginClosing()
        let channel = context.channel
        // Closing drops what has not gone out yet.
        guard let lastWrite else { return channel.close(promise: nil) }
        lastWrite.whenComplete { _ in channel.close(promise: nil) }
    }

    /// Ends the connection at once, with whatever is under way.
    func abort() {
        beginClosing()
        context?.close(promise: nil)
    }

    private func beginClosing() {
        isClosing = true
        waiting.removeAll()
        failure = failure ?? ChannelError.ioOnClosedChannel
        body = []
        deliverBody()
        jobs.finish()
    }

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

    /// A client that should send or take something and does not is let go; one that waits for us is not.
    private func checkIdleness() {
        guard let context, context.channel.isActive else { return }
        let rest = lastActivity + idleTimeout - .now()
        let isOurTurn =
            writesUnderWay == 0 && exchange.map { !$0.isAnswered && ($0.isRead || isReadHeld) } ?? false
        if rest <= .nanoseconds(0), !isOurTurn { return abort() }
        schedule(context, in: isOurTurn ? idleTimeout : rest)
    }
}
