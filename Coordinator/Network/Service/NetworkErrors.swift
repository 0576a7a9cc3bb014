import CoordinatorPlatform
import ProtocolModel

/// Neutron's refusals: its type names, messages and statuses (neutron-lib `exceptions`, neutron `extensions`).
extension APIError {
    static func http(_ message: String) -> Self { .badRequest(message, type: "HTTPBadRequest") }

    /// 400 InvalidInput.
    static func invalidInput(_ message: String) -> Self {
        .badRequest("Invalid input for operation: \(message).", type: "InvalidInput")
    }

    static func networkNotFound(_ id: String) -> Self {
        .notFound("Network \(id) could not be found.", type: "NetworkNotFound")
    }
    static func subnetNotFound(_ id: String) -> Self {
        .notFound("Subnet \(id) could not be found.", type: "SubnetNotFound")
    }
    static func portNotFound(_ id: String) -> Self { .notFound("Port \(id) could not be found.", type: "PortNotFound") }
    static func groupNotFound(_ id: String) -> Self {
        .notFound("Security group \(id) does not exist", type: "SecurityGroupNotFound")
    }
    static func ruleNotFound(_ id: String) -> Self {
        .notFound("Security group rule \(id) does not exist", type: "SecurityGroupRuleNotFound")
    }

    static func networkInUse(_ id: NetworkID, _ reason: String) -> Self {
        .conflict("Unable to complete operation on network \(id). \(reason).", type: "NetworkInUse")
    }
    static func subnetInUse(_ id: SubnetID, _ reason: String) -> Self {
        .conflict("Unable to complete operation on subnet \(id): \(reason).", type: "SubnetInUse")
    }
    static func flatNetworkInUse(_ physicalNetwork: String) -> Self {
        .conflict(
            "Unable to create the flat network. Physical network \(physicalNetwork) is in use.",
            type: "FlatNetworkInUse")
    }
    static func vlanInUse(_ tag: Int, _ physicalNetwork: String) -> Self {
        .conflict(
            "Unable to create the network. The VLAN \(tag) on physical network \(physicalNetwork) is in use.",
            type: "VlanIdInUse")
    }
    static let noNetworkAvailable = Self(
        status: 503, message: "Unable to create the network. No project network is available for allocation.",
        type: "NoNetworkAvailable")

    /// RFC 8200 section 5: an IPv6 link carries 1280 octets.
    static func mtuTooSmall(_ network: NetworkID) -> Self {
        .conflict(
            "MTU of \(network) is not valid, subnet requires a minimum of \(SubnetChecks.leastIPv6MTU)",
            type: "NetworkMTUSubnetConflict")
    }
    static func gatewayInPool(_ address: IPAddress, _ pool: AddressRange) -> Self {
        .conflict(
            "Gateway ip \(address) conflicts with allocation pool \(pool.text).",
            type: "GatewayConflictWithAllocationPools")
    }

    static let defaultGroupExists = Self.conflict(
        "Default security group already exists.", type: "SecurityGroupDefaultAlreadyExists")
}
