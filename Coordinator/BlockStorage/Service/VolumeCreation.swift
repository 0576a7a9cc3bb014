import CoordinatorFleet
import CoordinatorImage
import CoordinatorPlatform
import ProtocolModel

/// What a new volume is to be.
struct CreateVolume: Sendable {
    /// What it holds, by the names that the caller gave.
    enum Source: Sendable, Hashable {
        case empty
        case image(String)
        case snapshot(String)
        case volume(String)
    }

    var name: String?
    var description: String?
    /// `nil`: as large as its source.
    var sizeGiB: Int?
    /// By name or id; `nil` for the default.
    var type: String?
    var source = Source.empty
    var zone: String?
    var metadata: [String: String] = [:]
    /// The only host that it may be on.
    var host: String?
    var group: AnyID?
}

/// New volumes: checks, quota, a place, a line of a plan; all or nothing.
struct VolumeCreation: Sendable {
    let parts: BlockStorageParts

    /// What the volume is made of, once that was found.
    private struct Material {
        var source = VolumeRecord.Source.empty
        /// The least that it can have.
        var leastGiB = 1
        var type: VolumeTypeID?
        var zone: String?
        /// The only place for it.
        var place: (host: HostPlace, pool: String)?
        var imageMetadata: [String: String]?
        var isBootable = false

        var isFromSnapshot: Bool { if case .snapshot = source { true } else { false } }
    }

    /// - Returns: The volume on its host's plan, or in `error` where no pool has room.
    func create(_ command: CreateVolume, origin: Origin, in transaction: any SQLTransaction) throws -> VolumeRecord {
        if case .image = command.source {
            try origin.require("volume:create_from_image", origin.project)
        } else {
            try origin.require("volume:create", origin.project)
        }
        let material = try material(for: command, origin: origin, in: transaction)
        let type = try type(for: command, material, origin: origin, in: transaction)
        try refuseEncryption(type, in: transaction)
        let size = try size(of: command, material)
        try check(zone: command.zone, type, material, in: transaction)
        try parts.quotas.check(sizeGiB: size, of: origin.project, in: transaction)
        try parts.quotas.claim("volumes", sizeGiB: size, type: type, for: origin.project, in: transaction)

        var volume = VolumeRecord(
            id: .random(), project: origin.project, user: origin.user, sizeGiB: size, type: type.id,
            source: material.source, createdAt: origin.now)
        volume.name = command.name
        volume.description = command.description
        volume.metadata = command.metadata
        volume.imageMetadata = material.imageMetadata
        volume.isBootable = material.isBootable
        volume.isMultiattach = type.isMultiattach
        volume.pinnedZone = command.zone
        volume.pinnedHost = command.host
        volume.group = command.group
        if let place = material.place {
            volume.pool = place.pool
            volume.pinnedHost = place.host.hostname
        }
        try make(&volume, type: type, origin: origin, in: transaction)
        return volume
    }

    private func make(
        _ volume: inout VolumeRecord, type: VolumeType, origin: Origin, in transaction: any SQLTransaction
    ) throws {
        volume.actionID = try parts.log.begin(
            "create", on: volume.key, by: origin.action, at: origin.now, in: transaction)
        if let refusal = try VolumePlacing(parts: parts).claim(&volume, type: type, at: origin.now, in: transaction) {
            let fault = HostedFault(
                message: "No valid backend was found. \(refusal)", details: refusal, createdAt: origin.now)
            try parts.volumeFlow.fail(&volume, volume.state.failed, fault, at: origin.now, in: transaction)
        } else {
            try parts.volumeFlow.occupy(&volume, task: .creating, at: origin.now, in: transaction)
        }
        volume.number = try parts.volumes.insert(volume, in: transaction)
        try MessageBook(parts: parts).note(volume, .creating, at: origin.now, in: transaction)
    }

    // MARK: What it is made of

    private func material(
        for command: CreateVolume, origin: Origin, in transaction: any SQLTransaction
    ) throws -> Material {
        switch command.source {
        case .empty: return Material()
        case .image(let id): return try image(id, origin: origin, in: transaction)
        case .snapshot(let id): return try snapshot(id, origin: origin, in: transaction)
        case .volume(let id): return try volume(id, origin: origin, in: transaction)
        }
    }

    private func image(_ id: String, origin: Origin, in reader: any SQLReader) throws -> Material {
        let image: BootImage
        do {
            image = try parts.image.bootable(id, caller: origin.caller, in: reader)
        } catch let refusal as Refusal {
            throw refusal.code == .notFound
                ? APIError.badRequest("Invalid image identifier or unable to access requested image.")
                : BlockStorageError.input(refusal.message)
        }
        let gib: Int64 = 1 << 30
        var material = Material()
        material.source = .image(image.spec)
        material.leastGiB = max(Int((image.virtualSizeBytes + gib - 1) / gib), image.minDiskGiB, 1)
        material.isBootable = true
        var metadata = image.properties
        metadata["image_id"] = image.spec.id.text
        metadata["image_name"] = image.name
        metadata["container_format"] = "bare"
        metadata["disk_format"] = image.spec.format.rawValue
        metadata["min_disk"] = String(image.minDiskGiB)
        metadata["min_ram"] = String(image.minMemoryMiB)
        metadata["size"] = String(image.spec.sizeBytes)
        material.imageMetadata = metadata
        return material
    }

    private func snapshot(_ id: String, origin: Origin, in transaction: any SQLTransaction) throws -> Material {
        let snapshot = try VolumeAccess(parts: parts).snapshot(
            id, asking: "volume:get_snapshot", by: origin, in: transaction)
        guard snapshot.status == .available else {
            throw BlockStorageError.snapshot("Originating snapshot status must be one of 'available' values")
        }
        var material = Material()
        material.source = .snapshot(snapshot.id, of: snapshot.volume)
        material.leastGiB = snapshot.sizeGiB
        material.type = snapshot.type
        material.zone = snapshot.host?.zone
        material.place = snapshot.host.map { ($0, snapshot.pool) }
        if let volume = try parts.volumes.find(snapshot.volume, in: transaction), volume.project == snapshot.project {
            material.imageMetadata = volume.imageMetadata
            material.isBootable = volume.isBootable
        }
        return material
    }

    private func volume(_ id: String, origin: Origin, in transaction: any SQLTransaction) throws -> Material {
        let volume = try VolumeAccess(parts: parts).volume(id, asking: "volume:get", by: origin, in: transaction)
        guard volume.status == .available || volume.status == .inUse else {
            throw BlockStorageError.volume(
                "Originating source volume status must be one of 'available, in-use' values")
        }
        var material = Material()
        material.source = .volume(volume.id)
        material.leastGiB = volume.sizeGiB
        material.type = volume.type
        material.zone = volume.host?.zone
        material.place = volume.host.map { ($0, volume.pool) }
        material.imageMetadata = volume.imageMetadata
        material.isBootable = volume.isBootable
        return material
    }

    // MARK: Checks

    private func type(
        for command: CreateVolume, _ material: Material, origin: Origin, in reader: any SQLReader
    ) throws -> VolumeType {
        let catalog = TypeCatalog(parts: parts)
        guard let name = command.type, !name.isEmpty else {
            if let id = material.type, let type = try parts.types.find(id, in: reader) { return type }
            return try catalog.defaultType(of: origin.project, in: reader)
        }
        let type = try catalog.byNameOrID(name, caller: origin.caller, in: reader)
        if type.isMultiattach { try origin.require("volume:multiattach", origin.project) }
        if let place = material.place, let original = material.type, original != type.id {
            let pools = try parts.pools(in: reader).filter {
                $0.node.id == place.host.node && $0.pool.name == place.pool
            }
            guard !PoolChoice.names(for: type.extraSpecs, among: pools).fitting.isEmpty else {
                throw BlockStorageError.input(
                    "Invalid volume_type provided: \(type.id) (requested type is not compatible; "
                        + (command.source.isVolume
                            ? "either match source volume, or omit type argument)."
                            : "recommend omitting the type argument)."))
            }
        }
        return type
    }

    /// No host encrypts volumes yet: better none than one in clear.
    private func refuseEncryption(_ type: VolumeType, in reader: any SQLReader) throws {
        guard try parts.typeExtras.encryption(of: type.id, in: reader) == nil else {
            throw BlockStorageError.volume(
                "Type \(type.name) asks for encryption, which no host of this cloud can do yet: use another type.")
        }
    }

    private func size(of command: CreateVolume, _ material: Material) throws -> Int {
        let isCopy = command.source.isVolume || command.source.isSnapshot
        guard let size = command.sizeGiB ?? (isCopy ? material.leastGiB : nil) else {
            throw BlockStorageError.input("Volume size 'None' must be an integer and greater than 0")
        }
        guard size > 0 else {
            throw BlockStorageError.input("Volume size '\(size)' must be an integer and greater than 0")
        }
        guard size < material.leastGiB else { return size }
        switch command.source {
        case .empty: return size
        case .image:
            throw BlockStorageError.input(
                "Size of specified image \(material.leastGiB)GB is larger than volume size \(size)GB.")
        case .snapshot:
            throw BlockStorageError.input(
                "Volume size '\(size)'GB cannot be smaller than the snapshot size \(material.leastGiB)GB. They must "
                    + "be >= original snapshot size.")
        case .volume:
            throw BlockStorageError.input(
                "Volume size '\(size)'GB cannot be smaller than original volume size  \(material.leastGiB)GB. They "
                    + "must be >= original volume size.")
        }
    }

    private func check(
        zone: String?, _ type: VolumeType, _ material: Material, in transaction: any SQLTransaction
    ) throws {
        let zones = try knownZones(in: transaction)
        if let wanted = type.zones, zones.isDisjoint(with: wanted) {
            throw APIError.badRequest(
                "Volume type is only supported in these availability zones: \(wanted.joined(separator: ", "))")
        }
        guard let zone else { return }
        guard type.zones?.contains(zone) ?? true, zones.contains(zone) else {
            throw APIError.badRequest("Availability zone '\(zone)' is invalid.")
        }
        if let other = material.zone, other != zone {
            throw BlockStorageError.input(
                "Volume must be in the same availability zone as the "
                    + (material.isFromSnapshot ? "snapshot" : "source volume"))
        }
    }

    private func knownZones(in reader: any SQLReader) throws -> Set<String> {
        Set(try parts.pools(in: reader).map { parts.zone(of: $0.node) } + [parts.settings.defaultZone])
    }
}

extension CreateVolume.Source {
    var isVolume: Bool { if case .volume = self { true } else { false } }
    var isSnapshot: Bool { if case .snapshot = self { true } else { false } }
}
