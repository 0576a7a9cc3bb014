import CoordinatorBlockStorage
import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// Servers that wait for volumes which are being made for them.
struct VolumeWaiting: VolumeListener {
    let parts: ComputeParts

    /// The last one that is there lets its server go on; one that will never be ends it.
    func volumeSettled(
        _ volume: VolumeID, servers: [ServerID], failure: String?, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        for var server in try parts.servers.find(servers, in: transaction) {
            guard server.state.task == .blockDeviceMapping, !server.isDeleted else { continue }
            if let failure {
                try fail(&server, "Volume \(volume) could not be made: \(failure)", at: now, in: transaction)
            } else if try isReady(server, but: volume, in: transaction) {
                try HostChoice(parts: parts).occupy(&server, at: now, in: transaction)
            } else {
                continue
            }
            try parts.servers.save(&server, at: now, in: transaction)
        }
    }

    /// Shown among the servers' actions, as Nova does.
    func volumeExtended(
        _ volume: VolumeID, servers: [ServerID], by origin: HostedOrigin, began: Int64, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        for server in try parts.servers.find(servers, in: transaction) where !server.isDeleted {
            let action = try parts.log.begin(
                "extend_volume", on: .server(server.id), by: origin, at: began, in: transaction)
            let event = HostedEvent(
                name: "compute_extend_volume", host: server.host?.hostname ?? "", startedAt: began, finishedAt: now,
                result: "Success", details: "volume \(volume)")
            try parts.log.add(event, to: action, in: transaction)
            try parts.log.finish(action, message: nil, at: now, in: transaction)
        }
    }

    private func isReady(
        _ server: ServerRecord, but settled: VolumeID, in reader: any SQLReader
    ) throws -> Bool {
        let held = try parts.volumes.attachments(of: [server.id], in: reader)[server.id] ?? []
        let volumes = try parts.volumes.volumes(held.map(\.volume), in: reader)
        return volumes.values.allSatisfy { $0.id == settled || $0.status != .creating }
    }

    /// ERROR. The volumes stay the server's until it is deleted, and then go as it was said.
    func fail(
        _ server: inout ServerRecord, _ reason: String, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        try leave(&server, at: now, in: transaction)
        let fault = ServerFault(
            message: "Build of instance \(server.id) aborted: \(reason)", details: "", createdAt: now)
        try parts.workflow.fail(&server, server.state.failed, fault, at: now, in: transaction)
    }

    /// Its host never heard of it: what it was to have there can be given to others.
    func leave(_ server: inout ServerRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        try parts.network.releasePorts(of: server.id, at: now, in: transaction)
        try parts.devices.removeAll(of: server.id, in: transaction)
        try parts.placement.release(server.id.cast(), at: now, in: transaction)
        server.host = nil
    }
}
