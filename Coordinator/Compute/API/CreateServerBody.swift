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
        /// Of the first version.
        var volume: String?
        var snapshot: String?
        var virtualName: String?
        /// GiB, or MiB of swap.
        var size: Int?
        var name: String?
        var deletesVolume = false
        /// `no_device`: what the image says of it does not count, and no image here says anything.
        var isAbsent = false
        var bootIndex: JSON = .null
        var tag: String?
        var bus: String?
        var guestFormat: String?
        /// `device_type`
        var type: String?
        var volumeType: String?
        /// What is looked at and leads to nothing, as in Nova.
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
        try refuseFiles()
        let image = image.flatMap { $0.isEmpty ? nil : $0 }
        guard image != nil || !(devices.isEmpty && legacyDevices.isEmpty) else {
            throw APIError.badRequest("Missing imageRef attribute")
        }
        let disks = try DeviceMapping.disks(self, image: image)
        var command = CreateServer(
            name: name, description: version.has(19) ? description : name, imageID: image ?? "", flavorID: flavor,
            network: try network(), keyName: keyName, userData: userData, metadata: metadata,
            hasConfigDrive: hasConfigDrive, minCount: least, maxCount: most, adminPassword: self.password ?? password,
            accessIPv4: accessIPv4, accessIPv6: accessIPv6, diskConfig: diskConfig, tags: Self.unique(tags),
            hostname: hostname, schedulerHints: JSON.object(hints).text, reservationID: reservationID)
        command.disks = disks
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

    private func refuseFiles() throws {
        guard files.isEmpty else {
            throw APIError.badRequest(
                "Personality files are not supported: give the guest its files with user_data instead.")
        }
        guard (certificates ?? []).isEmpty else {
            throw APIError.badRequest(
                "Image signature certificate validation is not available here: leave trusted_image_certificates out.")
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
