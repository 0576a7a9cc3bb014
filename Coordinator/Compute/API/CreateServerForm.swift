import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel

/// What the body of a create call may hold, by version.
enum CreateServerForm {
    typealias Body = CreateServerBody

    /// Items of each of a body's lists.
    private static let mostItems = 64
    /// Items of metadata in one body; how many a server may have is a matter of quota.
    static let mostMetadata = 4096
    static let metadata = BodyFormat<[String: String]>.map(keys: .key, values: .text(0...255), most: mostMetadata)
    static let name = BodyFormat.text(1...255, .resourceName)
    static let diskConfig = BodyFormat<String>.word(of: ["AUTO", "MANUAL"])
    /// In the form that answers have (RFC 5952), however it was written.
    static let ipv6 = BodyFormat<String>.text(0...Int.max, .ipv6).map { text, _ in
        IPAddress(text)?.description ?? text
    }
    static let description = BodyFormat.text(0...255, .printable).nullable
    static let tag = BodyFormat.text(1...60, .serverTag)

    static func hostname<Draft>(
        _ path: any WritableKeyPath<Draft, String?> & Sendable
    ) -> [BodyField<Draft>] {
        [
            .optional("hostname", path, .text(2...63, .hostname), since: 90, until: 93),
            .optional("hostname", path, .text(2...255, .fqdn), since: 94)
        ]
    }

    static func schema(_ version: Microversion) -> BodySchema<Body> {
        BodySchema(blank: Body(), image + guest + place(version) + devices(version) + hostname(\.hostname))
    }

    static let flavor = BodyFormat<String>.either(
        [.text(1...Int.max), BodyFormat<Int>.integer().map { number, _ in String(number) }]
    ).map { text, _ in lastPart(text) }

    private static let image: [BodyField<Body>] = [
        .required("name", \.name, name),
        .required("flavorRef", \.flavor, flavor),
        .optional("imageRef", \.image, .either([.text(0...Int.max, .uuid), .word(of: [""])])),
        .given("description", \.description, description, since: 19),
        .optional("min_count", \.minCount, .integer(1...Int.max, orText: true)),
        .optional("max_count", \.maxCount, .integer(1...Int.max, orText: true)),
        .given("return_reservation_id", \.wantsReservation, Nova.flag)
    ]

    /// A flavor may come as a URL, whose last part counts.
    private static func lastPart(_ text: String) -> String {
        let path = text.split(separator: "?", omittingEmptySubsequences: false).first ?? ""
        return String(path.split(separator: "/", omittingEmptySubsequences: false).last ?? "")
    }

    private static let guest: [BodyField<Body>] = [
        .optional("adminPass", \.password, .text()),
        .given("metadata", \.metadata, metadata),
        .given("OS-DCF:diskConfig", \.diskConfig, diskConfig),
        .given("accessIPv4", \.accessIPv4, .text(0...Int.max, .ipv4)),
        .given("accessIPv6", \.accessIPv6, ipv6),
        .given("config_drive", \.hasConfigDrive, Nova.flag),
        .optional("key_name", \.keyName, name),
        .optional("user_data", \.userData, .text(0...65_535, .base64)),
        .given("tags", \.tags, .list(of: tag, most: TagSet.most), since: 52),
        .given("personality", \.files, files, until: 56),
        .given("trusted_image_certificates", \.certificates, certificates.nullable, since: 63)
    ]

    static let files = BodyFormat<[JSON]>.list(of: file, most: mostItems)
    static let certificates = BodyFormat<[String]>.list(of: .text(1...Int.max), most: 50)

    private static let file = BodySchema<JSON>(
        blank: .null,
        [checked("path", \.self, .text()), checked("contents", \.self, .text(0...Int.max, .base64))]
    ).format().map { _, json in json }

    private static func place(_ version: Microversion) -> [BodyField<Body>] {
        let group = BodySchema<String>(blank: "", [.given("name", \.self, name)]).format()
        // One without a name names none.
        let groups = BodyFormat<[String]>.list(of: group, most: mostItems).map { names, _ in
            names.filter { !$0.isEmpty }
        }
        let list = networks(version)
        return [
            .optional("availability_zone", \.zone, name),
            .optional("host", \.host, .text(1...255), since: 74),
            .optional("hypervisor_hostname", \.hypervisor, .text(1...255), since: 74),
            .optional("security_groups", \.groups, groups),
            .given("networks", \.networks, list, until: 36), .required("networks", \.networks, list, since: 37)
        ]
    }

    private static func networks(_ version: Microversion) -> BodyFormat<Body.Networks> {
        let item = BodySchema<NetworkRequest.Interface>(
            blank: NetworkRequest.Interface(network: nil, port: nil, fixedIP: nil, tag: nil),
            [
                .optional("fixed_ip", \.fixedIP, .text(0...Int.max, .address)),
                .given("port", \.port, BodyFormat<String>.text(0...Int.max, .uuid).nullable),
                .optional("uuid", \.network, .text(), until: 36),
                .optional("uuid", \.network, .text(0...Int.max, .uuid), since: 37),
                .optional("tag", \.tag, tag, since: 32, until: 36), .optional("tag", \.tag, tag, since: 42)
            ])
        let list = BodyFormat<[NetworkRequest.Interface]>.list(of: item.format(version), most: mostItems)
            .map { interfaces, _ in Body.Networks.list(interfaces) }
        guard version.has(37) else { return list }
        let word = BodyFormat<String>.word(of: ["none", "auto"]).map { word, _ in
            word == "none" ? Body.Networks.none : .automatic
        }
        return .either([list, word])
    }

    // MARK: Devices

    private static func devices(_ version: Microversion) -> [BodyField<Body>] {
        [
            .given("block_device_mapping", \.legacyDevices, .list(of: legacyDevice.format(), most: mostItems)),
            .given("block_device_mapping_v2", \.devices, .list(of: device.format(version), most: mostItems))
        ]
    }

    private static let legacyDevice = BodySchema(
        blank: Body.Device(),
        disk + [
            .optional("volume_id", \.volume, .text(0...Int.max, .uuid)),
            .optional("snapshot_id", \.snapshot, .text(0...Int.max, .uuid))
        ])
    private static let word = BodyFormat<String>.text(0...255).nullable
    private static let device = BodySchema(
        blank: Body.Device(),
        disk + [
            .optional("source_type", \.source, .word(of: ["volume", "image", "snapshot", "blank"])),
            .optional("uuid", \.uuid, .text(1...255)), checked("image_id", \.other, .text(0...Int.max, .uuid)),
            checked("volume_id", \.other, .text(0...Int.max, .uuid)),
            checked("snapshot_id", \.other, .text(0...Int.max, .uuid)),
            .optional("destination_type", \.destination, .word(of: ["local", "volume"])),
            .given("boot_index", \.bootIndex, .any), .given("guest_format", \.guestFormat, word),
            .given("device_type", \.type, word), .given("disk_bus", \.bus, word),
            .optional("tag", \.tag, tag, since: 32, until: 32), .optional("tag", \.tag, tag, since: 42),
            .given("volume_type", \.volumeType, word, since: 67)
        ])

    private static let disk: [BodyField<Body.Device>] = [
        .optional("virtual_name", \.virtualName, .text(0...255)),
        .optional("volume_size", \.size, .integer(1...0x7FFF_FFFF, orText: true)),
        .optional("device_name", \.name, .text(1...255)), .given("delete_on_termination", \.deletesVolume, Nova.flag),
        .given("no_device", \.isAbsent, BodyFormat<JSON>.any.map { value, _ in isTrue(value) }),
        checked("connection_info", \.other, .text(0...16_777_215))
    ]

    private static func isTrue(_ value: JSON) -> Bool {
        switch value {
        case .null, .bool(false), .string(""): false
        default: value.intValue != 0
        }
    }

    /// A member whose form is checked, and that leads to nothing.
    private static func checked<Draft, Value>(
        _ name: String, _ path: any WritableKeyPath<Draft, JSON> & Sendable, _ format: BodyFormat<Value>,
        since: Int = 0, until: Int = .max
    ) -> BodyField<Draft> {
        .given(name, path, format.map { _, json in json }, since: since, until: until)
    }
}

/// What an update call may hold.
enum UpdateServerForm {
    static let schema = BodySchema(
        blank: ServerChanges.Update(),
        [
            .optional("name", \.name, CreateServerForm.name),
            .optional("OS-DCF:diskConfig", \.diskConfig, CreateServerForm.diskConfig),
            .optional("accessIPv4", \.accessIPv4, .text(0...Int.max, .ipv4)),
            .optional("accessIPv6", \.accessIPv6, CreateServerForm.ipv6),
            .optional("description", \.description, CreateServerForm.description, since: 19)
        ] + CreateServerForm.hostname(\.hostname))
}
