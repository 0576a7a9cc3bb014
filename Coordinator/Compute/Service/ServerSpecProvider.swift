import CoordinatorFleet
import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel

/// Computes what hosts are told of servers, from the rows as they are.
struct ServerSpecProvider: PlanSpecProvider {
    let parts: ComputeParts
    var kind: ResourceKind { .server }

    func specs(of ids: [AnyID], on node: NodeID, in reader: any SQLReader) throws -> [AnyID: ResourceSpec] {
        let wanted = try parts.servers.find(ids.map { $0.cast() }, in: reader).filter { server in
            server.host?.node == node && !server.isDeleted && server.state.task != .deleting
        }
        var ports = try parts.network.ports(of: wanted.map(\.id), in: reader)
        var attachments = try parts.volumes.attachments(of: wanted.map(\.id), in: reader)
        for device in try parts.devices.all(of: wanted.map(\.id), in: reader) where device.change == .detach {
            switch device.kind {
            case .port: ports[device.server]?.removeAll { $0.port == device.device.cast() }
            case .volume: attachments[device.server]?.removeAll { $0.volume == device.device.cast() }
            }
        }
        var specs: [AnyID: ResourceSpec] = [:]
        for server in wanted {
            var spec = Self.spec(of: server, ports: ports[server.id] ?? [])
            spec.volumes = try parts.volumes.specs(of: attachments[server.id] ?? [], on: node, in: reader)
            specs[server.id.cast()] = .server(spec)
        }
        return specs
    }

    func needsImage(_ sha512: String, on node: NodeID, in reader: any SQLReader) throws -> Bool {
        try parts.servers.isImageUsed(sha512, on: node, in: reader)
    }

    /// - Throws: ``APIError`` 400 when the server could not be described to a host. Its interfaces are few, whatever the
    /// quota of ports.
    static func checkSize(_ server: ServerRecord) throws {
        do {
            try PlanBudget.admit(.server(spec(of: server, ports: [])))
        } catch FleetError.entryTooLarge(let message) {
            throw APIError.badRequest(message)
        }
    }

    static func spec(of server: ServerRecord, ports: [ServerPort]) -> ServerSpec {
        let flavor = server.flavor
        let properties = server.image.properties
        let model = properties["hw_vif_model"] ?? "virtio"
        return ServerSpec(
            id: server.id, project: server.project, user: server.user, name: server.name, hostname: server.hostname,
            number: Int(server.number), flavorName: flavor.name, vcpus: flavor.vcpus, memoryMiB: flavor.memoryMiB,
            rootGiB: flavor.rootGiB, ephemeralGiB: flavor.ephemeralGiB, swapMiB: flavor.swapMiB,
            image: server.isVolumeBacked ? nil : server.diskImage ?? server.image.spec,
            rootDiskVersion: server.rootDiskVersion,
            power: server.power, firmware: properties["hw_firmware_type"] == "uefi" ? .uefi : .bios,
            machineType: properties["hw_machine_type"] ?? "q35", diskBus: properties["hw_disk_bus"] ?? "virtio",
            interfaces: ports.map { port in
                ServerSpec.Interface(
                    port: port.port, network: port.network, mac: port.mac, mtuBytes: port.mtuBytes, model: model)
            },
            hasConfigDrive: server.hasConfigDrive, publicKeys: publicKeys(server),
            userData: server.userData.flatMap { Base64.decode($0) } ?? [], metadata: server.metadata,
            availabilityZone: server.host?.zone ?? "", launchIndex: server.launchIndex,
            adminPassword: server.adminPassword, createdAt: server.createdAt,
            rescue: server.state.isInRescue ? server.rescue : nil)
    }

    private static func publicKeys(_ server: ServerRecord) -> [ServerSpec.PublicKey] {
        guard let name = server.keyName, let key = server.publicKey else { return [] }
        return [ServerSpec.PublicKey(name: name, key: key)]
    }
}
