import Logging
import NIOConcurrencyHelpers
import NIOCore
import ProtocolModel
import ProtocolWire

/// One accepted connection between its channel and the service: what the channel's handler asks is answered in a task.
final class AcceptedSession: Sendable {
    private struct State {
        var handler: NIOLoopBound<LinkChannelHandler>?
        var task: Task<Void, Never>?
        var connection: LinkConnection?
        var streams: [UInt32: Task<Void, Never>] = [:]
        var isOpen = false
        var isClosed = false
    }

    private let owner: AcceptedSessions
    private let eventLoop: any EventLoop
    private let state = NIOLockedValueBox(State())

    init(owner: AcceptedSessions, eventLoop: any EventLoop) {
        self.owner = owner
        self.eventLoop = eventLoop
    }

    var task: Task<Void, Never>? { state.withLockedValue { $0.task } }

    func attach(_ handler: NIOLoopBound<LinkChannelHandler>) { state.withLockedValue { $0.handler = handler } }

    func leave(_ reason: LinkCloseReason) {
        onLoop { handler in
            guard handler.session != nil else {
                handler.context?.close(promise: nil)
                return
            }
            handler.withSession { $0.leave(reason) }
        }
    }

    /// On the event loop.
    func handle(_ event: LinkChannelHandler.Event) {
        switch event {
        case .decideHello(let hello, let serial): start { await $0.run(hello, serial: serial) }
        case .decideJoin(let request): start { await $0.join(request) }
        case .decideRenewal(let request): renew(request)
        case .opened(let connection):
            owner.opened()
            state.withLockedValue {
                $0.isOpen = true
                $0.connection = connection
            }
        case .streamOpened(let stream, let source, let reader): serve(stream, source, reader)
        case .streamAbandoned(let stream):
            state.withLockedValue { $0.streams.removeValue(forKey: stream) }?.cancel()
        case .closed(let closure, let error): closed(closure, error)
        case .granted, .refused: break
        }
    }

    private func start(_ body: @escaping @Sendable (AcceptedSession) async -> Void) {
        let task = Task { await body(self) }
        state.withLockedValue { $0.task = task }
    }

    // MARK: In the session's task

    private func run(_ hello: Hello, serial: String) async {
        let address = await address()
        do {
            if try await owner.service.isRevoked(hello.node, serial: serial) {
                throw LinkRefusal(.revoked, "This node was removed from the cloud: join again with a new token.")
            }
            let admission = try await owner.service.admit(AgentHello(hello), from: address)
            guard let connection = await welcome(admission) else { return }
            await owner.service.serve(connection)
            connection.close(.finished)
        } catch {
            refuse(error, "agent turned away", ["node": "\(hello.node)", "peer": "\(address)"])
        }
    }

    private func join(_ message: JoinRequestMessage) async {
        let address = await address()
        do {
            let request = JoinRequest(
                secret: message.secret, certificateRequestDER: message.certificateRequestDER,
                hostname: message.hostname)
            let grant = try await owner.service.join(request, from: address)
            onLoop { handler in
                handler.withSession {
                    $0.grant(
                        GrantMessage(
                            node: grant.node, certificatePEM: grant.certificatePEM, authorityPEM: grant.authorityPEM))
                }
            }
        } catch {
            refuse(error, "join turned away", ["host": "\(message.hostname)", "peer": "\(address)"])
        }
    }

    private func welcome(_ admission: Admission) async -> LinkConnection? {
        await withCheckedContinuation { continuation in
            onLoop { handler in
                let now = Duration.nanoseconds(Int64(clamping: handler.nowNanoseconds))
                handler.withSession {
                    $0.welcome(
                        keepAlive: self.owner.configuration.keepAlive, serverTime: SystemClock.microseconds(),
                        willSendSnapshot: admission.willSendSnapshot, coordinatorVersion: Release.version, now: now)
                }
                continuation.resume(returning: self.state.withLockedValue { $0.isClosed ? nil : $0.connection })
            } orElse: {
                continuation.resume(returning: nil)
            }
        }
    }

    private func refuse(_ error: any Error, _ event: Logger.Message, _ metadata: Logger.Metadata) {
        let refusal = wireRefusal(error)
        owner.logger.notice(event, metadata: metadata.merging(["reason": "\(error)"]) { $1 })
        onLoop { handler in handler.withSession { $0.refuse(refusal) } }
    }

    private func wireRefusal(_ error: any Error) -> WireRefusal {
        if let refusal = error as? LinkRefusal { return refusal.wire }
        // What went wrong inside is for our log, not for the peer.
        return WireRefusal(code: .internalError, message: "The coordinator failed: see its log.")
    }

    // MARK: Beside it

    private func renew(_ request: [UInt8]) {
        Task {
            guard let connection = state.withLockedValue({ $0.connection }),
                case .node(let node, let serial) = connection.peer
            else { return }
            let answer: WireMessage
            do {
                if try await owner.service.isRevoked(node, serial: serial) {
                    throw LinkRefusal(.revoked, "This node was removed from the cloud.")
                }
                let grant = try await owner.service.renew(request, for: node)
                answer = .renewResponse(
                    GrantMessage(
                        node: grant.node, certificatePEM: grant.certificatePEM, authorityPEM: grant.authorityPEM))
            } catch {
                owner.logger.warning(
                    "certificate not renewed", metadata: ["node": "\(node)", "reason": "\(error)"])
                answer = .refusal(wireRefusal(error))
            }
            onLoop { handler in handler.withSession { $0.answerRenewal(answer) } }
        }
    }

    private func serve(_ stream: UInt32, _ source: StreamOpening.Source, _ reader: Mailbox<[UInt8]>?) {
        guard let connection = state.withLockedValue({ $0.connection }), case .node(let node, _) = connection.peer
        else { return }
        // Within the lock, so that a task that is done at once finds its entry to remove.
        state.withLockedValue { state in
            state.streams[stream] = Task {
                switch source {
                case .image, .token, .serverCertificate, .signing, .unknown:
                    await write(source, stream, node, connection)
                case .upload(let operation, let image, let size):
                    guard let reader else { break }
                    let upload = ImageUpload(operation: operation, image: image, sizeBytes: size)
                    await take(upload, LinkByteStream(mailbox: reader), stream, node, connection)
                case .console(let session):
                    guard let reader else { break }
                    await relay(session, LinkByteStream(mailbox: reader), stream, node, connection)
                }
                _ = self.state.withLockedValue { $0.streams.removeValue(forKey: stream) }
            }
        }
    }

    private func take(
        _ upload: ImageUpload, _ bytes: LinkByteStream, _ stream: UInt32, _ node: NodeID, _ connection: LinkConnection
    ) async {
        do {
            try await owner.service.receiveImage(upload, from: node, bytes: bytes)
            connection.finishStream(stream, nil)
        } catch {
            if !(error is LinkError || error is CancellationError || error is LinkRefusal) {
                owner.logger.warning(
                    "image not taken in",
                    metadata: ["node": "\(node)", "image": "\(upload.image)", "reason": "\(error)"])
            }
            connection.finishStream(stream, wireRefusal(error))
        }
    }

    private func relay(
        _ session: ConsoleID, _ bytes: LinkByteStream, _ stream: UInt32, _ node: NodeID, _ connection: LinkConnection
    ) async {
        let console = LinkConsole(incoming: bytes, writer: LinkStreamWriter(connection: connection, stream: stream))
        do {
            try await owner.service.serveConsole(session, of: node, console)
            connection.finishStream(stream, nil)
        } catch {
            connection.finishStream(stream, wireRefusal(error))
        }
    }

    private func write(
        _ source: StreamOpening.Source, _ stream: UInt32, _ node: NodeID, _ connection: LinkConnection
    ) async {
        do {
            let writer = LinkStreamWriter(connection: connection, stream: stream)
            switch source {
            case .image(let image, let sha512, let offset):
                let request = ImageStreamRequest(image: image, sha512: sha512, offset: offset)
                try await owner.service.sendImage(request, to: node, writer: writer)
            case .token(let text):
                try await writer.write(owner.service.verdict(on: text, for: node).wireBytes)
            case .serverCertificate(let request):
                try await writer.write(Array(owner.service.serverCertificate(request, for: node).utf8))
            case .signing(let request):
                try await writer.write(owner.service.signingKey(request, for: node).wireBytes)
            case .upload, .console, .unknown: break
            }
            connection.finishStream(stream, nil)
        } catch {
            if !(error is LinkError || error is CancellationError || error is LinkRefusal) {
                // What was asked for may be a secret: only its kind is told.
                owner.logger.warning(
                    "an agent's request failed",
                    metadata: ["node": "\(node)", "of": "\(source.kind)", "reason": "\(error)"])
            }
            connection.finishStream(stream, wireRefusal(error))
        }
    }

    private func closed(_ closure: LinkClosure, _ error: LinkError?) {
        let (isOpen, connection, streams) = state.withLockedValue { state in
            state.isClosed = true
            defer { state.streams = [:] }
            return (state.isOpen, state.connection, state.streams)
        }
        for task in streams.values { task.cancel() }
        if let error, error.code != .closed {
            owner.logger.info(
                "connection ended",
                metadata: ["peer": "\(connection.map { "\($0.peer)" } ?? "stranger")", "reason": "\(error)"])
        }
        owner.remove(self, wasPending: !isOpen)
        // The handler holds this object and this object the handler.
        state.withLockedValue { $0.handler = nil }
    }

    private func address() async -> String {
        await withCheckedContinuation { continuation in
            onLoop {
                continuation.resume(returning: $0.remoteAddress)
            } orElse: {
                continuation.resume(returning: "unknown")
            }
        }
    }

    private func onLoop(
        _ body: @escaping @Sendable (LinkChannelHandler) -> Void, orElse: @escaping @Sendable () -> Void = {}
    ) {
        guard let handler = state.withLockedValue({ $0.handler }) else { return orElse() }
        eventLoop.execute { body(handler.value) }
    }
}

extension LinkChannelHandler {
    var nowNanoseconds: UInt64 { context?.eventLoop.now.uptimeNanoseconds ?? 0 }
}

extension StreamOpening.Source {
    fileprivate var kind: String {
        switch self {
        case .image(let image, _, _): "image \(image)"
        case .token: "token"
        case .serverCertificate: "server certificate"
        case .signing: "signing key"
        case .upload(_, let image, _): "the data of image \(image)"
        case .console: "console"
        case .unknown: "unknown"
        }
    }
}
