import CoordinatorPlatform
import ProtocolModel

/// What makes sense of a subnet by itself, whatever else there is.
enum SubnetChecks {
    /// Neutron's limits: `max_dns_nameservers`, `max_subnet_host_routes`.
    private static let dnsLimit = 5
    /// Octets (RFC 8200 section 5).
    static let leastIPv6MTU = 1280
    private static let routeLimit = 20

    static func gateway(_ wanted: SubnetChange.Gateway, in prefix: IPPrefix) -> IPAddress? {
        switch wanted {
        case .none: nil
        case .address(let address): address
        case .first: prefix.length >= prefix.family.bitCount - 1 ? prefix.first : prefix.address(at: 1)
        }
    }

    /// What a new subnet's addresses are taken from.
    static func prefix(_ draft: SubnetDraft) throws -> IPPrefix {
        guard let prefix = draft.prefix else {
            throw APIError.badRequest(
                "Bad subnets request: a subnetpool must be specified in the absence of a cidr.", type: "BadRequest")
        }
        guard prefix.family == draft.family else { throw wrongVersion(prefix.description, "cidr", draft.family) }
        return prefix
    }

    /// - Parameter isNew: Whether DHCP is being turned on, which asks for more.
    static func check(_ subnet: SubnetRecord, isNew: Bool) throws {
        let prefix = subnet.prefix
        guard prefix.length > 0 else { throw APIError.invalidInput("0 is not allowed as CIDR prefix length") }
        if prefix.family == .ipv6, prefix.network.isUnspecified {
            throw APIError.invalidInput("IPv6 subnet '::' is not supported")
        }
        if subnet.isDHCPEnabled, isNew { try checkDHCP(prefix) }
        if let gateway = subnet.gateway { try checkGateway(gateway, prefix) }
        try checkLists(subnet)
        if prefix.family == .ipv4 {
            if subnet.raMode != nil { throw APIError.invalidInput("ipv6_ra_mode is not valid when ip_version is 4") }
            if subnet.addressMode != nil {
                throw APIError.invalidInput("ipv6_address_mode is not valid when ip_version is 4")
            }
        } else {
            try checkIPv6(subnet)
        }
    }

    private static func checkDHCP(_ prefix: IPPrefix) throws {
        if prefix.length > prefix.family.bitCount - 2 {
            throw APIError.invalidInput("Subnet has a prefix length that is incompatible with DHCP service enabled")
        }
        if prefix.network.isMulticast {
            throw APIError.invalidInput("Multicast IP subnet is not supported if enable_dhcp is True")
        }
        if prefix.network.isLoopback {
            throw APIError.invalidInput("Loopback IP subnet is not supported if enable_dhcp is True")
        }
        if prefix.family == .ipv4, prefix.network.isUnspecified {
            throw APIError.invalidInput("First IP '0.0.0.0' of network is not supported if enable_dhcp is True.")
        }
    }

    /// A gateway outside of the subnet is fine (it is reached on the link), its network and broadcast addresses are not;
    /// IPv6 has neither: the prefix's own address is that of its routers.
    private static func checkGateway(_ gateway: IPAddress, _ prefix: IPPrefix) throws {
        guard gateway.family == prefix.family else {
            throw wrongVersion(gateway.description, "gateway_ip", prefix.family)
        }
        let isReserved = prefix.length < 31 && (gateway == prefix.first || gateway == prefix.last)
        if prefix.family == .ipv4, isReserved { throw APIError.invalidInput("Gateway is not valid on subnet") }
    }

    private static func checkLists(_ subnet: SubnetRecord) throws {
        if subnet.dnsServers.count > dnsLimit {
            throw APIError.badRequest(
                "Unable to complete operation for \(subnet.id). The number of DNS nameservers exceeds the limit \(dnsLimit).",
                type: "DNSNameServersExhausted")
        }
        for server in subnet.dnsServers where server.family != subnet.prefix.family {
            throw wrongVersion(server.description, "dns_nameserver", subnet.prefix.family)
        }
        if subnet.hostRoutes.count > routeLimit {
            throw APIError.badRequest(
                "Unable to complete operation for \(subnet.id). The number of host routes exceeds the limit \(routeLimit).",
                type: "HostRoutesExhausted")
        }
        for route in subnet.hostRoutes {
            if route.nextHop.family != subnet.prefix.family {
                throw wrongVersion(route.nextHop.description, "nexthop", subnet.prefix.family)
            }
            if route.destination.family != subnet.prefix.family {
                throw wrongVersion(route.destination.description, "destination", subnet.prefix.family)
            }
        }
    }

    private static func checkIPv6(_ subnet: SubnetRecord) throws {
        if let ra = subnet.raMode, let address = subnet.addressMode, ra != address {
            throw APIError.invalidInput(
                "ipv6_ra_mode set to '\(ra.rawValue)' with ipv6_address_mode set to '\(address.rawValue)' is not valid. "
                    + "If both attributes are set, they must be the same value")
        }
        if subnet.raMode != nil || subnet.addressMode != nil, !subnet.isDHCPEnabled {
            throw APIError.invalidInput(
                "ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False")
        }
        if subnet.isAutoAddressed, subnet.prefix.length != 64 {
            throw APIError.invalidInput(
                "Invalid CIDR \(subnet.prefix) for IPv6 address mode. OpenStack uses the EUI-64 address format, "
                    + "which requires the prefix to be /64")
        }
    }

    private static func wrongVersion(_ text: String, _ name: String, _ family: IPAddress.Family) -> APIError {
        .invalidInput("\(name) '\(text)' does not match the ip_version '\(family.rawValue)'")
    }

    /// The pools asked for, checked, or all addresses but the gateway's.
    static func pools(_ wanted: [AddressRange]?, of subnet: SubnetRecord) throws -> [AddressRange] {
        guard let wanted else { return defaultPools(of: subnet) }
        guard let whole = usable(subnet.prefix) else { return [] }
        var result: [AddressRange] = []
        for pool in wanted {
            guard [pool.first.family, pool.last.family].allSatisfy({ $0 == subnet.prefix.family }),
                pool.first <= pool.last
            else {
                throw APIError.badRequest(
                    "The allocation pool \(pool.text) is not valid.", type: "InvalidAllocationPool")
            }
            guard whole.contains(pool.first), whole.contains(pool.last) else {
                throw APIError.badRequest(
                    "The allocation pool \(pool.text) spans beyond the subnet cidr \(subnet.prefix).",
                    type: "OutOfBoundsAllocationPool")
            }
            if let other = result.first(where: { $0.overlaps(pool) }) {
                throw APIError.conflict(
                    "Found overlapping allocation pools: \(other.text) \(pool.text) for subnet \(subnet.prefix).",
                    type: "OverlappingAllocationPools")
            }
            if let gateway = subnet.gateway, pool.contains(gateway) { throw APIError.gatewayInPool(gateway, pool) }
            result.append(pool)
        }
        return result
    }

    private static func defaultPools(of subnet: SubnetRecord) -> [AddressRange] {
        guard let whole = usable(subnet.prefix) else { return [] }
        guard let gateway = subnet.gateway, whole.contains(gateway) else { return [whole] }
        var result: [AddressRange] = []
        if gateway > whole.first, let before = gateway.advanced(by: -1) {
            result.append(AddressRange(first: whole.first, last: before))
        }
        if gateway < whole.last, let after = gateway.advanced(by: 1) {
            result.append(AddressRange(first: after, last: whole.last))
        }
        return result
    }

    /// All addresses that hosts may have: without network and broadcast address (RFC 3021 exempts /31 and /32), and
    /// without IPv6's subnet-router anycast address (RFC 4291 section 2.6.1).
    private static func usable(_ prefix: IPPrefix) -> AddressRange? {
        switch prefix.family {
        case .ipv4 where prefix.length <= 30:
            guard let first = prefix.first.advanced(by: 1), let last = prefix.last.advanced(by: -1) else { return nil }
            return AddressRange(first: first, last: last)
        case .ipv6 where prefix.length < 128:
            guard let first = prefix.first.advanced(by: 1) else { return nil }
            return AddressRange(first: first, last: prefix.last)
        default: return AddressRange(first: prefix.first, last: prefix.last)
        }
    }
}
