import CoordinatorPlatform
import Logging
import ProtocolLink
import ProtocolModel
import Synchronization

/// Nodes: joining, reports, health, removal.
public struct NodeService: NodeDirectory {
    private let store = NodeStore()
    private let tokens = JoinTokenStore()
    private let plans = PlanStore()
    private let operations = OperationStore()
    private let registry: SessionRegistry
    private let observers: [any NodeObserver]
    private let logger: Logger
    private let failures: PartFailures
    private let tracker: NodeHealthTracker
    private let roll = NodeRoll()

    package init(
        registry: SessionRegistry, observers: [any NodeObserver], tracker: NodeHealthTracker = NodeHealthTracker(),
        logger: Logger
    ) {
        self.registry = registry
        self.observers = observers
        self.tracker = tracker
        self.logger = logger
        failures = PartFailures(logger: logger)
    }

    public func nodes(in reader: any SQLReader) throws -> [Node] { try store.all(in: reader).map(withLiveness) }

    public func node(_ id: NodeID, in reader: any SQLReader) throws -> Node? {
        try store.node(id, in: reader).map(withLiveness)
    }

    public func nodes(knowing kind: ResourceKind, in reader: any SQLReader) throws -> Set<NodeID> {
        Set(try SetAsideStore().nodes(knowing: kind, in: reader))
    }

    public func setEnabled(
        _ enabled: Bool, reason: String?, node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        try store.setEnabled(enabled, reason: reason, node: node, at: now, in: transaction)
    }

    /// Makes a join token.
    /// - Parameter uses: How many nodes may join with it: 1, or more for simulations.
    package func makeToken(
        authority: [UInt8], uses: Int, lifetime: Int64, now: Int64, in transaction: any SQLTransaction
    ) throws -> JoinToken {
        guard let token = JoinToken.make(authorityHash: authority) else {
            throw StoreError.corrupt("the CA's hash is not a SHA-256")
        }
        try tokens.insert(
            secretHash: Self.text(token.secretHash), uses: uses, expiresAt: now + lifetime, now: now, in: transaction)
        return token
    }

    /// Whether a token would do now; what it is worth is decided where it is used up.
    package func isKnown(secret: [UInt8], at now: Int64, in reader: any SQLReader) throws -> Bool {
        try tokens.isKnown(secretHash: Self.text(JoinToken.hash(ofSecret: secret)), now: now, in: reader)
    }

    /// Uses up a token and makes the node's row.
    /// - Returns: `nil` when the token is unknown, spent or too old.
    package func admit(
        secret: [UInt8], hostname: String, at now: Int64, in transaction: any SQLTransaction
    ) throws -> NodeID? {
        guard try tokens.consume(secretHash: Self.text(JoinToken.hash(ofSecret: secret)), now: now, in: transaction)
        else { return nil }
        guard try !store.isTaken(hostname, in: transaction) else {
            throw APIError.conflict(
                "A node named '\(hostname)' is in the cloud already: remove it first, or join with another name.")
        }
        let node = NodeID.random()
        try store.insert(node, hostname: hostname, epoch: now, at: now, in: transaction)
        return node
    }

    /// Takes a report in, and tells the observers when it says something new.
    ///
    /// What a node says that was removed meanwhile is nobody's.
    package func report(_ report: NodeReport, by node: NodeID, at now: Int64, in transaction: any SQLTransaction) throws
    {
        let encoded = try report.wireBytes
        guard try store.encodedReport(of: node, in: transaction) != encoded,
            try store.setReport(report, encoded: encoded, of: node, at: now, in: transaction)
        else { return }
        for observer in observers {
            try observer.nodeReported(report, by: node, at: now, in: transaction)
        }
    }

    /// Judges every node by its last sign of life. Called by a ticker and when a session opens.
    ///
    /// Each node apart: one on which no verdict can be written costs no other its own.
    package func judge(at now: Int64, in transaction: any SQLTransaction) throws {
        let verdicts = verdicts(on: try store.judged(in: transaction), at: now)
        try transaction.apart(verdicts, "judging", \.node.node.text, failures) { judged, verdict, lastSeen in
            try note(verdict, on: judged, lastSeen: lastSeen, at: now, in: transaction)
        }
    }

    private func note(
        _ verdict: HealthVerdict, on judged: NodeStore.Judged, lastSeen: Int64, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        guard try store.setHealth(verdict, of: judged.node, lastSeen: lastSeen, at: now, in: transaction) else {
            return
        }
        for observer in observers {
            try observer.nodeHealthChanged(verdict, of: judged.node, at: now, in: transaction)
        }
        let logger = logger
        transaction.afterCommit {
            logger.notice(
                "node is \(verdict.rawValue)", metadata: ["node": "\(judged.node)", "host": "\(judged.hostname)"])
        }
    }

    /// - Returns: Whether ``judge(at:in:)`` would change anything, so that an idle cloud writes nothing.
    package func needsJudging(at now: Int64, in reader: any SQLReader) throws -> Bool {
        !verdicts(on: try roll.current(in: reader), at: now).isEmpty
    }

    /// The nodes of which another thing is true than their rows say.
    private func verdicts(
        on nodes: [NodeStore.Judged], at now: Int64
    ) -> [(node: NodeStore.Judged, verdict: HealthVerdict, lastSeen: Int64)] {
        let standings = registry.standings()
        let pauses = registry.look(at: now)
        let startedAt = registry.startedAt
        return nodes.compactMap { node in
            let standing = standings[node.node] ?? SessionRegistry.Standing()
            // A row from before the clock was set back says nothing.
            let lastSeen = standing.lastSeen ?? max(node.lastSeen <= now ? node.lastSeen : startedAt, startedAt)
            let verdict = tracker.verdict(
                current: node.health, isConnected: standing.isConnected,
                silence: pauses.silence(since: lastSeen, at: now), keepAlive: standing.keepAlive)
            return verdict == node.health ? nil : (node, verdict, lastSeen)
        }
    }

    /// Takes the node out for good: its certificate stops working, its plan is dropped.
    package func remove(_ node: NodeID, at now: Int64, in transaction: any SQLTransaction) throws -> Bool {
        guard try store.remove(node, at: now, in: transaction) else { return false }
        // First its plan: what observers write to other nodes must not be meant for this one as well.
        try plans.deleteAll(of: node, in: transaction)
        for observer in observers { try observer.nodeRemoved(node, at: now, in: transaction) }
        _ = try operations.takeAll(of: node, in: transaction)
        let registry = registry
        transaction.afterCommit { registry.close(node) }
        return true
    }

    public func isDue(_ deadline: Int64, of node: NodeID?, at now: Int64) -> Bool {
        registry.isDue(deadline, of: node, at: now)
    }

    private func withLiveness(_ node: Node) -> Node {
        guard let live = registry.liveness(of: node.id) else { return node }
        var node = node
        node.lastSeen = live.lastSeen
        node.lastHealth = live.health
        return node
    }

    private static func text(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}

/// What the nodes' rows say of their health, read again only when one of them changed: the judge looks every second.
private final class NodeRoll: Sendable {
    private let kept = Mutex<(place: ChangeFeed.Place, nodes: [NodeStore.Judged])?>(nil)
    private let store = NodeStore()

    func current(in reader: any SQLReader) throws -> [NodeStore.Judged] {
        let newest = try ChangeFeed.newest(topic: FleetFeed.nodes, in: reader)
        if let kept = kept.withLock({ $0 }), kept.place == newest { return kept.nodes }
        let nodes = try store.judged(in: reader)
        kept.withLock { $0 = (newest, nodes) }
        return nodes
    }
}
