import NIOCore
import ProtocolModel
import ProtocolWire

/// One open session, the same at both ends. May be used from any task; it lives until ``close(_:)``, the peer's leaving
/// or a break of the connection.
public final class LinkConnection: Sendable {
    public let peer: LinkPeer
    /// For logs: `192.0.2.1:51234`.
    public let remoteAddress: String
    /// What the agent said.
    public let hello: AgentHello
    /// What the coordinator answered.
    public let welcome: Welcome
    /// What the peer sends; for one reading task. Ends when a side closed the session in good order and throws
    /// ``LinkError`` otherwise. What is not read yet is bounded by credit: a slow reader holds up the peer's
    /// ``send(_:)``, never its keep-alive.
    public let messages: LinkMessages

    private let handler: NIOLoopBound<LinkChannelHandler>
    private let eventLoop: any EventLoop
    private let closed: EventLoopFuture<LinkClosure>

    init(
        handler: NIOLoopBound<LinkChannelHandler>, eventLoop: any EventLoop, messages: Mailbox<LinkMessage>,
        peer: LinkPeer, hello: AgentHello, welcome: Welcome, remoteAddress: String,
        closed: EventLoopFuture<LinkClosure>
    ) {
        self.handler = handler
        self.eventLoop = eventLoop
        self.messages = LinkMessages(mailbox: messages)
        self.peer = peer
        self.hello = hello
        self.welcome = welcome
        self.remoteAddress = remoteAddress
        self.closed = closed
    }

    /// Returns when the message is handed to the transport, and waits while the peer or the transport is behind.
    /// Messages of one task arrive in order.
    /// - Throws: ``LinkError`` when the session is over, ``ProtocolWire/WireError`` for a message that is too large,
    ///   `CancellationError`.
    public func send(_ message: LinkMessage) async throws {
        let frames = try message.frames()
        try await waiting { ticket, continuation in
            self.handler.value.enqueue(frames, ticket, continuation)
        }
    }

    /// Agent: the stored bytes of an image from `offset` to their end.
    /// - Throws: ``LinkError``; reading throws ``LinkRefusal`` when the coordinator has no such bytes.
    public func fetchImage(_ image: ImageID, sha512: String, from offset: Int64) async throws -> LinkByteStream {
        try await stream(.image(image, sha512: sha512, offset: offset))
    }

    func stream(_ source: StreamOpening.Source) async throws -> LinkByteStream {
        let handler = handler
        let mailbox = try await eventLoop.submit { try handler.value.openStream(source).1 }.get()
        return LinkByteStream(mailbox: mailbox)
    }

    /// Agent: sends the data of an image.
    /// - Parameter write: Writes all of it, and throws what keeps it from that.
    /// - Throws: ``LinkRefusal`` when the coordinator does not take it, ``LinkError``, or what `write` throws.
    public func upload(
        _ upload: ImageUpload, _ write: (LinkStreamWriter) async throws -> Void
    ) async throws {
        let handler = handler
        let source = StreamOpening.Source.upload(upload.operation, image: upload.image, size: upload.sizeBytes)
        let (stream, end) = try await eventLoop.submit { try handler.value.openStream(source) }.get()
        do {
            do {
                try await write(LinkStreamWriter(connection: self, stream: stream))
            } catch let error as LinkError where error.code == .streamFailed {
                // The end of the stream says why, or that the session is over.
                _ = try await end.next()
                throw error
            }
            _ = try await end.next()
        } catch {
            // Says nothing where the stream has ended.
            finishStream(stream, WireRefusal(code: .unavailable, message: "The sender gave up."))
            throw error
        }
    }

    /// Agent: one end of a console's stream; the other is whoever asked for it. To be ended by
    /// ``LinkConsole/finish(_:)``.
    public func openConsole(_ session: ConsoleID) async throws -> LinkConsole {
        let handler = handler
        let (stream, mailbox) = try await eventLoop.submit { try handler.value.openStream(.console(session)) }.get()
        return LinkConsole(
            incoming: LinkByteStream(mailbox: mailbox), writer: LinkStreamWriter(connection: self, stream: stream))
    }

    /// Agent: a new certificate for the same node.
    /// - Parameter request: A request with a fresh key.
    /// - Throws: ``LinkRefusal`` or ``LinkError``.
    public func renew(_ request: CertificateRequest) async throws -> NodeIdentity {
        let grant: GrantMessage = try await withCheckedThrowingContinuation { continuation in
            eventLoop.execute { self.handler.value.renew(request.der, continuation) }
        }
        return try NodeIdentity(
            certificatePEM: grant.certificatePEM, privateKeyPEM: request.privateKeyPEM,
            authorityPEM: grant.authorityPEM)
    }

    /// Calls `body` on the event loop for each frame that arrives from now on, keep-alive's too: every one is a sign of
    /// life, whether or not anybody reads ``messages``.
    public func onFrame(_ body: @escaping @Sendable () -> Void) {
        eventLoop.execute { self.handler.value.onFrame = body }
    }

    /// Tells the peer why and closes after what was handed over before. Does not wait; a second call does nothing.
    public func close(_ reason: LinkCloseReason) {
        eventLoop.execute { self.handler.value.withSession { $0.leave(reason) } }
    }

    /// How the session ended.
    @discardableResult
    public func waitUntilClosed() async -> LinkClosure {
        do {
            return try await closed.get()
        } catch {
            return LinkClosure(reason: nil, isByPeer: false, detail: "\(error)")
        }
    }

    func write(stream: UInt32, _ bytes: ByteBuffer) async throws {
        try await waiting { ticket, continuation in
            self.handler.value.enqueue(stream: stream, bytes, ticket, continuation)
        }
    }

    func finishStream(_ stream: UInt32, _ error: WireRefusal?) {
        eventLoop.execute { self.handler.value.finishStream(stream, error) }
    }

    /// Runs `start` on the event loop and waits for its continuation; cancellation takes the request back.
    private func waiting(
        _ start: @escaping @Sendable (SendTicket, CheckedContinuation<Void, any Error>) -> Void
    ) async throws {
        try Task.checkCancellation()
        let ticket = SendTicket()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                eventLoop.execute { start(ticket, continuation) }
            }
        } onCancel: {
            ticket.isCancelled.store(true, ordering: .relaxed)
            eventLoop.execute { self.handler.value.cancel(ticket) }
        }
    }
}

/// The messages of a session. For one reading task.
public struct LinkMessages: AsyncSequence, Sendable {
    public typealias Element = LinkMessage

    let mailbox: Mailbox<LinkMessage>

    public func makeAsyncIterator() -> Iterator { Iterator(mailbox: mailbox) }

    public struct Iterator: AsyncIteratorProtocol {
        let mailbox: Mailbox<LinkMessage>

        public mutating func next() async throws -> LinkMessage? { try await mailbox.next() }
    }
}

/// The bytes of a stream, in chunks of at most 64 KiB, never more than the stream's window ahead of the reader. Letting
/// go of it (and of its iterators) tells the sender to stop.
public struct LinkByteStream: AsyncSequence, Sendable {
    public typealias Element = [UInt8]

    /// Ends the stream when the last reader is gone.
    final class Anchor: Sendable {
        let mailbox: Mailbox<[UInt8]>
        init(mailbox: Mailbox<[UInt8]>) { self.mailbox = mailbox }
        deinit { mailbox.abandon() }
    }

    private let anchor: Anchor

    init(mailbox: Mailbox<[UInt8]>) { anchor = Anchor(mailbox: mailbox) }

    public func makeAsyncIterator() -> Iterator { Iterator(anchor: anchor) }

    public struct Iterator: AsyncIteratorProtocol {
        let anchor: Anchor

        public mutating func next() async throws -> [UInt8]? { try await anchor.mailbox.next() }
    }

    /// The same, for interfaces that want the library's own type. It still pulls: nothing piles up in between.
    public var throwingStream: AsyncThrowingStream<[UInt8], any Error> {
        let anchor = anchor
        return AsyncThrowingStream { try await anchor.mailbox.next() }
    }
}

extension LinkChannelHandler {
    func renew(_ request: [UInt8], _ continuation: CheckedContinuation<GrantMessage, any Error>) {
        guard closure == nil, renewalWaiter == nil, session != nil else {
            return continuation.resume(throwing: LinkError(.closed, closure?.detail ?? "a renewal is under way"))
        }
        do throws(LinkError) {
            let effects = try session?.renew(request) ?? []
            renewalWaiter = continuation
            apply(effects)
        } catch {
            continuation.resume(throwing: error)
        }
    }
}
