import CoordinatorPlatform
import ProtocolModel

/// What ends the tasks of one kind that nobody ended, and forgets what is long gone.
public protocol HostedWatchdog: Sendable {
    /// Ends every task that nobody ended in time. One pass; safe to repeat at any moment.
    /// - Returns: How many there were; a full pass may be followed by another at once.
    @discardableResult
    func expire(at now: Int64, in transaction: any SQLTransaction) throws -> Int
    /// Forgets what was deleted before `time` and is gone from its host, with all that was done with it.
    /// - Returns: How many were forgotten.
    @discardableResult
    func forget(deletedBefore time: Int64, in transaction: any SQLTransaction) throws -> Int
}

/// Hears for one kind what agents and the fleet say, and what they do not say in time.
public struct HostedReports<Kind: HostedKind>: PlanStatusConsumer, OperationConsumer, NodeObserver,
    HostedWatchdog
{
    private let workflow: HostedWorkflow<Kind>
    private let directory: (any NodeDirectory)?
    private let failures: PartFailures?

    /// - Parameters:
    ///   - directory: Says whether what was not said in time could be heard; none believes the clock alone.
    ///   - failures: Hears of resources that cannot be seen to.
    public init(
        _ workflow: HostedWorkflow<Kind>, directory: (any NodeDirectory)? = nil, failures: PartFailures? = nil
    ) {
        self.workflow = workflow
        self.directory = directory
        self.failures = failures
    }

    public var kind: ResourceKind { workflow.kind.kind }

    public func consume(
        _ status: ResourceStatus, from node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard let record = try workflow.kind.find(status.key.id, in: transaction) else { return }
        // A host that the resource has left since has nothing to say about it, but that it is gone from there.
        guard record.host?.node == node else {
            if status.phase == .gone { try workflow.kind.left(record, node, at: now, in: transaction) }
            return
        }
        guard status.phase == .gone || (!record.isDeleted && status.generation >= record.planGeneration) else { return }
        let evidence = HostedEvidence(
            steps: status.steps, message: status.error?.message ?? "", detail: status.error?.detail ?? "")
        try workflow.take(
            .status(status.phase, workflow.kind.sight(status.details)), of: record, evidence: evidence, at: now,
            in: transaction)
    }

    public func operationEnded(
        _ result: OperationResult, action: Operation.Action, from node: NodeID, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        // A later command may have overtaken this one.
        guard let id = workflow.kind.subject(of: action),
            let record = try workflow.kind.find(id, in: transaction), record.operation == result.id
        else { return }
        var evidence = HostedEvidence(steps: result.steps)
        var succeeded = false
        switch result.outcome {
        case .done: succeeded = true
        case .failed(let error):
            evidence.message = error.message
            evidence.detail = error.detail
        case .expired: evidence.message = workflow.kind.words.operationExpired
        case .interrupted: evidence.message = workflow.kind.words.operationInterrupted
        }
        try workflow.take(
            .operationEnded(succeeded: succeeded), of: record, evidence: evidence, at: now, in: transaction)
    }

    // MARK: Hosts

    public func nodeReported(
        _ report: NodeReport, by node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws {}

    public func nodeHealthChanged(
        _ health: HealthVerdict, of node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard health == .down else { return }
        let busy = try workflow.kind.on(node, in: transaction).filter { $0.state.task != nil }
        try apart(busy, "what follows from a host's going down", in: transaction) { record in
            let evidence = HostedEvidence(
                message: "The host went down.", detail: "node=\(node) host=\(record.host?.hostname ?? "")")
            try workflow.take(.hostDown, of: record, evidence: evidence, at: now, in: transaction)
        }
    }

    /// The node never comes back, so nothing of what it had is there any more: what that held can be given to others.
    public func nodeRemoved(_ node: NodeID, at now: Int64, in transaction: any SQLTransaction) throws {
        let evidence = HostedEvidence(message: workflow.kind.words.hostRemoved, detail: "node=\(node)")
        for var record in try workflow.kind.on(node, in: transaction) {
            try workflow.leaveHost(&record, at: now, in: transaction)
            if record.isDeleted {
                try workflow.kind.save(&record, at: now, in: transaction)
            } else {
                try workflow.take(.hostRemoved, of: record, evidence: evidence, at: now, in: transaction)
            }
        }
    }

    // MARK: What nobody says

    @discardableResult
    public func expire(at now: Int64, in transaction: any SQLTransaction) throws -> Int {
        let overdue = try due(at: now, in: transaction)
        try apart(overdue, "what follows from a deadline", in: transaction) { record in
            let task = record.state.task?.rawValue ?? ""
            let evidence = HostedEvidence(
                message: "The host did not report the end of '\(task)' within "
                    + "\(record.state.task?.allowedSeconds ?? 0) s.",
                detail: "task=\(task) host=\(record.host?.hostname ?? "") generation=\(record.planGeneration)")
            try workflow.take(.overdue, of: record, evidence: evidence, at: now, in: transaction)
        }
        return overdue.count
    }

    /// Those of the overdue whose hosts could have been heard. Who is not due yet stands in nobody's way.
    private func due(at now: Int64, in reader: any SQLReader) throws -> [Kind.Record] {
        var due: [Kind.Record] = []
        var seen = 0
        for _ in 0..<Self.mostPages where due.count < Self.mostAtOnce {
            let page = try workflow.kind.overdue(at: now, skipping: seen, in: reader)
            guard page.count > 0 else { break }
            seen += page.count
            for failure in page.failures { failures?.note(failure, "reading of what is overdue", failure) }
            due += page.records.filter { record in
                guard let directory, let deadline = record.taskDeadline else { return true }
                return directory.isDue(deadline, of: record.host?.node, at: now)
            }
        }
        return due
    }

    /// Pages of the overdue that one pass looks at, and how many it sees to.
    private static var mostPages: Int { 50 }
    private static var mostAtOnce: Int { 100 }

    /// Each for itself: one that cannot be seen to keeps no other from its way out.
    private func apart(
        _ records: [Kind.Record], _ work: String, in transaction: any SQLTransaction,
        _ body: (Kind.Record) throws -> Void
    ) throws {
        // Another one's way out may have changed it: what holds is what is there now.
        try transaction.apart(records, work, \.key.description, failures) { record in
            guard let current = try workflow.kind.find(record.key.id, in: transaction),
                current.state == record.state, current.taskDeadline == record.taskDeadline
            else { return }
            try body(current)
        }
    }

    @discardableResult
    public func forget(deletedBefore time: Int64, in transaction: any SQLTransaction) throws -> Int {
        let ids = try workflow.kind.removeRows(deletedBefore: time, in: transaction)
        if !ids.isEmpty { try workflow.log.forget(ids, kind, in: transaction) }
        return ids.count
    }
}
