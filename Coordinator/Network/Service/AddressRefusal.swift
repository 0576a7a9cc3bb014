import CoordinatorPlatform
import ProtocolModel

/// Why a port cannot have the addresses it is to have: Neutron says it to those who make ports, and whoever makes servers
/// says it in words of its own.
package enum AddressRefusal: Error, Sendable, Hashable {
    case inUse(IPAddress, SubnetID)
    case noneLeft(NetworkID)
    case notInNetwork(IPAddress)
    case notInSubnet(IPAddress)
    /// Guests make their own addresses in the subnet.
    case automatic(IPAddress, SubnetID)
    case noSubnet
    case unknownSubnet(SubnetID)
    case foreignSubnet(SubnetID, NetworkID)
    case nothingNamed
    case macInUse(MACAddress, NetworkID)

    /// For other slices.
    var refusal: Refusal {
        switch self {
        case .inUse(let address, _): Refusal(.inUse, "address", address.description, neutron.message)
        case .noneLeft(let network): Refusal(.exhausted, "address", network.text, neutron.message)
        default: Refusal(.invalid, "address", "", neutron.message)
        }
    }

    package var neutron: APIError {
        switch self {
        case .inUse(let address, let subnet):
            .conflict("IP address \(address) already allocated in subnet \(subnet)", type: "IpAddressAlreadyAllocated")
        case .noneLeft(let network):
            .conflict("No more IP addresses available on network \(network).", type: "IpAddressGenerationFailure")
        case .notInNetwork(let address):
            .badRequest(
                "IP address \(address) is not a valid IP for any of the subnets on the specified network.",
                type: "InvalidIpForNetwork")
        case .notInSubnet(let address):
            .badRequest(
                "IP address \(address) is not a valid IP for the specified subnet.", type: "InvalidIpForSubnet")
        case .automatic(let address, let subnet):
            .badRequest(
                "IPv6 address \(address) cannot be directly assigned to a port on subnet \(subnet) as the subnet is "
                    + "configured for automatic addresses", type: "AllocationOnAutoAddressSubnet")
        case .noSubnet: .invalidInput("IP allocation requires subnets for network")
        case .unknownSubnet(let subnet): .subnetNotFound(subnet.text)
        case .foreignSubnet(let subnet, let network):
            .invalidInput(
                "Failed to create port on network \(network), because fixed_ips included invalid subnet \(subnet)")
        case .nothingNamed: .invalidInput("IP allocation requires subnet_id or ip_address")
        case .macInUse(let mac, let network):
            .conflict(
                "Unable to complete operation for network \(network). The mac address \(mac) is in use.",
                type: "MacAddressInUse")
        }
    }
}
