import CoordinatorPlatform
import ProtocolModel

/// A row of `server_migrations`: a server's way to another size or another host, and what to go back to.
package struct ServerMigration: Sendable, Hashable {
    /// In the compute API's words (`migration_type`).
    package enum Kind: String, SQLWord {
        case resize, migration, evacuation
    }

    /// In the compute API's words.
    package enum Status: String, SQLWord {
        case accepted
        case migrating
        /// The server is in its new place or size, and nobody has said yet that it stays.
        case finished
        case confirmed
        case reverting, reverted
        /// An evacuated server runs elsewhere.
        case done
        /// The old host is back, and has nothing of it left.
        case completed
        case error

        /// Something may still be given back or gone back to.
        package var isOpen: Bool {
            switch self {
            case .accepted, .migrating, .finished, .reverting: true
            case .confirmed, .reverted, .done, .completed, .error: false
            }
        }
    }

    /// In order of insertion: the compute API's id.
    package var number: Int64 = 0
    /// Consumes what the server had before.
    package var id: AnyID
    package var server: ServerID
    package var project: ProjectID
    package var user: UserID
    package var kind: Kind
    package var status: Status
    package var source: Place?
    package var destination: Place?
    package var oldFlavor: FlavorSnapshot
    package var newFlavor: FlavorSnapshot
    /// The keys of the flavors' rows, if they had any.
    package var flavorNumbers: (old: Int64?, new: Int64?) {
        get { (oldNumber, newNumber) }
        set { (oldNumber, newNumber) = newValue }
    }
    var oldNumber: Int64?
    var newNumber: Int64?
    /// The server's state before.
    package var oldState: VMState
    package var createdAt: Int64
    package var updatedAt: Int64

    package struct Place: Sendable, Hashable {
        package var node: NodeID
        package var hostname: String

        package init(node: NodeID, hostname: String) {
            self.node = node
            self.hostname = hostname
        }
    }

    /// To another host.
    package var isMove: Bool { source != destination }

    /// What the larger of the two sizes has beyond what the server has now, by the names of the limits.
    package func reserved(beside flavor: FlavorSnapshot) -> [String: Int] {
        [
            "cores": max(0, max(oldFlavor.vcpus, newFlavor.vcpus) - flavor.vcpus),
            "ram": max(0, max(oldFlavor.memoryMiB, newFlavor.memoryMiB) - flavor.memoryMiB)
        ]
    }

    package init(
        id: AnyID, of server: ServerRecord, by user: UserID, kind: Kind, status: Status, to flavor: FlavorSnapshot,
        at now: Int64
    ) {
        self.id = id
        self.server = server.id
        project = server.project
        self.user = user
        self.kind = kind
        self.status = status
        source = server.host.map { Place(node: $0.node, hostname: $0.hostname) }
        oldFlavor = server.flavor
        newFlavor = flavor
        oldState = server.state.vm
        createdAt = now
        updatedAt = now
    }
}
