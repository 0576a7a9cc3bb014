import CoordinatorFleet
import CoordinatorImage
import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel

/// What the block storage services are made of: the other slices' contracts, settings, and the slice's own tables.
struct BlockStorageParts: Sendable {
    let settings: BlockStorageSettings
    let image: any ImageForCompute
    let placement: any Placement
    let plans: any PlanWriter
    let operations: any OperationDispatcher
    let directory: any NodeDirectory
    let listeners = VolumeListeners()

    let volumes = VolumeStore()
    let snapshots = SnapshotStore()
    let attachments = AttachmentStore()
    let types = TypeStore()
    let transfers = TransferStore()
    let qos = QoSStore()
    let typeExtras = TypeExtraStore()
    let messages = MessageStore()
    let log = HostedLog()

    var quotas: BlockStorageQuotas { BlockStorageQuotas(parts: self) }
    var volumeFlow: HostedWorkflow<VolumeHosting> { HostedWorkflow(VolumeHosting(parts: self), plans: plans) }
    var snapshotFlow: HostedWorkflow<SnapshotHosting> { HostedWorkflow(SnapshotHosting(parts: self), plans: plans) }

    /// Every pool of every host, also of those that are away.
    func pools(in reader: any SQLReader) throws -> [PoolPlace] {
        try directory.nodes(in: reader).flatMap { node in
            (node.report?.pools ?? []).map { PoolPlace(node: node, pool: $0) }
        }
    }

    func zone(of node: Node) -> String {
        guard let zone = node.report?.availabilityZone, !zone.isEmpty else { return settings.defaultZone }
        return zone
    }
}

/// Who asks, when and under which request, for whatever is recorded of it.
public struct VolumeOrigin: Sendable {
    public var permissions: Permissions
    public var project: ProjectID
    public var requestID: String
    /// Microseconds since 1970.
    public var now: Int64

    public init(permissions: Permissions, project: ProjectID, requestID: String, now: Int64) {
        self.permissions = permissions
        self.project = project
        self.requestID = requestID
        self.now = now
    }

    var caller: Caller { permissions.caller }
    var user: UserID { caller.user }
    var action: HostedOrigin { HostedOrigin(requestID: requestID, user: user, project: project) }

    /// - Throws: ``APIError`` 403.
    func require(_ rule: String, _ project: ProjectID) throws {
        try permissions.require(rule, Policy.Target(project: project, user: user))
    }
}

typealias Origin = VolumeOrigin
