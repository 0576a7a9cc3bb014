import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// What a call changes of a network; `nil` where it says nothing.
package struct NetworkChange: Sendable {
    package var name: String?
    package var description: String?
    package var isAdminUp: Bool?
    package var isShared: Bool?
    package var isExternal: Bool?
    package var isDefault: Bool?
    package var isPortSecurityEnabled: Bool?
    /// 0 asks for the default, as it does in Neutron.
    package var mtuBytes: Int?
    /// `.some(nil)` for none.
    package var qosPolicy: QoSPolicyID??

    package init() {}
}

/// What a create call says of a network; `nil` where it says nothing.
@dynamicMemberLookup
package struct NetworkDraft: Sendable {
    package var project: ProjectID
    package var change = NetworkChange()
    package var networkType: String?
    package var physicalNetwork: String?
    package var segmentationID: Int?

    package init(project: ProjectID) { self.project = project }

    package subscript<T>(dynamicMember member: WritableKeyPath<NetworkChange, T>) -> T {
        get { change[keyPath: member] }
        set { change[keyPath: member] = newValue }
    }
}

extension NetworkService {
    package func createNetwork(
        _ draft: NetworkDraft, viewer: Viewer, at now: Int64, in transaction: any SQLTransaction
    ) throws -> NetworkID {
        try quotas.claim("network", for: draft.project, in: transaction)
        let attachment = try attachment(draft, in: transaction)
        var network = NetworkRecord(
            id: newID(), project: draft.project, standard: Standard(createdAt: now),
            mtuBytes: settings.mtuBytes(of: attachment), attachment: attachment)
        try apply(draft.change, to: &network)
        // Neutron gives the default policy also where the call says that there is to be none.
        network.qosPolicy =
            try checkedPolicy(draft.qosPolicy, replacing: nil, viewer: viewer, in: transaction)
            ?? qos.defaultPolicy(of: draft.project, in: transaction)?.id
        try networks.insert(network, in: transaction)
        try shareAsSaid(network, at: now, in: transaction)
        _ = try defaultGroup(of: draft.project, at: now, in: transaction)
        return network.id
    }

    private func apply(_ change: NetworkChange, to network: inout NetworkRecord) throws {
        network.standard.name = change.name ?? network.standard.name
        network.standard.description = change.description ?? network.standard.description
        network.isAdminUp = change.isAdminUp ?? network.isAdminUp
        network.isShared = change.isShared ?? network.isShared
        network.isExternal = change.isExternal ?? network.isExternal
        network.isDefault = change.isDefault ?? network.isDefault
        network.isPortSecurityEnabled = change.isPortSecurityEnabled ?? network.isPortSecurityEnabled
        guard let bytes = change.mtuBytes else { return }
        guard bytes == 0 || bytes >= 68 else {
            throw APIError.invalidInput("Requested MTU is too small, minimum is 68")
        }
        let most = settings.mostMTUBytes(of: network.attachment)
        guard bytes <= most else { throw APIError.invalidInput("Requested MTU is too big, maximum is \(most)") }
        network.mtuBytes = bytes == 0 ? settings.mtuBytes(of: network.attachment) : bytes
    }

    private func attachment(_ draft: NetworkDraft, in reader: any SQLReader) throws -> NetworkSpec.Attachment {
        func physicalNetwork(_ type: String) throws -> String {
            guard let physical = draft.physicalNetwork else {
                throw APIError.invalidInput("physical_network required for \(type) provider network")
            }
            return physical
        }
        let isBare = draft.physicalNetwork == nil && draft.segmentationID == nil
        switch draft.networkType {
        case nil:
            guard isBare else { throw APIError.invalidInput("provider:network_type required") }
            return try tenantAttachment(in: reader)
        case "local"?:
            guard isBare else {
                throw APIError.invalidInput(
                    "physical_network and segmentation_id prohibited for local provider network")
            }
            return .local
        case "flat"?:
            let physical = try physicalNetwork("flat")
            guard draft.segmentationID == nil else {
                throw APIError.invalidInput("segmentation_id prohibited for flat provider network")
            }
            if try networks.isFlatTaken(physical, in: reader) { throw APIError.flatNetworkInUse(physical) }
            return .flat(physicalNetwork: physical)
        case "vlan"?: return try vlan(draft.segmentationID, on: try physicalNetwork("VLAN"), in: reader)
        case "vxlan"?:
            return try overlayAttachment(
                draft.segmentationID, physicalNetwork: draft.physicalNetwork, in: reader)
        case let type?: throw APIError.invalidInput("network_type value '\(type)' not supported")
        }
    }

    private func vlan(_ tag: Int?, on physical: String, in reader: any SQLReader) throws -> NetworkSpec.Attachment {
        let taken = try networks.tags(on: physical, in: reader)
        guard let tag else {
            guard let free = (1...4094).first(where: { !taken.contains($0) }) else { throw APIError.noNetworkAvailable }
            return .vlan(physicalNetwork: physical, tag: free)
        }
        guard (1...4094).contains(tag) else {
            throw APIError.invalidInput("segmentation_id out of range (1 through 4094)")
        }
        if taken.contains(tag) { throw APIError.vlanInUse(tag, physical) }
        return .vlan(physicalNetwork: physical, tag: tag)
    }

    package func updateNetwork(
        _ id: NetworkID, _ change: NetworkChange, viewer: Viewer, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard var network = try networks.find(id, in: transaction) else { throw APIError.networkNotFound(id.text) }
        if change.isShared == false, network.isShared, try isUsedByOthers(network, in: transaction) {
            throw APIError.conflict(
                "Unable to reconfigure sharing settings for network \(network.standard.name). Multiple projects are using it.",
                type: "InvalidSharedSetting")
        }
        let old = network
        try apply(change, to: &network)
        if old.isExternal, !network.isExternal {
            if try routers.hasGateway(into: id, in: transaction) { throw APIError.externalNetworkInUse(id) }
            try dropIdleFloatingIPs(of: id, in: transaction)
        }
        network.qosPolicy = try checkedPolicy(
            change.qosPolicy, replacing: old.qosPolicy, viewer: viewer, in: transaction)
        try shareAsSaid(network, before: old, at: now, in: transaction)
        if network.mtuBytes != old.mtuBytes { try checkMTU(network, in: transaction) }
        try networks.update(network, at: now, in: transaction)
        if network.qosPolicy != old.qosPolicy { try networkQoSChanged(id, in: transaction) }
        guard network.mtuBytes != old.mtuBytes else { return }
        try plan.touch(.network(id), in: transaction)
        try routersChanged(in: id, in: transaction)
    }

    /// Writes the policies that the network's own attributes stand for.
    private func shareAsSaid(
        _ network: NetworkRecord, before old: NetworkRecord? = nil, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        let (id, project) = (network.id, network.project)
        if network.isShared != old?.isShared ?? false {
            try share(id, .network, .shared, network.isShared, of: project, at: now, in: transaction)
        }
        if network.isExternal != old?.isExternal ?? false {
            try share(id, .network, .external, network.isExternal, of: project, at: now, in: transaction)
        }
    }

    /// Whether projects have ports in the network that could not without its being shared with everybody.
    private func isUsedByOthers(_ network: NetworkRecord, in reader: any SQLReader) throws -> Bool {
        let policy = RBACRecord(
            id: .blank, project: network.project, standard: .blank, kind: .network, object: network.id.cast(),
            target: .everybody, action: .shared)
        return try !dependents(on: policy, in: reader).isEmpty
    }

    private func checkMTU(_ network: NetworkRecord, in reader: any SQLReader) throws {
        let hasIPv6 = try subnets.subnets(of: network.id, in: reader).contains { $0.prefix.family == .ipv6 }
        if hasIPv6, network.mtuBytes < SubnetChecks.leastIPv6MTU { throw APIError.mtuTooSmall(network.id) }
    }

    /// Deletes the network with its subnets and its ports for DHCP.
    package func deleteNetwork(_ id: NetworkID, in transaction: any SQLTransaction) throws {
        guard try networks.find(id, in: transaction) != nil else { throw APIError.networkNotFound(id.text) }
        try dropIdleFloatingIPs(of: id, in: transaction)
        if let port = try ports.user(of: id, in: transaction) {
            throw APIError.networkInUse(
                id, "There are one or more ports still in use on the network, id for these ports is: \(port)")
        }
        for port in try ports.ports(of: id, in: transaction) {
            try ports.remove(port.id, in: transaction)
            if !port.fixedIPs.isEmpty { try membersChanged(port.groups, in: transaction) }
        }
        for subnet in try subnets.subnets(of: id, in: transaction) { try subnets.remove(subnet.id, in: transaction) }
        try networks.remove(id, in: transaction)
    }
}
