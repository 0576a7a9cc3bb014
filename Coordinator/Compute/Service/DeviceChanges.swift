import CoordinatorBlockStorage
import CoordinatorFleet
import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel

/// Devices that come to and leave servers that are there. A change is the server's plan, and its end is what the host
/// says of it: a device is given back only when no guest has it any more.
struct DeviceChanges: Sendable {
    let parts: ComputeParts

    /// Notes a change and asks the host for it.
    /// - Parameter server: Is saved.
    func begin(
        _ change: ServerDevice.Change, _ device: ServerDevice, of server: inout ServerRecord, origin: Origin,
        in transaction: any SQLTransaction
    ) throws {
        var device = device
        device.action = try parts.log.begin(
            change.name(device.kind), on: server.key, by: origin.action(on: server), at: origin.now, in: transaction)
        try set(change, of: &device, on: &server, at: origin.now, in: transaction)
        if device.number == 0 {
            try parts.devices.insert(device, in: transaction)
        } else {
            try parts.devices.update(device, in: transaction)
        }
        try parts.servers.save(&server, at: origin.now, in: transaction)
    }

    private func set(
        _ change: ServerDevice.Change, of device: inout ServerDevice, on server: inout ServerRecord, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        try parts.workflow.plan(&server, in: transaction)
        device.change = change
        device.generation = server.planGeneration
        device.deadline = now + change.allowedSeconds * 1_000_000
    }

    /// What a host's word on the server means for its devices.
    func consume(
        _ status: ResourceStatus, from node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        let id: ServerID = status.key.id.cast()
        let pending = try parts.devices.pending(of: id, in: transaction)
        guard !pending.isEmpty, let server = try parts.servers.find(id, in: transaction), server.host?.node == node,
            !server.isDeleted
        else { return }
        try settle(
            pending, of: server, error: status.error?.message ?? "", at: now, in: transaction
        ) { device in
            device.outcome(status.phase, generation: status.generation, isPresent: Self.has(device, status.details))
        }
    }

    private static func has(_ device: ServerDevice, _ details: ResourceStatus.Details) -> Bool? {
        guard case .server(let details) = details else { return nil }
        return switch device.kind {
        case .port: details.interfaces.contains(device.device.cast())
        case .volume: details.volumes.contains(device.device.cast())
        }
    }

    /// Ends what hosts did not get to in time.
    func expire(at now: Int64, in transaction: any SQLTransaction) throws {
        for device in try parts.devices.overdue(at: now, in: transaction) {
            guard let server = try parts.servers.find(device.server, in: transaction), !server.isDeleted,
                !server.state.isLeaving
            else {
                // It goes with its server.
                try parts.devices.remove(device, in: transaction)
                continue
            }
            if server.state.task == .shelvingOffloading { continue }
            guard let deadline = device.deadline, parts.directory.isDue(deadline, of: server.host?.node, at: now)
            else { continue }
            let error = "The host did not report the end of it within \(device.change?.allowedSeconds ?? 0) s."
            try settle([device], of: server, error: error, at: now, in: transaction) { $0.overdue }
        }
    }

    private func settle(
        _ devices: [ServerDevice], of server: ServerRecord, error: String, at now: Int64,
        in transaction: any SQLTransaction, _ judge: (ServerDevice) -> ServerDevice.Outcome
    ) throws {
        var server = server
        var isChanged = false
        for device in devices {
            let outcome = judge(device)
            guard outcome != .pending else { continue }
            isChanged = true
            try end(device, outcome, of: &server, error: error, at: now, in: transaction)
        }
        if isChanged { try parts.servers.save(&server, at: now, in: transaction) }
    }

    private func end(
        _ device: ServerDevice, _ outcome: ServerDevice.Outcome, of server: inout ServerRecord, error: String,
        at now: Int64, in transaction: any SQLTransaction
    ) throws {
        var device = device
        let hasFailed = !error.isEmpty
        if let action = device.action {
            let event = HostedEvent(
                name: device.change?.name(device.kind) ?? "", host: server.host?.hostname ?? "", startedAt: now,
                finishedAt: now, result: hasFailed ? "Error" : "Success", details: hasFailed ? error : nil)
            try parts.log.add(event, to: action, in: transaction)
            try parts.log.finish(action, message: hasFailed ? "Error" : nil, at: now, in: transaction)
        }
        (device.change, device.deadline, device.action) = (nil, nil, nil)
        if device.kind == .volume { try tell(device, outcome, at: now, in: transaction) }
        switch outcome {
        case .pending, .attached: try keep(device, in: transaction)
        case .detached: try giveBack(device, at: now, in: transaction)
        case .doubtful:
            try set(.detach, of: &device, on: &server, at: now, in: transaction)
            try parts.devices.update(device, in: transaction)
        case .kept:
            try keep(device, in: transaction)
            try parts.workflow.plan(&server, in: transaction)
        }
    }

    private func attachment(of device: ServerDevice, in reader: any SQLReader) throws -> VolumeAttachment? {
        try parts.volumes.attachments(of: [device.server], in: reader)[device.server]?.first {
            $0.volume == device.device.cast()
        }
    }

    /// What became of it, for the volume service.
    private func tell(
        _ device: ServerDevice, _ outcome: ServerDevice.Outcome, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard let attachment = try attachment(of: device, in: transaction) else { return }
        switch outcome {
        case .attached: try parts.volumes.confirm(attachment.id, at: now, in: transaction)
        case .kept:
            try parts.volumes.rollDetaching(attachment.id, at: now, in: transaction)
            try parts.volumes.confirm(attachment.id, at: now, in: transaction)
        case .doubtful:
            // The guest may have it: as long as that is so it is as good as attached.
            try parts.volumes.confirm(attachment.id, at: now, in: transaction)
            _ = try parts.volumes.beginDetaching(attachment.id, at: now, in: transaction)
        case .pending, .detached: break
        }
    }

    /// The row stays while there is something to say.
    private func keep(_ device: ServerDevice, in transaction: any SQLTransaction) throws {
        if device.tag == nil {
            try parts.devices.remove(device, in: transaction)
        } else {
            try parts.devices.update(device, in: transaction)
        }
    }

    /// The guest has it no more: whoever owns it gets it back.
    private func giveBack(_ device: ServerDevice, at now: Int64, in transaction: any SQLTransaction) throws {
        switch device.kind {
        case .port:
            try parts.network.detachPort(device.device.cast(), of: device.server, at: now, in: transaction)
        case .volume:
            if let attachment = try attachment(of: device, in: transaction) {
                try parts.volumes.detach(attachment.id, at: now, in: transaction)
            }
        }
        try parts.devices.remove(device, in: transaction)
    }
}

/// Hears what hosts say of servers: first what it means for their devices, which may ask for another plan, then what it
/// means for the servers.
struct ServerReports: PlanStatusConsumer, HostedWatchdog {
    let devices: DeviceChanges
    let servers: HostedReports<ServerHosting>

    var kind: ResourceKind { .server }

    func consume(
        _ status: ResourceStatus, from node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        try devices.consume(status, from: node, at: now, in: transaction)
        try servers.consume(status, from: node, at: now, in: transaction)
    }

    @discardableResult
    func expire(at now: Int64, in transaction: any SQLTransaction) throws -> Int {
        try devices.expire(at: now, in: transaction)
        return try servers.expire(at: now, in: transaction)
    }

    @discardableResult
    func forget(deletedBefore time: Int64, in transaction: any SQLTransaction) throws -> Int {
        try servers.forget(deletedBefore: time, in: transaction)
    }
}
