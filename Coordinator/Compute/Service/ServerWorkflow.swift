import CoordinatorPlatform
import ProtocolModel

/// Carries out what ``ServerLifecycle`` decides, in the transaction of whoever brought the news.
struct ServerWorkflow: Sendable {
    let parts: ComputeParts

    /// What came with a report: its steps and why something failed.
    struct Evidence: Sendable {
        var steps: [StatusStep] = []
        /// For the tenant.
        var message = ""
        /// For the operator.
        var detail = ""
    }

    /// Judges a report and writes down what follows from it.
    func take(
        _ report: ServerLifecycle.Report, of server: ServerRecord, evidence: Evidence = Evidence(), at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        var server = server
        switch ServerLifecycle.decide(report, in: server.state) {
        case .nothing: return
        case .progress(let state): server.state = state
        case .completed(let state):
            try record(evidence, of: server, at: now, in: transaction)
            try complete(&server, state, at: now, in: transaction)
        case .reverted(let state):
            try record(evidence, of: server, at: now, in: transaction)
            try revert(&server, to: state, evidence: evidence, at: now, in: transaction)
        case .followGuest(let state): try follow(&server, state, at: now, in: transaction)
        case .reschedule:
            try record(evidence, of: server, at: now, in: transaction)
            try BuildRetry(parts: parts).run(&server, evidence: evidence, at: now, in: transaction)
        case .failed(let state):
            try record(evidence, of: server, at: now, in: transaction)
            try fail(&server, state, evidence: evidence, at: now, in: transaction)
        case .removed:
            try record(evidence, of: server, at: now, in: transaction)
            try finishRemoval(&server, at: now, in: transaction)
        case .hidden: try hide(&server, at: now, in: transaction)
        }
        try parts.servers.save(&server, at: now, in: transaction)
    }

    /// Puts the server's wanted power on its host's plan.
    func plan(_ server: inout ServerRecord, _ power: ServerSpec.Power, in transaction: any SQLTransaction) throws {
        server.power = power
        guard let node = server.host?.node else { return }
        server.planGeneration = try parts.plans.put(.server(server.id), on: node, in: transaction)
    }

    private func complete(
        _ server: inout ServerRecord, _ state: ServerState, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        server.state = state
        if state.vm == .active, server.launchedAt == nil { server.launchedAt = now }
        server.fault = nil
        try endTask(&server, message: nil, at: now, in: transaction)
    }

    private func revert(
        _ server: inout ServerRecord, to state: ServerState, evidence: Evidence, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        server.state = state
        server.fault = ServerFault(message: faultText(evidence, server), details: evidence.detail, createdAt: now)
        try plan(&server, state.lastingPower, in: transaction)
        try endTask(&server, message: "Error", at: now, in: transaction)
    }

    private func follow(
        _ server: inout ServerRecord, _ state: ServerState, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        let action = try parts.actions.begin(
            "stop", server: server.id, requestID: "req-\(ServerID.random())", user: server.user,
            project: server.project, at: now, in: transaction)
        let event = ServerEvent(
            name: "guest_powered_off", host: server.host?.hostname ?? "", startedAt: now, finishedAt: now,
            result: "Success",
            details: state.power == .crashed ? "The guest crashed." : "The guest powered itself off.")
        try parts.actions.add(event, to: action, server: server.id, in: transaction)
        server.state = state
        try plan(&server, .stopped, in: transaction)
    }

    private func fail(
        _ server: inout ServerRecord, _ state: ServerState, evidence: Evidence, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        server.state = state
        server.fault = ServerFault(message: faultText(evidence, server), details: evidence.detail, createdAt: now)
        try endTask(&server, message: "Error", at: now, in: transaction)
    }

    /// The host confirmed that nothing is left: what the server held can be given to others.
    private func finishRemoval(_ server: inout ServerRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        try parts.network.releasePorts(of: server.id, at: now, in: transaction)
        try parts.placement.release(server.id.cast(), at: now, in: transaction)
        server.host = nil
        server.state.power = .none
        if server.state.task == .deleting, !server.isDeleted {
            try hide(&server, at: now, in: transaction)
        }
    }

    /// The user is rid of the server. Addresses and claims stay taken while its host may still run it.
    func hide(_ server: inout ServerRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        server.state.vm = .deleted
        server.state.task = nil
        server.deletedAt = now
        server.terminatedAt = now
        try endTask(&server, message: nil, at: now, in: transaction)
    }

    /// Closes the action under way.
    func endTask(
        _ server: inout ServerRecord, message: String?, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        if let action = server.actionID {
            try parts.actions.finish(action, message: message, at: now, in: transaction)
        }
        server.state.task = nil
        server.taskDeadline = nil
        server.actionID = nil
        server.operation = nil
    }

    private func record(
        _ evidence: Evidence, of server: ServerRecord, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard let action = server.actionID else { return }
        let host = server.host?.hostname ?? ""
        for step in evidence.steps {
            let event = ServerEvent(
                name: step.name, host: host, startedAt: step.startedAt,
                finishedAt: step.startedAt + step.durationMicroseconds, result: step.error == nil ? "Success" : "Error",
                details: step.error)
            try parts.actions.add(event, to: action, server: server.id, in: transaction)
        }
        guard !evidence.message.isEmpty else { return }
        let event = ServerEvent(
            name: "\(server.state.task?.rawValue ?? "server")_failed", host: host, startedAt: now, finishedAt: now,
            result: "Error", details: evidence.message, traceback: evidence.detail)
        try parts.actions.add(event, to: action, server: server.id, in: transaction)
    }

    private func faultText(_ evidence: Evidence, _ server: ServerRecord) -> String {
        evidence.message.isEmpty ? "The host reported a failure without giving a reason." : evidence.message
    }
}
