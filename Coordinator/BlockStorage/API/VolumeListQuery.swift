import CoordinatorPlatform
import ProtocolModel

/// What a list of volumes or snapshots is asked for.
struct VolumeListQuery: Sendable {
    var list: ListQuery
    var offset: Int
    /// What the caller sees.
    var scope: ListScope
    var wantsCount: Bool

    /// Filters that everybody may use, by the minor version they came in; administrators may use all of the schema's.
    struct Filters: Sendable {
        var open: [String: Int]
        var schema: ListSchema

        func isFilter(_ name: String, _ call: APICall) -> Bool {
            guard schema.isFilter(name) else { return false }
            return (call.caller?.isAdmin ?? false) || call.microversion.has(open[name] ?? .max)
        }
    }

    static let volumes = Filters(
        open: [
            "name": 0, "status": 0, "metadata": 0, "bootable": 0, "migration_status": 0, "availability_zone": 0,
            "display_name": 0, "glance_metadata": 4, "group_id": 10, "size": 31, "created_at": 60, "updated_at": 60
        ], schema: BlockStorageLists.volumes)
    static let snapshots = Filters(
        open: [
            "name": 0, "status": 0, "volume_id": 0, "display_name": 0, "metadata": 22, "availability_zone": 59,
            "created_at": 60, "updated_at": 60
        ], schema: BlockStorageLists.snapshots)
    static let attachments = Filters(
        open: ["volume_id": 0, "status": 0, "instance_id": 0, "attach_status": 0],
        schema: BlockStorageLists.attachments)

    static func read(_ call: APICall, _ dialect: ListDialect, _ filters: Filters) throws -> Self {
        var query = try Cinder.parameters(call)
        // Which items are whose is not a filter.
        query.removeAll { $0.name == "sort" || $0.name == "project_id" && !(call.caller?.isAdmin ?? false) }
        let times = query.filter { ["created_at", "updated_at"].contains($0.name) && $0.value.contains(":") }
        query.removeAll { pair in times.contains { $0 == pair } }
        query.removeAll { $0.name == "consumes_quota" && BooleanWords.loose($0.value) == true }
        var list = try dialect.read(
            query, isFilter: { filters.isFilter($0, call) }, isFlag: { filters.schema.columns[$0]?.kind == .flag },
            isSort: filters.schema.isSort)
        if call.microversion.has(60) { list.filters += try times.flatMap { try Self.times($0.name, $0.value) } }
        return Self(
            list: list, offset: try Cinder.offset(call), scope: try scope(of: call),
            wantsCount: try call.microversion.has(45) && Cinder.flag("with_count", call))
    }

    /// `gte:2026-01-01T00:00:00,lt:2026-02-01T00:00:00`
    private static func times(_ name: String, _ text: String) throws -> [ListQuery.Filter] {
        let signs: [String: ListQuery.Comparison] = [
            "gt": .greater, "gte": .greaterOrEqual, "eq": .equal, "neq": .notEqual, "lt": .less, "lte": .lessOrEqual
        ]
        return try text.split(separator: ",").map { part in
            let words = part.split(separator: ":", maxSplits: 1).map(String.init)
            guard words.count == 2 else { throw APIError.badRequest("Invalid \(name) value") }
            guard let sign = signs[words[0]] else { throw APIError.badRequest("Invalid \(words[0]) operator") }
            guard let time = Timestamp.parse(words[1]) else { throw APIError.badRequest("Invalid \(words[1]) value") }
            return ListQuery.Filter(name, sign, [String(time)])
        }
    }

    /// A project's own; all for administrators who ask for them.
    static func scope(of call: APICall) throws -> ListScope {
        let (caller, project) = try call.requireProject()
        guard caller.isAdmin, let text = call.query("all_tenants") else { return .project(project) }
        guard let isAll = text.isEmpty ? true : BooleanWords.loose(text) else {
            throw BlockStorageError.input("all_tenants param is not valid.")
        }
        return isAll ? .everybody : .project(project)
    }
}
