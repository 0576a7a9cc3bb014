import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// Gives nodes their routers.
struct RouterSpecs: PlanSpecProvider {
    let service: NetworkService
    var kind: ResourceKind { .router }

    func specs(of ids: [AnyID], on node: NodeID, in reader: any SQLReader) throws -> [AnyID: ResourceSpec] {
        let wanted: [RouterID] = ids.map { $0.cast() }
        let here = Set(
            try service.routers.places.find(wanted, in: reader).filter { $0.node == node }.map(\.router))
        var result: [AnyID: ResourceSpec] = [:]
        for router in try service.routers.table.find(wanted, in: reader) where here.contains(router.id) {
            result[router.id.cast()] = .router(try spec(of: router, in: reader))
        }
        return result
    }

    private func spec(of router: RouterRecord, in reader: any SQLReader) throws -> RouterSpec {
        let attached = try service.routers.ports(of: router.id, in: reader)
        let networks = try service.networks.find(Array(Set(attached.map(\.network))), in: reader)
        let subnets = try service.subnets.table.find(
            Array(Set(attached.flatMap(\.fixedIPs).map(\.subnet))), in: reader)
        let scopes = try service.pools.scopes(of: Array(Set(subnets.compactMap(\.subnetPool))), in: reader)
        let outside = try service.floatingIPs.ofRouter(router.id, in: reader)
        let forwardings = try service.forwardings.ofFloatingIPs(outside.map(\.id), in: reader)
        return RouterPlan(
            router: router, ports: attached, networks: networks, subnets: subnets, floatingIPs: outside,
            forwardings: forwardings, scopes: scopes
        ).spec
    }
}

/// All that makes a router, put together as its node shall have it. Pure.
struct RouterPlan: Sendable {
    var router: RouterRecord
    var ports: [PortRecord]
    var networks: [NetworkRecord]
    var subnets: [SubnetRecord]
    var floatingIPs: [FloatingIPRecord] = []
    var forwardings: [PortForwardingRecord] = []
    var scopes: [SubnetPoolID: AddressScopeID] = [:]

    var spec: RouterSpec {
        let inside = ports.filter { $0.id != router.gatewayPort }
        return RouterSpec(
            id: router.id, project: router.project, isAdminUp: router.isAdminUp,
            interfaces: inside.map { interface($0, advertises: true) }, gateway: gateway,
            floatingIPs: floatingIPs.compactMap { item in
                item.fixedAddress.map { RouterSpec.FloatingIP(id: item.id, address: item.address, fixedAddress: $0) }
            }, portForwardings: portForwardings, routes: router.routes)
    }

    private func interface(_ port: PortRecord, advertises: Bool) -> RouterSpec.Interface {
        RouterSpec.Interface(
            port: port.id, network: port.network, mac: port.mac,
            mtuBytes: networks.first { $0.id == port.network }?.mtuBytes ?? 1500,
            addresses: port.fixedIPs.compactMap { ip in
                guard let subnet = subnets.first(where: { $0.id == ip.subnet }) else { return nil }
                // On a network of somebody else's it is nobody's way out.
                let speaks = advertises && (ip.address == subnet.gateway || subnet.project == router.project)
                return RouterSpec.Address(
                    subnet: ip.subnet, address: ip.address, prefixLength: subnet.prefix.length,
                    raMode: speaks ? subnet.raMode : nil,
                    dnsServers: speaks && subnet.raMode != nil ? subnet.dnsServers : [],
                    scope: subnet.subnetPool.flatMap { scopes[$0] })
            })
    }

    private var gateway: RouterSpec.Gateway? {
        guard let port = ports.first(where: { $0.id == router.gatewayPort }) else { return nil }
        let used = port.fixedIPs.compactMap { ip in subnets.first { $0.id == ip.subnet } }
        let hops = IPAddress.Family.allCases.compactMap { family in
            used.first { $0.prefix.family == family && $0.gateway != nil }?.gateway
        }
        return RouterSpec.Gateway(
            interface: interface(port, advertises: false), nextHops: hops, isSNATEnabled: router.isSNATEnabled)
    }

    private var portForwardings: [RouterSpec.PortForwarding] {
        forwardings.compactMap { item in
            guard let outside = floatingIPs.first(where: { $0.id == item.floatingIP }),
                let number = IPProtocol.number(item.protocolName)
            else { return nil }
            return RouterSpec.PortForwarding(
                id: item.id, protocolNumber: number, externalAddress: outside.address,
                externalPorts: item.externalPort...item.externalPort, internalAddress: item.address,
                firstInternalPort: item.internalPort)
        }
    }
}

/// Hears from the agents whether routers are there: their ports and floating IPs are then, too.
struct RouterStatuses: PlanStatusConsumer {
    let service: NetworkService
    var kind: ResourceKind { .router }

    func consume(
        _ status: ResourceStatus, from node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        let id: RouterID = status.key.id.cast()
        guard var place = try service.routers.places.find(id, in: transaction), place.node == node else { return }
        // Of what came since, an older report says nothing.
        guard status.generation >= place.planned else { return }
        switch status.phase {
        case .ready:
            place.isReady = true
            place.lastError = nil
            try service.routers.setPortStatuses(.active, of: id, on: node, at: now, in: transaction)
            try service.floatingIPs.setStatuses(.active, of: id, at: now, in: transaction)
        case .failed:
            place.isReady = false
            place.lastError = status.error.map { "\($0.message) [\($0.detail)]" } ?? "The host gave no reason."
            try service.routers.setPortStatuses(.down, of: id, on: node, at: now, in: transaction)
            try service.floatingIPs.setStatuses(.error, of: id, at: now, in: transaction)
        case .pending, .applying, .gone: return
        }
        try service.routers.places.update(place, in: transaction)
    }
}
