import CoordinatorBlockStorage
import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// Servers, as the fleet's workflow of hosted resources sees them.
struct ServerHosting: HostedKind {
    let parts: ComputeParts

    let kind = ResourceKind.server
    let words = HostedWords(
        noun: "instance",
        hostRemoved: "The server's host was removed from the cloud. Delete the server and make it anew.",
        operationExpired: "The host did not get to the reboot in time. Try again.",
        operationInterrupted: "The host was interrupted while it rebooted the guest. Try a hard reboot.")
    var buildAttempts: Int { parts.settings.buildAttempts }

    init(parts: ComputeParts) { self.parts = parts }

    func find(_ id: AnyID, in reader: any SQLReader) throws -> ServerRecord? {
        try parts.servers.find(id.cast(), in: reader)
    }

    func save(_ server: inout ServerRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        try parts.servers.save(&server, at: now, in: transaction)
    }

    func overdue(at now: Int64, in reader: any SQLReader) throws -> [ServerRecord] {
        try parts.servers.overdue(at: now, in: reader).records
    }

    func overdue(at now: Int64, skipping skipped: Int, in reader: any SQLReader) throws -> ReadableRows<ServerRecord> {
        try parts.servers.overdue(at: now, skipping: skipped, in: reader)
    }

    func on(_ node: NodeID, in reader: any SQLReader) throws -> [ServerRecord] {
        try parts.servers.on(node, in: reader)
    }

    func removeRows(deletedBefore time: Int64, in transaction: any SQLTransaction) throws -> [AnyID] {
        try parts.servers.removeRows(deletedBefore: time, in: transaction).map { $0.cast() }
    }

    func sight(_ details: ResourceStatus.Details) -> ServerDetails.PowerState? {
        guard case .server(let details) = details else { return nil }
        return details.power
    }

    func subject(of action: Operation.Action) -> AnyID? {
        switch action {
        case .softReboot(let server, _), .hardReboot(let server), .snapshot(let server, _), .injectNMI(let server):
            server.cast()
        case .consoleOutput, .changePassword, .diagnostics, .openConsole, .uploadVolume, .unknown: nil
        }
    }

    func advance(_ server: inout ServerRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        switch server.state.task {
        case .resizeFinish: try ServerResizing(parts: parts).finish(&server, at: now, in: transaction)
        case .resizeMigrating: try ServerMigrating(parts: parts).depart(&server, at: now, in: transaction)
        case .resizeReverting: try ServerResizing(parts: parts).goBack(&server, at: now, in: transaction)
        case .shelving: try ServerShelving(parts: parts).upload(&server, at: now, in: transaction)
        case .shelvingImageUploading: try ServerShelving(parts: parts).shelve(&server, at: now, in: transaction)
        default: break
        }
    }

    func ended(
        _ task: TaskState, _ outcome: HostedOutcome, of server: inout ServerRecord, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        switch task {
        case .resizePrep, .resizeMigrating, .resizeMigrated, .resizeFinish, .resizeReverting:
            try ServerResizing(parts: parts).ended(task, outcome, of: &server, at: now, in: transaction)
        case .rebuilding, .rebuildSpawning:
            try ServerEvacuation(parts: parts).ended(outcome, of: server, at: now, in: transaction)
        case .imageSnapshotPending, .imageUploading, .imageBackup:
            try ServerImaging(parts: parts).ended(outcome, of: &server, at: now, in: transaction)
        case .shelving, .shelvingImageUploading, .shelvingOffloading, .unshelving:
            try ServerShelving(parts: parts).ended(task, outcome, of: &server, at: now, in: transaction)
        case .softDeleting where outcome == .completed: server.softDeletedAt = now
        case .restoring where outcome == .completed: server.softDeletedAt = nil
        case .blockDeviceMapping: try VolumeWaiting(parts: parts).leave(&server, at: now, in: transaction)
        case .scheduling, .networking, .spawning:
            guard outcome == .completed else { return }
            for attachment in try parts.volumes.attachments(of: [server.id], in: transaction)[server.id] ?? [] {
                try parts.volumes.confirm(attachment.id, at: now, in: transaction)
            }
        default: break
        }
    }

    func aim(_ server: inout ServerRecord) { server.power = server.state.lastingPower }

    func release(_ server: ServerRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        try parts.network.releasePorts(of: server.id, at: now, in: transaction)
        try parts.devices.removeAll(of: server.id, in: transaction)
        // What was made for a server that never ran is its own until its owner deletes it.
        let isDeleting = server.isDeleted || server.state.isLeaving
        if isDeleting || server.state.hasLaunched {
            try parts.volumes.release(
                server.id, deleting: isDeleting, origin: Self.owner(of: server, at: now), in: transaction)
        }
        try parts.placement.release(server.id.cast(), at: now, in: transaction)
        try ServerResizing(parts: parts).close(server, at: now, in: transaction)
    }

    /// What goes with a server goes in its owner's name, who need not be there any more.
    private static func owner(of server: ServerRecord, at now: Int64) -> VolumeOrigin {
        let caller = Caller(
            user: server.user, userName: "", userDomain: "", scope: .project(server.project), projectName: "",
            roles: ["member", "reader"])
        return VolumeOrigin(
            permissions: Permissions(caller: caller, policy: ComputePolicy.policy), project: server.project,
            requestID: "req-\(AnyID.random())", now: now)
    }

    func left(_ server: ServerRecord, _ node: NodeID, at now: Int64, in transaction: any SQLTransaction) throws {
        try ServerEvacuation(parts: parts).left(server, node, at: now, in: transaction)
    }

    func mayMove(_ server: ServerRecord) -> Bool { server.pinnedHost == nil }

    func rehost(_ server: inout ServerRecord, at now: Int64, in transaction: any SQLTransaction) throws -> String? {
        // The claim takes the place of the old host's; where none fits, that stays, as does what the old host may hold.
        let choice = HostChoice(parts: parts)
        let decision = try choice.claim(&server, at: now, in: transaction)
        guard decision.host != nil else { return decision.summary }
        try choice.occupy(&server, at: now, in: transaction)
        return nil
    }

    func news(of server: ServerRecord) -> HostedNews {
        HostedNews(
            action: "stop", event: "guest_powered_off",
            details: server.state.power == .crashed ? "The guest crashed." : "The guest powered itself off.")
    }
}

extension HostedWorkflow where Kind == ServerHosting {
    /// Puts the server's wanted power on its host's plan.
    func plan(_ server: inout ServerRecord, _ power: ServerSpec.Power, in transaction: any SQLTransaction) throws {
        server.power = power
        try plan(&server, in: transaction)
    }
}
