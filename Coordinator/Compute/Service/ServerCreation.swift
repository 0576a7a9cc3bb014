import CoordinatorFleet
import CoordinatorImage
import CoordinatorNetwork
import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel

/// Makes servers: everything one create call leads to, in one transaction.
struct ServerCreation: Sendable {
    let parts: ComputeParts

    /// - Throws: ``APIError`` in the compute API's words; nothing is changed then.
    /// - Returns: The servers, their ports reserved, hosts claimed and plans written, or in ERROR where no host fits.
    func create(_ command: CreateServer, origin: Origin, in transaction: any SQLTransaction) throws -> [ServerRecord] {
        let flavor = try FlavorCatalog(parts: parts).bootFlavor(
            command.flavorID, caller: origin.caller, in: transaction)
        let volumes = ServerVolumes(parts: parts)
        let image = try volumes.image(for: command, flavor: flavor, origin: origin, in: transaction)
        try DiskRules.check(command.disks, of: flavor)
        try volumes.check(command.disks, origin: origin, in: transaction)
        let key = try findKey(command.keyName, user: origin.caller.user, in: transaction)
        try checkDestination(command, origin.permissions, in: transaction)
        let count = try parts.quotas.grant(
            command, flavor: flavor, project: origin.project, in: transaction)
        try checkSharing(command, count: count)
        let group = try command.hints.group.map {
            try ServerGroups(parts: parts).joining($0, count: count, origin: origin, in: transaction)
        }

        var made: [ServerRecord] = []
        for index in 0..<count {
            var server = record(command, flavor: flavor, image: image, origin: origin, index: index, of: count)
            server.publicKey = key?.publicKey
            try ServerSpecProvider.checkSize(server)
            if let group { try parts.groups.join(group.id, server.id, in: transaction) }
            try make(&server, command, origin: origin, in: transaction)
            made.append(server)
        }
        return made
    }

    private func make(
        _ server: inout ServerRecord, _ command: CreateServer, origin: Origin, in transaction: any SQLTransaction
    ) throws {
        let now = origin.now
        server.actionID = try parts.log.begin(
            "create", on: server.key,
            by: HostedOrigin(requestID: origin.requestID, user: server.user, project: server.project), at: now,
            in: transaction)
        let ports = try parts.network.reservePorts(
            command.network, server: server.id, hostname: server.hostname, permissions: origin.permissions,
            project: origin.project, at: now, in: transaction)
        try tag(ports, as: command.network, of: server, in: transaction)
        let (disks, among) = try ServerVolumes(parts: parts).reserve(
            command.disks, for: server, origin: origin, in: transaction)
        try place(&server, disks, among: among, origin: origin, in: transaction)
        server.number = try parts.servers.insert(server, in: transaction)
        for tag in command.tags { try parts.servers.tags.add(tag, to: server.id, in: transaction) }
    }

    /// A host, and what the server has to wait for there; or ERROR, and why.
    private func place(
        _ server: inout ServerRecord, _ disks: [ServerDisk], among: [PlacementRequest.Hosts], origin: Origin,
        in transaction: any SQLTransaction
    ) throws {
        let now = origin.now
        let choice = HostChoice(parts: parts)
        for attempt in 1... {
            let decision = try choice.claim(&server, among: among, at: now, in: transaction)
            guard let host = decision.host else {
                try parts.network.releasePorts(of: server.id, at: now, in: transaction)
                try parts.devices.removeAll(of: server.id, in: transaction)
                let fault = ServerFault(
                    message: "No valid host was found. \(decision.summary)", details: Self.list(decision),
                    createdAt: now)
                return try parts.workflow.fail(&server, server.state.failed, fault, at: now, in: transaction)
            }
            do {
                guard
                    try ServerVolumes(parts: parts).create(disks, for: server, origin: origin, in: transaction)
                else { return try choice.occupy(&server, at: now, in: transaction) }
                return parts.workflow.step(&server, task: .blockDeviceMapping, at: now)
            } catch let refusal as CoordinatorPlatform.Refusal
                where refusal.code == .conflict && attempt < parts.settings.buildAttempts
            {
                // Another host may have what this one has not.
                server.excluded[host.node] = refusal.message
            } catch let error where error is CoordinatorPlatform.Refusal || error is APIError {
                let reason = (error as? CoordinatorPlatform.Refusal)?.message ?? (error as? APIError)?.message ?? ""
                return try VolumeWaiting(parts: parts).fail(&server, reason, at: now, in: transaction)
            }
        }
    }

    /// Keeps the tags that interfaces were given.
    private func tag(
        _ ports: [ServerPort], as request: NetworkRequest, of server: ServerRecord, in transaction: any SQLTransaction
    ) throws {
        guard case .interfaces(let interfaces, _) = request else { return }
        for (interface, port) in zip(interfaces, ports) where interface.tag != nil {
            try parts.devices.insert(
                ServerDevice(server: server.id, kind: .port, device: port.port.cast(), tag: interface.tag),
                in: transaction)
        }
    }

    /// Some hosts of each reason, a line each, and how many more there are.
    private static func list(_ decision: PlacementDecision) -> String {
        decision.groups.flatMap(\.lines).joined(separator: "\n")
    }

    private func findKey(_ name: String?, user: UserID, in reader: any SQLReader) throws -> Keypair? {
        guard let name else { return nil }
        guard let key = try parts.keypairs.find(name, user: user, in: reader) else {
            throw APIError.badRequest("Invalid key_name provided.")
        }
        return key
    }

    /// Only administrators choose hosts.
    private func checkDestination(
        _ command: CreateServer, _ permissions: Permissions, in transaction: any SQLTransaction
    ) throws {
        if command.forcesHost { try permissions.require(ComputePolicy.prefix + "servers:create:forced_host") }
        if command.requestsHost { try permissions.require(ComputePolicy.requestedDestination) }
        if let zone = command.zone {
            let zones = try parts.placement.zones(of: .compute, in: transaction)
            guard zones.contains(where: { ($0.isEmpty ? parts.settings.defaultZone : $0) == zone }) else {
                throw APIError.badRequest("The requested availability zone is not available")
            }
        }
        if let host = command.host,
            try !parts.placement.hasHost(named: host, role: .compute, in: transaction)
        {
            throw APIError.badRequest("Compute host \(host) could not be found.")
        }
    }

    /// One port or address cannot serve several servers.
    private func checkSharing(_ command: CreateServer, count: Int) throws {
        guard command.maxCount > 1, case .interfaces(let interfaces, _) = command.network else { return }
        if interfaces.contains(where: { $0.fixedIP != nil }) {
            throw APIError.badRequest(
                "Failed to launch instances: max_count cannot be greater than 1 if an fixed_ip is specified.")
        }
        if interfaces.contains(where: { $0.port != nil }) {
            throw APIError.badRequest(
                "Failed to launch instances: Unable to launch multiple instances with a single configured port ID. "
                    + "Please launch your instance one by one with different ports.")
        }
    }

    private func record(
        _ command: CreateServer, flavor: FlavorSnapshot, image: ImageSnapshot, origin: Origin, index: Int, of count: Int
    ) -> ServerRecord {
        let id = ServerID.random()
        let suffix = command.maxCount > 1 ? "-\(index + 1)" : ""
        let name = command.name + suffix
        var hostname = command.hostname.map { $0 + suffix } ?? Hostname.label(name)
        if hostname.isEmpty { hostname = "server-\(id)" }
        var server = ServerRecord(
            id: id, project: origin.project, user: origin.caller.user, name: name, flavor: flavor,
            image: image, createdAt: origin.now)
        server.isVolumeBacked = command.rootVolume != nil
        server.description = command.description
        server.hostname = hostname
        server.pinnedZone = command.zone
        server.pinnedHost = command.host
        server.keyName = command.keyName
        server.userData = command.userData
        server.hasConfigDrive = command.hasConfigDrive || image.properties["img_config_drive"] == "mandatory"
        server.metadata = command.metadata
        server.adminPassword = command.adminPassword
        server.accessIPv4 = command.accessIPv4
        server.accessIPv6 = command.accessIPv6
        server.diskConfig = command.diskConfig
        server.launchIndex = index
        server.reservationID = command.reservationID
        server.schedulerHints = command.schedulerHints
        return server
    }
}
