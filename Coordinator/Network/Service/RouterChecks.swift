import CoordinatorPlatform
import ProtocolModel

/// What makes sense of a router with its subnets, whatever else there is.
enum RouterChecks {
    /// An interface of its own in the same subnet, or in one that has the same addresses, would make two ways of one.
    static func overlaps(_ added: [SubnetRecord], with attached: [SubnetRecord], addressed: Set<SubnetID>) throws {
        for subnet in added where addressed.contains(subnet.id) {
            throw APIError.bad("router", "Router already has a port on subnet \(subnet.id)")
        }
        for old in attached {
            for new in added where new.prefix.overlaps(old.prefix) {
                throw APIError.bad(
                    "router",
                    "Cidr \(new.prefix) of subnet \(new.id) overlaps with cidr \(old.prefix) of subnet \(old.id)")
            }
        }
    }

    /// Who takes router advertisements from somebody else is no subnet for a router of the cloud.
    static func addressMode(_ subnet: SubnetRecord) throws {
        guard subnet.prefix.family == .ipv6, subnet.raMode == nil, subnet.addressMode != nil else { return }
        throw APIError.bad(
            "router",
            "IPv6 subnet \(subnet.id) configured to receive RAs from an external router cannot be added to Neutron Router"
        )
    }

    static func routes(_ routes: [HostRoute], through subnets: [IPPrefix], own: [IPAddress]) throws {
        for route in routes {
            guard route.destination.family == route.nextHop.family else {
                throw APIError.invalidRoutes(routes, "the nexthop is not connected with router")
            }
            guard subnets.contains(where: { $0.contains(route.nextHop) }) else {
                throw APIError.invalidRoutes(routes, "the nexthop is not connected with router")
            }
            guard !own.contains(route.nextHop) else {
                throw APIError.invalidRoutes(routes, "the nexthop is used by router")
            }
        }
    }

    /// Both lists together, nothing twice.
    static func adding(_ routes: [HostRoute], to old: [HostRoute]) -> [HostRoute] {
        routes.reduce(into: old) { if !$0.contains($1) { $0.append($1) } }
    }

    static func removing(_ routes: [HostRoute], from old: [HostRoute]) -> [HostRoute] {
        old.filter { !routes.contains($0) }
    }

    /// A port for an interface has one IPv4 subnet at most.
    static func families(_ subnets: [SubnetRecord]) throws {
        if subnets.filter({ $0.prefix.family == .ipv4 }).count > 1 {
            throw APIError.bad("router", "Cannot have multiple IPv4 subnets on router port")
        }
    }
}
