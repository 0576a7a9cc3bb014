import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// Hears what agents say of servers.
struct ServerStatusConsumer: PlanStatusConsumer {
    let parts: ComputeParts
    var kind: ResourceKind { .server }

    func consume(
        _ status: ResourceStatus, from node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        let id: ServerID = status.key.id.cast()
        // A host that the server has left since has nothing to say about it.
        guard let server = try parts.servers.find(id, in: transaction), server.host?.node == node else { return }
        guard status.phase == .gone || (!server.isDeleted && status.generation >= server.planGeneration) else { return }
        var power: ServerDetails.PowerState?
        if case .server(let details) = status.details { power = details.power }
        let evidence = ServerWorkflow.Evidence(
            steps: status.steps, message: status.error?.message ?? "", detail: status.error?.detail ?? "")
        try ServerWorkflow(parts: parts).take(
            .status(status.phase, power), of: server, evidence: evidence, at: now, in: transaction)
    }
}

/// Hears how reboots ended.
struct ServerOperationConsumer: OperationConsumer {
    let parts: ComputeParts
    var kind: ResourceKind { .server }

    func operationEnded(
        _ result: OperationResult, action: Operation.Action, from node: NodeID, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        let id: ServerID
        switch action {
        case .softReboot(let server, _), .hardReboot(let server): id = server
        case .consoleOutput, .unknown: return
        }
        // A later command may have overtaken this one.
        guard let server = try parts.servers.find(id, in: transaction), server.operation == result.id else { return }
        var evidence = ServerWorkflow.Evidence(steps: result.steps)
        var succeeded = false
        switch result.outcome {
        case .done: succeeded = true
        case .failed(let error):
            evidence.message = error.message
            evidence.detail = error.detail
        case .expired: evidence.message = "The host did not get to the reboot in time. Try again."
        case .interrupted:
            evidence.message = "The host was interrupted while it rebooted the guest. Try a hard reboot."
        }
        try ServerWorkflow(parts: parts).take(
            .operationEnded(succeeded: succeeded), of: server, evidence: evidence, at: now, in: transaction)
    }
}

/// Hears about hosts.
struct ServerNodeObserver: NodeObserver {
    let parts: ComputeParts

    func nodeReported(_ report: NodeReport, by node: NodeID, at now: Int64, in transaction: any SQLTransaction) throws {
    }

    func nodeHealthChanged(
        _ health: HealthVerdict, of node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard health == .down else { return }
        for server in try parts.servers.on(node, in: transaction) where server.state.task != nil {
            let evidence = ServerWorkflow.Evidence(
                message: "The host went down.", detail: "node=\(node) host=\(server.host?.hostname ?? "")")
            try ServerWorkflow(parts: parts).take(.hostDown, of: server, evidence: evidence, at: now, in: transaction)
        }
    }

    /// The node never comes back, so nothing of its servers runs any more: what they hold can be given to others.
    func nodeRemoved(_ node: NodeID, at now: Int64, in transaction: any SQLTransaction) throws {
        for server in try parts.servers.on(node, in: transaction) {
            var server = server
            try parts.network.releasePorts(of: server.id, at: now, in: transaction)
            try parts.placement.release(server.id.cast(), at: now, in: transaction)
            server.host = nil
            if server.state.task == .deleting {
                try ServerWorkflow(parts: parts).hide(&server, at: now, in: transaction)
            } else if !server.isDeleted {
                try ServerWorkflow(parts: parts).endTask(&server, message: "Error", at: now, in: transaction)
                server.state = ServerState(
                    vm: .error, task: nil, power: .none, hasLaunched: server.state.hasLaunched)
                server.fault = ServerFault(
                    message: "The server's host was removed from the cloud. Delete the server and make it anew.",
                    details: "node=\(node)", createdAt: now)
            }
            try parts.servers.save(&server, at: now, in: transaction)
        }
    }
}
