import CoordinatorPlatform
import ProtocolModel

/// Carries out what ``HostedLifecycle`` decides, in the transaction of whoever brought the news, so that no resource on
/// a host stays in a transitional state and whatever became of it can be read.
public struct HostedWorkflow<Kind: HostedKind>: Sendable {
    public typealias Record = Kind.Record
    public typealias State = Record.State

    public let kind: Kind
    public let log = HostedLog()
    private let plans: any PlanWriter

    public init(_ kind: Kind, plans: any PlanWriter) {
        self.kind = kind
        self.plans = plans
    }

    /// Judges a report and writes down what follows from it.
    public func take(
        _ report: HostedReport<State.Sight>, of record: Record, evidence: HostedEvidence = HostedEvidence(),
        at now: Int64, in transaction: any SQLTransaction
    ) throws {
        let decision = HostedLifecycle.decide(report, in: record.state)
        if case .nothing = decision { return }
        var record = record
        try note(evidence, decision, of: record, at: now, in: transaction)
        let task = record.state.task
        switch decision {
        case .nothing: return
        case .progress(let state): record.state = state
        case .advanced(let state):
            record.state = state
            try kind.advance(&record, at: now, in: transaction)
        case .completed(let state):
            record.state = state
            record.completed(at: now)
            record.fault = nil
            try conclude(task, .completed, of: &record, at: now, in: transaction)
            try endTask(&record, message: nil, at: now, in: transaction)
        case .reverted(let state):
            record.state = state
            record.fault = evidence.fault(at: now)
            try conclude(task, .reverted, of: &record, at: now, in: transaction)
            try follow(&record, in: transaction)
            try endTask(&record, message: "Error", at: now, in: transaction)
        case .followed(let state):
            record.state = state
            try tell(record, at: now, in: transaction)
            try follow(&record, in: transaction)
        case .reschedule: try retry(&record, evidence, at: now, in: transaction)
        case .failed(let state):
            try fail(&record, state, evidence.fault(at: now), at: now, in: transaction)
            try conclude(task, .failed, of: &record, at: now, in: transaction)
        case .removed:
            try leaveHost(&record, at: now, in: transaction)
            if record.state.isLeaving, !record.isDeleted {
                try hide(&record, at: now, in: transaction)
            }
        case .hidden: try hide(&record, at: now, in: transaction)
        }
        try kind.save(&record, at: now, in: transaction)
    }

    // MARK: What commands need

    /// Opens an action with its task and deadline; one that it overtakes is closed.
    public func begin(
        _ record: inout Record, _ name: String, task: State.Task, by origin: HostedOrigin, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        if let action = record.actionID { try log.finish(action, message: nil, at: now, in: transaction) }
        record.actionID = try log.begin(name, on: record.key, by: origin, at: now, in: transaction)
        record.operation = nil
        set(task, of: &record, at: now)
    }

    /// Begins to build on the host that was chosen: its plan, its deadline, one attempt more.
    public func occupy(
        _ record: inout Record, task: State.Task, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        record.attempts += 1
        set(task, of: &record, at: now)
        try plan(&record, in: transaction)
    }

    /// The next step of the action under way, with a deadline of its own.
    public func step(_ record: inout Record, task: State.Task, at now: Int64) {
        record.operation = nil
        set(task, of: &record, at: now)
    }

    /// Puts the resource as it is wanted on its host's plan.
    public func plan(_ record: inout Record, in transaction: any SQLTransaction) throws {
        // What is asked to go is not asked to come again.
        guard let node = record.host?.node, !record.isDeleted, !record.state.isLeaving else { return }
        record.planGeneration = try plans.put(record.key, on: node, in: transaction)
    }

    /// Closes the action under way.
    public func endTask(
        _ record: inout Record, message: String?, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        if let action = record.actionID { try log.finish(action, message: message, at: now, in: transaction) }
        record.state.task = nil
        record.taskDeadline = nil
        record.actionID = nil
        record.operation = nil
    }

    /// ERROR, and why.
    public func fail(
        _ record: inout Record, _ state: State, _ fault: HostedFault, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        record.state = state
        record.fault = fault
        try endTask(&record, message: "Error", at: now, in: transaction)
    }

    /// The owner is rid of it. What it holds stays taken while its host may still have it.
    public func hide(_ record: inout Record, at now: Int64, in transaction: any SQLTransaction) throws {
        record.hide(at: now)
        try endTask(&record, message: nil, at: now, in: transaction)
    }

    /// Asks the host to remove it: with a task begun, until its host says so or is too long silent. What is on no host
    /// goes at once, and so does for its owner what is on one that is down.
    public func remove(
        _ record: inout Record, isHostDown: Bool, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard let host = record.host else {
            try kind.release(record, at: now, in: transaction)
            return try hide(&record, at: now, in: transaction)
        }
        record.planGeneration = try plans.remove(record.key, from: host.node, in: transaction)
        if isHostDown { try hide(&record, at: now, in: transaction) }
    }

    // MARK: Parts

    private func conclude(
        _ task: State.Task?, _ outcome: HostedOutcome, of record: inout Record, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        guard let task else { return }
        try kind.ended(task, outcome, of: &record, at: now, in: transaction)
    }

    private func set(_ task: State.Task, of record: inout Record, at now: Int64) {
        record.state.task = task
        record.taskDeadline = now + task.allowedSeconds * 1_000_000
    }

    /// The plan asks for what the state lasts as.
    private func follow(_ record: inout Record, in transaction: any SQLTransaction) throws {
        kind.aim(&record)
        try plan(&record, in: transaction)
    }

    private func tell(_ record: Record, at now: Int64, in transaction: any SQLTransaction) throws {
        let news = kind.news(of: record)
        let origin = HostedOrigin(
            requestID: "req-\(AnyID.random())", user: record.user, project: record.project)
        let action = try log.begin(news.action, on: record.key, by: origin, at: now, in: transaction)
        let event = HostedEvent(
            name: news.event, host: record.host?.hostname ?? "", startedAt: now, finishedAt: now, result: "Success",
            details: news.details)
        try log.add(event, to: action, in: transaction)
    }

    /// Another host, or ERROR.
    private func retry(
        _ record: inout Record, _ evidence: HostedEvidence, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        let old = record.host
        if let old {
            record.excluded[old.node] = evidence.message
            try plans.remove(record.key, from: old.node, in: transaction)
        }
        var reason = ""
        if record.attempts < kind.buildAttempts, kind.mayMove(record) {
            guard let none = try kind.rehost(&record, at: now, in: transaction) else { return }
            reason = none
            // The old host may still hold remains, so it stays the resource's until it says gone.
            record.host = old
        }
        let tries = record.attempts == 1 ? "1 host" : "\(record.attempts) hosts"
        var message = "Build of \(kind.words.noun) \(record.key.id) failed on \(tries). \(evidence.message)"
        if !reason.isEmpty { message += " No other host fits: \(reason)" }
        let fault = HostedFault(message: message, details: evidence.detail, createdAt: now)
        try fail(&record, record.state.offHost.failed, fault, at: now, in: transaction)
    }

    /// Nothing of it is left on its host: what it held can be given to others.
    func leaveHost(_ record: inout Record, at now: Int64, in transaction: any SQLTransaction) throws {
        try kind.release(record, at: now, in: transaction)
        record.host = nil
        record.state = record.state.offHost
    }

    private func note(
        _ evidence: HostedEvidence, _ decision: HostedDecision<State>, of record: Record, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        switch decision {
        case .nothing, .progress, .followed, .hidden: return
        case .advanced, .completed, .reverted, .reschedule, .failed, .removed: break
        }
        guard let action = record.actionID else { return }
        let task = record.state.task?.rawValue ?? kind.words.noun
        for event in evidence.events(host: record.host?.hostname ?? "", task: task, at: now) {
            try log.add(event, to: action, in: transaction)
        }
    }
}
