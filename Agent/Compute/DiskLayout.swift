import AgentCore
import ProtocolModel

/// Which bus and device name each disk of a domain gets.
struct DiskLayout {
    struct Place {
        var disk: DomainDisk
        var bus: String
        var device: String
        var isCDROM: Bool
        /// 1 for what the guest starts from, `nil` for what it never starts from.
        var bootOrder: Int?
    }

    let places: [Place]

    /// The server's own disks have the first names of their bus, whatever volumes come and go; a volume has the name that
    /// it asks for if that is free; where the guest starts from one, volumes come first. A guest that is being rescued sees all in the order in which they are listed.
    /// - Parameter hasIDE: The machine type has an IDE controller in SATA's place.
    init(_ disks: [DomainDisk], of spec: ServerSpec, hasIDE: Bool) {
        var names = DeviceNames()
        let order = Self.bootOrder(of: disks)
        let isRescue = spec.rescue != nil
        let asked = isRescue ? [] : disks.compactMap(\.volume?.device)
        places = disks.map { disk in
            let isCDROM = Self.isCDROM(disk, of: spec)
            var bus = disk.volume?.bus ?? spec.diskBus
            if isCDROM, bus == "virtio" { bus = hasIDE ? "ide" : "sata" }
            if bus == "ide", !hasIDE { bus = "sata" }
            let prefix = Self.prefix(bus)
            let device: String
            if let volume = disk.volume, !isRescue {
                device = names.take(volume.device, prefix: prefix) ?? names.next(prefix, besides: asked)
            } else if disk.role == .configDrive, prefix == "vd" {
                // Out of the way of volumes, as Nova has it.
                device = names.take("vdz", prefix: prefix) ?? names.next(prefix, besides: asked)
            } else {
                device = names.next(prefix, besides: disk.role == .configDrive || spec.image == nil ? asked : [])
            }
            return Place(disk: disk, bus: bus, device: device, isCDROM: isCDROM, bootOrder: order[disk])
        }
    }

    private static func isCDROM(_ disk: DomainDisk, of spec: ServerSpec) -> Bool {
        switch disk.role {
        case .root: spec.image?.format == .iso
        case .rescue: spec.rescue?.image.format == .iso
        // Guests that know virtio or SCSI disks need not know the old controllers to find their config drive.
        case .configDrive: spec.diskBus != "virtio"
        case .ephemeral, .swap, .volume: false
        }
    }

    /// The rescue disk and nothing else; or the volumes that say so, in their order, and then the root disk.
    private static func bootOrder(of disks: [DomainDisk]) -> [DomainDisk: Int] {
        if let rescue = disks.first(where: { $0.role == .rescue }) { return [rescue: 1] }
        let volumes = disks.compactMap { disk in disk.volume?.bootIndex.map { (index: $0, disk: disk) } }
        let order = volumes.sorted { $0.index < $1.index }.map(\.disk) + disks.filter { $0.role == .root }
        return Dictionary(order.enumerated().map { ($1, $0 + 1) }) { first, _ in first }
    }

    private static func prefix(_ bus: String) -> String {
        switch bus {
        case "virtio": "vd"
        case "ide": "hd"
        default: "sd"
        }
    }
}

/// Names of disks that are given already.
private struct DeviceNames {
    private var used: Set<String> = []

    /// - Returns: `nil` when it is not a name of that bus, or not free.
    mutating func take(_ name: String, prefix: String) -> String? {
        let rest = name.dropFirst(prefix.count)
        let isName =
            name.hasPrefix(prefix) && (1...2).contains(rest.utf8.count)
            && rest.utf8.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
        return isName && used.insert(name).inserted ? name : nil
    }

    mutating func next(_ prefix: String, besides asked: [String]) -> String {
        var index = 0
        while true {
            let name = prefix + Self.letters(index)
            if !asked.contains(name), used.insert(name).inserted { return name }
            index += 1
        }
    }

    private static func letters(_ index: Int) -> String {
        let letter = String(UnicodeScalar(UInt8(ascii: "a") + UInt8(index % 26)))
        return index < 26 ? letter : letters(index / 26 - 1) + letter
    }
}
