import CoordinatorPlatform
import ProtocolModel

/// A router's port into an external network.
extension NetworkService {
    /// Gives the router this gateway instead of what it has. The record is written by the caller.
    func setGateway(
        _ request: GatewayRequest, of router: inout RouterRecord, viewer: Viewer, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        let network = try networkListing.record(request.network.text, viewer: viewer, in: transaction)
        guard network.isExternal else {
            throw APIError.bad("router", "Network \(network.id) is not an external network")
        }
        let all = try subnets.subnets(of: network.id, in: transaction)
        let gateways = Set(all.compactMap(\.gateway))
        for address in request.fixedIPs.compactMap(\.address) where gateways.contains(address) {
            throw APIError.bad("router", "External IP \(address) is the same as the gateway IP")
        }
        router.isSNATEnabled = request.isSNATEnabled ?? true
        if router.gatewayNetwork == network.id, let port = router.gatewayPort {
            if !request.fixedIPs.isEmpty { try moveGateway(port, to: request.fixedIPs, at: now, in: transaction) }
            return
        }
        try clearGateway(of: &router, keepingSNAT: true, at: now, in: transaction)
        try checkOverlaps(of: all, on: router, in: transaction)
        var port = PortRecord(
            id: newID(), network: network.id, project: PortRecord.noProject, standard: Standard(createdAt: now),
            mac: newMAC())
        port.deviceID = router.id.text
        port.deviceOwner = PortRecord.routerGatewayOwner
        port.isSecurityEnabled = false
        try insert(
            &port, isMACGiven: false, fixedIPs: request.fixedIPs.isEmpty ? nil : request.fixedIPs, in: transaction)
        try routers.links.insert(
            RouterPortRecord(port: port.id, router: router.id, kind: .gateway), in: transaction)
        router.gatewayPort = port.id
        router.gatewayNetwork = network.id
    }

    /// Gives the gateway other addresses in the same network.
    private func moveGateway(
        _ id: PortID, to wanted: [FixedIPRequest], at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard let port = try ports.find(id, in: transaction) else { return }
        _ = try reallocate(wanted, for: port, in: transaction)
        try ports.table.update(port, at: now, in: transaction)
        try overlayChanged(port.network, in: transaction)
    }

    /// Takes the gateway away, unless floating IPs need it. The record is written by the caller.
    func clearGateway(
        of router: inout RouterRecord, keepingSNAT: Bool = false, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        if !keepingSNAT { router.isSNATEnabled = true }
        guard let id = router.gatewayPort, let network = router.gatewayNetwork else { return }
        if try floatingIPs.needs(router.id, in: transaction) { throw APIError.gatewayInUse(router.id, network) }
        if let port = try ports.find(id, in: transaction) {
            try removeRouterPort(port, at: now, in: transaction)
        }
        router.gatewayPort = nil
        router.gatewayNetwork = nil
    }

    /// The subnets that the router is to get into must be apart from those that it is in: of its gateway's network all,
    /// of its interfaces those that they have addresses in.
    func checkOverlaps(
        of added: [SubnetRecord], on router: RouterRecord, except own: PortID? = nil, in reader: any SQLReader
    ) throws {
        let attached = try routers.ports(of: router.id, in: reader).filter { $0.id != own }
        let addressed = Set(attached.flatMap(\.fixedIPs).map(\.subnet))
        var known = try subnets.table.find(
            attached.filter { $0.id != router.gatewayPort }.flatMap(\.fixedIPs).map(\.subnet), in: reader)
        if let network = router.gatewayNetwork { known += try subnets.subnets(of: network, in: reader) }
        try RouterChecks.overlaps(added, with: known, addressed: addressed)
    }
}
