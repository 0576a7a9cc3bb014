import Logging
import ProtocolLink
import ProtocolModel
import Testing
import TestsSupportRandomness

@Suite("sessions over real TLS on loopback", .timeLimit(.minutes(1)))
struct LoopbackTests {
    @Test("an agent connects, both sides learn who the other is, and messages arrive in order both ways")
    func session() async throws {
        let plan = LinkMessage.plan(PlanUpdate(epoch: 1, revision: 2, isSnapshot: true, entries: []))
        let operation = LinkMessage.operation(
            Operation(id: .fresh(), deadline: 5, action: .hardReboot(ServerID.fresh())))
        let loopback = try await Loopback(greeting: [plan, operation])
        let connection = try await loopback.connect()
        #expect(connection.peer == .coordinator)
        #expect(connection.welcome.version == 1)
        #expect(connection.welcome.keepAlive == .seconds(5))
        #expect(!connection.welcome.willSendSnapshot)
        var iterator = connection.messages.makeAsyncIterator()
        #expect(try await iterator.next() == plan)
        #expect(try await iterator.next() == operation)

        let health = (0..<100).map { LinkMessage.planHeld(PlanPosition(epoch: 1, revision: $0)) }
        for message in health { try await connection.send(message) }
        #expect(try await eventually { loopback.service.received.count == 100 })
        #expect(loopback.service.received == health)
        let served = loopback.service.state.withLockedValue { $0.connections }[0]
        #expect(served.hello == hello(connection.hello.node))
        guard case .node(let node, let serial) = served.peer else { return #expect(Bool(false)) }
        #expect(node == connection.hello.node)
        #expect(!serial.isEmpty)

        connection.close(.finished)
        #expect(try await iterator.next() == nil)
        #expect(try await eventually { loopback.service.state.withLockedValue { $0.ended } == 1 })
        await loopback.server.stop()
        #expect(loopback.server.connectionCount == 0)
    }

    @Test("a stop of the coordinator ends sessions with a word")
    func stop() async throws {
        let loopback = try await Loopback()
        let connection = try await loopback.connect()
        await loopback.server.stop()
        let closure = await connection.waitUntilClosed()
        #expect(closure.reason == .shuttingDown)
        #expect(closure.isByPeer)
        await #expect(throws: LinkError.self) { try await connection.send(.planHeld(.none)) }
        await #expect(throws: LinkError.self) { _ = try await loopback.connect() }
    }

    @Test("a plan of many frames arrives whole")
    func largePlan() async throws {
        let entries = (0..<20_000).map { number in
            let id = SecurityGroupID(high: 7, low: UInt64(number))
            let members = (0..<10).map { IPAddress(family: .ipv6, bits: UInt128(number * 10 + $0)) }
            return PlanEntry(
                key: .securityGroup(id), generation: Int64(number),
                spec: .securityGroup(SecurityGroupSpec(id: id, rules: [], members: members)))
        }
        let update = PlanUpdate(epoch: 9, revision: 10, isSnapshot: true, entries: entries)
        let loopback = try await Loopback(greeting: [.plan(update)])
        let connection = try await loopback.connect()
        var iterator = connection.messages.makeAsyncIterator()
        let received = try await iterator.next()
        #expect(received == .plan(update))
        connection.close(.finished)
        await loopback.server.stop()
    }

    @Test("a host joins with its token, connects with what it got, and renews")
    func joinAndRenew() async throws {
        let loopback = try await Loopback()
        let token = try #require(JoinToken.make(authorityHash: loopback.authority.hash))
        loopback.service.state.withLockedValue { $0.secret = token.secret }
        let identity = try await LinkClient.join(
            loopback.endpoint, token: token, hostname: "h1", request: CertificateRequest())
        let connection = try await loopback.connect(identity)
        let renewed = try await connection.renew(CertificateRequest())
        #expect(renewed.node == identity.node)
        #expect(renewed.serial != identity.serial)
        #expect(renewed.privateKeyPEM != identity.privateKeyPEM)
        let second = try await loopback.connect(renewed)
        second.close(.finished)
        connection.close(.finished)
        await loopback.server.stop()
    }

    @Test("a wrong secret is refused in words, a wrong authority is not even asked")
    func joinRefused() async throws {
        let loopback = try await Loopback()
        let wrongSecret = try #require(JoinToken.make(authorityHash: loopback.authority.hash))
        let refusal = await #expect(throws: LinkRefusal.self) {
            _ = try await LinkClient.join(
                loopback.endpoint, token: wrongSecret, hostname: "h1", request: CertificateRequest())
        }
        #expect(refusal?.code == .unauthorized)
        #expect(refusal?.message.contains("make a new one") == true)

        let stranger = try CertificateAuthority.create(at: systemSeconds())
        let wrongCloud = try #require(JoinToken.make(authorityHash: stranger.hash))
        let distrust = await #expect(throws: LinkError.self) {
            _ = try await LinkClient.join(
                loopback.endpoint, token: wrongCloud, hostname: "h1", request: CertificateRequest())
        }
        #expect(distrust?.code == .untrusted)
        #expect(distrust?.detail.contains("token") == true)
        await loopback.server.stop()
    }

    @Test("certificates of strangers, of the past and of other nodes do not get in")
    func credentials() async throws {
        let loopback = try await Loopback()
        let stranger = try CertificateAuthority.create(at: systemSeconds())
        // Their node, our authority pinned: the coordinator must see through it.
        let theirs = try identity(stranger)
        await #expect(throws: (any Error).self) { _ = try await loopback.connect(theirs) }

        let ended = try identity(loopback.authority, at: systemSeconds() - 40 * 86_400)
        let late = await #expect(throws: LinkError.self) { _ = try await loopback.connect(ended) }
        #expect(late?.code == .untrusted)

        let mine = try identity(loopback.authority)
        let wrong = await #expect(throws: LinkRefusal.self) {
            _ = try await LinkClient.connect(loopback.endpoint, identity: mine, hello: hello(.fresh()))
        }
        #expect(wrong?.code == .wrongNode)

        let removed = try identity(loopback.authority)
        loopback.service.state.withLockedValue { _ = $0.revoked.insert(removed.serial) }
        let revoked = await #expect(throws: LinkRefusal.self) { _ = try await loopback.connect(removed) }
        #expect(revoked?.code == .revoked)

        let unwanted = AgentHello(node: mine.node, agentVersion: "unwanted", position: .none, bootID: "")
        let turnedAway = await #expect(throws: LinkRefusal.self) {
            _ = try await LinkClient.connect(loopback.endpoint, identity: mine, hello: unwanted)
        }
        #expect(turnedAway == LinkRefusal(.unavailable, "Not today."))
        #expect(try await eventually { loopback.server.connectionCount == 0 })
        await loopback.server.stop()
    }

    @Test("a node's certificate does not make a coordinator")
    func impostor() async throws {
        let authority = try CertificateAuthority.create(at: systemSeconds())
        let bad = try identity(authority)
        let service = FakeService(authority)
        let server = try await LinkServer.start(
            .init(host: "127.0.0.1", port: 0), authority: authority,
            certificate: ServerCertificate(certificatePEM: bad.certificatePEM, privateKeyPEM: bad.privateKeyPEM),
            service: service, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        let victim = try identity(authority)
        let error = await #expect(throws: LinkError.self) {
            _ = try await LinkClient.connect(
                LinkEndpoint(host: "127.0.0.1", port: server.port), identity: victim, hello: hello(victim.node))
        }
        #expect(error?.code == .untrusted)
        await server.stop()
    }

    @Test("nobody listens: the error says so")
    func unreachable() async throws {
        let loopback = try await Loopback()
        let endpoint = loopback.endpoint
        await loopback.server.stop()
        let identity = try identity(loopback.authority)
        let error = await #expect(throws: LinkError.self) {
            _ = try await LinkClient.connect(endpoint, identity: identity, hello: hello(identity.node))
        }
        #expect(error?.code == .unreachable)
    }

    @Test("a hundred agents at once")
    func crowd() async throws {
        let loopback = try await Loopback()
        let connections = try await withThrowingTaskGroup(of: LinkConnection.self) { group in
            for _ in 0..<100 { group.addTask { try await loopback.connect() } }
            return try await group.reduce(into: [LinkConnection]()) { $0.append($1) }
        }
        #expect(loopback.server.connectionCount == 100)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for connection in connections {
                group.addTask {
                    for number in 0..<20 {
                        try await connection.send(.planHeld(PlanPosition(epoch: 1, revision: Int64(number))))
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await eventually { loopback.service.received.count == 2000 })
        for connection in connections { connection.close(.finished) }
        #expect(try await eventually { loopback.server.connectionCount == 0 })
        await loopback.server.stop()
    }
}
