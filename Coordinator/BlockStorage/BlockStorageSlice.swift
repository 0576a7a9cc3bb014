import CoordinatorFleet
import CoordinatorIdentity
import CoordinatorImage
import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel
import ServiceLifecycle

/// The block storage service, put together: what the coordinator mounts, registers and runs.
public struct BlockStorageSlice: Slice, FleetParts {
    public static let migrations = BlockStorageSchema.migrations
    /// Rules that are asked where a server takes a volume, or is made with new ones, beside the rules of the call.
    public static let serverVolumeRules = [
        "volume:get", "volume:get_snapshot", "volume:create", "volume:create_from_image", "volume:multiattach",
        "volume:attachment_create", "volume:multiattach_bootable_volume"
    ]

    /// What a call asks that shows volumes or snapshots, beside the rule of the call itself.
    public static let shownAttributes = VolumeRoutes.attributes + [SnapshotRoutes.attributes]

    /// For servers.
    public let service: VolumeService
    public let apis: [ServiceAPI]
    public let providers: [any PlanSpecProvider]
    public let consumers: [any PlanStatusConsumer]
    public let observers: [any NodeObserver]
    public let operationConsumers: [any OperationConsumer]
    public let holdings: [any ProjectHoldings]
    /// End tasks that nobody ended in time.
    public let watchdogs: [any HostedWatchdog]
    private let parts: BlockStorageParts
    private let runtime: SliceRuntime?

    /// - Parameter runtime: For ``services``; without it, there are none.
    public init(
        settings: BlockStorageSettings = BlockStorageSettings(), image: any ImageForCompute,
        placement: any Placement, plans: any PlanWriter, operations: any OperationDispatcher,
        directory: any NodeDirectory, runtime: SliceRuntime? = nil
    ) {
        let parts = BlockStorageParts(
            settings: settings, image: image, placement: placement, plans: plans, operations: operations,
            directory: directory)
        self.parts = parts
        self.runtime = runtime
        service = VolumeService(parts: parts)
        apis = [BlockStorageAPI(parts: parts).service]
        providers = [VolumeSpecs(parts: parts), SnapshotSpecs(parts: parts)]
        let failures = runtime.map { PartFailures(logger: $0.logger) }
        let volumes = HostedReports(parts.volumeFlow, directory: directory, failures: failures)
        let snapshots = HostedReports(parts.snapshotFlow, directory: directory, failures: failures)
        consumers = [volumes, snapshots]
        observers = [volumes, snapshots]
        operationConsumers = [volumes]
        watchdogs = [volumes, snapshots]
        holdings = [BlockStorageHoldings(parts: parts)]
    }

    /// Why a volume is where and as it is, for the operator; `nil` for an unknown one.
    public func explain(_ volume: VolumeID, in reader: any SQLReader) throws -> JSON? {
        guard let record = try parts.volumes.find(volume, in: reader) else { return nil }
        let own: [String: JSON] = [
            "name": JSON(record.name), "status": JSON(record.status.rawValue), "size_gib": JSON(record.sizeGiB),
            "pool": JSON(record.pool), "progress_percent": JSON(record.state.progress),
            "created_at": HostedExplanation.time(record.createdAt),
            "launched_at": HostedExplanation.time(record.launchedAt),
            "image_under_way": JSON(record.uploadImage?.text),
            "attachments": .array(try parts.attachments.of(volume, in: reader).map(Self.explain))
        ]
        return .object(try HostedExplanation().explain(record, in: reader).merging(own) { _, own in own })
    }

    private static func explain(_ attachment: VolumeAttachment) -> JSON {
        [
            "id": JSON(attachment.id.text), "status": JSON(attachment.status.rawValue),
            "server": JSON(attachment.server?.text), "host": JSON(attachment.hostname),
            "device": JSON(attachment.device), "attached_at": HostedExplanation.time(attachment.attachedAt)
        ]
    }

    public var services: [any Service] {
        guard let runtime else { return [] }
        let (watchdogs, messages) = (watchdogs, parts.messages)
        let kept = parts.settings.deletedDays * 86_400_000_000
        return [
            periodic("volumes.watchdog", every: 5, runtime) { now, transaction in
                for watchdog in watchdogs { try watchdog.expire(at: now, in: transaction) }
            },
            periodic("volumes.forget", every: 3600, runtime) { now, transaction in
                for watchdog in watchdogs { try watchdog.forget(deletedBefore: now - kept, in: transaction) }
                try messages.forget(before: now - UserMessage.lifetime, in: transaction)
            }
        ]
    }

    private func periodic(
        _ name: String, every seconds: Int, _ runtime: SliceRuntime,
        _ body: @escaping @Sendable (_ now: Int64, _ transaction: any SQLTransaction) throws -> Void
    ) -> any Service {
        PeriodicWork(name, every: .seconds(seconds), logger: runtime.logger) {
            let now = runtime.clock.now()
            try await runtime.database.write { try body(now, $0) }
        }
    }
}
