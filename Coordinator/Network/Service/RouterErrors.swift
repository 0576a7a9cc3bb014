import CoordinatorPlatform
import ProtocolModel

/// Neutron's refusals of routers and floating IPs (neutron-lib `exceptions.l3`, `exceptions.extraroute`).
extension APIError {
    static func routerNotFound(_ id: String) -> Self {
        .notFound("Router \(id) could not be found", type: "RouterNotFound")
    }
    static func floatingIPNotFound(_ id: String) -> Self {
        .notFound("Floating IP \(id) could not be found", type: "FloatingIPNotFound")
    }

    /// 400 BadRequest of a kind of resource.
    static func bad(_ resource: String, _ message: String) -> Self {
        .badRequest("Bad \(resource) request: \(message).", type: "BadRequest")
    }

    static func routerInUse(_ id: RouterID, _ ports: [PortID]) -> Self {
        .conflict(
            "Router \(id) has ports still attached: \(ports.map(\.text).joined(separator: ", "))", type: "RouterInUse")
    }
    static func interfaceNotFound(_ router: RouterID, _ port: PortID) -> Self {
        .notFound("Router \(router) does not have an interface with id \(port)", type: "RouterInterfaceNotFound")
    }
    static func interfaceNotFound(_ router: RouterID, on subnet: SubnetID) -> Self {
        .notFound(
            "Router \(router) has no interface on subnet \(subnet)", type: "RouterInterfaceNotFoundForSubnet")
    }
    static func interfaceNeededByAddress(_ router: RouterID, _ subnet: SubnetID) -> Self {
        .conflict(
            "Router interface for subnet \(subnet) on router \(router) cannot be deleted, as it is required by one or "
                + "more floating IPs.", type: "RouterInterfaceInUseByFloatingIP")
    }
    static func interfaceNeededByRoute(_ router: RouterID, _ subnet: SubnetID) -> Self {
        .conflict(
            "Router interface for subnet \(subnet) on router \(router) cannot be deleted, as it is required by one or "
                + "more routes.", type: "RouterInterfaceInUseByRoute")
    }
    static func gatewayInUse(_ router: RouterID, _ network: NetworkID) -> Self {
        .conflict(
            "Gateway cannot be updated for router \(router), since a gateway to external network \(network) is required "
                + "by one or more floating IPs.", type: "RouterExternalGatewayInUseByFloatingIp")
    }
    static func invalidRoutes(_ routes: [HostRoute], _ reason: String) -> Self {
        let shown = routes.map { "{'destination': '\($0.destination)', 'nexthop': '\($0.nextHop)'}" }
        return .badRequest(
            "Invalid format for routes: [\(shown.joined(separator: ", "))], \(reason)", type: "InvalidRoutes")
    }

    static func portInUse(_ port: PortRecord) -> Self {
        .conflict(
            "Unable to complete operation on port \(port.id) for network \(port.network). Port already has an attached "
                + "device \(port.deviceID).", type: "PortInUse")
    }
    static func deviceNotOwned(_ device: String) -> Self {
        .conflict(
            "The following device_id \(device) is not owned by your project or matches another project router.",
            type: "DeviceIDNotOwnedByTenant")
    }
    static func servicePortInUse(_ port: PortRecord) -> Self {
        .conflict(
            "Port \(port.id) cannot be deleted directly via the port API: has device owner \(port.deviceOwner).",
            type: "ServicePortInUse")
    }
    static func subnetMismatch(_ port: PortID, _ subnet: SubnetID) -> Self {
        .badRequest(
            "Subnet on port \(port) does not match the requested subnet \(subnet).", type: "SubnetMismatchForPort")
    }
    static func gatewayAddressInUse(_ address: IPAddress, _ port: PortID) -> Self {
        .conflict(
            "Current gateway ip \(address) already in use by port \(port). Unable to update.", type: "GatewayIpInUse")
    }
    static func externalNetworkInUse(_ id: NetworkID) -> Self {
        .conflict(
            "External network \(id) cannot be updated to be made non-external, since it has existing gateway ports.",
            type: "ExternalNetworkInUse")
    }

    static func notReachable(_ external: NetworkID, from subnet: SubnetID, _ port: PortID) -> Self {
        .notFound(
            "External network \(external) is not reachable from subnet \(subnet).  Therefore, cannot associate Port "
                + "\(port) with a Floating IP.", type: "ExternalGatewayForFloatingIPNotFound")
    }
    static func alreadyAssociated(_ item: FloatingIPRecord, _ port: PortID, _ fixed: IPAddress) -> Self {
        .conflict(
            "Cannot associate floating IP \(item.address) (\(item.id)) with port \(port) using fixed IP \(fixed), as "
                + "that fixed IP already has a floating IP on external network \(item.network).",
            type: "FloatingIPPortAlreadyAssociated")
    }
    static func noExternalAddress(_ network: NetworkID) -> Self {
        .badRequest(
            "Unable to find any IP address on external network \(network).", type: "ExternalIpAddressExhausted")
    }
    static func floatingIPAssociated(_ port: PortID) -> Self {
        .conflict(
            "Unable to complete the operation on port \(port) because the port still has an associated floating IP.",
            type: "FipAssociated")
    }
    static func tunnelInUse(_ vni: Int) -> Self {
        .conflict("Unable to create the network. The tunnel ID \(vni) is in use.", type: "TunnelIdInUse")
    }
}
