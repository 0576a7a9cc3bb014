import AgentCore
import Logging
import NIOCore
import ProtocolLink
import ProtocolModel

/// One node: its engine, and its session with the coordinator for as long as there is one.
package struct NodeAgent: Sendable {
    let engine: ReconcileEngine
    let describer: any NodeDescriber
    let folder: StateFolder
    let endpoint: LinkEndpoint
    let identity: NodeIdentity
    let bootID: String
    let healthEvery: Duration
    let group: any EventLoopGroup
    /// For files.
    let workers: BlockingWorkers
    let clock: any Clock<Duration>
    let wallClock: any WallClock
    let logger: Logger
    /// What the coordinator is told that this agent can: all that this release knows, since what the host lacks the role
    /// for, it refuses by itself.
    let capabilities: AgentCapabilities
    /// Lent to whoever else asks the coordinator something.
    let line = CoordinatorLine()

    /// - Parameter capabilities: Those of another release, for simulations.
    package init(
        engine: ReconcileEngine, describer: any NodeDescriber, folder: StateFolder, endpoint: LinkEndpoint,
        identity: NodeIdentity, bootID: String, healthEvery: Duration, group: any EventLoopGroup,
        workers: BlockingWorkers, clock: any Clock<Duration>, wallClock: any WallClock, logger: Logger,
        capabilities: AgentCapabilities? = nil
    ) {
        self.engine = engine
        self.describer = describer
        self.folder = folder
        self.endpoint = endpoint
        self.identity = identity
        self.bootID = bootID
        self.healthEvery = healthEvery
        self.group = group
        self.workers = workers
        self.clock = clock
        self.wallClock = wallClock
        self.logger = logger
        self.capabilities =
            capabilities
            ?? AgentCapabilities(kinds: engine.registry.owners.flatMap(\.kinds), operations: Operation.Kind.allCases)
    }

    /// How often the host is looked at for changes worth a report.
    private static let reportEvery = Duration.seconds(60)
    private static let renewalCheckEvery = Duration.seconds(3600)
    /// A session that held for so long shows that dialling at once again is no burden.
    private static let lastingSession = Duration.seconds(2)

    /// Runs until the task is cancelled.
    package func run() async throws {
        // Before the first hello, which says what plan is held.
        try await engine.load()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await engine.run() }
            group.addTask { await stayConnected() }
            group.addTask { await heedConfirmations() }
            // One never ends before the other but by an error or cancellation.
            try await group.next()
            group.cancelAll()
        }
    }

    /// What `skerry-agent confirm-removals` wrote down, also while the coordinator is away.
    private func heedConfirmations() async {
        while !Task.isCancelled {
            let confirmed = await workers.run { folder.confirmedRemovals() }
            // What could not be written down, for want of room say, is heeded at the next look.
            if !confirmed.isEmpty, await engine.confirmRemoval(of: confirmed) {
                await workers.run { folder.forgetConfirmedRemovals(confirmed) }
            }
            guard (try? await clock.sleep(for: healthEvery, tolerance: .seconds(1))) != nil else { return }
        }
    }

    private func stayConnected() async {
        var backoff = Backoff(initial: .milliseconds(100), maximum: .seconds(5))
        var lastProblem: String?
        var identity = identity
        while !Task.isCancelled {
            let watch = Stopwatch(clock)
            do {
                let connection = try await connect(identity)
                logger.notice(
                    "connected to the coordinator", metadata: ["address": "\(endpoint)", "node": "\(identity.node)"])
                lastProblem = nil
                identity = await serve(connection, identity)
                let closure = await connection.waitUntilClosed()
                if !Task.isCancelled {
                    logger.notice("the session ended", metadata: ["reason": "\(closure.detail)"])
                }
            } catch is CancellationError {
                break
            } catch {
                // The same trouble at every attempt is told once.
                if "\(error)" != lastProblem {
                    logger.warning("cannot reach the coordinator, trying on", metadata: ["error": "\(error)"])
                }
                lastProblem = "\(error)"
            }
            if watch.elapsed > Self.lastingSession { backoff.reset() }
            try? await clock.sleep(for: backoff.next())
        }
    }

    private func connect(_ identity: NodeIdentity) async throws -> LinkConnection {
        let hello = AgentHello(
            node: identity.node, agentVersion: AgentVersion.text, position: await engine.position, bootID: bootID,
            capabilities: capabilities)
        return try await LinkClient.connect(endpoint, identity: identity, hello: hello, group: group)
    }

    /// - Returns: The identity for the next session: a renewed one, when it was due.
    private func serve(_ connection: LinkConnection, _ identity: NodeIdentity) async -> NodeIdentity {
        let session = LinkedSession(connection: connection)
        await engine.connect(session)
        line.use(connection)
        defer { line.use(nil) }
        let renewed = await withTaskGroup(of: NodeIdentity?.self) { group in
            group.addTask {
                await read(connection)
                return nil
            }
            group.addTask {
                await describeNode(session)
                return nil
            }
            group.addTask { await renew(identity, over: connection) }
            var renewed: NodeIdentity?
            for await fresh in group {
                renewed = fresh ?? renewed
                // Renewal ends by itself; the others end with the session.
                if fresh == nil { group.cancelAll() }
            }
            return renewed
        }
        await engine.disconnect()
        connection.close(Task.isCancelled ? .shuttingDown : .finished)
        return renewed ?? identity
    }

    private func read(_ connection: LinkConnection) async {
        do {
            for try await message in connection.messages {
                switch message {
                case .plan(let update):
                    let position = try await engine.apply(update)
                    try await connection.send(.planHeld(position))
                case .operation(let operation): await engine.handle(operation)
                case .operationAcknowledged(let id): await engine.acknowledge(id)
                case .planHeld, .statuses, .report, .health, .result: break  // Ours to say, not to hear.
                }
            }
        } catch is CancellationError {
        } catch is LinkError {
            // How the session ended is told where it is closed.
        } catch {
            logger.error("cannot take in what the coordinator says", metadata: ["error": "\(error)"])
        }
    }

    /// Reports what the node is and how it fares. Beside the reading of the plan: a hypervisor that was just installed
    /// takes seconds to find out what it can do.
    private func describeNode(_ session: LinkedSession) async {
        var reported: NodeReport?
        var troubles: [String] = []
        var nextReport = Duration.zero
        let watch = Stopwatch(clock)
        while !Task.isCancelled {
            let health = await describer.health(
                runningGuests: engine.figures.current.runningGuests, problems: await engine.problems)
            // What comes and goes with a trouble (the hypervisor, say) is news at once.
            if watch.elapsed >= nextReport || health.problems != troubles {
                nextReport = watch.elapsed + Self.reportEvery
                troubles = health.problems
                let report = await describer.report(problems: await engine.problems)
                if report.lasting != reported {
                    reported = report.lasting
                    await session.send(report)
                }
            }
            await session.send(health)
            guard (try? await clock.sleep(for: healthEvery, tolerance: .seconds(1))) != nil else { return }
        }
    }

    /// - Returns: A fresh identity once the present one is due for renewal, `nil` when the session ended before.
    private func renew(_ identity: NodeIdentity, over connection: LinkConnection) async -> NodeIdentity? {
        while !Task.isCancelled {
            if identity.isRenewalDue(at: wallClock.now() / 1_000_000) {
                do {
                    let fresh = try await connection.renew(try CertificateRequest())
                    try await workers.run { () throws(any Error) in try fresh.store(directory: folder.identity) }
                    logger.notice("the node's certificate was renewed", metadata: ["node": "\(identity.node)"])
                    return fresh
                } catch {
                    logger.warning("cannot renew the node's certificate", metadata: ["error": "\(error)"])
                }
            }
            guard (try? await clock.sleep(for: Self.renewalCheckEvery, tolerance: .seconds(60))) != nil else { break }
        }
        return nil
    }
}
