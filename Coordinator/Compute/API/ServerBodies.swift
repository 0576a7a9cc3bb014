import CoordinatorPlatform

/// What the bodies of server calls may be, by version.
enum ServerBodies {
    static func create(_ version: Microversion) -> BodySchema {
        var properties: [String: BodySchema] = [
            "name": .string(.name, min: 1, max: 255),
            "imageRef": .oneOf([.string(.uuid), .words([""])]),
            "flavorRef": .oneOf([.string(min: 1), .integer()]),
            "adminPass": .string(),
            "metadata": .map(.metadataKey, .string(max: 255)),
            "networks": networks(version),
            "OS-DCF:diskConfig": .words(["AUTO", "MANUAL"]),
            "accessIPv4": .string(.ipv4),
            "accessIPv6": .string(.ipv6),
            "availability_zone": .string(.zone, min: 1, max: 255),
            "block_device_mapping": .array(legacyDevice),
            "block_device_mapping_v2": .array(device(version)),
            "config_drive": .boolean,
            "key_name": .string(.name, min: 1, max: 255),
            "min_count": .integer(min: 1),
            "max_count": .integer(min: 1),
            "return_reservation_id": .boolean,
            "security_groups": .array(.object(["name": .string(.name, min: 1, max: 255)])),
            "user_data": .string(.base64, max: 65_535)
        ]
        if version.has(19) { properties["description"] = .nullable(.string(.printable, max: 255)) }
        if version.has(52) { properties["tags"] = .array(.string(.tag, min: 1, max: 60), max: 50) }
        if !version.has(57) {
            properties["personality"] = .array(.object(["path": .string(), "contents": .string(.base64)]))
        }
        if version.has(63) { properties["trusted_image_certificates"] = .nullable(.array(.string(min: 1), max: 50)) }
        if version.has(74) {
            properties["host"] = .string(min: 1, max: 255)
            properties["hypervisor_hostname"] = .string(min: 1, max: 255)
        }
        if version.has(90) { properties["hostname"] = hostname(version) }
        let required = version.has(37) ? ["name", "flavorRef", "networks"] : ["name", "flavorRef"]
        let hints = BodySchema.object([:], open: true)
        return .object(
            [
                "server": .object(properties, required: required),
                "os:scheduler_hints": hints, "OS-SCH-HNT:scheduler_hints": hints
            ], required: ["server"])
    }

    static func update(_ version: Microversion) -> BodySchema {
        var properties: [String: BodySchema] = [
            "name": .string(.name, min: 1, max: 255), "OS-DCF:diskConfig": .words(["AUTO", "MANUAL"]),
            "accessIPv4": .string(.ipv4), "accessIPv6": .string(.ipv6)
        ]
        if version.has(19) { properties["description"] = .nullable(.string(.printable, max: 255)) }
        if version.has(90) { properties["hostname"] = hostname(version) }
        return .object(["server": .object(properties)], required: ["server"])
    }

    private static func hostname(_ version: Microversion) -> BodySchema {
        version.has(94) ? .string(.fqdn, min: 2, max: 255) : .string(.hostname, min: 2, max: 63)
    }

    private static func networks(_ version: Microversion) -> BodySchema {
        var item: [String: BodySchema] = [
            "fixed_ip": .string(.ip), "port": .nullable(.string(.uuid)),
            "uuid": version.has(37) ? .string(.uuid) : .string()
        ]
        if version.minor >= 32, version.minor < 37 || version.has(42) { item["tag"] = .string(.tag, min: 1, max: 60) }
        let list = BodySchema.array(.object(item))
        return version.has(37) ? .oneOf([list, .words(["none", "auto"])]) : list
    }

    private static let legacyDeviceProperties: [String: BodySchema] = [
        "virtual_name": .string(max: 255), "volume_id": .string(.uuid), "snapshot_id": .string(.uuid),
        "volume_size": .integer(min: 1, max: 0x7FFF_FFFF), "device_name": .string(min: 1, max: 255),
        "delete_on_termination": .boolean, "no_device": .any, "connection_info": .string(max: 16_777_215)
    ]
    private static let legacyDevice = BodySchema.object(legacyDeviceProperties)

    private static func device(_ version: Microversion) -> BodySchema {
        var properties = legacyDeviceProperties
        properties["source_type"] = .words(["volume", "image", "snapshot", "blank"])
        properties["uuid"] = .string(min: 1, max: 255)
        properties["image_id"] = .string(.uuid)
        properties["destination_type"] = .words(["local", "volume"])
        properties["guest_format"] = .string(max: 255)
        properties["device_type"] = .string(max: 255)
        properties["disk_bus"] = .string(max: 255)
        properties["boot_index"] = .any
        if version.minor == 32 || version.has(42) { properties["tag"] = .string(.tag, min: 1, max: 60) }
        if version.has(67) { properties["volume_type"] = .nullable(.string(max: 255)) }
        return .object(properties)
    }
}
