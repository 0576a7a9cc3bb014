import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel

/// Reads the body of a create call, whose form was checked, into a command.
struct CreateServerBody {
    let server: [String: JSON]
    let version: Microversion
    let permissions: Permissions
    private let hints: String

    init(_ body: JSON, version: Microversion, permissions: Permissions) throws {
        try ServerBodies.create(version).check(body)
        server = body["server"]?.objectValue ?? [:]
        hints = (body["os:scheduler_hints"] ?? body["OS-SCH-HNT:scheduler_hints"] ?? [:]).text
        self.version = version
        self.permissions = permissions
    }

    var wantsReservation: Bool { server["return_reservation_id"].flatMap(Python.boolean) ?? false }

    /// The groups as the answer repeats them.
    var securityGroups: JSON { server["security_groups"] ?? [["name": "default"]] }

    /// - Parameter password: For a body without one.
    /// - Throws: ``APIError`` 400 or 403.
    func command(password: String, reservationID: String) throws -> CreateServer {
        let counts = try readCounts()
        let destination = try readDestination()
        try refuseVolumes()
        guard let image = try readImage(), !image.isEmpty else {
            throw APIError.badRequest("Missing imageRef attribute")
        }
        let name = text("name") ?? ""
        return CreateServer(
            name: name, description: version.has(19) ? text("description") : name, imageID: image,
            flavorID: Self.lastPart(server["flavorRef"]), network: try readNetworks(), keyName: text("key_name"),
            userData: text("user_data"),
            metadata: (server["metadata"]?.objectValue ?? [:]).compactMapValues(\.stringValue),
            hasConfigDrive: server["config_drive"].flatMap(Python.boolean) ?? false, zone: destination.zone,
            host: destination.host, minCount: counts.min, maxCount: counts.max,
            adminPassword: text("adminPass") ?? password, accessIPv4: text("accessIPv4") ?? "",
            accessIPv6: text("accessIPv6") ?? "", diskConfig: text("OS-DCF:diskConfig") ?? "MANUAL",
            tags: unique((server["tags"]?.arrayValue ?? []).compactMap(\.stringValue)), hostname: text("hostname"),
            schedulerHints: hints, reservationID: reservationID)
    }

    private func text(_ name: String) -> String? { server[name]?.stringValue }

    private func unique(_ list: [String]) -> [String] {
        var seen: Set<String> = []
        return list.filter { seen.insert($0).inserted }
    }

    private func readCounts() throws -> (min: Int, max: Int) {
        let least = Python.integer(server["min_count"]) ?? 1
        let most = Python.integer(server["max_count"]) ?? least
        guard least <= most else { throw APIError.badRequest("min_count must be <= max_count") }
        return (least, most)
    }

    /// `ZONE`, `ZONE:HOST` or `ZONE:HOST:NODE`, and from 2.74 `host` and `hypervisor_hostname`.
    private func readDestination() throws -> (zone: String?, host: String?) {
        var zone = text("availability_zone")
        var host: String?
        if let given = zone, given.contains(":") {
            let parts = given.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard parts.count <= 3 else {
                throw APIError.badRequest("Unable to parse availability_zone. Expected format: zone:host:node.")
            }
            zone = parts[0].isEmpty ? nil : parts[0]
            host = parts.dropFirst().first { !$0.isEmpty }
            try permissions.require(ComputePolicy.prefix + "servers:create:forced_host")
        }
        guard let named = text("host") ?? text("hypervisor_hostname") else { return (zone, host) }
        try permissions.require(ComputePolicy.requestedDestination)
        guard host == nil else {
            throw APIError.badRequest(
                "One mechanism with host and/or hypervisor_hostname and another mechanism with zone:host:node are "
                    + "mutually exclusive.")
        }
        return (zone, named)
    }

    /// A flavor or image may come as a URL, whose last part counts.
    private static func lastPart(_ value: JSON?) -> String {
        let text = value.map(Python.text) ?? ""
        let path = text.split(separator: "?", omittingEmptySubsequences: false).first ?? ""
        return String(path.split(separator: "/", omittingEmptySubsequences: false).last ?? "")
    }

    private func readImage() throws -> String? {
        if let image = text("imageRef"), !image.isEmpty { return image }
        return devices.first { $0["source_type"]?.stringValue == "image" }.flatMap {
            ($0["uuid"] ?? $0["image_id"])?.stringValue
        }
    }

    private var devices: [[String: JSON]] {
        (server["block_device_mapping_v2"]?.arrayValue ?? []).compactMap(\.objectValue)
    }

    /// There is no block storage yet: the only device a server can have is the local root disk made from its image.
    private func refuseVolumes() throws {
        let legacy = server["block_device_mapping"]?.arrayValue ?? []
        guard legacy.isEmpty || devices.isEmpty else {
            throw APIError.badRequest(
                "Using different block_device_mapping syntaxes is not allowed in the same request.")
        }
        let isLocalRoot = devices.allSatisfy { device in
            device["source_type"]?.stringValue == "image" && device["destination_type"]?.stringValue == "local"
                && Python.text(device["boot_index"] ?? 0) == "0"
        }
        guard legacy.isEmpty, devices.count <= 1, isLocalRoot else {
            throw APIError.badRequest(
                "Block Device Mapping is Invalid: this cloud has no block storage, so the only device a server can "
                    + "have is its image on a local disk (source_type image, destination_type local, boot_index 0).")
        }
        if let personality = server["personality"]?.arrayValue, !personality.isEmpty {
            throw APIError.badRequest(
                "Personality files are not supported: give the guest its files with user_data instead.")
        }
        guard let certificates = server["trusted_image_certificates"]?.arrayValue, !certificates.isEmpty else { return }
        throw APIError.badRequest(
            "Image signature certificate validation is not available here: leave trusted_image_certificates out."
        )
    }

    private func readNetworks() throws -> NetworkRequest {
        let groups = unique((server["security_groups"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue })
        guard let networks = server["networks"] else {
            return groups.isEmpty ? .automatic : .interfaces([], securityGroups: groups)
        }
        if networks.stringValue == "none" { return .none }
        guard let list = networks.arrayValue else {
            return groups.isEmpty ? .automatic : .interfaces([], securityGroups: groups)
        }
        var ports: Set<String> = []
        let interfaces = try list.compactMap(\.objectValue).map { item in
            let interface = NetworkRequest.Interface(
                network: item["uuid"]?.stringValue, port: item["port"]?.stringValue,
                fixedIP: item["fixed_ip"]?.stringValue, tag: item["tag"]?.stringValue)
            try check(interface, ports: &ports)
            return interface
        }
        return interfaces.isEmpty && groups.isEmpty ? .automatic : .interfaces(interfaces, securityGroups: groups)
    }

    private func check(_ interface: NetworkRequest.Interface, ports: inout Set<String>) throws {
        if let port = interface.port {
            guard ports.insert(port).inserted else {
                throw APIError.badRequest(
                    "Port ID '\(port)' was specified twice: you cannot attach a port multiple times.")
            }
            if let address = interface.fixedIP {
                throw APIError.badRequest(
                    "Specified Fixed IP '\(address)' cannot be used with port '\(port)': the two cannot be specified "
                        + "together.")
            }
        } else {
            guard let network = interface.network else {
                throw APIError.badRequest("Bad network format: missing 'uuid'")
            }
            guard NetworkID(network) != nil else {
                throw APIError.badRequest(
                    "Bad networks format: network uuid is not in proper format (\(network))")
            }
        }
    }
}
