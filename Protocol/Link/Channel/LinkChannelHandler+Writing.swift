import NIOCore
import ProtocolWire

extension LinkChannelHandler {
    func write(_ message: WireMessage) {
        do {
            write(try message.frame())
        } catch {
            // Only what a peer cannot cause: our own control messages are small.
            finish(
                LinkClosure(reason: nil, isByPeer: false, detail: "\(error)"),
                LinkError(.protocolViolation, "\(message.kind): \(error)"))
            context?.close(promise: nil)
        }
    }

    func write(_ frame: Frame) {
        guard let context else { return }
        var buffer = context.channel.allocator.buffer(capacity: frame.wireBytes)
        frame.write(to: &buffer)
        context.write(wrapOutboundOut(buffer), promise: nil)
        scheduleFlush(context)
    }

    /// One flush for all that is written in one turn of the loop.
    private func scheduleFlush(_ context: ChannelHandlerContext) {
        needsFlush = true
        guard !isReading, !isFlushScheduled else { return }
        isFlushScheduled = true
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.execute {
            let handler = bound.value
            handler.isFlushScheduled = false
            if handler.needsFlush, let context = handler.context { handler.flush(context) }
        }
    }

    func flush(_ context: ChannelHandlerContext) {
        needsFlush = false
        context.flush()
    }
}
