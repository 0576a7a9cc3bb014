import CoordinatorPlatform
import ProtocolModel

/// Reads the query of a server list as the compute API does: what the caller may not filter by is passed over, and from
/// 2.75 on what nobody knows is refused.
struct ServerListQuery {
    private let call: APICall
    private let caller: Caller
    private let version: Microversion
    private var result = ServerQuery()

    static func read(_ call: APICall, pageLimit: Int, isDetail: Bool) throws -> ServerQuery {
        var reader = Self(call: call, caller: try call.requireCaller(), version: call.microversion)
        try reader.readScope(isDetail: isDetail)
        try reader.readStates()
        try reader.readTimes()
        try reader.readValues()
        try reader.readPatterns()
        reader.readTags()
        try reader.readOrder()
        reader.result.limit = try call.limit(most: pageLimit)
        if let marker = call.query("marker") {
            guard let id = ServerID(marker) else { throw APIError.badRequest("marker [\(marker)] not found") }
            reader.result.marker = id
        }
        try call.refuseUnknownQuery(from: 75, known: known)
        reader.result.wantsNames = !isDetail
        return reader.result
    }

    private init(call: APICall, caller: Caller, version: Microversion) {
        self.call = call
        self.caller = caller
        self.version = version
    }

    private static let known: Set<String> = [
        "user_id", "project_id", "tenant_id", "launch_index", "image_ref", "image", "kernel_id", "ramdisk_id",
        "hostname",
        "key_name", "power_state", "vm_state", "task_state", "host", "node", "flavor", "reservation_id", "launched_at",
        "terminated_at", "availability_zone", "name", "display_name", "description", "display_description", "locked_by",
        "uuid", "root_device_name", "config_drive", "access_ip_v4", "access_ip_v6", "auto_disk_config", "progress",
        "sort_key", "sort_dir", "all_tenants", "soft_deleted", "deleted", "status", "changes-since", "changes-before",
        "ip", "ip6", "created_at", "tags", "tags-any", "not-tags", "not-tags-any", "locked", "limit", "marker"
    ]

    /// Filters that everybody may use, with the version they came in.
    private static let open: [String: Int] = [
        "reservation_id": 1, "name": 1, "status": 1, "image": 1, "flavor": 1, "ip": 1, "changes-since": 1,
        "all_tenants": 1, "ip6": 5, "tags": 26, "tags-any": 26, "not-tags": 26, "not-tags-any": 26,
        "changes-before": 66,
        "locked": 73, "availability_zone": 83, "config_drive": 83, "key_name": 83, "power_state": 83, "task_state": 83,
        "vm_state": 83, "progress": 83, "user_id": 83, "created_at": 83, "launched_at": 83, "terminated_at": 83
    ]

    /// The last value, as a dictionary made of the query has it.
    private func value(_ name: String) -> String? {
        guard caller.isAdmin || version.has(Self.open[name] ?? .max) else { return nil }
        return call.queryAll(name).last
    }

    private mutating func readScope(isDetail: Bool) throws {
        var isEverybody = false
        if let text = value("all_tenants") {
            guard let flag = text.isEmpty ? true : Python.boolean(text) else {
                throw APIError.badRequest("Invalid value '\(text)' for all_tenants")
            }
            isEverybody = flag
        }
        if isEverybody {
            try call.authorizeCompute("servers:\(isDetail ? "detail" : "index"):get_all_tenants")
            if let text = value("project_id") ?? value("tenant_id") {
                result.project = ProjectID(text)
                result.isEmpty = result.project == nil
            }
        } else if let project = caller.project {
            result.project = project
        } else {
            result.user = caller.user
        }
        if let text = value("user_id") {
            result.user = UserID(text)
            result.isEmpty = result.isEmpty || result.user == nil
        }
    }

    private mutating func readStates() throws {
        let hasPeriod = value("changes-since") != nil || value("changes-before") != nil
        if let text = value("deleted") {
            result.isDeleted = Python.boolean(text) ?? false
        } else if hasPeriod {
            result.isDeleted = nil
        }
        let statuses = call.queryAll("status")
        if !statuses.isEmpty {
            try readStatuses(statuses)
        } else {
            result.vmStates = value("vm_state").map { [$0] }
            result.taskStates = value("task_state").map { [$0] }
        }
        if let text = value("power_state") {
            guard let number = Int(text) else { return result.isEmpty = true }
            result.equal.append(("power_state", number))
        }
        if let text = value("locked") { result.isLocked = Python.boolean(text) }
    }

    private static let states: [String: (vm: VMState, tasks: [TaskState])] = [
        "active": (.active, []), "build": (.building, []), "shutoff": (.stopped, []), "paused": (.paused, []),
        "suspended": (.suspended, []), "error": (.error, []), "deleted": (.deleted, []),
        "reboot": (.active, [.rebooting]), "hard_reboot": (.active, [.rebootingHard])
    ]
    /// Words of the API for states that no server here gets into.
    private static let absent: Set<String> = [
        "password", "rebuild", "migrating", "resize", "verify_resize", "revert_resize", "rescue", "soft_deleted",
        "shelved",
        "shelved_offloaded"
    ]

    private mutating func readStatuses(_ statuses: [String]) throws {
        let words = statuses.map { $0.lowercased() }
        let states = words.compactMap { Self.states[$0] }
        guard !states.isEmpty else {
            if version.has(38), !words.contains(where: Self.absent.contains) {
                throw APIError.badRequest("Invalid status value")
            }
            return result.isEmpty = true
        }
        result.vmStates = Array(Set(states.map(\.vm.rawValue))).sorted()
        if states.allSatisfy({ !$0.tasks.isEmpty }) {
            result.taskStates = states.flatMap(\.tasks).map(\.rawValue)
        }
        if result.vmStates == ["deleted"] {
            guard caller.isAdmin else {
                throw APIError.forbidden("Only administrators may list deleted instances")
            }
            result.isDeleted = true
        }
    }

    private mutating func readTimes() throws {
        if value("changes-since") != nil { result.changesSince = try call.time("changes-since") }
        if value("changes-before") != nil { result.changesBefore = try call.time("changes-before") }
        if let since = result.changesSince, let before = result.changesBefore, before < since {
            throw APIError.badRequest("The value of changes-since must be less than or equal to changes-before.")
        }
        for name in ["created_at", "launched_at", "terminated_at"] where value(name) != nil {
            guard let time = try call.time(name) else { continue }
            result.equal.append((name, time))
        }
    }

    private static let columns: [String: String] = [
        "image": "image_id", "image_ref": "image_id", "flavor": "flavor_id", "host": "host", "node": "host",
        "key_name": "key_name", "availability_zone": "zone", "reservation_id": "reservation_id", "uuid": "uuid",
        "access_ip_v4": "access_ipv4", "access_ip_v6": "access_ipv6", "locked_by": "locked_by"
    ]

    private mutating func readValues() throws {
        for (name, column) in Self.columns.sorted(by: { $0.key < $1.key }) {
            guard let text = value(name) else { continue }
            result.equal.append((column, text))
        }
        if let text = value("config_drive") {
            result.equal.append(("has_config_drive", Python.boolean(text) ?? false))
        }
        if let text = value("launch_index") { result.equal.append(("launch_index", Int(text) ?? -1)) }
        if let text = value("auto_disk_config") {
            result.equal.append(("disk_config", Python.boolean(text) == true ? "AUTO" : "MANUAL"))
        }
        if let text = value("progress"), text != "0" { result.isEmpty = true }
    }

    private mutating func readPatterns() throws {
        result.name = try pattern("name") ?? pattern("display_name")
        result.hostname = try pattern("hostname")
        result.description = try pattern("description") ?? pattern("display_description")
        result.address = try pattern("ip")
        if result.address != nil { result.addressFamily = .ipv4 }
        if let six = try pattern("ip6") {
            result.address = six
            result.addressFamily = .ipv6
        }
    }

    private func pattern(_ name: String) throws -> NamePattern? {
        guard let text = value(name) else { return nil }
        guard let pattern = NamePattern(text) else {
            throw APIError.badRequest(
                "Invalid input for query parameters \(name). Value: \(text). '\(text)' is not a 'regex'")
        }
        return pattern
    }

    private mutating func readTags() {
        func list(_ name: String) -> [String] {
            Array(Set((value(name) ?? "").split(separator: ",").map(String.init))).sorted()
        }
        result.tags = list("tags")
        result.tagsAny = list("tags-any")
        result.notTags = list("not-tags")
        result.notTagsAny = list("not-tags-any")
    }

    private static let sortColumns: [String: String] = [
        "access_ip_v4": "access_ipv4", "access_ip_v6": "access_ipv6", "auto_disk_config": "disk_config",
        "availability_zone": "zone", "config_drive": "has_config_drive", "created_at": "created_at",
        "display_description": "description", "display_name": "name", "host": "host", "hostname": "hostname",
        "image_ref": "image_id", "instance_type_id": "flavor_id", "key_name": "key_name",
        "launch_index": "launch_index",
        "launched_at": "launched_at", "locked_by": "locked_by", "locked": "locked_by", "node": "host",
        "power_state": "power_state", "project_id": "project_id", "task_state": "task_state",
        "terminated_at": "terminated_at", "updated_at": "updated_at", "user_id": "user_id", "uuid": "uuid",
        "vm_state": "vm_state"
    ]
    /// Known to the API, and passed over: nothing here differs by them.
    private static let idleSortKeys: Set<String> = [
        "architecture", "cell_name", "cleaned", "default_ephemeral_device", "default_swap_device", "deleted",
        "deleted_at",
        "disable_terminate", "ephemeral_gb", "ephemeral_key_uuid", "id", "key_data", "kernel_id", "launched_on",
        "memory_mb", "os_type", "progress", "ramdisk_id", "reservation_id", "root_device_name", "root_gb",
        "shutdown_terminate", "user_data", "vcpus", "vm_mode"
    ]

    private mutating func readOrder() throws {
        let keys = call.queryAll("sort_key")
        let directions = call.queryAll("sort_dir")
        for direction in directions where direction != "asc" && direction != "desc" {
            throw APIError.badRequest("Unknown sort direction, must be 'desc' or 'asc'")
        }
        var order: [ServerQuery.Order] = []
        for (index, key) in keys.prefix(16).enumerated() {
            guard let column = Self.sortColumns[key] else {
                guard Self.idleSortKeys.contains(key), !version.has(75) else { throw Self.refusal(key) }
                continue
            }
            if !caller.isAdmin, key == "host" || key == "node" {
                throw APIError.forbidden("Only administrators can sort servers by host, node")
            }
            let direction = index < directions.count ? directions[index] : directions.last ?? "desc"
            order.append(ServerQuery.Order(column: column, isDescending: direction == "desc"))
        }
        if order.isEmpty {
            order = [ServerQuery.Order(column: "created_at", isDescending: (directions.first ?? "desc") == "desc")]
        }
        result.order = order
    }

    private static func refusal(_ key: String) -> APIError {
        .badRequest("Invalid input for query parameters sort_key. Value: \(key). '\(key)' is not one of the sort keys")
    }
}
