import ProtocolModel

extension ServerSpec: MessageConvertible {
    init(_ message: PBServerSpec) throws(WireError) {
        self.init(
            id: try ServerID(octets: message.id, field: "server.id"),
            project: try ProjectID(octets: message.project, field: "server.project"),
            user: try UserID(octets: message.user, field: "server.user"), name: message.name,
            hostname: message.hostname, number: try natural(message.number, field: "server.number"),
            flavorName: message.flavorName, vcpus: try natural(message.vcpus, field: "server.vcpus"),
            memoryMiB: try natural(message.memoryMib, field: "server.memory_mib"),
            rootGiB: try natural(message.rootGib, field: "server.root_gib"),
            ephemeralGiB: try natural(message.ephemeralGib, field: "server.ephemeral_gib"),
            swapMiB: try natural(message.swapMib, field: "server.swap_mib"),
            image: message.hasImage ? try ImageSpec(message.image) : nil,
            rootDiskVersion: try natural(message.rootDiskVersion, field: "server.root_disk_version"),
            power: try Power(message.power), firmware: try Self.firmware(message.firmware),
            machineType: message.machineType, diskBus: message.diskBus,
            interfaces: try message.interfaces.converted { interface throws(WireError) in try Interface(interface) },
            hasConfigDrive: message.hasConfigDrive_p,
            publicKeys: message.publicKeys.map { PublicKey(name: $0.name, key: $0.key) },
            userData: [UInt8](message.userData), metadata: try Self.metadata(message.metadata),
            availabilityZone: message.availabilityZone,
            launchIndex: try natural(message.launchIndex, field: "server.launch_index"),
            adminPassword: message.adminPassword, createdAt: message.createdAt,
            volumes: try message.volumes.converted { volume throws(WireError) in try Volume(volume) },
            rescue: message.hasRescue ? try Rescue(message.rescue) : nil, hasGuestAgent: message.hasGuestAgent_p)
    }

    private static func firmware(_ message: PBServerSpec.Firmware) throws(WireError) -> Firmware {
        switch message {
        case .bios: return .bios
        case .uefi: return .uefi
        case .unspecified, .UNRECOGNIZED: throw .invalid("server.firmware: \(message.rawValue)")
        }
    }

    private static func metadata(_ pairs: [PBServerSpec.Pair]) throws(WireError) -> [String: String] {
        var out = [String: String](minimumCapacity: pairs.count)
        for pair in pairs {
            guard out.updateValue(pair.value, forKey: pair.key) == nil else {
                throw .invalid("server.metadata: a key occurs twice")
            }
        }
        return out
    }

    var wire: PBServerSpec {
        var message = PBServerSpec()
        message.id = .init(id.octets)
        message.project = .init(project.octets)
        message.user = .init(user.octets)
        message.name = name
        message.hostname = hostname
        message.number = Int64(number)
        message.flavorName = flavorName
        message.vcpus = Int64(vcpus)
        message.memoryMib = Int64(memoryMiB)
        message.rootGib = Int64(rootGiB)
        message.ephemeralGib = Int64(ephemeralGiB)
        message.swapMib = Int64(swapMiB)
        if let image { message.image = image.wire }
        message.rootDiskVersion = Int64(rootDiskVersion)
        message.power = power.wire
        message.firmware = firmware == .bios ? .bios : .uefi
        message.machineType = machineType
        message.diskBus = diskBus
        message.interfaces = interfaces.map(\.wire)
        message.hasConfigDrive_p = hasConfigDrive
        message.publicKeys = publicKeys.map { key in
            .with {
                $0.name = key.name
                $0.key = key.key
            }
        }
        message.userData = .init(userData)
        message.metadata = metadata.sorted { $0.key < $1.key }.map { pair in
            .with {
                $0.key = pair.key
                $0.value = pair.value
            }
        }
        message.availabilityZone = availabilityZone
        message.launchIndex = Int64(launchIndex)
        message.adminPassword = adminPassword
        message.createdAt = createdAt
        message.volumes = volumes.map(\.wire)
        if let rescue { message.rescue = rescue.wire }
        message.hasGuestAgent_p = hasGuestAgent
        return message
    }
}

extension ServerSpec.Power {
    init(_ message: PBServerSpec.Power) throws(WireError) {
        switch message {
        case .running: self = .running
        case .stopped: self = .stopped
        case .paused: self = .paused
        case .suspended: self = .suspended
        case .unspecified, .UNRECOGNIZED: throw .invalid("server.power: \(message.rawValue)")
        }
    }

    var wire: PBServerSpec.Power {
        switch self {
        case .running: .running
        case .stopped: .stopped
        case .paused: .paused
        case .suspended: .suspended
        }
    }
}

extension ServerSpec.Interface: MessageConvertible {
    init(_ message: PBServerSpec.Interface) throws(WireError) {
        self.init(
            port: try PortID(octets: message.port, field: "interface.port"),
            network: try NetworkID(octets: message.network, field: "interface.network"),
            mac: try MACAddress(wire: message.mac, field: "interface.mac"),
            mtuBytes: try checked(message.mtuBytes, 68...65_535, field: "interface.mtu_bytes"), model: message.model)
    }

    var wire: PBServerSpec.Interface {
        .with {
            $0.port = .init(port.octets)
            $0.network = .init(network.octets)
            $0.mac = mac.bits
            $0.mtuBytes = clamped(mtuBytes)
            $0.model = model
        }
    }
}

extension ImageSpec: MessageConvertible {
    init(_ message: PBImageSpec) throws(WireError) {
        self.init(
            id: try ImageID(octets: message.id, field: "image.id"),
            sha512: try SHA512Text.text(message.sha512, field: "image.sha512"),
            sizeBytes: Int64(try natural(message.sizeBytes, field: "image.size_bytes")),
            format: try Self.format(message.format))
    }

    private static func format(_ message: PBImageSpec.DiskFormat) throws(WireError) -> DiskFormat {
        switch message {
        case .raw: return .raw
        case .qcow2: return .qcow2
        case .iso: return .iso
        case .unspecified, .UNRECOGNIZED: throw .invalid("image.format: \(message.rawValue)")
        }
    }

    var wire: PBImageSpec {
        .with {
            $0.id = .init(id.octets)
            $0.sha512 = .init(SHA512Text.octets(sha512))
            $0.sizeBytes = sizeBytes
            switch format {
            case .raw: $0.format = .raw
            case .qcow2: $0.format = .qcow2
            case .iso: $0.format = .iso
            }
        }
    }
}

/// A SHA-512 digest: 128 hexadecimal digits in the model, 64 octets on the wire.
enum SHA512Text {
    private static let digits = Array("0123456789abcdef".utf8)

    static func text(_ octets: some Collection<UInt8>, field: String) throws(WireError) -> String {
        guard octets.count == 64 else { throw .invalid("\(field): 64 octets, not \(octets.count)") }
        return String(
            decoding: octets.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 0xF)]] }, as: UTF8.self)
    }

    /// What is no digest comes out with another length, which the reader then refuses.
    static func octets(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        return stride(from: 0, to: bytes.count - 1, by: 2).compactMap { index in
            UInt8(String(decoding: bytes[index...index + 1], as: UTF8.self), radix: 16)
        }
    }
}
