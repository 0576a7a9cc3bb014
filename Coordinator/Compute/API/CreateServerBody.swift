import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel

/// The body of a create call: its form, and the command that it is.
package struct CreateServerBody: Sendable {
    /// What `networks` says.
    enum Networks: Sendable {
        case automatic, none
        case list([NetworkRequest.Interface])
    }

    struct Device: Sendable {
        var source: String?
        var destination: String?
        var uuid: String?
        var image: String?
        var bootIndex: JSON = 0
        /// What would tell the guest apart from others, which no host here does.
        var tag: JSON = .null
        var diskBus: JSON = .null
        var guestFormat: JSON = .null
        var type: JSON = .null
        /// What is looked at and leads to nothing.
        var other: JSON = .null
    }

    var name = ""
    var description: String?
    var image: String?
    var flavor = ""
    var password: String?
    var metadata: [String: String] = [:]
    var networks = Networks.automatic
    var diskConfig = "MANUAL"
    var accessIPv4 = ""
    var accessIPv6 = ""
    var zone: String?
    var legacyDevices: [Device] = []
    var devices: [Device] = []
    var hasConfigDrive = false
    var keyName: String?
    var minCount: Int?
    var maxCount: Int?
    package var wantsReservation = false
    var groups: [String]?
    var userData: String?
    var tags: [String] = []
    var files: [JSON] = []
    var certificates: [String]?
    var host: String?
    var hypervisor: String?
    var hostname: String?
    /// A JSON object.
    var hints: [String: JSON] = [:]

    package static func read(_ body: JSON, _ version: Microversion) throws(APIError) -> Self {
        let hints = BodyFormat<[String: JSON]>.members
        return try BodySchema<Self>(
            blank: Self(),
            [
                .required("server", \.self, CreateServerForm.schema(version).format(version)),
                .given("OS-SCH-HNT:scheduler_hints", \.hints, hints), .given("os:scheduler_hints", \.hints, hints)
            ]
        ).read(body, version, wording: Nova.body)
    }

    /// The groups as the answer repeats them.
    package var securityGroups: JSON { .array((groups ?? ["default"]).map { ["name": .string($0)] }) }

    /// - Parameter password: For a body without one.
    /// - Throws: ``APIError`` 400.
    package func command(_ version: Microversion, password: String, reservationID: String) throws -> CreateServer {
        let least = minCount ?? 1
        let most = maxCount ?? least
        guard least <= most else { throw APIError.badRequest("min_count must be <= max_count") }
        try refuseVolumes()
        try refuseForgotten()
        let named = image.flatMap { $0.isEmpty ? nil : $0 }
        let image = named ?? devices.first { $0.source == "image" }.flatMap { $0.uuid ?? $0.image } ?? ""
        guard !image.isEmpty else { throw APIError.badRequest("Missing imageRef attribute") }
        var command = CreateServer(
            name: name, description: version.has(19) ? description : name, imageID: image, flavorID: flavor,
            network: try network(), keyName: keyName, userData: userData, metadata: metadata,
            hasConfigDrive: hasConfigDrive, minCount: least, maxCount: most, adminPassword: self.password ?? password,
            accessIPv4: accessIPv4, accessIPv6: accessIPv6, diskConfig: diskConfig, tags: Self.unique(tags),
            hostname: hostname, schedulerHints: JSON.object(hints).text, reservationID: reservationID)
        command.hints = try SchedulerHintForm.read(hints)
        try readDestination(into: &command)
        return command
    }

    private static func unique(_ list: [String]) -> [String] {
        var seen: Set<String> = []
        return list.filter { seen.insert($0).inserted }
    }

    /// `ZONE`, `ZONE:HOST` or `ZONE:HOST:NODE`, and from 2.74 `host` and `hypervisor_hostname`.
    private func readDestination(into command: inout CreateServer) throws {
        command.zone = zone
        if let zone, zone.contains(":") {
            let parts = zone.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard parts.count <= 3 else {
                throw APIError.badRequest("Unable to parse availability_zone. Expected format: zone:host:node.")
            }
            command.zone = parts[0].isEmpty ? nil : parts[0]
            let named = parts.dropFirst().filter { !$0.isEmpty }
            // A host has one node, which bears its name.
            if Set(named).count > 1 {
                throw APIError.badRequest("Compute host \(named[1]) could not be found.")
            }
            command.host = named.first
            command.forcesHost = true
        }
        guard let named = host ?? hypervisor else { return }
        guard command.host == nil else {
            throw APIError.badRequest(
                "One mechanism with host and/or hypervisor_hostname and another mechanism with zone:host:node are "
                    + "mutually exclusive.")
        }
        command.host = named
        command.requestsHost = true
    }

    /// Servers start from images only as yet: the one device in a request can be the local root disk made from it.
    private func refuseVolumes() throws {
        guard legacyDevices.isEmpty || devices.isEmpty else {
            throw APIError.badRequest(
                "Using different block_device_mapping syntaxes is not allowed in the same request.")
        }
        let isLocalRoot = devices.allSatisfy { device in
            device.source == "image" && device.destination == "local" && device.bootIndex.pythonText == "0"
        }
        guard legacyDevices.isEmpty, devices.count <= 1, isLocalRoot else {
            throw APIError.badRequest(
                "Block Device Mapping is Invalid: this cloud starts servers from images only, so the only device in a "
                    + "request is its image on a local disk (source_type image, destination_type local, boot_index 0).")
        }
        guard files.isEmpty else {
            throw APIError.badRequest(
                "Personality files are not supported: give the guest its files with user_data instead.")
        }
        guard (certificates ?? []).isEmpty else {
            throw APIError.badRequest(
                "Image signature certificate validation is not available here: leave trusted_image_certificates out.")
        }
    }

    /// What nothing here would come of: better refused than taken for granted.
    private func refuseForgotten() throws {
        var forgotten: [String] = []
        for device in devices {
            if !device.tag.isNull { forgotten.append("tag of a block device") }
            if !device.diskBus.isNull { forgotten.append("disk_bus (the image says it: hw_disk_bus)") }
            if !device.guestFormat.isNull { forgotten.append("guest_format") }
            if !device.type.isNull, device.type != "disk" { forgotten.append("device_type") }
        }
        guard forgotten.isEmpty else {
            throw APIError.badRequest(
                "Not available here: \(forgotten.joined(separator: ", ")). Leave it out of the request.")
        }
    }

    private func network() throws -> NetworkRequest {
        let groups = Self.unique(groups ?? [])
        switch networks {
        case .none: return .none
        case .automatic: return groups.isEmpty ? .automatic : .interfaces([], securityGroups: groups)
        case .list(let list):
            var ports: Set<String> = []
            for interface in list { try check(interface, ports: &ports) }
            return list.isEmpty && groups.isEmpty ? .automatic : .interfaces(list, securityGroups: groups)
        }
    }

    private func check(_ interface: NetworkRequest.Interface, ports: inout Set<String>) throws {
        guard let port = interface.port else {
            guard let network = interface.network else {
                throw APIError.badRequest("Bad network format: missing 'uuid'")
            }
            guard NetworkID(network) != nil else {
                throw APIError.badRequest(
                    "Bad networks format: network uuid is not in proper format (\(network))")
            }
            return
        }
        guard ports.insert(port).inserted else {
            throw APIError.badRequest(
                "Port ID '\(port)' was specified twice: you cannot attach a port multiple times.")
        }
        guard let address = interface.fixedIP else { return }
        throw APIError.badRequest(
            "Specified Fixed IP '\(address)' cannot be used with port '\(port)': the two cannot be specified together.")
    }
}
