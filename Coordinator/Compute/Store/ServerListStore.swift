import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel

/// Lists of servers. A page costs one statement unless it is searched by patterns.
package struct ServerListStore: Sendable {
    private let network: any NetworkForCompute

    package init(network: any NetworkForCompute) { self.network = network }

    /// What the compute API filters and sorts servers by.
    package static let schema: ListSchema = {
        var schema = ListSchema(
            ServerRecord.table, columns: columns, special: special.merging(tags) { first, _ in first },
            numberFollows: true)
        schema.identity.kind = .identifier
        return schema
    }()

    private static let columns: [String: ListSchema.Column] = [
        "access_ip_v4": .init("access_ipv4"), "access_ip_v6": .init("access_ipv6"),
        "auto_disk_config": .init("disk_config"), "availability_zone": .init("zone", isNullable: true),
        "config_drive": .init("has_config_drive", .flag), "created_at": .init("created_at", .number),
        "display_description": .init("description", isNullable: true, isFilter: false),
        "display_name": .init("name", isFilter: false), "flavor": .init("flavor_id", isSort: false),
        "host": .init("host", isNullable: true), "hostname": .init("hostname", isFilter: false),
        "image": .init("image_id", .identifier, isSort: false), "image_ref": .init("image_id", .identifier),
        "instance_type_id": .init("flavor_id", isFilter: false), "key_name": .init("key_name", isNullable: true),
        "launch_index": .init("launch_index", .number),
        "launched_at": .init("launched_at", .number, isNullable: true),
        "locked": .init("locked_by", isNullable: true, isFilter: false),
        "locked_by": .init("locked_by", isNullable: true), "node": .init("host", isNullable: true),
        "power_state": .init("power_state", .number), "project_id": .init("project_id", .identifier),
        "reservation_id": .init("reservation_id", isSort: false),
        "task_state": .init("task_state", isNullable: true),
        "terminated_at": .init("terminated_at", .number, isNullable: true),
        "updated_at": .init("updated_at", .number), "user_id": .init("user_id", .identifier),
        "uuid": .init("uuid", .identifier), "vm_state": .init("vm_state")
    ]

    private static let special: [String: ListSchema.Special] = [
        "deleted": { SQLCondition($0 == ["true"] ? "deleted_at IS NOT NULL" : "deleted_at IS NULL") },
        "soft_deleted": { _ in SQLCondition("vm_state <> ?", [VMState.softDeleted]) },
        "locked": { SQLCondition($0 == ["true"] ? "locked_by IS NOT NULL" : "locked_by IS NULL") }
    ]
    private static let tags = ServerStore().tags.filters("servers.uuid")

    /// Rows looked at for a page that patterns thin out, at most; a list beyond it ends early.
    private static let scanLimit = 100_000
    private static let scanPage = 1000

    /// - Throws: ``UnknownMarker``
    package func page(_ query: ServerQuery, in reader: any SQLReader) throws -> [ServerLine] {
        guard query.isSearched, let limit = query.list.limit else { return try lines(query, query.list, in: reader) }
        var found: [ServerLine] = []
        var list = query.list
        list.limit = Self.scanPage
        var seen = 0
        while found.count < limit, seen < Self.scanLimit {
            let page = try lines(query, list, in: reader)
            found += try search(page, query, in: reader).prefix(limit - found.count)
            guard page.count == Self.scanPage else { break }
            list.marker = page.last?.id.text
            seen += page.count
        }
        return found
    }

    private func search(
        _ lines: [ServerLine], _ query: ServerQuery, in reader: any SQLReader
    ) throws -> [ServerLine] {
        let named = lines.filter { line in
            query.name?.isFound(in: line.name) ?? true && query.hostname?.isFound(in: line.hostname) ?? true
                && query.description?.isFound(in: line.description ?? "") ?? true
        }
        guard let pattern = query.address else { return named }
        let ports = try network.ports(of: named.map(\.id), in: reader)
        return named.filter { line in
            (ports[line.id] ?? []).flatMap(\.fixedIPs).contains { fixed in
                (query.addressFamily == nil || fixed.address.family == query.addressFamily)
                    && pattern.isFound(in: fixed.address.description)
            }
        }
    }

    private func lines(_ query: ServerQuery, _ list: ListQuery, in reader: any SQLReader) throws -> [ServerLine] {
        let visible: SQLCondition =
            switch query.scope {
            case .everybody: .always
            case .project(let project): .equal("project_id", project)
            case .user(let user): .equal("user_id", user)
            }
        guard !query.isBare else {
            return try Self.schema.rows(list, visible: visible, select: "uuid, generation, node_id", in: reader) {
                ServerLine(
                    id: try $0.id(0), generation: $0.integer(1), node: try $0.optionalID(2), name: "", hostname: "")
            }
        }
        return try Self.schema.rows(
            list, visible: visible, select: "uuid, generation, node_id, name, hostname, description", in: reader
        ) {
            ServerLine(
                id: try $0.id(0), generation: $0.integer(1), node: try $0.optionalID(2), name: $0.text(3),
                hostname: $0.text(4), description: $0.optionalText(5))
        }
    }
}
