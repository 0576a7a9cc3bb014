import NIOCore
import NIOHTTP1

/// Closes connections whose client keeps us waiting: for a request, for its body, or until it takes the answer.
///
/// Waiting is paid from a credit of time that octets earn back, so that a slow link is served and a client that sends an
/// octet now and then is not. Time in which we ourselves do not read costs nothing.
final class PaceKeeper: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart

    private enum State { case head, body, answer }

    private let pace: ObjectServer.Pace
    private var state = State.head
    private var isReading = false
    /// What is left of the credit, as it was when the waiting began.
    private var credit: TimeAmount
    /// `nil` while nobody waits for the client.
    private var waitingSince: NIODeadline?
    private var timer: Scheduled<Void>?
    private var unsent = 0
    /// Requests that came, or begin to, and are not answered: a client may send several behind each other.
    private var unanswered = 0

    init(_ pace: ObjectServer.Pace) {
        self.pace = pace
        credit = pace.head
    }

    /// The handshake counts too.
    func handlerAdded(context: ChannelHandlerContext) { wait(context) }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func read(context: ChannelHandlerContext) {
        isReading = true
        if state == .body { wait(context) }
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            unanswered += 1
            enter(.body, pace.stall)
        case .body(let bytes): earn(bytes.readableBytes)
        case .end: goOn(context)
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        if state == .body { stopWaiting() }
        context.fireChannelReadComplete()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .body(.byteBuffer(let bytes)): unsent += bytes.readableBytes
        case .end:
            unanswered -= 1
            if state == .answer { goOn(context) }
        default: break
        }
        context.write(data, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if state == .answer {
            if context.channel.isWritable {
                stopWaiting()
                earn(unsent)
                unsent = 0
            } else {
                // What is in the buffers may go out at the least rate.
                earn(unsent, beyond: true)
                unsent = 0
                wait(context)
            }
        }
        context.fireChannelWritabilityChanged()
    }

    /// Behind a request, or behind an answer.
    private func goOn(_ context: ChannelHandlerContext) {
        guard unanswered == 0 else { return enter(.answer, pace.stall) }
        enter(.head, pace.head)
        wait(context)
    }

    private func enter(_ next: State, _ credit: TimeAmount) {
        waitingSince = nil
        timer?.cancel()
        timer = nil
        state = next
        self.credit = credit
    }

    private func earn(_ bytes: Int, beyond: Bool = false) {
        let earned = credit + .nanoseconds(Int64(bytes) * 1_000_000_000 / Int64(pace.bytesPerSecond))
        credit = beyond ? earned : min(earned, pace.stall)
    }

    // MARK: Waiting

    private func stopWaiting() {
        guard let since = waitingSince else { return }
        waitingSince = nil
        credit = credit - (NIODeadline.now() - since)
    }

    private func wait(_ context: ChannelHandlerContext) {
        if waitingSince == nil { waitingSince = .now() }
        // One timer is enough: when it is up, it looks whether it is time.
        if timer == nil { look(context) }
    }

    private func look(_ context: ChannelHandlerContext) {
        timer = nil
        guard let waitingSince else { return }
        let left = credit - (NIODeadline.now() - waitingSince)
        guard left > .nanoseconds(0) else { return context.close(promise: nil) }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: left) {
            let (keeper, context) = bound.value
            keeper.look(context)
        }
    }
}
