import CoordinatorPlatform
import ProtocolModel

/// What projects may have of volumes, snapshots and their space, in all and of each type, and the refusals in Cinder's
/// words.
struct BlockStorageQuotas: Sendable {
    let ledger: QuotaLedger
    private let parts: BlockStorageParts

    /// What is limited for each type as well: `volumes_fast`.
    static let perType = ["volumes", "snapshots", "gigabytes"]

    init(parts: BlockStorageParts) {
        self.parts = parts
        let (volumes, snapshots, types) = (parts.volumes, parts.snapshots, parts.types)
        ledger = QuotaLedger(
            service: "volume",
            parts.settings.quotas.sorted { $0.key < $1.key }.map {
                QuotaLedger.Resource($0.key, defaultLimit: $0.value)
            }
        ) { project, reader in
            var used = ["volumes": 0, "snapshots": 0, "gigabytes": 0]
            let names = try types.names(in: reader)
            func add(_ what: String, _ usage: (type: VolumeTypeID, count: Int, sizeGiB: Int)) {
                let type = names[usage.type] ?? usage.type.text
                used[what, default: 0] += usage.count
                used["\(what)_\(type)", default: 0] += usage.count
                used["gigabytes", default: 0] += usage.sizeGiB
                used["gigabytes_\(type)", default: 0] += usage.sizeGiB
            }
            for usage in try volumes.usage(of: project, in: reader) { add("volumes", usage) }
            for usage in try snapshots.usage(of: project, in: reader) { add("snapshots", usage) }
            return used
        }
    }

    /// - Parameter what: `volumes` or `snapshots`.
    /// - Throws: ``APIError`` 413.
    func claim(
        _ what: String, count: Int = 1, sizeGiB: Int, type: VolumeType, for project: ProjectID,
        in transaction: any SQLTransaction
    ) throws {
        try grant(
            [
                .init(what, count), .init("gigabytes", sizeGiB), .init("\(what)_\(type.name)", count),
                .init("gigabytes_\(type.name)", sizeGiB)
            ], for: project, in: transaction)
    }

    /// Only what is limited for the type: the project has it in all already.
    /// - Throws: ``APIError`` 413.
    func claimType(
        _ what: String, sizeGiB: Int, type: VolumeType, for project: ProjectID, in transaction: any SQLTransaction
    ) throws {
        try grant(
            [.init("\(what)_\(type.name)"), .init("gigabytes_\(type.name)", sizeGiB)], for: project, in: transaction)
    }

    /// - Throws: ``APIError`` 413.
    func claim(
        gigabytes: Int, type: VolumeType, for project: ProjectID, in transaction: any SQLTransaction
    ) throws {
        try grant(
            [.init("gigabytes", gigabytes), .init("gigabytes_\(type.name)", gigabytes)], for: project,
            in: transaction)
    }

    /// - Throws: ``APIError`` 413 where no volume may be as large.
    func check(sizeGiB: Int, of project: ProjectID, in reader: any SQLReader) throws {
        let limit = try ledger.limit("per_volume_gigabytes", of: project, in: reader)
        guard limit < 0 || sizeGiB <= limit else {
            throw Self.refusal(
                "VolumeSizeExceedsLimit: Requested volume size \(sizeGiB)G is larger than maximum allowed limit "
                    + "\(limit)G.")
        }
    }

    private func grant(
        _ demands: [QuotaLedger.Demand], for project: ProjectID, in transaction: any SQLTransaction
    ) throws {
        do {
            _ = try ledger.grant(demands, atLeast: 1, atMost: 1, for: project, in: transaction)
        } catch let error as QuotaExceeded {
            throw Self.refusal(error)
        }
    }

    private static func refusal(_ error: QuotaExceeded) -> APIError {
        guard let excess = error.excesses.first(where: { $0.name.hasPrefix("gigabytes") }) ?? error.excesses.first
        else { return refusal("Quota exceeded") }
        if excess.name.hasPrefix("gigabytes") {
            return refusal(
                "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed \(excess.name) quota. "
                    + "Requested \(excess.wanted)G, quota is \(excess.limit)G and \(excess.used)G has been consumed.")
        }
        if excess.name.hasPrefix("snapshots") {
            return refusal(
                "SnapshotLimitExceeded: Maximum number of snapshots allowed (\(excess.limit)) exceeded")
        }
        return refusal(
            "VolumeLimitExceeded: Maximum number of volumes allowed (\(excess.limit)) exceeded for quota "
                + "'\(excess.name)'.")
    }

    private static func refusal(_ message: String) -> APIError {
        APIError(status: 413, message: message, headers: [(name: "Retry-After", value: "0")])
    }
}
