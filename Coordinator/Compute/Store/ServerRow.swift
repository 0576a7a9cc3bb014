import CoordinatorPlatform
import ProtocolModel

/// How a ``ServerRecord`` stands in its row.
enum ServerRow {
    /// In the order ``read(_:)`` expects; without the row's own key.
    static let columns = [
        "uuid", "generation", "project_id", "user_id", "name", "description", "hostname", "vm_state", "task_state",
        "power_state", "has_launched", "task_deadline", "node_id", "host", "zone", "plan_generation", "power",
        "pinned_zone", "pinned_host", "flavor_id", "flavor_name", "vcpus", "memory_mib", "root_gib", "ephemeral_gib",
        "swap_mib", "extra_specs", "image_id", "image_name", "image_sha512", "image_size", "image_virtual_size",
        "image_format", "image_properties", "key_name", "public_key", "user_data", "has_config_drive", "metadata",
        "admin_password", "access_ipv4", "access_ipv6", "disk_config", "launch_index", "reservation_id", "locked_by",
        "locked_reason", "scheduler_hints", "created_at", "updated_at", "launched_at", "terminated_at", "deleted_at",
        "fault_code", "fault_message", "fault_details", "fault_at", "attempts", "excluded", "action_id", "operation_id"
    ]
    static let selection = "id, " + columns.joined(separator: ", ")

    static func values(_ server: ServerRecord) -> [any SQLArgument] {
        let identity: [any SQLArgument] = [
            server.id, server.generation, server.project, server.user, server.name, server.description, server.hostname
        ]
        let flavor = server.flavor
        let image = server.image
        let made: [any SQLArgument] = [
            flavor.id, flavor.name, flavor.vcpus, flavor.memoryMiB, flavor.rootGiB, flavor.ephemeralGiB, flavor.swapMiB,
            JSONColumn.text(flavor.extraSpecs), image.spec.id, image.name, image.spec.sha512, image.spec.sizeBytes,
            image.virtualSizeBytes, image.spec.format.rawValue, JSONColumn.text(image.properties)
        ]
        let guest: [any SQLArgument] = [
            server.keyName, server.publicKey, server.userData, server.hasConfigDrive, JSONColumn.text(server.metadata),
            server.adminPassword, server.accessIPv4, server.accessIPv6, server.diskConfig, server.launchIndex,
            server.reservationID, server.lockedBy, server.lockedReason, server.schedulerHints
        ]
        return identity + state(server) + made + guest + history(server)
    }

    private static func state(_ server: ServerRecord) -> [any SQLArgument] {
        [
            server.state.vm.rawValue, server.state.task?.rawValue, server.state.power.rawValue,
            server.state.hasLaunched,
            server.taskDeadline, server.host?.node, server.host?.hostname, server.host?.zone, server.planGeneration,
            server.power.rawValue, server.pinnedZone, server.pinnedHost
        ]
    }

    private static func history(_ server: ServerRecord) -> [any SQLArgument] {
        [
            server.createdAt, server.updatedAt, server.launchedAt, server.terminatedAt, server.deletedAt,
            server.fault?.code, server.fault?.message, server.fault?.details, server.fault?.createdAt, server.attempts,
            JSONColumn.text(server.excluded), server.actionID, server.operation
        ]
    }

    /// The part of a row that changes while a server lives, for updates.
    static let changing = [
        "generation", "name", "description", "hostname", "metadata", "admin_password", "access_ipv4", "access_ipv6",
        "disk_config", "locked_by", "locked_reason",
        "vm_state", "task_state", "power_state", "has_launched", "task_deadline", "node_id", "host", "zone",
        "plan_generation", "power", "pinned_zone", "pinned_host",
        "created_at", "updated_at", "launched_at", "terminated_at", "deleted_at", "fault_code", "fault_message",
        "fault_details", "fault_at", "attempts", "excluded", "action_id", "operation_id"
    ]

    static func changingValues(_ server: ServerRecord) -> [any SQLArgument] {
        let described: [any SQLArgument] = [
            server.generation, server.name, server.description, server.hostname, JSONColumn.text(server.metadata),
            server.adminPassword, server.accessIPv4, server.accessIPv6, server.diskConfig, server.lockedBy,
            server.lockedReason
        ]
        return described + state(server) + history(server)
    }

    static func read(_ row: any SQLRow) throws -> ServerRecord {
        ServerRecord(
            number: row.integer(0), id: try row.uuid(1), generation: row.integer(2), project: try row.uuid(3),
            user: try row.uuid(4), name: row.text(5), description: row.optionalText(6), hostname: row.text(7),
            state: try readState(row), taskDeadline: row.optionalInteger(12), host: try readHost(row),
            planGeneration: row.integer(16), power: try word(row, 17), pinnedZone: row.optionalText(18),
            pinnedHost: row.optionalText(19), flavor: try readFlavor(row), image: try readImage(row),
            keyName: row.optionalText(35), publicKey: row.optionalText(36), userData: row.optionalText(37),
            hasConfigDrive: row.bool(38), metadata: try JSONColumn.map(row.text(39)), adminPassword: row.text(40),
            accessIPv4: row.text(41), accessIPv6: row.text(42), diskConfig: row.text(43), launchIndex: row.int(44),
            reservationID: row.text(45), lockedBy: row.optionalText(46), lockedReason: row.optionalText(47),
            schedulerHints: row.text(48), createdAt: row.integer(49), updatedAt: row.integer(50),
            launchedAt: row.optionalInteger(51), terminatedAt: row.optionalInteger(52),
            deletedAt: row.optionalInteger(53), fault: readFault(row), attempts: row.int(58),
            excluded: try JSONColumn.hosts(row.text(59)), actionID: row.optionalInteger(60),
            operation: try row.optionalUUID(61))
    }

    private static func readState(_ row: any SQLRow) throws -> ServerState {
        ServerState(
            vm: try word(row, 8), task: row.isNull(9) ? nil : try word(row, 9),
            power: ServerDetails.PowerState(rawValue: row.int(10)) ?? .none, hasLaunched: row.bool(11))
    }

    private static func readHost(_ row: any SQLRow) throws -> ServerHost? {
        guard let node: NodeID = try row.optionalUUID(13) else { return nil }
        return ServerHost(node: node, hostname: row.text(14), zone: row.text(15))
    }

    private static func readFlavor(_ row: any SQLRow) throws -> FlavorSnapshot {
        FlavorSnapshot(
            id: row.text(20), name: row.text(21), vcpus: row.int(22), memoryMiB: row.int(23), rootGiB: row.int(24),
            ephemeralGiB: row.int(25), swapMiB: row.int(26), extraSpecs: try JSONColumn.map(row.text(27)))
    }

    private static func readImage(_ row: any SQLRow) throws -> ImageSnapshot {
        ImageSnapshot(
            spec: ImageSpec(
                id: try row.uuid(28), sha512: row.text(30), sizeBytes: row.integer(31), format: try word(row, 33)),
            name: row.text(29), virtualSizeBytes: row.integer(32), properties: try JSONColumn.map(row.text(34)))
    }

    private static func readFault(_ row: any SQLRow) -> ServerFault? {
        guard !row.isNull(54) else { return nil }
        return ServerFault(
            code: row.int(54), message: row.text(55), details: row.text(56), createdAt: row.integer(57))
    }

    /// - Throws: ``StoreError/corrupt(_:)`` for a word the type does not know.
    private static func word<Word: RawRepresentable<String>>(_ row: any SQLRow, _ column: Int) throws -> Word {
        let text = row.text(column)
        guard let word = Word(rawValue: text) else { throw StoreError.corrupt("'\(text)' is no \(Word.self)") }
        return word
    }
}
