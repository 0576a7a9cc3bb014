import CoordinatorPlatform
import ProtocolModel

/// What an interface call names.
package struct InterfaceRequest: Sendable, Hashable {
    package var subnet: SubnetID?
    package var port: PortID?

    package init(subnet: SubnetID? = nil, port: PortID? = nil) {
        self.subnet = subnet
        self.port = port
    }
}

/// What an interface call answers.
package struct InterfaceAnswer: Sendable, Hashable {
    package var router: RouterID
    package var project: ProjectID
    package var port: PortID
    package var network: NetworkID
    package var subnets: [SubnetID]
    /// The one that was asked for, or the last of several.
    package var subnet: SubnetID?
}

extension NetworkService {
    package func addInterface(
        _ request: InterfaceRequest, to id: RouterID, viewer: Viewer, at now: Int64, in transaction: any SQLTransaction
    ) throws -> InterfaceAnswer {
        guard let router = try routers.find(id, in: transaction) else { throw APIError.routerNotFound(id.text) }
        let answer =
            if let port = request.port {
                try addInterface(port: port, to: router, viewer, now, transaction)
            } else {
                try addInterface(subnet: request.subnet?.text ?? "", to: router, viewer, now, transaction)
            }
        try routers.touch(id, at: now, in: transaction)
        try settle(id, at: now, in: transaction)
        return answer
    }

    private func addInterface(
        port id: PortID, to router: RouterRecord, _ viewer: Viewer, _ now: Int64, _ transaction: any SQLTransaction
    ) throws -> InterfaceAnswer {
        _ = try portListing.record(id.text, viewer: viewer, in: transaction)
        guard var port = try ports.find(id, in: transaction) else { throw APIError.portNotFound(id.text) }
        guard port.deviceID.isEmpty, port.node == nil, port.server == nil, !port.isService,
            try routers.link(of: id, in: transaction) == nil
        else {
            throw APIError.portInUse(port)
        }
        let used = try checkInterface(port, of: router, viewer, transaction)
        port.deviceID = router.id.text
        port.deviceOwner = PortRecord.routerInterfaceOwner
        try checkQoS(of: port, in: transaction)
        try ports.table.update(port, at: now, in: transaction)
        try routers.links.insert(RouterPortRecord(port: id, router: router.id, kind: .interface), in: transaction)
        return InterfaceAnswer(
            router: router.id, project: port.project, port: id, network: port.network, subnets: used.map(\.id),
            subnet: used.last?.id)
    }

    /// The addresses that an interface of the router has, or is to have.
    /// - Returns: Their subnets.
    private func checkInterface(
        _ port: PortRecord, of router: RouterRecord, _ viewer: Viewer, _ reader: any SQLReader
    ) throws -> [SubnetRecord] {
        guard !port.fixedIPs.isEmpty else {
            throw APIError.bad("router", "Router port must have at least one fixed IP")
        }
        let all = try subnets.subnets(of: port.network, in: reader)
        let used = port.fixedIPs.compactMap { ip in all.first { $0.id == ip.subnet } }
        for subnet in used { try RouterChecks.addressMode(subnet) }
        if used.contains(where: { $0.prefix.family == .ipv6 }),
            let other = try interfaceWithIPv6(of: router.id, in: port.network, except: port.id, reader)
        {
            throw APIError.bad(
                "router",
                "Router already contains IPv6 port \(other.id) belonging to network id \(port.network). Only one IPv6 "
                    + "port from the same network subnet can be connected to a router")
        }
        try checkOverlaps(of: used, on: router, except: port.id, in: reader)
        try RouterChecks.families(used)
        try checkPools(of: port, used, viewer)
        return used
    }

    /// An interface gets other addresses: they are checked as if it came with them, and those that go as if it went.
    func checkInterface(
        _ port: PortRecord, was old: PortRecord, of id: RouterID, viewer: Viewer, in reader: any SQLReader
    ) throws {
        guard port.fixedIPs != old.fixedIPs, let router = try routers.find(id, in: reader) else { return }
        let used = Set(try checkInterface(port, of: router, viewer, reader).map(\.id))
        let gone = Set(old.fixedIPs.map(\.subnet)).subtracting(used)
        for subnet in try subnets.table.find(gone.sorted(), in: reader) {
            try checkIsFree(subnet, of: router, in: reader)
        }
        if let hop = port.fixedIPs.map(\.address).first(where: { own in router.routes.contains { $0.nextHop == own } })
        {
            throw APIError.invalidRoutes(
                router.routes.filter { $0.nextHop == hop }, "the nexthop is used by router")
        }
    }

    /// Whoever does not own the subnet takes an address that anybody could be given.
    private func checkPools(of port: PortRecord, _ used: [SubnetRecord], _ viewer: Viewer) throws {
        guard !viewer.isAdmin else { return }
        for ip in port.fixedIPs {
            guard let subnet = used.first(where: { $0.id == ip.subnet }), subnet.project != viewer.project,
                !subnet.pools.contains(where: { $0.contains(ip.address) })
            else { continue }
            throw APIError.bad(
                "router",
                "Cannot add interface to router because specified port \(port.id) has an IP address out of the allocation "
                    + "pool of subnet \(ip.subnet), which is not owned by the project making the request")
        }
    }

    private func interfaceWithIPv6(
        of router: RouterID, in network: NetworkID, except own: PortID? = nil, _ reader: any SQLReader
    ) throws -> PortRecord? {
        try routers.ports(of: router, .interface, in: reader).first { port in
            port.id != own && port.network == network && port.fixedIPs.contains { $0.address.family == .ipv6 }
        }
    }

    private func addInterface(
        subnet id: String, to router: RouterRecord, _ viewer: Viewer, _ now: Int64, _ transaction: any SQLTransaction
    ) throws -> InterfaceAnswer {
        let subnet = try subnetListing.record(id, viewer: viewer, in: transaction)
        guard let gateway = subnet.gateway else {
            throw APIError.bad("router", "Subnet for router interface must have a gateway IP")
        }
        guard viewer.isAdmin || subnet.project == viewer.project else {
            throw APIError.bad(
                "router",
                "Cannot add interface to router because subnet \(subnet.id) is not owned by project making the request")
        }
        try RouterChecks.addressMode(subnet)
        try checkOverlaps(of: [subnet], on: router, in: transaction)
        let allocator = AddressAllocator()
        var port: PortRecord
        if subnet.prefix.family == .ipv6,
            let present = try interfaceWithIPv6(of: router.id, in: subnet.network, transaction)
        {
            // Several IPv6 prefixes of a network are on one interface.
            port = present
            try ports.table.update(port, at: now, in: transaction)
            _ = try allocator.take(gateway, of: subnet, for: port.id, in: transaction)
            try membersChanged(port.groups, in: transaction)
            try overlayChanged(port.network, in: transaction)
        } else {
            try quotas.claim("port", for: router.project, in: transaction)
            port = PortRecord(
                id: newID(), network: subnet.network, project: router.project, standard: Standard(createdAt: now),
                mac: newMAC())
            port.deviceID = router.id.text
            port.deviceOwner = PortRecord.routerInterfaceOwner
            port.isSecurityEnabled = false
            try insertWithFreeMAC(&port, isMACGiven: false, in: transaction)
            _ = try allocator.take(gateway, of: subnet, for: port.id, in: transaction)
            try routers.links.insert(
                RouterPortRecord(port: port.id, router: router.id, kind: .interface), in: transaction)
        }
        return InterfaceAnswer(
            router: router.id, project: port.project, port: port.id, network: subnet.network, subnets: [subnet.id],
            subnet: subnet.id)
    }

    package func removeInterface(
        _ request: InterfaceRequest, from id: RouterID, viewer: Viewer, at now: Int64,
        in transaction: any SQLTransaction
    ) throws -> InterfaceAnswer {
        guard let router = try routers.find(id, in: transaction) else { throw APIError.routerNotFound(id.text) }
        let answer =
            if let port = request.port {
                try removeInterface(port: port, subnet: request.subnet, from: router, now, transaction)
            } else {
                try removeInterface(subnet: request.subnet?.text ?? "", from: router, viewer, now, transaction)
            }
        try routers.touch(id, at: now, in: transaction)
        try settle(id, at: now, in: transaction)
        return answer
    }

    private func removeInterface(
        port id: PortID, subnet: SubnetID?, from router: RouterRecord, _ now: Int64, _ transaction: any SQLTransaction
    ) throws -> InterfaceAnswer {
        guard let link = try routers.link(of: id, in: transaction), link.router == router.id, link.kind == .interface,
            let port = try ports.find(id, in: transaction)
        else { throw APIError.interfaceNotFound(router.id, id) }
        let used = port.fixedIPs.map(\.subnet)
        if let subnet, !used.contains(subnet) { throw APIError.subnetMismatch(id, subnet) }
        for subnet in try subnets.table.find(used, in: transaction) {
            try checkIsFree(subnet, of: router, in: transaction)
        }
        try removeRouterPort(port, at: now, in: transaction)
        return InterfaceAnswer(
            router: router.id, project: port.project, port: id, network: port.network, subnets: used,
            subnet: used.first)
    }

    private func removeInterface(
        subnet id: String, from router: RouterRecord, _ viewer: Viewer, _ now: Int64, _ transaction: any SQLTransaction
    ) throws -> InterfaceAnswer {
        let subnet = try subnetListing.record(id, viewer: viewer, in: transaction)
        let attached = try routers.ports(of: router.id, .interface, in: transaction)
        guard
            let port = attached.first(where: { $0.fixedIPs.contains { $0.subnet == subnet.id } })
        else { throw APIError.interfaceNotFound(router.id, on: subnet.id) }
        try checkIsFree(subnet, of: router, in: transaction)
        if port.fixedIPs.contains(where: { $0.subnet != subnet.id }) {
            for ip in port.fixedIPs where ip.subnet == subnet.id {
                try addresses.giveBack(ip.address, of: port.id, in: transaction)
            }
            try ports.table.update(port, at: now, in: transaction)
            try membersChanged(port.groups, in: transaction)
            try overlayChanged(port.network, in: transaction)
        } else {
            try removeRouterPort(port, at: now, in: transaction)
        }
        return InterfaceAnswer(
            router: router.id, project: port.project, port: port.id, network: port.network, subnets: [subnet.id],
            subnet: subnet.id)
    }

    /// Floating IPs, port forwardings and routes go by the router's way into the subnet.
    private func checkIsFree(
        _ subnet: SubnetRecord, of router: RouterRecord, in reader: any SQLReader
    ) throws {
        let outside = try floatingIPs.ofRouter(router.id, in: reader)
        let inside =
            outside.compactMap { item in item.port.flatMap { port in item.fixedAddress.map { (port, $0) } } }
            + (try forwardings.targets(of: outside.map(\.id), in: reader))
        for (port, address) in inside where subnet.prefix.contains(address) {
            // Two networks may have the same addresses.
            if try addresses.fixedIPs(of: [port], in: reader)[port]?.contains(where: { $0.subnet == subnet.id })
                ?? false
            {
                throw APIError.interfaceNeededByAddress(router.id, subnet.id)
            }
        }
        if router.routes.contains(where: { subnet.prefix.contains($0.nextHop) }) {
            throw APIError.interfaceNeededByRoute(router.id, subnet.id)
        }
    }

    /// Whether the port goes only with its router or floating IP.
    func isL3Port(_ port: PortRecord, in reader: any SQLReader) throws -> Bool {
        if try routers.link(of: port.id, in: reader) != nil { return true }
        return try port.deviceOwner == PortRecord.floatingIPOwner && floatingIPs.keeps(port.id, in: reader)
    }

    /// Nobody passes a port off as an interface of another project's router.
    func checkRouterDevice(
        _ change: PortChange, of port: PortRecord?, for project: ProjectID, viewer: Viewer, in reader: any SQLReader
    ) throws {
        let device = change.deviceID ?? port?.deviceID ?? ""
        guard !viewer.isAdmin, change.deviceID != nil || change.deviceOwner != nil,
            change.deviceOwner ?? port?.deviceOwner == PortRecord.routerInterfaceOwner,
            let id = RouterID(device), let router = try routers.find(id, in: reader), router.project != project
        else { return }
        throw APIError.deviceNotOwned(device)
    }

    /// Takes one of a router's ports off its node and deletes it.
    func removeRouterPort(_ port: PortRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        try seat(port, on: nil, hostname: "", at: now, in: transaction)
        try releaseFloatingIPs(of: port.id, at: now, in: transaction)
        try ports.remove(port.id, in: transaction)
        if !port.fixedIPs.isEmpty { try membersChanged(port.groups, in: transaction) }
    }
}
