import CoordinatorBlockStorage
import CoordinatorFleet
import CoordinatorImage
import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel

/// Volumes that a server is made with: those that are there decide where it goes, and the others are made where it went.
/// It waits for these before its host hears of it.
struct ServerVolumes: Sendable {
    let parts: ComputeParts

    // MARK: What the server is made from

    /// - Returns: The server's image, or what stands for it where the server starts from a volume.
    /// - Throws: ``APIError`` 400, 403.
    func image(
        for command: CreateServer, flavor: FlavorSnapshot, origin: Origin, in reader: any SQLReader
    ) throws -> ImageSnapshot {
        let catalog = FlavorCatalog(parts: parts)
        let named =
            command.imageID.isEmpty ? nil : try catalog.image(command.imageID, caller: origin.caller, in: reader)
        guard let root = command.rootVolume else {
            guard let named else { throw APIError.badRequest("Missing imageRef attribute") }
            try FlavorCatalog.check(flavor, fits: named, caller: origin.caller)
            return ImageSnapshot(named)
        }
        if let named {
            try FlavorCatalog.checkGuest(flavor, fits: named)
            return ImageSnapshot(named)
        }
        switch root.kind {
        case .new(.image(let id)):
            return try properties(ofImage: id, for: root, flavor: flavor, origin: origin, in: reader)
        case .volume(let id):
            return try properties(of: try volume(id, origin, in: reader), flavor: flavor)
        case .new(.snapshot(let id)):
            let snapshot = try snapshot(id, origin, in: reader)
            return try properties(of: try volume(snapshot.volume.text, origin, in: reader), flavor: flavor)
        case .new(.blank), .image, .ephemeral, .swap: return .none(properties: [:])
        }
    }

    private func properties(
        ofImage id: String, for root: ServerDisk, flavor: FlavorSnapshot, origin: Origin, in reader: any SQLReader
    ) throws -> ImageSnapshot {
        let image: BootImage
        do { image = try parts.image.bootable(id, caller: origin.caller, in: reader) } catch is CoordinatorPlatform
            .Refusal
        {
            throw DiskRules.invalid("failed to get image \(id).")
        }
        try FlavorCatalog.checkGuest(flavor, fits: image)
        if let size = root.size, size < image.minDiskGiB {
            throw APIError.badRequest(
                "Volume is smaller than the minimum size specified in image metadata. Volume size is "
                    + "\(Int64(size) << 30) bytes, minimum size is \(Int64(image.minDiskGiB) << 30) bytes.")
        }
        return .none(properties: image.properties)
    }

    /// What a volume keeps of its image that says nothing of the guest.
    private static let ofImages: Set<String> = [
        "image_id", "image_name", "container_format", "disk_format", "min_disk", "min_ram", "size", "checksum"
    ]

    private func properties(of volume: VolumeInfo, flavor: FlavorSnapshot) throws -> ImageSnapshot {
        guard volume.isBootable else { throw APIError.badRequest("Block Device \(volume.id) is not bootable.") }
        let properties = volume.imageMetadata.filter { !Self.ofImages.contains($0.key) }
        try FlavorCatalog.checkGuest(
            flavor, memoryMiB: Int(volume.imageMetadata["min_ram"] ?? "") ?? 0, properties: properties)
        return .none(properties: properties)
    }

    private func volume(_ id: String, _ origin: Origin, in reader: any SQLReader) throws -> VolumeInfo {
        do { return try parts.volumes.volume(id, origin: Self.origin(origin), in: reader) } catch is CoordinatorPlatform
            .Refusal
        {
            throw DiskRules.invalid("failed to get volume \(id).")
        }
    }

    private func snapshot(_ id: String, _ origin: Origin, in reader: any SQLReader) throws -> VolumeSnapshotInfo {
        do {
            return try parts.volumes.snapshot(id, origin: Self.origin(origin), in: reader)
        } catch is CoordinatorPlatform.Refusal {
            throw DiskRules.invalid("failed to get snapshot \(id).")
        }
    }

    private static func origin(_ origin: Origin) -> VolumeOrigin {
        VolumeOrigin(
            permissions: origin.permissions, project: origin.project, requestID: origin.requestID, now: origin.now)
    }

    /// - Throws: ``APIError`` 400 for what cannot be found.
    func check(_ disks: [ServerDisk], origin: Origin, in reader: any SQLReader) throws {
        for disk in disks {
            if let type = disk.type, try !parts.volumes.hasType(type, origin: Self.origin(origin), in: reader) {
                throw APIError.badRequest("Volume type \(type) could not be found.")
            }
            switch disk.kind {
            case .volume(let id): _ = try volume(id, origin, in: reader)
            case .new(.snapshot(let id)): _ = try snapshot(id, origin, in: reader)
            case .new(.image(let id)):
                do { _ = try parts.image.bootable(id, caller: origin.caller, in: reader) } catch is CoordinatorPlatform
                    .Refusal
                {
                    throw DiskRules.invalid("failed to get image \(id).")
                }
            case .new(.blank), .image, .ephemeral, .swap: break
            }
        }
    }

    // MARK: Taking them

    /// Reserves those that are there, and says what the others ask of a host.
    /// - Returns: The disks with their names, and the hosts that have what new volumes are made of.
    func reserve(
        _ disks: [ServerDisk], for server: ServerRecord, origin: Origin, in transaction: any SQLTransaction
    ) throws -> (disks: [ServerDisk], among: [PlacementRequest.Hosts]) {
        let named = try Self.name(disks, of: server)
        var among: [PlacementRequest.Hosts] = []
        for disk in named {
            switch disk.kind {
            case .volume(let id):
                do {
                    _ = try parts.volumes.reserve(
                        id, for: server.id, Self.wish(disk), origin: Self.origin(origin), in: transaction)
                } catch let refusal as CoordinatorPlatform.Refusal { throw Self.error(refusal, id) }
            case .new(.snapshot(let id)):
                guard let node = try snapshot(id, origin, in: transaction).node else { continue }
                among.append(.init([node], reason: "not the host of snapshot \(id)"))
            case .new:
                let nodes = try parts.directory.nodes(in: transaction).filter { $0.report?.pools.isEmpty == false }
                among.append(.init(Set(nodes.map(\.id)), reason: "has no pool for the volumes that are to be made"))
            case .image, .ephemeral, .swap: break
            }
        }
        return (named, among)
    }

    private static func error(_ refusal: CoordinatorPlatform.Refusal, _ id: String) -> any Error {
        switch refusal.code {
        case .notFound: DiskRules.invalid("failed to get volume \(id).")
        case .forbidden, .overQuota: APIError.forbidden(refusal.message)
        default: APIError.badRequest(refusal.message)
        }
    }

    private static func wish(_ disk: ServerDisk) -> AttachmentWish {
        var wish = AttachmentWish()
        wish.device = disk.device
        wish.bus = disk.bus ?? "virtio"
        wish.bootIndex = disk.bootIndex
        wish.deletesVolume = disk.deletesVolume
        wish.tag = disk.tag
        return wish
    }

    /// The volumes, each with the name that it asks for or the next free one; the one that the guest starts from first.
    private static func name(_ disks: [ServerDisk], of server: ServerRecord) throws -> [ServerDisk] {
        var taken: Set<String> = []
        var volumes = disks.filter(\.isVolume)
        guard volumes.count <= VolumeAttaching.most else {
            throw APIError.forbidden(
                "The maximum allowed number of disk devices (\(VolumeAttaching.most)) to attach to a single instance has "
                    + "been exceeded.")
        }
        let order = volumes.indices.sorted { first, second in
            let (one, other) = (volumes[first], volumes[second])
            if one.bootIndex == 0 || other.bootIndex == 0 { return one.bootIndex == 0 }
            return (one.device == nil ? 1 : 0, first) < (other.device == nil ? 1 : 0, second)
        }
        for index in order {
            if volumes[index].bootIndex == 0 { volumes[index].device = volumes[index].device ?? ServerNames.rootDevice }
            let device = try DeviceNames.device(
                volumes[index].device, taken: taken, localDisks: server.reservedNames)
            taken.insert(device)
            volumes[index].device = device
        }
        return volumes
    }

    // MARK: Making the others

    /// Makes the volumes that are not there on the server's host.
    /// - Returns: Whether any is to be waited for.
    /// - Throws: ``APIError`` and ``Refusal`` where the host cannot have one of them; nothing is made then.
    func create(
        _ disks: [ServerDisk], for server: ServerRecord, origin: Origin, in transaction: any SQLTransaction
    ) throws -> Bool {
        var isWaiting = false
        try transaction.savepoint {
            for disk in disks {
                guard case .new(let material) = disk.kind else { continue }
                var volume = ServerVolume(source: Self.source(material), sizeGiB: disk.size)
                volume.type = disk.type
                volume.name = material == .blank ? "\(server.id)-blank-vol" : nil
                volume.hostname = server.host?.hostname
                _ = try parts.volumes.create(
                    volume, for: server.id, Self.wish(disk), origin: Self.origin(origin), in: transaction)
                isWaiting = true
            }
        }
        return isWaiting
    }

    private static func source(_ material: ServerDisk.Material) -> ServerVolume.Source {
        switch material {
        case .blank: .blank
        case .image(let id): .image(id)
        case .snapshot(let id): .snapshot(id)
        }
    }
}

extension CreateServer {
    /// The volume that the guests start from; `nil`: from a disk of their own.
    var rootVolume: ServerDisk? { disks.first { $0.isVolume && $0.bootIndex == 0 } }
}

extension ServerRecord {
    /// How many names its own disks take before any volume's.
    var reservedNames: Int {
        isVolumeBacked ? 0 : 1 + (flavor.ephemeralGiB > 0 ? 1 : 0) + (flavor.swapMiB > 0 ? 1 : 0)
    }
}

extension ImageSnapshot {
    init(_ image: BootImage) {
        self.init(
            spec: image.spec, name: image.name, virtualSizeBytes: image.virtualSizeBytes, properties: image.properties)
    }
}
