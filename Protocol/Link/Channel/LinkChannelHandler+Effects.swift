import NIOCore
import ProtocolModel
import ProtocolWire

extension LinkChannelHandler {
    func apply(_ effects: [LinkSession.Effect]) {
        for effect in effects where closure == nil { apply(effect) }
    }

    private func apply(_ effect: LinkSession.Effect) {
        switch effect {
        case .send(.pong(let number)):
            // A peer that pings and never reads must not make us store the answers.
            if context?.channel.isWritable == false { owedPong = number } else { write(.pong(number)) }
        case .send(let message): write(message)
        case .decideHello(let hello):
            self.hello = AgentHello(hello)
            guard case .node(_, let serial)? = peer else { return }
            onEvent(.decideHello(hello, serial: serial))
        case .decideJoin(let request): onEvent(.decideJoin(request))
        case .decideRenewal(let request): onEvent(.decideRenewal(request))
        case .opened(let welcome): open(Welcome(welcome))
        case .granted(let grant):
            if let waiter = renewalWaiter.take() { waiter.resume(returning: grant) } else { onEvent(.granted(grant)) }
        case .refused(let refusal):
            if let waiter = renewalWaiter.take() {
                waiter.resume(throwing: LinkRefusal(refusal))
            } else {
                onEvent(.refused(refusal))
            }
        case .deliver(let message, let bytes): messages?.put(message, bytes: bytes)
        case .messageCreditGrew, .streamCreditGrew: pump()
        case .streamOpened(let stream, let source):
            let reader = source.isSent ? makeReader(stream, isAnswered: true) : nil
            onEvent(.streamOpened(stream, source, reader))
        case .streamBytes: break
        case .streamEnded(let stream, let error): endStream(stream, error)
        case .peerLeaves(let reason, let text):
            finish(LinkClosure(reason: reason, isByPeer: true, detail: text), nil)
            context?.close(promise: nil)
        case .fail(let error, let reason):
            if let reason { write(.goAway(reason, message: error.detail)) }
            let isOrderly = error.code == .closed
            finish(
                LinkClosure(reason: reason, isByPeer: false, detail: error.detail), isOrderly ? nil : error)
            if let context {
                flush(context)
                context.close(promise: nil)
            }
        }
    }

    private func open(_ welcome: Welcome) {
        guard let context, let peer, let hello else { return }
        let moment = now(context)
        session?.beginKeepAlive(welcome.keepAlive, now: moment)
        rearm()
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        let mailbox = Mailbox<LinkMessage>(
            reportStep: limits.messageWindow / 4,
            consumed: { bytes in
                eventLoop.execute { bound.value.withSession { $0.consumedMessages(bytes) } }
            })
        messages = mailbox
        onEvent(
            .opened(
                LinkConnection(
                    handler: bound, eventLoop: eventLoop, messages: mailbox, peer: peer, hello: hello,
                    welcome: welcome, remoteAddress: remoteAddress, closed: closed.futureResult)))
    }
}
