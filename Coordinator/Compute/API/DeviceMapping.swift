import CoordinatorPlatform
import ProtocolModel

/// `block_device_mapping` and `block_device_mapping_v2`: what the disks of a create call are to be. Pure.
enum DeviceMapping {
    typealias Device = CreateServerBody.Device

    /// - Parameter image: The image that the body names.
    /// - Returns: The server's disks, its own root disk among them; none where the body names no device.
    /// - Throws: ``APIError`` 400.
    static func disks(_ body: CreateServerBody, image: String?) throws(APIError) -> [ServerDisk] {
        guard body.legacyDevices.isEmpty || body.devices.isEmpty else {
            throw APIError.badRequest(
                "Using different block_device_mapping syntaxes is not allowed in the same request.")
        }
        var disks: [ServerDisk] = []
        for device in body.devices where !device.isAbsent { disks.append(try read(device, image: image)) }
        if !body.legacyDevices.isEmpty { disks = try readOld(body.legacyDevices, image: image) }
        guard !disks.isEmpty || !(body.devices.isEmpty && body.legacyDevices.isEmpty) else { return [] }
        let root = ServerNames.rootDevice
        if image != nil, let taken = disks.first(where: { $0.isVolume && $0.bootIndex != 0 && $0.device == root }) {
            throw APIError.badRequest(
                "The volume cannot be assigned the same device name as the root device \(taken.device ?? root)")
        }
        try DiskRules.check(disks, count: max(body.minCount ?? 1, body.maxCount ?? 1))
        return disks
    }

    // MARK: Version 2

    private static func read(_ device: Device, image: String?) throws(APIError) -> ServerDisk {
        if device.virtualName != nil { throw DiskRules.invalid("Following fields are invalid: virtual_name") }
        guard let source = device.source else { throw DiskRules.invalid("Some required fields are missing") }
        let uuid = device.uuid ?? ""
        if source == "blank", !uuid.isEmpty { throw DiskRules.invalid("Invalid device UUID.") }
        if source != "blank", uuid.isEmpty { throw DiskRules.invalid("Missing device UUID.") }
        let isLocal = device.destination.map { $0 == "local" } ?? (source == "blank" || source == "image")
        let bootIndex = try bootIndex(device.bootIndex)
        try check(device, source, isLocal: isLocal, bootIndex, image: image)
        var disk = ServerDisk(try kind(device, source, uuid, isLocal: isLocal))
        disk.bootIndex = bootIndex
        return try fill(disk, from: device)
    }

    private static func check(
        _ device: Device, _ source: String, isLocal: Bool, _ bootIndex: Int?, image: String?
    ) throws(APIError) {
        if isLocal, source == "image" {
            guard let image, bootIndex == 0 else { throw DiskRules.invalid("Mapping image to local is not supported.") }
            guard device.uuid == image else {
                throw DiskRules.invalid("its image is another one than imageRef: name the same.")
            }
        }
        if isLocal, device.volumeType != nil {
            throw DiskRules.invalid("Specifying a volume_type with destination_type=local is not supported.")
        }
        if source == "volume", device.volumeType != nil {
            throw DiskRules.invalid("Specifying volume type to existing volume is not supported.")
        }
        try refuseForgotten(device, source, isLocal: isLocal)
    }

    /// What nothing here would come of: better refused than taken for granted.
    private static func refuseForgotten(
        _ device: Device, _ source: String, isLocal: Bool
    ) throws(APIError) {
        var forgotten: [String] = []
        if let format = device.guestFormat, !(isLocal && source == "blank" && format == "swap") {
            forgotten.append("guest_format \(format)")
        }
        if let type = device.type, type != "disk" { forgotten.append("device_type \(type)") }
        if isLocal {
            if device.tag != nil { forgotten.append("tag of a local disk") }
            if device.bus != nil { forgotten.append("disk_bus of a local disk (the image says it: hw_disk_bus)") }
            if let name = device.name, source == "blank" { forgotten.append("device_name \(name) of a local disk") }
        }
        guard forgotten.isEmpty else {
            throw APIError.badRequest(
                "Not available here: \(forgotten.joined(separator: ", ")). Leave it out of the request.")
        }
    }

    private static func kind(
        _ device: Device, _ source: String, _ uuid: String, isLocal: Bool
    ) throws(APIError) -> ServerDisk.Kind {
        switch (source, isLocal) {
        case ("image", true): return .image
        case ("image", false): return .new(.image(uuid))
        case ("blank", true): return device.guestFormat == "swap" ? .swap : .ephemeral
        case ("blank", false): return .new(.blank)
        case ("volume", false): return .volume(uuid)
        case ("snapshot", false): return .new(.snapshot(uuid))
        default: throw DiskRules.invalid("Mapping \(source) to local is not supported.")
        }
    }

    private static func bootIndex(_ value: JSON) throws(APIError) -> Int? {
        let number: Int?
        switch value {
        case .null: return nil
        case .string(let text):
            guard let parsed = Int(text) else { throw DiskRules.invalid("Boot index is invalid.") }
            number = parsed
        default: number = value.intValue.map(Int.init)
        }
        guard let number else { throw DiskRules.invalid("Boot index is invalid.") }
        return number < 0 ? nil : number
    }

    private static func fill(_ disk: ServerDisk, from device: Device) throws(APIError) -> ServerDisk {
        var disk = disk
        disk.size = device.size
        disk.deletesVolume = device.deletesVolume
        disk.device = try device.name.map { name throws(APIError) in
            if name.contains(" ") { throw DiskRules.invalid("Device name contains spaces.") }
            return name.hasPrefix("/dev/") ? String(name.dropFirst("/dev/".count)) : name
        }
        disk.bus = device.bus
        disk.tag = device.tag
        disk.type = device.volumeType
        return disk
    }

    // MARK: Version 1

    /// The one that bears the root disk's name is what the guest starts from; else its image is.
    private static func readOld(_ devices: [Device], image: String?) throws(APIError) -> [ServerDisk] {
        var disks: [ServerDisk] = []
        for device in devices {
            guard let kind = try oldKind(device) else { continue }
            var disk = try fill(ServerDisk(kind), from: device)
            if disk.isVolume, disk.device == ServerNames.rootDevice { disk.bootIndex = 0 }
            disks.append(disk)
        }
        if image != nil, !disks.contains(where: { $0.bootIndex == 0 }) {
            disks.insert(ServerDisk(.image, bootIndex: 0), at: 0)
        }
        return disks
    }

    private static func oldKind(_ device: Device) throws(APIError) -> ServerDisk.Kind? {
        if device.virtualName == "swap" { return .swap }
        if let name = device.virtualName, name.hasPrefix("ephemeral"), Int(name.dropFirst("ephemeral".count)) != nil {
            return .ephemeral
        }
        if let snapshot = device.snapshot { return .new(.snapshot(snapshot)) }
        if let volume = device.volume { return .volume(volume) }
        if device.isAbsent { return nil }
        throw DiskRules.invalid("Unrecognized legacy format.")
    }
}
