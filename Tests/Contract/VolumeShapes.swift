import CoordinatorPlatform
import ProtocolModel
import Testing

/// What answers of the volume API hold, member by member: no other member, and none missing.
enum VolumeShapes {
    indirect enum Kind: Sendable {
        case text, integer, flag, id, time, object, list(Kind), any
        case orNull(Kind)
        case members([String: Kind], optional: Set<String>)
    }

    static func check(_ json: JSON?, _ kind: Kind, _ place: String = "", _ location: SourceLocation = #_sourceLocation)
    {
        guard let json else {
            Issue.record("\(place) is missing", sourceLocation: location)
            return
        }
        switch (kind, json) {
        case (.any, _), (.text, .string), (.integer, .int), (.flag, .bool), (.object, .object), (.orNull, .null): return
        case (.orNull(let inner), _): check(json, inner, place, location)
        case (.id, .string(let text)): #expect(AnyID(text) != nil, "\(place): \(text)", sourceLocation: location)
        case (.time, .string(let text)):
            #expect(Timestamp.parse(text) != nil, "\(place): \(text)", sourceLocation: location)
        case (.list(let inner), .array(let items)): for item in items { check(item, inner, place + "[]", location) }
        case (.members(let kinds, let optional), .object(let members)):
            let unknown = members.keys.filter { kinds[$0] == nil }
            #expect(unknown.isEmpty, "\(place) has \(unknown)", sourceLocation: location)
            for (name, kind) in kinds where members[name] != nil || !optional.contains(name) {
                check(members[name], kind, "\(place).\(name)", location)
            }
        default: Issue.record("\(place) is \(json.text)", sourceLocation: location)
        }
    }

    static let links = Kind.list(.members(["rel": .text, "href": .text], optional: []))

    static let attachment = Kind.members(
        [
            "server_id": .orNull(.id), "attachment_id": .id, "attached_at": .orNull(.time),
            "host_name": .orNull(.text), "volume_id": .id, "device": .orNull(.text), "id": .id
        ], optional: [])

    private static let plain: [String: Kind] = [
        "attachments": .list(attachment), "links": links, "availability_zone": .orNull(.text), "encrypted": .flag,
        "updated_at": .orNull(.time), "replication_status": .orNull(.text), "snapshot_id": .orNull(.id), "id": .id,
        "size": .integer, "user_id": .id, "metadata": .object, "status": .text, "description": .orNull(.text),
        "multiattach": .flag, "source_volid": .orNull(.id), "consistencygroup_id": .orNull(.id),
        "name": .orNull(.text), "bootable": .text, "created_at": .time, "volume_type": .orNull(.text)
    ]
    private static let administrators: [String: Kind] = [
        "os-vol-host-attr:host": .orNull(.text), "os-vol-mig-status-attr:migstat": .orNull(.text),
        "os-vol-mig-status-attr:name_id": .orNull(.id)
    ]

    /// What `create` and `update` answer.
    static func made(minor: Int, isAdmin: Bool = false) -> Kind {
        .members(versioned(minor, isAdmin), optional: [])
    }

    /// What `show` and lists answer.
    static func shown(minor: Int, isAdmin: Bool = false) -> Kind {
        var kinds = versioned(minor, isAdmin)
        kinds["os-vol-tenant-attr:tenant_id"] = .id
        kinds["volume_image_metadata"] = .object
        if isAdmin { kinds.merge(administrators) { $1 } }
        return .members(kinds, optional: ["volume_image_metadata"])
    }

    private static func versioned(_ minor: Int, _ isAdmin: Bool) -> [String: Kind] {
        var kinds = plain
        if isAdmin { kinds["migration_status"] = .orNull(.text) }
        if minor >= 13 { kinds["group_id"] = .orNull(.id) }
        if minor >= 21, isAdmin { kinds["provider_id"] = .orNull(.id) }
        if minor >= 48 { kinds.merge(["shared_targets": .flag, "service_uuid": .orNull(.id)]) { $1 } }
        if minor >= 61, isAdmin { kinds["cluster_name"] = .orNull(.text) }
        if minor >= 63 { kinds["volume_type_id"] = .id }
        if minor >= 65 { kinds["consumes_quota"] = .flag }
        return kinds
    }

    static let brief = Kind.members(["links": links, "id": .id, "name": .orNull(.text)], optional: [])

    static func snapshot(minor: Int, isDetail: Bool) -> Kind {
        var kinds: [String: Kind] = [
            "status": .text, "description": .orNull(.text), "created_at": .time, "name": .orNull(.text),
            "volume_id": .id, "metadata": .object, "id": .id, "size": .integer, "updated_at": .orNull(.time)
        ]
        if minor >= 14 { kinds["group_snapshot_id"] = .orNull(.id) }
        if minor >= 41 { kinds["user_id"] = .id }
        if minor >= 65 { kinds["consumes_quota"] = .flag }
        if isDetail {
            kinds["os-extended-snapshot-attributes:progress"] = .text
            kinds["os-extended-snapshot-attributes:project_id"] = .id
        }
        return .members(kinds, optional: [])
    }

    static func type(_ moment: String) -> Kind {
        var kinds: [String: Kind] = [
            "extra_specs": .object, "name": .text, "is_public": .flag, "description": .orNull(.text), "id": .id
        ]
        if moment != "changed" { kinds["os-volume-type-access:is_public"] = .flag }
        if moment == "shown" { kinds["qos_specs_id"] = .orNull(.id) }
        return .members(kinds, optional: [])
    }
}
