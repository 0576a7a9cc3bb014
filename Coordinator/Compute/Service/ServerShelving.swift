import CoordinatorFleet
import CoordinatorImage
import CoordinatorPlatform
import ProtocolModel

/// A server that is put aside: its disk in an image, and nothing of it on any host after a while.
struct ServerShelving: Sendable {
    let parts: ComputeParts
    private var workflow: HostedWorkflow<ServerHosting> { parts.workflow }

    /// The guest is down: its disk becomes an image. A volume keeps by itself, so that nothing holds such a server on its
    /// host.
    func upload(_ server: inout ServerRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        guard !server.isVolumeBacked else { return try shelve(&server, at: now, in: transaction) }
        workflow.step(&server, task: .shelvingImageUploading, at: now)
        try ServerImaging(parts: parts).submit(&server, at: now, in: transaction)
    }

    /// The image is whole: the server is shelved, and leaves its host where that is to be at once.
    func shelve(_ server: inout ServerRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        server.shelvedImage = server.upload?.image
        server.upload = nil
        server.shelvedAt = now
        server.state.vm = .shelved
        server.power = .stopped
        guard server.isVolumeBacked || parts.settings.shelvedOffloadSeconds == 0 else {
            return try workflow.endTask(&server, message: nil, at: now, in: transaction)
        }
        workflow.step(&server, task: .shelvingOffloading, at: now)
        try leave(&server, in: transaction)
    }

    /// The host is told to remove it.
    func leave(_ server: inout ServerRecord, in transaction: any SQLTransaction) throws {
        guard let node = server.host?.node else { return }
        server.planGeneration = try parts.plans.remove(server.key, from: node, in: transaction)
    }

    func ended(
        _ task: TaskState, _ outcome: HostedOutcome, of server: inout ServerRecord, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        switch (task, outcome) {
        case (.shelvingOffloading, .completed): try vacate(&server, at: now, in: transaction)
        case (.unshelving, .completed):
            server.shelvedAt = nil
            guard let image = server.shelvedImage else { return }
            server.shelvedImage = nil
            try parts.image.discard(image, in: transaction)
        // It stays shelved where it was, or nowhere.
        case (.unshelving, _) where server.state.vm == .shelvedOffloaded:
            // It may run there still: see `place`.
            if let node = server.host?.node { server.excluded[node] = "It did not start there in time." }
            try leave(&server, in: transaction)
            try vacate(&server, at: now, in: transaction)
        case (.shelving, _), (.shelvingImageUploading, _):
            try ServerImaging(parts: parts).drop(&server, in: transaction)
        default: break
        }
    }

    /// Nothing of it is on any host: what it held there can be given to others. Its ports stay its own.
    private func vacate(_ server: inout ServerRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        try parts.network.unbindPorts(of: server.id, at: now, in: transaction)
        try parts.placement.release(server.id.cast(), at: now, in: transaction)
        server.host = nil
        server.state.power = .none
    }
}

extension ServerCommands {
    /// - Throws: ``APIError`` in the compute API's words.
    func shelve(_ id: String, origin: Origin, in transaction: any SQLTransaction) throws -> ServerRecord {
        var server = try access.findToChange(id, rule: "os-shelve:shelve", by: origin.permissions, in: transaction)
        try accept(.shelve, server)
        guard server.host != nil else { throw APIError.conflict("Instance \(server.id) is not ready") }
        let image =
            server.isVolumeBacked
            ? nil
            : try ServerImaging(parts: parts).reserve(
                ServerImaging.Draft(name: "\(server.name)-shelved"), of: server, origin: origin, in: transaction)
        try begin(&server, "shelve", task: .shelving, origin: origin, in: transaction)
        server.upload = image.map { ServerRecord.ImageUpload(image: $0) }
        try workflow.plan(&server, .stopped, in: transaction)
        try parts.servers.save(&server, at: origin.now, in: transaction)
        return server
    }

    func shelveOffload(_ id: String, origin: Origin, in transaction: any SQLTransaction) throws -> ServerRecord {
        var server = try access.findToChange(
            id, rule: "os-shelve:shelve_offload", by: origin.permissions, in: transaction)
        try accept(.shelveOffload, server)
        // The disk on the host is the only one then.
        guard try ServerMigrating(parts: parts).hasImage(server, in: transaction) else {
            throw APIError.conflict("The image of the disk of shelved instance \(server.id) is gone.")
        }
        try begin(&server, "shelveOffload", task: .shelvingOffloading, origin: origin, in: transaction)
        try ServerShelving(parts: parts).leave(&server, in: transaction)
        try parts.servers.save(&server, at: origin.now, in: transaction)
        return server
    }

    /// Where a shelved server is to go.
    struct Unshelving: Sendable {
        /// `.some(nil)`: to any zone from now on.
        var zone: String??
        var host: String?
    }

    func unshelve(
        _ id: String, _ wish: Unshelving, origin: Origin, in transaction: any SQLTransaction
    ) throws -> ServerRecord {
        var server = try access.findToChange(id, rule: "os-shelve:unshelve", by: origin.permissions, in: transaction)
        try accept(.unshelve, server)
        try check(wish, of: server, origin: origin, in: transaction)
        try begin(&server, "unshelve", task: .unshelving, origin: origin, in: transaction)
        if let zone = wish.zone { server.pinnedZone = zone }
        if server.host != nil {
            try workflow.plan(&server, .running, in: transaction)
        } else {
            try place(&server, on: wish.host, at: origin.now, in: transaction)
        }
        try parts.servers.save(&server, at: origin.now, in: transaction)
        return server
    }

    private func check(
        _ wish: Unshelving, of server: ServerRecord, origin: Origin, in transaction: any SQLTransaction
    ) throws {
        guard wish.zone != nil || wish.host != nil else { return }
        guard server.state.vm == .shelvedOffloaded else {
            throw APIError.conflict(
                "Specifying an availability zone or a host when unshelving server \"\(server.id)\" with status "
                    + "\"\(server.state.vm.rawValue)\" is not supported. The server status must be SHELVED_OFFLOADED.")
        }
        if let zone = wish.zone ?? nil {
            let zones = try parts.placement.zones(of: .compute, in: transaction)
            guard zones.contains(where: { ($0.isEmpty ? parts.settings.defaultZone : $0) == zone }) else {
                throw APIError.badRequest("The requested availability zone is not available")
            }
        }
        guard let host = wish.host else { return }
        try origin.permissions.require(
            ComputePolicy.prefix + "os-shelve:unshelve_to_host", ComputePolicy.target(server))
        guard
            let node = try parts.directory.nodes(in: transaction).first(where: {
                $0.hostname == host && $0.runsServers
            })
        else { throw APIError.badRequest("Compute host \(host) could not be found.") }
        let zone = wish.zone ?? server.pinnedZone
        guard zone == nil || node.zone(default: parts.settings.defaultZone) == zone else {
            throw APIError.conflict("Host \"\(host)\" is not in the availability zone \"\(zone ?? "")\".")
        }
    }

    /// Anywhere it fits, from the image of its disk.
    private func place(
        _ server: inout ServerRecord, on host: String?, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        let image = try server.shelvedImage.flatMap { try parts.image.describe($0, in: transaction) }
        guard image != nil || server.isVolumeBacked else {
            throw APIError.conflict("The image of the disk of shelved instance \(server.id) is gone.")
        }
        for node in server.excluded.keys where try parts.plans.isLeaving(server.key, node, in: transaction) {
            throw APIError.conflict(
                "Instance \(server.id) may still run on a host that has not said that it is gone there: wait until that "
                    + "host is back, or ask the operator to remove it from the cloud.")
        }
        server.excluded = [:]
        let choice = HostChoice(parts: parts)
        let decision = try choice.claim(&server, on: host, at: now, in: transaction)
        guard decision.host != nil else {
            server.fault = ServerFault(
                message: "No valid host was found. \(decision.summary)", details: "", createdAt: now)
            return try workflow.endTask(&server, message: "Error", at: now, in: transaction)
        }
        server.diskImage = image?.spec
        server.rootDiskVersion += 1
        server.power = .running
        try choice.bind(server, at: now, in: transaction)
        try workflow.plan(&server, in: transaction)
    }

    /// Takes servers off their hosts that were shelved long enough ago.
    func offloadOverdue(at now: Int64, in transaction: any SQLTransaction) throws {
        let window = parts.settings.shelvedOffloadSeconds
        guard window > 0 else { return }
        for var server in try parts.servers.shelved(before: now - window * 1_000_000, in: transaction) {
            // The disk on the host is the only one then.
            guard try server.isVolumeBacked || ServerMigrating(parts: parts).hasImage(server, in: transaction) else {
                continue
            }
            let origin = HostedOrigin(
                requestID: "req-\(AnyID.random())", user: server.user, project: server.project)
            try workflow.begin(
                &server, "shelveOffload", task: .shelvingOffloading, by: origin, at: now, in: transaction)
            try ServerShelving(parts: parts).leave(&server, in: transaction)
            try parts.servers.save(&server, at: now, in: transaction)
        }
    }
}
