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
        case "PUT /network/v2.0/quotas/{project}": return ["quota": ["port": 7]]
        case "POST /compute/v2.1/servers":
            return [
                "server": [
                    "name": "s", "flavorRef": seen("flavor"), "imageRef": seen("image"),
                    "networks": [["uuid": own("network")]]
                ]
            ]
        case "PUT /compute/v2.1/servers/{server_id}": return ["server": ["name": "s"]]
        case "POST /compute/v2.1/servers/{server_id}/action": return ["os-stop": .null]
        case "POST /compute/v2.1/os-keypairs":
            return ["keypair": ["name": "k", "type": "ssh", "public_key": "ssh-rsa AAAA"]]
        case "POST /image/v2/images": return ["disk_format": "raw", "container_format": "bare"]
        case "POST /compute/v2.1/flavors/{flavor_id}/action": return ["addTenantAccess": ["tenant": own("project")]]
        case "PUT /image/v2/images/{image_id}/members/{member_id}": return ["status": "accepted"]
        case "POST /image/v2/images/{image_id}/import": return ["method": ["name": "glance-direct"]]
        case "POST /image/v2/images/{image_id}/members": return ["member": own("project")]
        case "PATCH /image/v2/images/{image_id}": return [["op": "replace", "path": "/name", "value": "x"]]
        case let route where route.hasPrefix("PUT") && route.hasSuffix("/tags"): return ["tags": ["x"]]
        case let route where route.hasSuffix("/metadata"): return ["metadata": ["k": "v"]]
        case let route where route.hasPrefix("PUT") && route.hasSuffix("/metadata/{key}"): return ["meta": ["x": "v"]]
        case let route where route.hasSuffix("/remote-consoles"):
            return ["remote_console": ["protocol": "vnc", "type": "novnc"]]
        default: return route.hasPrefix("P") ? .object([:]) : nil
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
