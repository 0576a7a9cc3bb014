import CoordinatorPlatform
import Logging
import ProtocolLink
import ProtocolModel

/// Brings one session's agent the changes of its plan and the operations that are due, as far as it can take them.
package struct PlanCourier: Sendable {
    /// What of a session it needs.
    package struct Session: Sendable {
        let hello: AgentHello
        let willSendSnapshot: Bool
        let send: @Sendable (LinkMessage) async throws -> Void

        package init(
            hello: AgentHello, willSendSnapshot: Bool, send: @escaping @Sendable (LinkMessage) async throws -> Void
        ) {
            self.hello = hello
            self.willSendSnapshot = willSendSnapshot
            self.send = send
        }

        init(_ connection: LinkConnection) {
            self.init(hello: connection.hello, willSendSnapshot: connection.welcome.willSendSnapshot) {
                try await connection.send($0)
            }
        }
    }

    let session: Session
    let node: NodeID
    let database: any SQLDatabase
    let plans: PlanReader
    let operations: OperationService
    let intake: StatusIntake
    let plan: PlanService
    let figures: FleetFigures
    let clock: any WallClock
    let logger: Logger
    private let store = PlanStore()
    private let aside = SetAsideStore()

    package init(
        session: Session, node: NodeID, database: any SQLDatabase, plans: PlanReader,
        operations: OperationService, intake: StatusIntake, plan: PlanService, figures: FleetFigures,
        clock: any WallClock, logger: Logger
    ) {
        self.session = session
        self.node = node
        self.database = database
        self.plans = plans
        self.operations = operations
        self.intake = intake
        self.plan = plan
        self.figures = figures
        self.clock = clock
        self.logger = logger
    }

    private var agent: AgentCapabilities { session.hello.capabilities ?? .unspoken }

    /// Sends whatever there is whenever there is any.
    package func deliver(_ signals: AsyncStream<Void>) async {
        do {
            try await noteKinds()
            var known = Dictionary(
                try await database.read { try aside.lines(of: node, in: $0) }.map { ($0.key, $0.generation) }
            ) { first, _ in first }
            // Without a snapshot that was promised, no change means anything.
            var sent = session.willSendSnapshot ? nil : session.hello.position.revision
            if let sent { try await plan.repeatRemovals(from: node, upTo: sent, on: database) }
            if session.willSendSnapshot { sent = try await sendSnapshot(&known) }
            var sentOperations: Set<OperationID> = []
            for await _ in signals {
                if sent == nil { sent = try await sendSnapshot(&known) }
                let due: [Operation]
                (sent, due) = try await sendChanges(after: sent, &known)
                sentOperations = try await send(due, except: sentOperations)
            }
        } catch {
            logger.info("plan delivery stopped", metadata: ["node": "\(node)", "error": "\(error)"])
        }
    }

    /// Passes questions on, and answers those that the agent would not understand.
    package func ask(_ questions: AsyncStream<Operation>, answer: (OperationResult) -> Void) async {
        for await operation in questions {
            guard agent.knows(operation.action) else {
                answer(refusal(operation))
                continue
            }
            guard (try? await session.send(.operation(operation))) != nil else { return }
        }
    }

    /// - Returns: What it led to; `nil` when there is none that could be sent now.
    private func sendSnapshot(_ known: inout [ResourceKey: Int64]) async throws -> Int64? {
        let agent = session.hello.capabilities
        guard let snapshot = try await database.read({ try plans.snapshot(of: node, for: agent, in: $0) }) else {
            return nil
        }
        guard !snapshot.wouldRemove else {
            // The agent goes on with what it has; who asked for what is too large hears of it.
            try await noteSetAside(of: snapshot, &known)
            return nil
        }
        try await send(snapshot, &known)
        return snapshot.update.revision
    }

    /// One look at the database in most cases: what changed and what is to be done come out of the same one.
    /// - Parameter revision: `nil` while the agent has no plan that changes could go on from.
    /// - Returns: Where the agent's plan is now, and the operations that were pending then.
    private func sendChanges(
        after revision: Int64?, _ known: inout [ResourceKey: Int64]
    ) async throws -> (sent: Int64?, due: [Operation]) {
        var sent = revision
        let agent = session.hello.capabilities
        while true {
            let after = sent
            let (delta, due) = try await database.read { reader in
                let delta = try after.flatMap { try plans.delta(of: node, after: $0, for: agent, in: reader) }
                return (delta, try operations.pending(of: node, in: reader))
            }
            guard let delta else { return (sent, due) }
            try await send(delta, &known)
            sent = delta.update.revision
            if delta.isLast { return (sent, due) }
        }
    }

    /// - Parameter known: What is set aside already, with generations.
    private func send(_ part: PlanPart, _ known: inout [ResourceKey: Int64]) async throws {
        // Before the agent's plan leads past them, or a crash would forget them.
        try await noteSetAside(of: part, &known)
        try await session.send(.plan(part.update))
        guard !known.isEmpty else { return }
        let held = Set(part.setAside.map(\.key))
        let delivered = part.update.entries.map(\.key).filter { known[$0] != nil && !held.contains($0) }
        guard !delivered.isEmpty else { return }
        try await database.write { transaction in
            for key in delivered { try aside.delete(key, node: node, in: transaction) }
        }
        for key in delivered { known[key] = nil }
    }

    private func noteSetAside(of part: PlanPart, _ known: inout [ResourceKey: Int64]) async throws {
        let news = part.setAside.filter { known[$0.key] != $0.generation }
        guard !news.isEmpty else { return }
        try await setAside(news)
        for item in news { known[item.key] = item.generation }
    }

    private func setAside(_ items: [SetAside]) async throws {
        let now = clock.now()
        let version = session.hello.agentVersion
        try await database.write { transaction in
            let ever = Set(try aside.kinds(of: node, in: transaction).keys).union(AgentCapabilities.unspoken.kinds.keys)
            for item in items {
                var status = ResourceStatus(
                    key: item.key, generation: item.generation, phase: .failed, error: item.error(agentVersion: version)
                )
                if !item.isWanted, !ever.contains(item.key.kind.rawValue) {
                    // No agent of this host ever had it.
                    status.phase = .gone
                    status.error = nil
                } else {
                    try aside.put(item, node: node, in: transaction)
                }
                try intake.take([status], from: node, at: now, in: transaction)
            }
        }
        for item in items {
            figures.update { $0.entriesSetAside += 1 }
            logger.error(
                "an entry of the plan cannot be delivered and is set aside",
                metadata: [
                    "node": "\(node)", "\(item.key.kind)": "\(item.key.id)", "generation": "\(item.generation)",
                    "error": "\(item.error(agentVersion: version).detail)"
                ])
        }
    }

    /// Remembers what the agent knows, and asks anew for what an earlier one did not.
    private func noteKinds() async throws {
        let kinds = agent.kinds
        let known = try await database.read { try aside.kinds(of: node, in: $0) }
        let current = known.filter(\.value.isCurrent).mapValues(\.name)
        guard kinds != (known.isEmpty ? AgentCapabilities.unspoken.kinds : current) else { return }
        try await database.write { transaction in
            try aside.setKinds(kinds, of: node, in: transaction)
            for line in try aside.lines(of: node, in: transaction) where line.isForKind && agent.knows(line.key.kind) {
                try aside.delete(line.key, node: node, in: transaction)
                guard let entry = try store.entry(line.key, node: node, in: transaction) else { continue }
                if entry.isWanted {
                    try plan.put(line.key, on: node, in: transaction)
                } else {
                    try plan.remove(line.key, from: node, in: transaction)
                }
            }
        }
        logger.notice(
            "the agent's release knows other kinds of resources than the one before",
            metadata: ["node": "\(node)", "kinds": "\(kinds.values.sorted().joined(separator: ", "))"])
    }

    // MARK: Operations

    private func send(_ due: [Operation], except sent: Set<OperationID>) async throws -> Set<OperationID> {
        for operation in due where !sent.contains(operation.id) {
            if agent.knows(operation.action) {
                try await session.send(.operation(operation))
            } else {
                let (result, now) = (refusal(operation), clock.now())
                try await database.write { try operations.ended(result, from: node, at: now, in: $0) }
            }
        }
        return Set(due.map(\.id))
    }

    private func refusal(_ operation: Operation) -> OperationResult {
        let version = session.hello.agentVersion
        return OperationResult(
            id: operation.id,
            outcome: .failed(
                StatusError(
                    code: .unsupported,
                    message: "The host's agent is of release \(version), which cannot do this: upgrade it to release "
                        + "\(Release.version).",
                    detail: "\(operation.action.name) is not known to the agent")))
    }
}
