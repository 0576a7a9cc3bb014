import CoordinatorPlatform
import ProtocolModel

/// Routers and floating IPs as Neutron shows them.
extension View {
    static func router(_ item: Listed<RouterRecord>) -> Members {
        let router = item.record
        var view = standard(router.standard, router.project, item.tags)
        view["id"] = JSON(router.id.text)
        view["admin_state_up"] = JSON(router.isAdminUp)
        view["status"] = "ACTIVE"
        view["routes"] = .array(router.routes.map(route))
        view["availability_zone_hints"] = .array(router.zoneHints.map { JSON($0) })
        view["availability_zones"] = .array([router.zone].compactMap { $0.map { JSON($0) } })
        view["external_gateway_info"] = .null
        if let network = router.gatewayNetwork {
            view["external_gateway_info"] = [
                "network_id": JSON(network.text), "enable_snat": JSON(router.isSNATEnabled),
                "external_fixed_ips": .array(
                    router.gatewayIPs.map {
                        ["subnet_id": JSON($0.subnet.text), "ip_address": JSON($0.address.description)]
                    })
            ]
        }
        return view
    }

    private static func route(_ route: HostRoute) -> JSON {
        ["destination": JSON(route.destination.description), "nexthop": JSON(route.nextHop.description)]
    }

    static func interface(_ answer: InterfaceAnswer) -> JSON {
        [
            "id": JSON(answer.router.text), "tenant_id": JSON(answer.project.compact),
            "project_id": JSON(answer.project.compact), "port_id": JSON(answer.port.text),
            "network_id": JSON(answer.network.text), "subnet_id": JSON(answer.subnet?.text),
            "subnet_ids": .array(answer.subnets.map { JSON($0.text) })
        ]
    }

    static func floatingIP(_ item: Listed<FloatingIPRecord>) -> Members {
        let record = item.record
        var view = standard(record.standard, record.project, item.tags)
        view["name"] = nil
        view["id"] = JSON(record.id.text)
        view["floating_ip_address"] = JSON(record.address.description)
        view["floating_network_id"] = JSON(record.network.text)
        view["router_id"] = JSON(record.router?.text)
        view["port_id"] = JSON(record.port?.text)
        view["fixed_ip_address"] = JSON(record.fixedAddress?.description)
        view["status"] = JSON(record.status.rawValue)
        view["port_details"] = record.details.map(details) ?? .null
        view["port_forwardings"] = .array(
            record.forwardings.map { item in
                .object(forwarding(item).filter { $0.key != "description" })
            })
        return view
    }

    private static func details(_ port: FloatingIPRecord.PortDetails) -> JSON {
        [
            "name": JSON(port.name), "network_id": JSON(port.network.text), "mac_address": JSON(port.mac.description),
            "admin_state_up": JSON(port.isAdminUp), "status": JSON(port.status.rawValue),
            "device_id": JSON(port.deviceID), "device_owner": JSON(port.deviceOwner)
        ]
    }

    static func forwarding(_ record: PortForwardingRecord) -> Members {
        [
            "id": JSON(record.id.text), "protocol": JSON(record.protocolName),
            "external_port": JSON(record.externalPort), "internal_port": JSON(record.internalPort),
            "internal_ip_address": JSON(record.address.description), "internal_port_id": JSON(record.port.text),
            "description": JSON(record.description)
        ]
    }
}
