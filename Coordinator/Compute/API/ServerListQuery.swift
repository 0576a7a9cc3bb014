import CoordinatorPlatform
import ProtocolModel

/// Reads the query of a server list as the compute API does: what the caller may not filter by is passed over, and from
/// 2.75 on what nobody knows is refused.
struct ServerListQuery {
    private let call: APICall
    private let caller: Caller
    private let version: Microversion
    private let schema = ServerListStore.schema
    private var result = ServerQuery()
    private var showsSoftDeleted = false

    static func read(_ call: APICall, _ dialect: ListDialect, isDetail: Bool) throws -> ServerQuery {
        var reader = Self(call: call, caller: try call.requireCaller(), version: call.microversion)
        try reader.readPage(dialect)
        try reader.readScope()
        try reader.readStates()
        try reader.readTimes()
        reader.readValues()
        try reader.readPatterns()
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
        "hostname", "key_name", "power_state", "vm_state", "task_state", "host", "node", "flavor", "reservation_id",
        "launched_at", "terminated_at", "availability_zone", "name", "display_name", "description",
        "display_description", "locked_by", "uuid", "root_device_name", "config_drive", "access_ip_v4", "access_ip_v6",
        "auto_disk_config", "progress", "all_tenants", "soft_deleted", "deleted", "status", "changes-since",
        "changes-before", "ip", "ip6", "created_at", "tags", "tags-any", "not-tags", "not-tags-any", "locked"
    ]

    /// Filters that everybody may use, with the version they came in.
    private static let open: [String: Int] = [
        "reservation_id": 1, "name": 1, "status": 1, "image": 1, "flavor": 1, "ip": 1, "changes-since": 1,
        "all_tenants": 1, "ip6": 5, "tags": 26, "tags-any": 26, "not-tags": 26, "not-tags-any": 26,
        "changes-before": 66, "locked": 73, "availability_zone": 83, "config_drive": 83, "key_name": 83,
        "power_state": 83, "task_state": 83, "vm_state": 83, "progress": 83, "user_id": 83, "created_at": 83,
        "launched_at": 83, "terminated_at": 83
    ]

    /// The last value, as a dictionary made of the query has it.
    private func value(_ name: String) -> String? {
        guard caller.isAdmin || version.has(Self.open[name] ?? .max) else { return nil }
        return call.queryAll(name).last
    }

    private mutating func require(_ name: String, _ values: [String]) {
        result.list.filters.append(.init(name, .equal, values))
    }

    /// What no server has, so that the list is empty.
    private mutating func requireNothing() { require("nothing", []) }

    // MARK: Order and page

    /// Known to the API, and passed over: nothing here differs by them.
    private static let idleSortKeys: Set<String> = [
        "architecture", "cell_name", "cleaned", "default_ephemeral_device", "default_swap_device", "deleted",
        "deleted_at", "disable_terminate", "ephemeral_gb", "ephemeral_key_uuid", "id", "key_data", "kernel_id",
        "launched_on", "memory_mb", "os_type", "progress", "ramdisk_id", "reservation_id", "root_device_name",
        "root_gb", "shutdown_terminate", "user_data", "vcpus", "vm_mode"
    ]

    private mutating func readPage(_ dialect: ListDialect) throws {
        var list = try dialect.read(
            call.query, isFilter: Self.known.contains,
            isSort: { schema.isSort($0) || (!version.has(75) && Self.idleSortKeys.contains($0)) })
        list.filters = []
        list.sorts = list.sorts.filter { schema.isSort($0.name) }
        if !caller.isAdmin, list.sorts.contains(where: { $0.name == "host" || $0.name == "node" }) {
            throw APIError.forbidden("Only administrators can sort servers by host, node")
        }
        if list.sorts.isEmpty { list.sorts = [.init("created_at", isAscending: call.query("sort_dir") == "asc")] }
        result.list = list
    }

    // MARK: Whose

    private mutating func readScope() throws {
        guard try asksForEverybody() else {
            result.scope = Self.scope(of: caller)
            return
        }
        if let text = value("project_id") ?? value("tenant_id") { require("project_id", [text]) }
    }

    private func asksForEverybody() throws -> Bool {
        guard let text = value("all_tenants") else { return false }
        if text.isEmpty { return true }
        guard let flag = BooleanWords.loose(text) else {
            throw APIError.badRequest("Invalid value '\(text)' for all_tenants")
        }
        return flag
    }

    /// What a caller sees without asking for more.
    private static func scope(of caller: Caller) -> ServerQuery.Scope {
        if let project = caller.project { .project(project) } else { .user(caller.user) }
    }

    // MARK: States

    private mutating func readStates() throws {
        let hasPeriod = value("changes-since") != nil || value("changes-before") != nil
        var isDeleted: Bool? = hasPeriod ? nil : false
        if let text = value("deleted") { isDeleted = BooleanWords.loose(text) ?? false }
        let statuses = call.queryAll("status")
        if !statuses.isEmpty {
            if try readStatuses(statuses) { isDeleted = true }
        } else {
            for name in ["vm_state", "task_state"] { if let text = value(name) { require(name, [text]) } }
        }
        if let isDeleted { require("deleted", [isDeleted ? "true" : "false"]) }
        if let flag = value("soft_deleted").flatMap(BooleanWords.loose), flag { showsSoftDeleted = true }
        if !showsSoftDeleted { require("soft_deleted", ["false"]) }
        if let flag = value("locked").flatMap(BooleanWords.loose) { require("locked", [flag ? "true" : "false"]) }
    }

    /// What a status means.
    private struct StatusMeaning {
        var states: Set<VMState> = []
        /// The tasks that make the status; `nil` where a server without any may have it.
        var tasks: Set<TaskState>? = []
    }

    private static let states: [String: StatusMeaning] = {
        var states: [String: StatusMeaning] = [:]
        for vm in VMState.allCases {
            let plain = ServerState.status(vm, nil)
            states[plain.lowercased(), default: StatusMeaning()].states.insert(vm)
            states[plain.lowercased()]?.tasks = nil
            for task in TaskState.allCases {
                let status = ServerState.status(vm, task)
                guard status != plain else { continue }
                states[status.lowercased(), default: StatusMeaning()].states.insert(vm)
                states[status.lowercased()]?.tasks?.insert(task)
            }
        }
        return states
    }()
    /// Words of the API for states that no server here gets into.
    private static let absent: Set<String> = ["password", "migrating"]

    /// - Returns: Whether only deleted ones are meant.
    private mutating func readStatuses(_ statuses: [String]) throws -> Bool {
        let words = statuses.map { $0.lowercased() }
        let meanings = words.compactMap { Self.states[$0] }
        guard !meanings.isEmpty else {
            if version.has(38), !words.contains(where: Self.absent.contains) {
                throw APIError.badRequest("Invalid status value")
            }
            requireNothing()
            return false
        }
        let states = meanings.reduce(into: Set<VMState>()) { $0.formUnion($1.states) }
        require("vm_state", states.map(\.rawValue).sorted())
        let tasks = meanings.compactMap(\.tasks)
        if tasks.count == meanings.count { require("task_state", Set(tasks.joined()).map(\.rawValue).sorted()) }
        showsSoftDeleted = states.contains(.softDeleted)
        guard states == [.deleted] else { return false }
        guard caller.isAdmin else { throw APIError.forbidden("Only administrators may list deleted instances") }
        return true
    }

    private mutating func readTimes() throws {
        let period = try call.period()
        if value("changes-since") != nil, let since = period.since {
            result.list.filters.append(.init("updated_at", .greaterOrEqual, [String(since)]))
        }
        if value("changes-before") != nil, let before = period.before {
            result.list.filters.append(.init("updated_at", .lessOrEqual, [String(before)]))
        }
        for name in ["created_at", "launched_at", "terminated_at"] where value(name) != nil {
            if let time = try call.time(name) { require(name, [String(time)]) }
        }
    }

    // MARK: Values

    private static let plain = [
        "access_ip_v4", "access_ip_v6", "availability_zone", "flavor", "host", "image", "image_ref", "key_name",
        "launch_index", "locked_by", "node", "not-tags", "not-tags-any", "power_state", "reservation_id", "tags",
        "tags-any", "user_id", "uuid"
    ]

    private mutating func readValues() {
        for name in Self.plain {
            guard let text = value(name), !text.isEmpty || !name.contains("tags") else { continue }
            require(name, [text])
        }
        if let text = value("config_drive") {
            require("config_drive", [BooleanWords.loose(text) ?? false ? "true" : "false"])
        }
        if let text = value("auto_disk_config") {
            require("auto_disk_config", [BooleanWords.loose(text) == true ? "AUTO" : "MANUAL"])
        }
        if let text = value("progress"), text != "0" { requireNothing() }
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
        guard let pattern = NamePattern(text) else { throw Nova.invalidQuery(name, text, "is not a 'regex'") }
        return pattern
    }
}
