import ProtocolModel
import ProtocolWire

/// The rules of one connection, apart from sockets, clocks and tasks: frames and the time go in, effects come out.
///
/// The dialling side opens with Hello or JoinRequest; the accepting side answers it once its service has decided. After
/// that messages, keep-alive and streams run until one side says GoAway or breaks a rule.
package struct LinkSession: Sendable {
    package enum Role: Equatable, Sendable {
        case dialler(Opening)
        /// `nil`: the peer showed no certificate.
        case acceptor(NodeID?)
    }

    package enum Opening: Equatable, Sendable {
        case hello(Hello)
        case join(JoinRequestMessage)
    }

    package enum Phase: Equatable, Sendable {
        /// Acceptor: the peer has not introduced itself. Dialler: no answer yet.
        case opening(deadline: Duration)
        /// Acceptor: the service is deciding about a version that fits.
        case deciding(version: UInt32, deadline: Duration)
        case open
        case closed
    }

    /// What is to be done, in this order.
    package enum Effect: Equatable, Sendable {
        case send(WireMessage)
        case decideHello(Hello)
        case decideJoin(JoinRequestMessage)
        case decideRenewal([UInt8])
        case opened(WelcomeMessage)
        case granted(GrantMessage)
        case refused(WireRefusal)
        case deliver(LinkMessage, bytes: Int)
        case messageCreditGrew
        case streamOpened(UInt32, StreamOpening.Source)
        case streamCreditGrew(UInt32)
        case streamBytes(UInt32, bytes: Int)
        case streamEnded(UInt32, WireRefusal?)
        case peerLeaves(GoAwayReason, String)
        /// Nothing follows. With a reason, GoAway is sent before.
        case fail(LinkError, GoAwayReason?)
    }

    package struct Limits: Equatable, Sendable {
        package var handshake: Duration = .seconds(10)
        package var messageWindow = 4 * 1_048_576
        package var streamWindow = 256 * 1024
        package var streams = 64
        /// The service may think about a Hello for so long.
        package var decision: Duration = .seconds(30)

        package init() {}
    }

    package let role: Role
    package let limits: Limits
    package private(set) var phase: Phase
    private var keepAlive: KeepAlive?
    private var messageSend: SendCredit
    private var messageReceive: ReceiveCredit
    private var assembler = PlanAssembler()
    package var streams: StreamTable
    private var renewalPending = false

    package init(role: Role, limits: Limits = Limits(), now: Duration) {
        self.role = role
        self.limits = limits
        phase = .opening(deadline: now + limits.handshake)
        messageSend = SendCredit(limits.messageWindow)
        messageReceive = ReceiveCredit(window: limits.messageWindow)
        streams = StreamTable(window: limits.streamWindow, limit: limits.streams)
    }

    /// The dialling side's first frame.
    package func start() -> Effect? {
        switch role {
        case .dialler(.hello(let hello)): .send(.hello(hello))
        case .dialler(.join(let request)): .send(.joinRequest(request))
        case .acceptor: nil
        }
    }

    /// When ``tick(now:)`` is due.
    package var deadline: Duration? {
        switch phase {
        case .opening(let deadline), .deciding(_, let deadline): deadline
        case .open: keepAlive?.deadline
        case .closed: nil
        }
    }

    package mutating func tick(now: Duration) -> [Effect] {
        switch phase {
        case .opening(let deadline), .deciding(_, let deadline):
            guard now >= deadline else { return [] }
            return fail(LinkError(.timedOut, "the handshake did not end in time"), .protocolError)
        case .open:
            switch keepAlive?.tick(now: now) {
            case .ping(let number)?: return [.send(.ping(number))]
            case .giveUp?:
                return fail(LinkError(.peerSilent, "nothing heard for three keep-alive intervals"), .peerSilent)
            case nil: return []
            }
        case .closed: return []
        }
    }

    /// The service's yes to a Hello.
    package mutating func welcome(
        keepAlive interval: Duration, serverTime: Int64, willSendSnapshot: Bool, coordinatorVersion: String = "",
        now: Duration
    ) -> [Effect] {
        guard case .deciding(let version, _) = phase else { return [] }
        let message = WelcomeMessage(
            version: version, keepAliveMilliseconds: UInt32(clamping: Int(interval / .milliseconds(1))),
            serverTime: serverTime, willSendSnapshot: willSendSnapshot, coordinatorVersion: coordinatorVersion)
        phase = .open
        keepAlive = KeepAlive(interval: interval, now: now)
        return [.send(.welcome(message)), .opened(message)]
    }

    /// The service's answer to a JoinRequest: the connection has done its work.
    package mutating func grant(_ grant: GrantMessage) -> [Effect] {
        guard case .deciding = phase else { return [] }
        return [.send(.joinResponse(grant))] + fail(LinkError(.closed, "joined"), .finished)
    }

    /// The service's no to a Hello or JoinRequest.
    package mutating func refuse(_ refusal: WireRefusal) -> [Effect] {
        guard case .deciding = phase else { return [] }
        return [.send(.refusal(refusal))] + fail(LinkError(.closed, "refused: \(refusal.message)"), .finished)
    }

    /// - Parameter message: `nil` for a kind of a newer release.
    /// - Parameter bytes: The frame's size on the wire.
    package mutating func receive(_ message: WireMessage?, bytes: Int, now: Duration) -> [Effect] {
        keepAlive?.heard(now: now)
        guard let message else { return [] }
        do throws(LinkError) {
            switch phase {
            case .opening: return try receiveOpening(message)
            case .deciding:
                if case .goAway(let reason, let text) = message {
                    phase = .closed
                    return [.peerLeaves(reason, text)]
                }
                throw LinkError(.protocolViolation, "\(message.kind) before the handshake's end")
            case .open: return try receiveOpen(message, bytes: bytes, now: now)
            case .closed: return []
            }
        } catch {
            return fail(error, .protocolError)
        }
    }

    /// - Returns: Whether a message frame of that size may be sent now.
    package mutating func takeMessageCredit(_ bytes: Int) -> Bool { phase == .open && messageSend.take(bytes) }

    /// The consumer took messages of that size off its queue.
    package mutating func consumedMessages(_ bytes: Int) -> [Effect] {
        guard phase == .open, let grant = messageReceive.consume(bytes) else { return [] }
        return [.send(.messageCredit(grant))]
    }

    package mutating func renew(_ request: [UInt8]) throws(LinkError) -> [Effect] {
        guard phase == .open else { throw LinkError(.closed, "the session is over") }
        guard !renewalPending else { throw LinkError(.tooManyAtOnce, "a renewal is under way") }
        renewalPending = true
        return [.send(.renewRequest(certificateRequestDER: request))]
    }

    package mutating func answerRenewal(_ answer: WireMessage) -> [Effect] {
        renewalPending = false
        return phase == .open ? [.send(answer)] : []
    }

    /// Ends the session from this side.
    package mutating func leave(_ reason: GoAwayReason) -> [Effect] {
        guard phase != .closed else { return [] }
        return fail(LinkError(.closed, "closed here: \(reason.rawValue)"), reason)
    }

    package mutating func fail(_ error: LinkError, _ reason: GoAwayReason?) -> [Effect] {
        phase = .closed
        return [.fail(error, reason)]
    }

    // MARK: Receiving

    private mutating func receiveOpening(_ message: WireMessage) throws(LinkError) -> [Effect] {
        switch (role, message) {
        case (.acceptor(let node?), .hello(let hello)):
            return decide(
                hello.versions, .decideHello(hello),
                unless: hello.node == node
                    ? nil : WireRefusal(code: .wrongNode, message: "The certificate is that of another node."))
        case (.acceptor(nil), .joinRequest(let request)):
            return decide(request.versions, .decideJoin(request), unless: nil)
        case (.acceptor(nil), .hello):
            return turnAway(
                WireRefusal(code: .unauthorized, message: "This needs a certificate: join the cloud first."))
        case (.dialler(.hello(let hello)), .welcome(let welcome)):
            guard hello.versions.oldest...hello.versions.newest ~= welcome.version else {
                throw LinkError(.protocolViolation, "the coordinator chose version \(welcome.version)")
            }
            phase = .open
            return [.opened(welcome)]
        case (.dialler(.join), .joinResponse(let grant)):
            phase = .closed
            return [.granted(grant)]
        case (.dialler, .refusal(let refusal)):
            phase = .closed
            return [.refused(refusal)]
        case (.dialler, .goAway(let reason, let text)):
            phase = .closed
            return [.peerLeaves(reason, text)]
        default:
            throw LinkError(.protocolViolation, "\(message.kind) in the handshake")
        }
    }

    private mutating func decide(
        _ theirs: ProtocolVersions, _ question: Effect, unless refusal: WireRefusal?
    ) -> [Effect] {
        if let refusal { return turnAway(refusal) }
        guard let version = ProtocolVersions.supported.common(with: theirs) else {
            return turnAway(Self.versionMismatch(theirs))
        }
        guard case .opening(let deadline) = phase else { return [] }
        phase = .deciding(version: version, deadline: deadline + limits.decision)
        return [question]
    }

    private mutating func turnAway(_ refusal: WireRefusal) -> [Effect] {
        [.send(.refusal(refusal))] + fail(LinkError(.closed, "refused: \(refusal.message)"), .finished)
    }

    private static func versionMismatch(_ theirs: ProtocolVersions) -> WireRefusal {
        let ours = ProtocolVersions.supported
        let remedy = theirs.newest < ours.oldest ? "upgrade this agent" : "upgrade the coordinator"
        return WireRefusal(
            code: .versionMismatch,
            message: "The agent speaks protocol versions \(theirs.oldest) to \(theirs.newest), the coordinator "
                + "\(ours.oldest) to \(ours.newest): \(remedy).")
    }

    private mutating func receiveOpen(
        _ message: WireMessage, bytes: Int, now: Duration
    ) throws(LinkError) -> [Effect] {
        if message.kind.needsMessageCredit { return try receiveMessage(message, bytes: bytes) }
        switch message {
        case .ping(let number): return [.send(.pong(number))]
        case .pong: return []
        case .messageCredit(let grant):
            try messageSend.grow(by: grant)
            return [.messageCreditGrew]
        case .goAway(let reason, let text):
            phase = .closed
            return [.peerLeaves(reason, text)]
        case .renewRequest(let request):
            guard isAcceptor, !renewalPending else { break }
            renewalPending = true
            return [.decideRenewal(request)]
        case .renewResponse(let grant):
            guard !isAcceptor, renewalPending else { break }
            renewalPending = false
            return [.granted(grant)]
        case .refusal(let refusal):
            guard !isAcceptor, renewalPending else { break }
            renewalPending = false
            return [.refused(refusal)]
        case .streamOpen, .streamData, .streamCredit, .streamEnd:
            return try streams.receive(message, isAcceptor: isAcceptor)
        default: break
        }
        throw LinkError(.protocolViolation, "\(message.kind) on an open session")
    }

    private var isAcceptor: Bool { if case .acceptor = role { true } else { false } }

    /// Sets the dialler's keep-alive once it knows the interval.
    package mutating func beginKeepAlive(_ interval: Duration, now: Duration) {
        if keepAlive == nil { keepAlive = KeepAlive(interval: interval, now: now) }
    }

    private mutating func receiveMessage(_ message: WireMessage, bytes: Int) throws(LinkError) -> [Effect] {
        try messageReceive.receive(bytes)
        switch (message, isAcceptor) {
        case (.plan(let part, let continues), false):
            let whole: PlanUpdate?
            do {
                whole = try assembler.add(part, continues: continues, bytes: bytes)
            } catch {
                throw LinkError(.protocolViolation, "\(error)")
            }
            // A part waits for its fellows here, bounded by the assembler, so the peer gets its credit back at once.
            guard let whole else { return consumedMessages(bytes) }
            return [.deliver(.plan(whole), bytes: bytes)]
        case (.operation(let operation), false): return [.deliver(.operation(operation), bytes: bytes)]
        case (.operationAcknowledged(let id), false): return [.deliver(.operationAcknowledged(id), bytes: bytes)]
        case (.planHeld(let position), true): return [.deliver(.planHeld(position), bytes: bytes)]
        case (.statuses(let statuses), true): return [.deliver(.statuses(statuses), bytes: bytes)]
        case (.report(let report), true): return [.deliver(.report(report), bytes: bytes)]
        case (.health(let health), true): return [.deliver(.health(health), bytes: bytes)]
        case (.operationResult(let result), true): return [.deliver(.result(result), bytes: bytes)]
        default: throw LinkError(.protocolViolation, "\(message.kind) from the wrong side")
        }
    }
}
