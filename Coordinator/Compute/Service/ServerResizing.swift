import CoordinatorFleet
import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel

/// The steps of a resize on the server's host: the guest goes down, becomes another size, starts, and waits to be
/// confirmed or to go back. Until then both sizes are claimed: the old one by the migration.
struct ServerResizing: Sendable {
    let parts: ComputeParts
    private var workflow: HostedWorkflow<ServerHosting> { parts.workflow }

    /// Claims the new size on the server's host beside the old one, and has the guest stopped. Where it does not fit, the
    /// action ends with the reason and the server stays what it is, as Nova does after it has accepted the call.
    func begin(
        _ server: inout ServerRecord, to flavor: FlavorSnapshot, on host: ServerHost, origin: Origin,
        in transaction: any SQLTransaction
    ) throws {
        let now = origin.now
        var migration = ServerMigration(
            id: .random(), of: server, by: origin.caller.user, kind: .resize, status: .migrating, to: flavor, at: now)
        migration.destination = migration.source
        migration.flavorNumbers = (
            try parts.flavors.find(server.flavor.id, in: transaction)?.number,
            try parts.flavors.find(flavor.id, in: transaction)?.number
        )
        try parts.placement.hand(
            server.id.cast(), to: consumer(migration.id, "MIGRATION", server), at: now, in: transaction)
        var larger = server
        larger.flavor = flavor
        let decision = try HostChoice(parts: parts).claim(&larger, on: host.hostname, at: now, in: transaction)
        guard decision.host != nil else {
            try handBack(migration, to: server, at: now, in: transaction)
            migration.status = .error
            try parts.migrations.insert(migration, in: transaction)
            server.fault = ServerFault(
                message: "No valid host was found. \(decision.summary)", details: "", createdAt: now)
            return try workflow.endTask(&server, message: "Error", at: now, in: transaction)
        }
        try parts.migrations.insert(migration, in: transaction)
        try workflow.plan(&server, .stopped, in: transaction)
    }

    /// The guest is down: it becomes the new size.
    func finish(_ server: inout ServerRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        guard let migration = try parts.migrations.open(of: server.id, in: transaction) else { return }
        server.flavor = migration.newFlavor
        workflow.step(&server, task: .resizeMigrated, at: now)
        try workflow.plan(&server, server.state.lastingPower, in: transaction)
    }

    /// The guest is down: it becomes what it was, and nothing of the new size is claimed any more.
    func goBack(_ server: inout ServerRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        guard let migration = try parts.migrations.open(of: server.id, in: transaction) else { return }
        try restore(&server, migration, at: now, in: transaction)
        server.state.vm = migration.oldState
        workflow.step(&server, task: .resizeReverting, at: now)
        try workflow.plan(&server, server.state.lastingPower, in: transaction)
    }

    func ended(
        _ task: TaskState, _ outcome: HostedOutcome, of server: inout ServerRecord, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        guard var migration = try parts.migrations.open(of: server.id, in: transaction) else { return }
        switch (task, outcome) {
        // It could not be stopped, and stays what it became.
        case (.resizeReverting, .reverted) where server.state.vm == .resized: migration.status = .finished
        case (.resizeReverting, _): migration.status = .reverted
        case (_, .completed): migration.status = .finished
        case (_, .reverted), (_, .failed):
            try restore(&server, migration, at: now, in: transaction)
            migration.status = .error
        }
        try parts.migrations.save(migration, at: now, in: transaction)
    }

    /// The new size lasts: what was claimed to go back is given back.
    func confirm(
        _ server: inout ServerRecord, _ migration: ServerMigration, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        var migration = migration
        try parts.placement.release(migration.id, at: now, in: transaction)
        migration.status = .confirmed
        try parts.migrations.save(migration, at: now, in: transaction)
        server.state.vm = server.state.isDown ? .stopped : .active
        // Whatever the guest did meanwhile is what lasts.
        guard server.power != server.state.lastingPower else { return }
        try workflow.plan(&server, server.state.lastingPower, in: transaction)
    }

    /// What is under way is overtaken: a server in its new size keeps that, one on its way there goes back.
    func settle(_ server: inout ServerRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        guard var migration = try parts.migrations.open(of: server.id, in: transaction) else { return }
        if migration.status == .reverting, server.state.vm != .resized {
            // It has its old size and its claim again, and only waits for its guest.
            migration.status = .reverted
            return try parts.migrations.save(migration, at: now, in: transaction)
        }
        if migration.status == .finished { return try confirm(&server, migration, at: now, in: transaction) }
        try ended(.resizePrep, .reverted, of: &server, at: now, in: transaction)
    }

    /// The server leaves its host: nothing is gone back to.
    func close(_ server: ServerRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        guard var migration = try parts.migrations.open(of: server.id, in: transaction) else { return }
        try parts.placement.release(migration.id, at: now, in: transaction)
        migration.status = migration.status == .finished ? .confirmed : .error
        try parts.migrations.save(migration, at: now, in: transaction)
    }

    private func restore(
        _ server: inout ServerRecord, _ migration: ServerMigration, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        server.flavor = migration.oldFlavor
        try handBack(migration, to: server, at: now, in: transaction)
    }

    private func handBack(
        _ migration: ServerMigration, to server: ServerRecord, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        try parts.placement.hand(
            migration.id, to: consumer(server.id.cast(), "INSTANCE", server), at: now, in: transaction)
    }

    private func consumer(_ id: AnyID, _ type: String, _ server: ServerRecord) -> PlacementRequest.Consumer {
        PlacementRequest.Consumer(id: id, type: type, project: server.project, user: server.user)
    }
}
