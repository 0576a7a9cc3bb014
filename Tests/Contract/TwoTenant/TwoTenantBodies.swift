import CoordinatorPlatform

/// Bodies that are right but for the one name that a line is about.
enum TwoTenantBodies {
    static func body(_ route: String, _ scene: TwoTenantScene) -> JSON? {
        func own(_ thing: String) -> JSON { JSON(scene.things[thing]?.own) }
        func seen(_ thing: String) -> JSON { JSON(scene.things[thing]?.seen) }
        switch route {
        case "POST /network/v2.0/networks": return ["network": ["name": "n"]]
        case "PUT /network/v2.0/networks/{id}": return ["network": ["name": "n"]]
        case "POST /network/v2.0/subnets":
            return ["subnet": ["network_id": own("network"), "cidr": "10.99.0.0/24", "ip_version": 4]]
        case "PUT /network/v2.0/subnets/{id}": return ["subnet": ["name": "s"]]
        case "POST /network/v2.0/ports": return ["port": ["network_id": own("network")]]
        case "PUT /network/v2.0/ports/{id}": return ["port": ["name": "p"]]
        case "POST /network/v2.0/security-groups": return ["security_group": ["name": "g"]]
        case "PUT /network/v2.0/security-groups/{id}": return ["security_group": ["name": "g"]]
        case "POST /network/v2.0/security-group-rules":
            return [
                "security_group_rule": [
                    "security_group_id": own("security_group"), "direction": "egress", "protocol": "udp",
                    "port_range_min": 7, "port_range_max": 7
                ]
            ]
        case "POST /network/v2.0/routers", "PUT /network/v2.0/routers/{id}":
            return ["router": ["name": "r", "external_gateway_info": ["network_id": JSON(scene.outside)]]]
        case "POST /network/v2.0/floatingips":
            return ["floatingip": ["floating_network_id": JSON(scene.outside)]]
        case "PUT /network/v2.0/floatingips/{id}": return ["floatingip": ["description": "f"]]
        case "PUT /network/v2.0/routers/{id}/add_extraroutes", "PUT /network/v2.0/routers/{id}/remove_extraroutes":
            return ["router": ["routes": [["destination": "198.51.100.0/24", "nexthop": "10.0.0.9"]]]]
        case let route where route.hasSuffix("_router_interface") && route.hasPrefix("PUT"):
            return ["subnet_id": own("subnet")]
        case "POST /network/v2.0/floatingips/{id}/port_forwardings",
            "PUT /network/v2.0/floatingips/{id}/port_forwardings/{forwarding}":
            return [
                "port_forwarding": [
                    "protocol": "tcp", "external_port": 8080, "internal_port": 80, "internal_port_id": own("port"),
                    "internal_ip_address": "10.0.0.9"
                ]
            ]
        case "POST /network/v2.0/subnetpools": return ["subnetpool": ["name": "p", "prefixes": ["10.201.0.0/16"]]]
        case "PUT /network/v2.0/subnetpools/{id}": return ["subnetpool": ["name": "p"]]
        case "POST /network/v2.0/rbac-policies":
            return [
                "rbac_policy": [
                    "object_type": "network", "object_id": own("network"), "action": "access_as_shared",
                    "target_tenant": "12345678123442348234123456789999"
                ]
            ]
        case "PUT /network/v2.0/rbac-policies/{id}":
            return ["rbac_policy": ["target_tenant": "12345678123442348234123456789999"]]
        case "POST /network/v2.0/address-groups": return ["address_group": ["name": "a"]]
        case "PUT /network/v2.0/address-groups/{id}": return ["address_group": ["name": "a"]]
        case let route where route.hasSuffix("_addresses") && route.hasPrefix("PUT"):
            return ["addresses": ["198.51.100.0/24"]]
        case "POST /network/v2.0/qos/policies", "PUT /network/v2.0/qos/policies/{id}":
            return ["policy": ["name": "q"]]
        case let route where route.contains("/bandwidth_limit_rules") || route.contains("alias_bandwidth_limit_rules"):
            return route.hasPrefix("P") ? ["bandwidth_limit_rule": ["max_kbps": 700]] : nil
        case let route where route.contains("dscp_marking_rules"):
            return route.hasPrefix("P") ? ["dscp_marking_rule": ["dscp_mark": 26]] : nil
        case "POST /network/v2.0/address-scopes": return ["address_scope": ["ip_version": 4]]
        case "PUT /network/v2.0/address-scopes/{id}": return ["address_scope": ["name": "s"]]
        case let route where route.hasSuffix("_prefixes") && route.hasPrefix("PUT"):
            return ["prefixes": ["10.202.0.0/24"]]
        case "PUT /network/v2.0/subnetpools/{id}/onboard_network_subnets": return ["network_id": own("network")]
        case "PUT /network/v2.0/quotas/{project}": return ["quota": ["port": 7]]
        case "POST /compute/v2.1/servers":
            return [
                "server": [
                    "name": "s", "flavorRef": seen("flavor"), "imageRef": seen("image"),
                    "networks": [["uuid": own("network")]]
                ]
            ]
        case let route where route.contains(" /volume/"): return volumeBody(route, own)
        case "PUT /compute/v2.1/servers/{server_id}": return ["server": ["name": "s"]]
        case "POST /compute/v2.1/servers/{server_id}/action": return ["os-stop": .null]
        case "POST /compute/v2.1/os-volumes": return ["volume": ["display_name": "v"]]
        case "POST /compute/v2.1/os-snapshots": return ["snapshot": ["display_name": "s"]]
        case "POST /compute/v2.1/os-keypairs":
            return ["keypair": ["name": "k", "type": "ssh", "public_key": "ssh-rsa AAAA"]]
        case "POST /compute/v2.1/os-aggregates/{id}/action": return ["add_host": ["host": "host-a"]]
        case "POST /image/v2/images": return ["disk_format": "raw", "container_format": "bare"]
        case "POST /compute/v2.1/flavors/{flavor_id}/action": return ["addTenantAccess": ["tenant": own("project")]]
        case "PUT /image/v2/images/{image_id}/members/{member_id}": return ["status": "accepted"]
        case "POST /image/v2/images/{image_id}/import": return ["method": ["name": "glance-direct"]]
        case "POST /image/v2/images/{image_id}/members": return ["member": own("project")]
        case "PATCH /image/v2/images/{image_id}": return [["op": "replace", "path": "/name", "value": "x"]]
        case let route where route.hasPrefix("PUT") && route.hasSuffix("/tags"): return ["tags": ["x"]]
        case let route where route.hasSuffix("/migrations/{id}/action"): return ["force_complete": .null]
        case let route where route.hasSuffix("/metadata"): return ["metadata": ["k": "v"]]
        case let route where route.hasPrefix("PUT") && route.hasSuffix("/metadata/{key}"): return ["meta": ["x": "v"]]
        case let route where route.contains("/os-volume_attachments") && route.hasPrefix("P"):
            return ["volumeAttachment": ["volumeId": own("volume")]]
        case let route where route.hasSuffix("/remote-consoles"):
            return ["remote_console": ["protocol": "vnc", "type": "novnc"]]
        default: return route.hasPrefix("P") ? .object([:]) : nil
        }
    }

    private static func volumeBody(_ route: String, _ own: (String) -> JSON) -> JSON? {
        switch route.replacing("/volume/v3/{project_id}", with: "").replacing("/volume/v3", with: "") {
        case "POST /volumes": ["volume": ["size": 1]]
        case "PUT /volumes/{id}": ["volume": ["name": "v"]]
        case "POST /volumes/{id}/action": ["os-set_bootable": ["bootable": true]]
        case "POST /snapshots": ["snapshot": ["volume_id": own("volume")]]
        case "PUT /snapshots/{id}": ["snapshot": ["name": "s"]]
        case "POST /snapshots/{id}/action": ["os-force_delete": .null]
        case "POST /attachments": ["attachment": ["volume_uuid": own("volume")]]
        case "PUT /attachments/{id}": ["attachment": ["connector": ["host": "x"]]]
        case "POST /attachments/{id}/action": ["os-complete": .null]
        case "POST /volume-transfers", "POST /os-volume-transfer": ["transfer": ["volume_id": own("volume")]]
        case let route where route.hasSuffix("/accept"): ["accept": ["auth_key": "x"]]
        case "POST /types/{type_id}/action": ["addProjectAccess": ["project": own("project")]]
        case "PUT /types/{type_id}": ["volume_type": ["name": "t"]]
        case "POST /types/{type_id}/extra_specs": ["extra_specs": ["k": "v"]]
        case "PUT /os-quota-sets/{target_id}": ["quota_set": ["volumes": 7]]
        case let route where route.hasSuffix("/metadata"): ["metadata": ["k": "v"]]
        case let route where route.hasPrefix("PUT") && route.hasSuffix("/metadata/{key}"): ["meta": ["x": "v"]]
        case let route: route.hasPrefix("P") ? .object([:]) : nil
        }
    }

    /// The same for a line about a member of one of a server's actions, whose body is that action alone.
    static func action(_ line: TwoTenantLine, _ scene: TwoTenantScene) -> JSON {
        switch line.place.prefix(while: { $0 != "." }) {
        case "rebuild": ["rebuild": ["imageRef": JSON(scene.things["image"]?.seen)]]
        case "os-migrateLive": ["os-migrateLive": ["block_migration": "auto"]]
        default: .object([:])
        }
    }

    /// Puts a name at a place of a body; a digit is a place in a list.
    static func set(_ name: String, at path: [String], in json: JSON) -> JSON {
        guard let key = path.first else { return JSON(name) }
        let rest = Array(path.dropFirst())
        if Int(key) != nil { return .array([set(name, at: rest, in: json.arrayValue?.first ?? .object([:]))]) }
        var members = json.objectValue ?? [:]
        members[key] = set(name, at: rest, in: members[key] ?? .object([:]))
        return .object(members)
    }
}
