import CoordinatorPlatform
import ProtocolModel

/// Another type for a volume that stays where it is.
struct VolumeRetyping: Sendable {
    let parts: BlockStorageParts

    func retype(_ id: String, to name: String, origin: Origin, in transaction: any SQLTransaction) throws {
        var volume = try VolumeAccess(parts: parts).volume(
            id, asking: "volume:retype", by: origin, in: transaction)
        let catalog = TypeCatalog(parts: parts)
        let type: VolumeType
        do { type = try catalog.byNameOrID(name, caller: origin.caller, in: transaction) } catch {
            throw BlockStorageError.input("Invalid volume_type passed: \(name).")
        }
        guard let old = try parts.types.find(volume.type, in: transaction) else {
            throw BlockStorageError.noType(volume.type.text)
        }
        guard volume.status == .available || volume.status == .inUse, volume.group == nil, type.id != old.id else {
            throw BlockStorageError.volume(
                "Retype needs volume to be in available or in-use state, not be part of an active migration or a "
                    + "consistency group, requested type has to be different that the one from the volume, and for "
                    + "in-use volumes front-end qos specs cannot change.")
        }
        if volume.status == .inUse { try checkInUse(from: old, to: type, in: transaction) }
        guard try parts.typeExtras.encryption(of: type.id, in: transaction) == nil else {
            throw BlockStorageError.input(
                "Invalid volume_type passed, retypes affecting encryption are not supported: no host encrypts volumes.")
        }
        if type.isMultiattach { try origin.require("volume:multiattach", volume.project) }
        try checkPlace(volume, type, in: transaction)
        try parts.quotas.claimType("volumes", sizeGiB: volume.sizeGiB, type: type, for: volume.project, in: transaction)
        volume.type = type.id
        volume.isMultiattach = type.isMultiattach
        _ = try parts.log.begin("retype", on: volume.key, by: origin.action, at: origin.now, in: transaction)
        try parts.volumes.save(&volume, at: origin.now, in: transaction)
    }

    private func checkInUse(from old: VolumeType, to new: VolumeType, in reader: any SQLReader) throws {
        guard old.isMultiattach == new.isMultiattach else {
            throw BlockStorageError.input(
                "Retyping an in-use volume to or from a multiattach type is not possible: detach it first.")
        }
        // A guest's disk keeps the limits that it was plugged in with.
        guard old.qosSpecs == new.qosSpecs else {
            throw BlockStorageError.volume(
                "Retype cannot change the limits of speed of a volume in use: detach it first.")
        }
    }

    /// Moving the data is another thing.
    private func checkPlace(_ volume: VolumeRecord, _ type: VolumeType, in reader: any SQLReader) throws {
        let own = try parts.pools(in: reader).filter {
            $0.node.id == volume.host?.node && $0.pool.name == volume.pool
        }
        let reasons = PoolChoice.names(for: type.extraSpecs, among: own)
        guard own.isEmpty || !reasons.fitting.isEmpty else {
            throw BlockStorageError.volume(
                "Type \(type.name) does not allow the pool that volume \(volume.id) is in (\(reasons.reasons.first ?? "")), "
                    + "and volumes do not move between pools yet: copy it to a new volume of that type.")
        }
    }
}
