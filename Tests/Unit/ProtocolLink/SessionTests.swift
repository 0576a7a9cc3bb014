import NIOCore
import ProtocolLink
import ProtocolModel
import ProtocolWire
import Testing

@Suite("the rules of a session: frames and time in, effects out")
struct SessionTests {
    typealias Effect = LinkSession.Effect

    static let node = NodeID(high: 1, low: 2)
    static let hello = Hello(node: node, agentVersion: "1", position: .none, bootID: "b")
    static let join = JoinRequestMessage(secret: [1], certificateRequestDER: [2], hostname: "h")
    static let welcome = WelcomeMessage(
        version: 1, keepAliveMilliseconds: 5000, serverTime: 9, willSendSnapshot: true)

    static func openAcceptor() -> LinkSession {
        var session = LinkSession(role: .acceptor(node), now: .zero)
        _ = session.receive(.hello(hello), bytes: 50, now: .zero)
        _ = session.welcome(keepAlive: .seconds(5), serverTime: 9, willSendSnapshot: true, now: .zero)
        return session
    }

    static func openDialler() -> LinkSession {
        var session = LinkSession(role: .dialler(.hello(hello)), now: .zero)
        _ = session.receive(.welcome(welcome), bytes: 20, now: .zero)
        session.beginKeepAlive(.seconds(5), now: .zero)
        return session
    }

    static func error(_ effects: [Effect]) -> LinkError.Code? {
        guard case .fail(let error, _)? = effects.last else { return nil }
        return error.code
    }

    @Test("the dialler speaks first, the acceptor asks its service, the welcome opens both")
    func handshake() {
        var dialler = LinkSession(role: .dialler(.hello(Self.hello)), now: .zero)
        #expect(dialler.start() == .send(.hello(Self.hello)))
        var acceptor = LinkSession(role: .acceptor(Self.node), now: .zero)
        #expect(acceptor.start() == nil)
        #expect(acceptor.receive(.hello(Self.hello), bytes: 50, now: .zero) == [.decideHello(Self.hello)])
        #expect(acceptor.takeMessageCredit(1) == false)
        let answer = acceptor.welcome(keepAlive: .seconds(5), serverTime: 9, willSendSnapshot: true, now: .zero)
        #expect(answer == [.send(.welcome(Self.welcome)), .opened(Self.welcome)])
        #expect(dialler.receive(.welcome(Self.welcome), bytes: 20, now: .zero) == [.opened(Self.welcome)])
        #expect(acceptor.phase == .open)
        #expect(dialler.phase == .open)
        #expect(dialler.takeMessageCredit(1) == true)
    }

    @Test(
        "who may open with what",
        arguments: [
            (LinkSession.Role.acceptor(nil), WireMessage.hello(hello), WireRefusal.Code?.some(.unauthorized)),
            (.acceptor(NodeID(high: 9, low: 9)), .hello(hello), .wrongNode),
            (.acceptor(node), .joinRequest(join), nil),
            (.acceptor(node), .ping(1), nil),
            (.acceptor(nil), .statuses([]), nil),
            (.acceptor(nil), .streamOpen(stream: 1, StreamOpening(initialCredit: 1, source: .unknown)), nil),
            (.dialler(.hello(hello)), .hello(hello), nil),
            (.dialler(.join(join)), .welcome(welcome), nil),
            (
                .dialler(.hello(hello)),
                .plan(PlanUpdate(epoch: 1, revision: 1, isSnapshot: true, entries: []), continues: false), nil
            )
        ])
    func wrongOpenings(role: LinkSession.Role, message: WireMessage, refusal: WireRefusal.Code?) {
        var session = LinkSession(role: role, now: .zero)
        let effects = session.receive(message, bytes: 10, now: .zero)
        if let refusal {
            guard case .send(.refusal(let sent))? = effects.first else { return #expect(Bool(false), "\(effects)") }
            #expect(sent.code == refusal)
            #expect(Self.error(effects) == .closed)
        } else {
            #expect(Self.error(effects) == .protocolViolation)
        }
        #expect(session.phase == .closed)
    }

    @Test(
        "versions: the newest in common, else a refusal that says which side is behind",
        arguments: [
            (1 as UInt32, 1 as UInt32, String?.none), (1, 7, nil), (0, 1, nil),
            (2, 3, "upgrade the coordinator"), (0, 0, "upgrade this agent"), (3, 1, "upgrade")
        ])
    func versions(oldest: UInt32, newest: UInt32, remedy: String?) {
        var hello = Self.hello
        hello.versions = ProtocolVersions(oldest: oldest, newest: newest)
        var session = LinkSession(role: .acceptor(Self.node), now: .zero)
        let effects = session.receive(.hello(hello), bytes: 10, now: .zero)
        guard let remedy else { return #expect(effects == [.decideHello(hello)]) }
        guard case .send(.refusal(let refusal))? = effects.first else { return #expect(Bool(false)) }
        #expect(refusal.code == .versionMismatch)
        #expect(refusal.message.contains(remedy), "\(refusal.message)")
    }

    @Test("a welcome with a version that was not offered is a breach")
    func welcomeVersion() {
        var session = LinkSession(role: .dialler(.hello(Self.hello)), now: .zero)
        var welcome = Self.welcome
        welcome.version = 2
        #expect(Self.error(session.receive(.welcome(welcome), bytes: 9, now: .zero)) == .protocolViolation)
    }

    @Test("joining: one question, one answer, the end")
    func joining() {
        let grant = GrantMessage(node: Self.node, certificatePEM: "c", authorityPEM: "a")
        var acceptor = LinkSession(role: .acceptor(nil), now: .zero)
        #expect(acceptor.receive(.joinRequest(Self.join), bytes: 9, now: .zero) == [.decideJoin(Self.join)])
        let granted = acceptor.grant(grant)
        #expect(granted.first == .send(.joinResponse(grant)))
        #expect(Self.error(granted) == .closed)
        #expect(acceptor.grant(grant) == [])
        var dialler = LinkSession(role: .dialler(.join(Self.join)), now: .zero)
        #expect(dialler.receive(.joinResponse(grant), bytes: 9, now: .zero) == [.granted(grant)])
        #expect(dialler.receive(.joinResponse(grant), bytes: 9, now: .zero) == [])
    }

    @Test("a refused dialler hears why")
    func refused() {
        let refusal = WireRefusal(code: .revoked, message: "gone")
        var acceptor = LinkSession(role: .acceptor(Self.node), now: .zero)
        _ = acceptor.receive(.hello(Self.hello), bytes: 9, now: .zero)
        #expect(acceptor.refuse(refusal).first == .send(.refusal(refusal)))
        var dialler = LinkSession(role: .dialler(.hello(Self.hello)), now: .zero)
        #expect(dialler.receive(.refusal(refusal), bytes: 9, now: .zero) == [.refused(refusal)])
    }

    @Test("a handshake that does not end is ended, also when it is the service that ponders")
    func handshakeDeadline() {
        var silent = LinkSession(role: .acceptor(Self.node), now: .seconds(50))
        #expect(silent.deadline == .seconds(60))
        #expect(silent.tick(now: .seconds(59)) == [])
        #expect(Self.error(silent.tick(now: .seconds(60))) == .timedOut)
        #expect(silent.deadline == nil)
        var pondering = LinkSession(role: .acceptor(Self.node), now: .zero)
        _ = pondering.receive(.hello(Self.hello), bytes: 9, now: .zero)
        #expect(pondering.tick(now: .seconds(39)) == [])
        #expect(Self.error(pondering.tick(now: .seconds(40))) == .timedOut)
        #expect(pondering.welcome(keepAlive: .seconds(1), serverTime: 0, willSendSnapshot: false, now: .zero) == [])
    }

    @Test("keep-alive: pings go out, pings are answered, silence ends the session")
    func keepAlive() {
        var session = Self.openAcceptor()
        #expect(session.receive(.ping(77), bytes: 20, now: .seconds(1)) == [.send(.pong(77))])
        #expect(session.deadline == .seconds(6))
        #expect(session.tick(now: .seconds(6)) == [.send(.ping(1))])
        #expect(session.receive(.pong(1), bytes: 20, now: .seconds(6)) == [])
        #expect(session.receive(nil, bytes: 20, now: .seconds(9)) == [])
        #expect(session.tick(now: .seconds(14)) == [.send(.ping(2))])
        #expect(session.tick(now: .seconds(19)) == [.send(.ping(3))])
        let end = session.tick(now: .seconds(24))
        #expect(Self.error(end) == .peerSilent)
        #expect(session.tick(now: .seconds(99)) == [])
    }

    @Test("messages go one way each; the other way is a breach")
    func directions() {
        let plan = PlanUpdate(epoch: 1, revision: 1, isSnapshot: false, entries: [])
        var dialler = Self.openDialler()
        #expect(
            dialler.receive(.plan(plan, continues: false), bytes: 30, now: .zero) == [.deliver(.plan(plan), bytes: 30)])
        #expect(Self.error(dialler.receive(.statuses([]), bytes: 9, now: .zero)) == .protocolViolation)
        var acceptor = Self.openAcceptor()
        #expect(acceptor.receive(.statuses([]), bytes: 9, now: .zero) == [.deliver(.statuses([]), bytes: 9)])
        #expect(Self.error(acceptor.receive(.plan(plan, continues: false), bytes: 9, now: .zero)) == .protocolViolation)
        var again = Self.openAcceptor()
        #expect(Self.error(again.receive(.hello(Self.hello), bytes: 9, now: .zero)) == .protocolViolation)
    }

    @Test("message credit bounds what a peer can pile up, and comes back with consumption")
    func messageCredit() {
        var limits = LinkSession.Limits()
        limits.messageWindow = 400
        var session = LinkSession(role: .dialler(.hello(Self.hello)), limits: limits, now: .zero)
        _ = session.receive(.welcome(Self.welcome), bytes: 20, now: .zero)
        #expect(session.takeMessageCredit(300) == true)
        #expect(session.takeMessageCredit(101) == false)
        #expect(session.receive(.messageCredit(300), bytes: 16, now: .zero) == [.messageCreditGrew])
        #expect(session.takeMessageCredit(400) == true)
        let acknowledged = WireMessage.operationAcknowledged(OperationID(high: 1, low: 1))
        for _ in 0..<4 { #expect(session.receive(acknowledged, bytes: 100, now: .zero).count == 1) }
        #expect(session.consumedMessages(99) == [])
        #expect(session.consumedMessages(301) == [.send(.messageCredit(400))])
        for _ in 0..<4 { #expect(session.receive(acknowledged, bytes: 100, now: .zero).count == 1) }
        #expect(Self.error(session.receive(acknowledged, bytes: 1, now: .zero)) == .protocolViolation)
    }

    @Test("the parts of one plan give their credit back before the whole is read")
    func planParts() {
        var limits = LinkSession.Limits()
        limits.messageWindow = 400
        var session = LinkSession(role: .dialler(.hello(Self.hello)), limits: limits, now: .zero)
        _ = session.receive(.welcome(Self.welcome), bytes: 20, now: .zero)
        let part = PlanUpdate(epoch: 1, revision: 1, isSnapshot: true, entries: [])
        for _ in 0..<20 {
            let effects = session.receive(.plan(part, continues: true), bytes: 350, now: .zero)
            #expect(effects == [.send(.messageCredit(350))])
        }
        let effects = session.receive(.plan(part, continues: false), bytes: 350, now: .zero)
        #expect(effects == [.deliver(.plan(part), bytes: 350)])
        _ = session.consumedMessages(350)
        _ = session.receive(.plan(part, continues: true), bytes: 10, now: .zero)
        var other = part
        other.revision = 2
        #expect(
            Self.error(session.receive(.plan(other, continues: false), bytes: 10, now: .zero)) == .protocolViolation)
    }

    @Test("one renewal at a time, answered by a grant or a refusal")
    func renewal() throws {
        var dialler = Self.openDialler()
        #expect(try dialler.renew([1]) == [.send(.renewRequest(certificateRequestDER: [1]))])
        #expect(throws: LinkError.self) { try dialler.renew([1]) }
        let grant = GrantMessage(node: Self.node, certificatePEM: "c", authorityPEM: "a")
        #expect(dialler.receive(.renewResponse(grant), bytes: 9, now: .zero) == [.granted(grant)])
        #expect(Self.error(dialler.receive(.renewResponse(grant), bytes: 9, now: .zero)) == .protocolViolation)
        var acceptor = Self.openAcceptor()
        let request = WireMessage.renewRequest(certificateRequestDER: [1])
        #expect(acceptor.receive(request, bytes: 9, now: .zero) == [.decideRenewal([1])])
        #expect(acceptor.answerRenewal(.renewResponse(grant)) == [.send(.renewResponse(grant))])
        #expect(acceptor.receive(request, bytes: 9, now: .zero) == [.decideRenewal([1])])
        #expect(Self.error(acceptor.receive(request, bytes: 9, now: .zero)) == .protocolViolation)
    }

    @Test("leaving sends one word, and nothing is heard afterwards")
    func leaving() {
        var session = Self.openAcceptor()
        let effects = session.leave(.replaced)
        guard case .fail(_, .replaced)? = effects.first else { return #expect(Bool(false)) }
        #expect(session.leave(.replaced) == [])
        #expect(session.receive(.ping(1), bytes: 9, now: .zero) == [])
        #expect(session.takeMessageCredit(1) == false)
        var dialler = Self.openDialler()
        #expect(dialler.receive(.goAway(.revoked, message: "m"), bytes: 9, now: .zero) == [.peerLeaves(.revoked, "m")])
        #expect(dialler.phase == .closed)
    }
}
