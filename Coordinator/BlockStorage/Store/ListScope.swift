import CoordinatorPlatform
import ProtocolModel

/// Whose things a list shows.
enum ListScope: Sendable, Hashable {
    case everybody
    case project(ProjectID)

    /// Of tables whose rows stay for a while after what they stand for.
    var living: SQLCondition { .all([every, SQLCondition("deleted_at IS NULL")]) }

    /// Of all other tables.
    var every: SQLCondition {
        switch self {
        case .everybody: .always
        case .project(let project): .equal("project_id", project)
        }
    }
}

/// Which volume types a list shows.
enum TypeScope: Sendable, Hashable {
    case all
    case alike(isPublic: Bool)
    /// Public ones, and those that the project may use.
    case open(to: ProjectID?)

    var condition: SQLCondition {
        switch self {
        case .all: .always
        case .alike(let isPublic): .equal("is_public", isPublic)
        case .open(let project): TypeStore.open(to: project)
        }
    }
}

/// What lists are filtered and sorted by.
enum BlockStorageLists {
    static let volumes = VolumeStore.schema
    static let snapshots = SnapshotStore.schema
    static let attachments = AttachmentStore.schema
    static let transfers = TransferStore.schema
    static let types = TypeStore.schema
    static let qos = QoSStore.schema
    static let messages = MessageStore.schema
}
