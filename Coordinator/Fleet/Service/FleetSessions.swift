import CoordinatorPlatform
import Logging
import ProtocolLink
import ProtocolModel

/// The coordinator's end of the agents' link: who may join, and what a session does.
struct FleetSessions: LinkService {
    let database: any SQLDatabase
    let registry: SessionRegistry
    let nodes: NodeService
    let operations: OperationService
    let plans: PlanReader
    let intake: StatusIntake
    let images: any ImageBlobSource
    let serving: (any ServingAuthority)?
    let consoles: (any ConsoleStreams)?
    let authority: CertificateAuthority
    let figures: FleetFigures
    let clock: any WallClock
    let logger: Logger
    private let store = PlanStore()
    private let refusals = JoinRefusals()

    init(
        database: any SQLDatabase, registry: SessionRegistry, nodes: NodeService, operations: OperationService,
        plans: PlanReader, intake: StatusIntake, images: any ImageBlobSource, serving: (any ServingAuthority)?,
        consoles: (any ConsoleStreams)?, authority: CertificateAuthority,
        figures: FleetFigures, clock: any WallClock, logger: Logger
    ) {
        self.database = database
        self.registry = registry
        self.nodes = nodes
        self.operations = operations
        self.plans = plans
        self.intake = intake
        self.images = images
        self.serving = serving
        self.consoles = consoles
        self.authority = authority
        self.figures = figures
        self.clock = clock
        self.logger = logger
    }

    func isRevoked(_ node: NodeID, serial: String) async throws -> Bool { try await position(of: node) == nil }

    /// - Throws: A refusal that does not last, when the store cannot say: a node is not removed for that.
    private func position(of node: NodeID) async throws -> PlanStore.Position? {
        do {
            return try await database.read { try store.position(of: node, in: $0) }
        } catch {
            logger.error("an agent has to wait for the store", metadata: ["node": "\(node)", "error": "\(error)"])
            throw LinkRefusal(.unavailable, "The coordinator cannot reach its database now: try again later.")
        }
    }

    func join(_ request: JoinRequest, from address: String) async throws -> NodeIdentityGrant {
        let now = clock.now()
        guard request.hostname.utf8.count <= JoinRefusals.longestName else {
            throw LinkRefusal(.malformed, "A host's name has at most \(JoinRefusals.longestName) bytes.")
        }
        // Strangers read: what they try costs neither a turn of the writer nor a line of the log each.
        guard try await isKnown(request.secret, at: now) else {
            try await note(request, from: address, at: now)
            throw Self.unknownToken
        }
        do {
            let node = try await database.write { transaction in
                let node = try nodes.admit(secret: request.secret, hostname: request.hostname, at: now, in: transaction)
                try EventLog.append(
                    Event(
                        time: now, requestID: "", action: "fleet.node.join", user: "", project: "",
                        target: node?.text ?? request.hostname, outcome: node == nil ? "401 bad token" : "success",
                        remoteAddress: address),
                    in: transaction)
                return node
            }
            guard let node else { throw Self.unknownToken }
            logger.notice(
                "node joined", metadata: ["node": "\(node)", "host": "\(request.hostname)", "from": "\(address)"])
            return try authority.issueNodeCertificate(
                request: request.certificateRequestDER, node: node, at: now / 1_000_000)
        } catch let error as APIError {
            throw LinkRefusal(
                .unavailable, error.message)
        }
    }

    private static let unknownToken = LinkRefusal(
        .unauthorized, "The join token is unknown, used up or too old: make a new one with 'skerry node token'.")

    private func isKnown(_ secret: [UInt8], at now: Int64) async throws -> Bool {
        do { return try await database.read { [nodes] in try nodes.isKnown(secret: secret, at: now, in: $0) } } catch {
            throw LinkRefusal(.unavailable, "The coordinator cannot reach its database now: try again later.")
        }
    }

    private func note(_ request: JoinRequest, from address: String, at now: Int64) async throws {
        let lines = refusals.note(host: request.hostname, from: address, at: now)
        guard !lines.isEmpty else { return }
        try await database.write { transaction in
            for line in lines { try EventLog.append(line, in: transaction) }
        }
    }

    func renew(_ certificateRequestDER: [UInt8], for node: NodeID) async throws -> NodeIdentityGrant {
        try authority.issueNodeCertificate(request: certificateRequestDER, node: node, at: clock.now() / 1_000_000)
    }

    func admit(_ hello: AgentHello, from address: String) async throws -> Admission {
        guard let position = try await position(of: hello.node) else {
            throw LinkRefusal(
                .revoked, "Node \(hello.node) was removed from the cloud: join it again with a new token.")
        }
        return Admission(willSendSnapshot: PlanDelivery.choose(agent: hello.position, plan: position) == .snapshot)
    }

    func sendImage(_ request: ImageStreamRequest, to node: NodeID, writer: LinkStreamWriter) async throws {
        guard try await database.read({ try plans.needsImage(request.sha512, on: node, in: $0) }) else {
            throw LinkRefusal(.notFound, "No server of this host is made from image \(request.image).")
        }
        let chunks: AsyncThrowingStream<[UInt8], any Error>
        do {
            chunks = try await images.read(image: request.image, sha512: request.sha512, from: request.offset)
        } catch {
            throw LinkRefusal(
                .notFound, "Image \(request.image) has no data here any more.")
        }
        for try await chunk in chunks { try await writer.write(chunk) }
    }

    func verdict(on token: String, for node: NodeID) async throws -> TokenVerdict {
        guard let verdict = try serving?.verdict(on: token, for: try await roles(of: node)) else {
            throw LinkRefusal(.notFound, "The token is none, or none any more.")
        }
        return verdict
    }

    func signingKey(_ request: SigningKeyRequest, for node: NodeID) async throws -> SigningKey {
        guard let key = try serving?.signingKey(request, for: try await roles(of: node)) else {
            throw LinkRefusal(.notFound, "The access key is none, or none any more.")
        }
        return key
    }

    func serverCertificate(_ certificateRequestDER: [UInt8], for node: NodeID) async throws -> String {
        let names = serving?.names(for: try await roles(of: node)) ?? []
        guard !names.isEmpty else {
            throw LinkRefusal(
                .unauthorized,
                "Node \(node) serves no clients by the names that the coordinator knows: see its roles and the endpoints."
            )
        }
        return try authority.issueNodeServerCertificate(
            request: certificateRequestDER, names: names, at: clock.now() / 1_000_000)
    }

    /// As it reported them last: a node that never has serves nobody.
    private func roles(of node: NodeID) async throws -> Set<NodeReport.Role> {
        try await database.read { try nodes.node(node, in: $0) }?.report?.roles ?? []
    }

    func receiveImage(_ upload: ImageUpload, from node: NodeID, bytes: LinkByteStream) async throws {
        let isExpected = try await database.read {
            try operations.makes(upload.image, by: upload.operation, on: node, in: $0)
        }
        guard isExpected else {
            throw LinkRefusal(.notFound, "No operation of this host makes image \(upload.image).")
        }
        do {
            try await images.receive(image: upload.image, sizeBytes: upload.sizeBytes, from: bytes.throwingStream)
        } catch let error as APIError {
            throw LinkRefusal(Self.code(error.status), error.message)
        }
    }

    func serveConsole(_ session: ConsoleID, of node: NodeID, _ console: LinkConsole) async throws {
        guard await consoles?.serve(session, of: node, console) == true else {
            throw LinkRefusal(.notFound, "Nobody waits for console \(session).")
        }
    }

    /// What becomes of the agent's next attempt is up to the code: `busy` and `unavailable` do not last.
    private static func code(_ status: Int) -> LinkRefusal.Code {
        switch status {
        case 409: .busy
        case 500...: .unavailable
        default: .malformed
        }
    }

    func serve(_ connection: LinkConnection) async {
        guard case .node(let node, _) = connection.peer else { return }
        let serial = registry.nextSerial()
        let (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let (questions, question) = AsyncStream.makeStream(of: Operation.self, bufferingPolicy: .bufferingOldest(64))
        let handle = SessionRegistry.Handle(
            serial: serial, keepAlive: Int64(connection.welcome.keepAlive / .microseconds(1)),
            wake: { signal.yield() }, ask: { question.yield($0) }, close: { connection.close(.replaced) })
        let signs = registry.register(handle, node: node, at: clock.now())
        // It may have been removed after it was admitted, and before there was a session to close.
        guard await isStillThere(node) else {
            registry.unregister(serial, node: node)
            return connection.close(.revoked)
        }
        connection.onFrame { [clock] in signs.note(clock.now()) }
        signal.yield()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await read(connection, node: node, serial: serial) }
            let courier = PlanCourier(
                session: PlanCourier.Session(connection), node: node, database: database, plans: plans,
                operations: operations,
                intake: intake, plan: PlanService(sessions: registry), figures: figures, clock: clock, logger: logger)
            group.addTask { await courier.deliver(signals) }
            group.addTask { await courier.ask(questions) { _ = registry.answer($0) } }
            // Whichever ends first ends the session.
            await group.next()
            group.cancelAll()
            signal.finish()
            question.finish()
            connection.close(.shuttingDown)
        }
        if registry.unregister(serial, node: node) {
            logger.info("session ended", metadata: ["node": "\(node)"])
        }
    }

    /// What the store cannot say now, the session itself will find out.
    private func isStillThere(_ node: NodeID) async -> Bool {
        do { return try await position(of: node) != nil } catch { return true }
    }

    private func judge() async {
        let now = clock.now()
        do {
            if try await database.read({ try nodes.needsJudging(at: now, in: $0) }) {
                try await database.write { try nodes.judge(at: now, in: $0) }
            }
        } catch {
            logger.error("nodes could not be judged", metadata: ["error": "\(error)"])
        }
    }

    private func read(_ connection: LinkConnection, node: NodeID, serial: UInt64) async {
        do {
            for try await message in connection.messages {
                try await take(message, from: node, connection: connection)
                if case .report = message, registry.markReported(serial, node: node) { await judge() }
            }
        } catch {
            logger.info("session broke", metadata: ["node": "\(node)", "error": "\(error)"])
        }
    }

    private func take(_ message: LinkMessage, from node: NodeID, connection: LinkConnection) async throws {
        let now = clock.now()
        switch message {
        case .statuses(let statuses):
            let news = statuses.filter(intake.matters)
            guard !news.isEmpty else { return }
            try await database.write { try intake.take(news, from: node, at: now, in: $0) }
        case .report(let report):
            try await database.write { try nodes.report(report, by: node, at: now, in: $0) }
        case .health(let health): registry.keep(health, of: node)
        case .planHeld(let position):
            registry.keepHeld(position.revision, by: node)
        case .result(let result):
            if !registry.answer(result) {
                try await database.write { try operations.ended(result, from: node, at: now, in: $0) }
            }
            try await connection.send(.operationAcknowledged(result.id))
        case .plan, .operation, .operationAcknowledged:
            connection.close(.protocolError)
        }
    }
}
