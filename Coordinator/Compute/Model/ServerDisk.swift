import CoordinatorPlatform

/// A disk that a create call names.
package struct ServerDisk: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// The server's own root disk, made from its image.
        case image
        case ephemeral
        case swap
        /// A volume that is there.
        case volume(String)
        /// A volume that is made with the server.
        case new(Material)
    }

    package enum Material: Sendable, Hashable {
        case blank
        case image(String)
        case snapshot(String)
    }

    package var kind: Kind
    /// GiB; of swap, MiB.
    package var size: Int?
    /// The guest starts from it, in the order of these; `nil`: never.
    package var bootIndex: Int?
    package var deletesVolume = false
    package var device: String?
    package var bus: String?
    package var tag: String?
    /// A volume type, by name or id.
    package var type: String?

    package init(_ kind: Kind, size: Int? = nil, bootIndex: Int? = nil) {
        self.kind = kind
        self.size = size
        self.bootIndex = bootIndex
    }

    /// What outlives the server's host files.
    package var isVolume: Bool {
        switch kind {
        case .volume, .new: true
        case .image, .ephemeral, .swap: false
        }
    }
}

/// What the disks of one server have to be, in Nova's words. Pure.
package enum DiskRules {
    /// Names of buses that a volume can be on here; others are known to the compute API.
    private static let buses: Set<String> = ["virtio", "scsi", "sata", "ide"]

    /// - Throws: ``APIError`` 400.
    package static func check(_ disks: [ServerDisk], count: Int) throws(APIError) {
        let order = disks.compactMap(\.bootIndex).sorted()
        guard !order.isEmpty, order == Array(0..<order.count) else {
            throw invalid(
                "Boot sequence for the instance and image/block device mapping combination is not valid.")
        }
        for disk in disks { try check(disk) }
        guard disks.count(where: { $0.kind == .swap }) <= 1 else {
            throw invalid("More than one swap drive requested.")
        }
        guard disks.count(where: { $0.kind == .ephemeral }) <= 1 else {
            throw invalid("a guest has one ephemeral disk here, as large as its flavor says: ask for one.")
        }
        if count > 1, disks.contains(where: { if case .volume = $0.kind { true } else { false } }) {
            throw APIError.badRequest("Cannot attach one or more volumes to multiple instances")
        }
        var named: Set<String> = []
        for case .volume(let id) in disks.map(\.kind) where !named.insert(id).inserted {
            throw invalid("volume \(id) is named twice.")
        }
    }

    private static func check(_ disk: ServerDisk) throws(APIError) {
        switch disk.kind {
        case .new(.image) where disk.size == nil:
            throw APIError.badRequest(
                "Images with destination_type 'volume' need to have a non-zero size specified")
        case .new(.blank) where disk.size == nil:
            throw APIError.badRequest(
                "Blank volumes (source: 'blank', dest: 'volume') need to have non-zero size")
        case .image, .ephemeral, .swap, .volume, .new: break
        }
        guard let bus = disk.bus, !buses.contains(bus) else { return }
        throw APIError.badRequest("Block Device Mapping is Invalid: The provided disk bus \(bus) is not valid.")
    }

    /// What the flavor gives: its ephemeral and swap disks are as large as it says.
    /// - Throws: ``APIError`` 400.
    package static func check(_ disks: [ServerDisk], of flavor: FlavorSnapshot) throws(APIError) {
        for disk in disks {
            switch disk.kind {
            case .ephemeral:
                guard flavor.ephemeralGiB > 0, (disk.size ?? 0) <= flavor.ephemeralGiB else {
                    throw APIError.badRequest(
                        "Ephemeral disks requested are larger than the instance type allows. If no size is given in one "
                            + "block device mapping, flavor ephemeral size will be used.")
                }
                try requireWhole(disk.size, flavor.ephemeralGiB, "ephemeral disk", "GiB")
            case .swap:
                guard flavor.swapMiB > 0, (disk.size ?? 0) <= flavor.swapMiB else {
                    throw APIError.badRequest("Swap drive requested is larger than instance type allows.")
                }
                try requireWhole(disk.size, flavor.swapMiB, "swap disk", "MiB")
            case .image, .volume, .new: break
            }
        }
    }

    private static func requireWhole(
        _ size: Int?, _ whole: Int, _ noun: String, _ unit: String
    ) throws(APIError) {
        guard let size, size != whole else { return }
        throw invalid(
            "the \(noun) is as large as the flavor says, \(whole) \(unit): leave volume_size out, or choose another flavor."
        )
    }

    package static func invalid(_ details: String) -> APIError {
        .badRequest("Block Device Mapping is Invalid: \(details)")
    }
}
