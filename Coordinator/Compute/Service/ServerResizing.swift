import CoordinatorFleet
import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel

/// The steps of a resize, and of a migration, which is one that keeps the size: the guest goes down, becomes another size
/// where it is or is made anew on another host (``ServerMigrating``), starts, and waits to be confirmed or to go back.
/// Until then both places are claimed: the old one by the migration.
struct ServerResizing: Sendable {
    let parts: ComputeParts
    private var workflow: HostedWorkflow<ServerHosting> { parts.workflow }

    struct Wish: Sendable {
        var kind: ServerMigration.Kind
        var flavor: FlavorSnapshot
        /// The only host it may be, of a migration.
        var host: String?
    }

    /// Claims the new place beside the old one, and has the guest stopped. Where it fits nowhere, the action ends with the
    /// reason and the server stays what it is, as Nova does after it has accepted the call.
    func begin(
        _ server: inout ServerRecord, _ wish: Wish, from host: ServerHost, origin: Origin,
        in transaction: any SQLTransaction
    ) throws {
        let now = origin.now
        var migration = ServerMigration(
            id: .random(), of: server, by: origin.caller.user, kind: wish.kind, status: .migrating, to: wish.flavor,
            at: now)
        migration.destination = migration.source
        migration.flavorNumbers = (
            try parts.flavors.find(server.flavor.id, in: transaction)?.number,
            try parts.flavors.find(wish.flavor.id, in: transaction)?.number
        )
        try parts.placement.hand(
            server.id.cast(), to: consumer(migration.id, "MIGRATION", server), at: now, in: transaction)
        var moved = server
        moved.flavor = wish.flavor
        let decision = try claim(&moved, wish, from: host, at: now, in: transaction)
        guard let place = decision.host else {
            try handBack(migration, to: server, at: now, in: transaction)
            migration.status = .error
            try parts.migrations.insert(migration, in: transaction)
            server.fault = ServerFault(
                message: "No valid host was found. \(decision.summary)", details: "", createdAt: now)
            return try workflow.endTask(&server, message: "Error", at: now, in: transaction)
        }
        migration.destination = .init(node: place.node, hostname: place.hostname)
        if migration.isMove {
            try ServerMigrating(parts: parts).reserve(&server, origin: origin, in: transaction)
        }
        try parts.migrations.insert(migration, in: transaction)
        try workflow.plan(&server, .stopped, in: transaction)
    }

    /// A resize stays where it is if it can: nothing has to be carried then.
    private func claim(
        _ moved: inout ServerRecord, _ wish: Wish, from host: ServerHost, at now: Int64,
        in transaction: any SQLTransaction
    ) throws -> PlacementDecision {
        let choice = HostChoice(parts: parts)
        if wish.kind == .resize {
            let here = try choice.claim(&moved, on: host.hostname, at: now, in: transaction)
            guard here.host == nil, try ServerMigrating(parts: parts).obstacle(to: moved, in: transaction) == nil
            else { return here }
        }
        moved.pinnedHost = nil
        moved.excluded = [host.node: "the server is to leave it"]
        return try choice.claim(&moved, on: wish.host, at: now, in: transaction)
    }

    /// The guest is down: it becomes the new size, or goes to its new host.
    func finish(_ server: inout ServerRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        guard let migration = try parts.migrations.open(of: server.id, in: transaction) else { return }
        guard !migration.isMove else {
            workflow.step(&server, task: .resizeMigrating, at: now)
            return try ServerImaging(parts: parts).submit(&server, at: now, in: transaction)
        }
        server.flavor = migration.newFlavor
        workflow.step(&server, task: .resizeFinish, at: now)
        try workflow.plan(&server, server.state.lastingPower, in: transaction)
    }

    /// The guest is down: it becomes what it was, where it was, and nothing of the new place is claimed any more.
    func goBack(_ server: inout ServerRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        guard var migration = try parts.migrations.open(of: server.id, in: transaction) else { return }
        let migrating = ServerMigrating(parts: parts)
        if migration.isMove, try !migrating.hasImage(server, in: transaction) {
            migration.status = .finished
            try parts.migrations.save(migration, at: now, in: transaction)
            return try migrating.stay(&server, migration, at: now, in: transaction)
        }
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
        case (.resizeReverting, _):
            migration.status = .reverted
            if outcome == .completed { try ServerMigrating(parts: parts).arrived(&server, in: transaction) }
        case (_, .completed): migration.status = .finished
        // The new host may have it all the same, so it is tried nowhere else; the image has the disk.
        case (.resizeMigrated, _):
            try parts.placement.release(migration.id, at: now, in: transaction)
            migration.status = .error
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
        try ServerMigrating(parts: parts).arrived(&server, in: transaction)
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
        if ServerMigrating.hasDeparted(server, migration) {
            return try ended(.resizeMigrated, .failed, of: &server, at: now, in: transaction)
        }
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
        guard migration.isMove else { return }
        try ServerMigrating(parts: parts).comeBack(&server, migration, at: now, in: transaction)
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
