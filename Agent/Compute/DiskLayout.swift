import AgentCore
import ProtocolModel

/// Which bus and device name each disk of a domain gets.
struct DiskLayout {
    struct Place {
        var disk: DomainDisk
        var bus: String
        var device: String
        var isCDROM: Bool
    }

    let places: [Place]

    /// - Parameter hasIDE: The machine type has an IDE controller in SATA's place.
    init(_ disks: [DomainDisk], of spec: ServerSpec, hasIDE: Bool) {
        var used: [String: Int] = [:]
        places = disks.map { disk in
            var isCDROM = disk.role == .root && spec.image?.format == .iso
            var bus = spec.diskBus
            // Guests that know virtio or SCSI disks need not know the old controllers to find their config drive.
            if disk.role == .configDrive, bus != "virtio" { isCDROM = true }
            if isCDROM, bus == "virtio" { bus = hasIDE ? "ide" : "sata" }
            if bus == "ide", !hasIDE { bus = "sata" }
            let prefix = Self.prefix(bus)
            let index = used[prefix, default: 0]
            used[prefix] = index + 1
            return Place(disk: disk, bus: bus, device: prefix + Self.letters(index), isCDROM: isCDROM)
        }
    }

    private static func prefix(_ bus: String) -> String {
        switch bus {
        case "virtio": "vd"
        case "ide": "hd"
        default: "sd"
        }
    }

    private static func letters(_ index: Int) -> String {
        let letter = String(UnicodeScalar(UInt8(ascii: "a") + UInt8(index % 26)))
        return index < 26 ? letter : letters(index / 26 - 1) + letter
    }
}
