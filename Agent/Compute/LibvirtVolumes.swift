import AgentCore
import CLibvirt
import ProtocolModel

/// Volumes under the guests that have them.
extension LibvirtDriver: AttachedVolumes {
    public func attachments() async throws(StatusError) -> [VolumeID: [VolumeAttachment]] {
        try await perform { driver, connection throws(StatusError) in
            var found: [VolumeID: [VolumeAttachment]] = [:]
            for server in try Self.domains(on: connection) {
                let ours: LibvirtDomain?
                do throws(StatusError) { ours = try driver.find(server, on: connection) } catch {
                    // Not ours, whatever its disks say of themselves.
                    guard error.code == .conflict else { throw error }
                    continue
                }
                guard let domain = ours else { continue }
                let isActive = virDomainIsActive(domain.pointer) == 1
                guard isActive || virDomainHasManagedSaveImage(domain.pointer, 0) == 1 else { continue }
                let flags = isActive ? 0 : VIR_DOMAIN_XML_INACTIVE.rawValue
                guard let xml = try Self.definition(domain.pointer, flags: flags) else { continue }
                for disk in VolumeDisks(domain: xml).disks {
                    guard let volume = disk.volume else { continue }
                    found[volume, default: []].append(
                        VolumeAttachment(
                            server: server, path: disk.path, isRunning: isActive, layers: disk.layers))
                }
            }
            return found
        }
    }

    public func snapshot(
        _ volume: VolumeID, of server: ServerID, to overlay: String, location: String
    ) async throws(StatusError) {
        try await change(volume, of: server) { domain, disks, disk throws(StatusError) in
            if disk.path != overlay {
                let flags =
                    VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY.rawValue | VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA.rawValue
                    | VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT.rawValue | VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC.rawValue
                let made = virDomainSnapshotCreateXML(domain, disks.snapshot(of: volume, to: overlay), flags)
                guard let made else {
                    throw LibvirtFailure.last().statusError(
                        doing: "take the snapshot", call: "virDomainSnapshotCreateXML(\(server), \(disk.target))")
                }
                virDomainSnapshotFree(made)
            }
            try Self.restore(volume, of: domain, to: location)
        }
    }

    /// libvirt has put the overlay into what the guest is started from next, too. By then it may be written to no more.
    private static func restore(
        _ volume: VolumeID, of domain: OpaquePointer, to location: String
    ) throws(StatusError) {
        let flags = VIR_DOMAIN_XML_INACTIVE.rawValue | VIR_DOMAIN_XML_SECURE.rawValue
        guard let xml = try definition(domain, flags: flags),
            let restored = VolumeDisks.restoring(volume, to: location, in: xml)
        else { return }
        guard let defined = virDomainDefineXML(virDomainGetConnect(domain), restored) else {
            throw LibvirtFailure.last().statusError(doing: "take the snapshot", call: "virDomainDefineXML")
        }
        virDomainFree(defined)
    }

    public func restore(_ volume: VolumeID, to location: String) async throws(StatusError) {
        try await perform { driver, connection throws(StatusError) in
            for server in try Self.domains(on: connection) {
                let ours: LibvirtDomain?
                do throws(StatusError) { ours = try driver.find(server, on: connection) } catch {
                    guard error.code == .conflict else { throw error }
                    continue
                }
                if let ours { try Self.restore(volume, of: ours.pointer, to: location) }
            }
        }
    }

    public func resize(_ volume: VolumeID, of server: ServerID, toBytes: Int64) async throws(StatusError) {
        try await change(volume, of: server) { domain, _, disk throws(StatusError) in
            var info = virDomainBlockInfo()
            if virDomainGetBlockInfo(domain, disk.target, &info, 0) == 0, info.capacity >= UInt64(toBytes) { return }
            let flags = VIR_DOMAIN_BLOCK_RESIZE_BYTES.rawValue
            guard virDomainBlockResize(domain, disk.target, UInt64(toBytes), flags) == 0 else {
                throw LibvirtFailure.last().statusError(
                    doing: "extend the volume", call: "virDomainBlockResize(\(server), \(disk.target))")
            }
        }
    }

    /// Does something to a volume that a guest has.
    private func change(
        _ volume: VolumeID, of server: ServerID,
        _ body: @escaping @Sendable (OpaquePointer, VolumeDisks, VolumeDisks.Disk) throws(StatusError) -> Void
    ) async throws(StatusError) {
        try await perform { driver, connection throws(StatusError) in
            guard let domain = try driver.find(server, on: connection),
                let xml = try Self.definition(domain.pointer, flags: 0)
            else { throw Self.hasGone(volume, server) }
            let disks = VolumeDisks(domain: xml)
            guard let disk = disks.disk(of: volume) else { throw Self.hasGone(volume, server) }
            try body(domain.pointer, disks, disk)
        }
    }

    private static func hasGone(_ volume: VolumeID, _ server: ServerID) -> StatusError {
        StatusError(
            code: .conflict, message: "The server has just let go of the volume; it is tried again.",
            detail: "volume=\(volume) server=\(server)")
    }

    private static func domains(on connection: LibvirtConnection) throws(StatusError) -> [ServerID] {
        var domains: UnsafeMutablePointer<virDomainPtr?>?
        let count = virConnectListAllDomains(connection.pointer, &domains, 0)
        guard count >= 0 else {
            throw LibvirtFailure.last().statusError(doing: "list its servers", call: "virConnectListAllDomains")
        }
        defer { free(domains) }
        var servers: [ServerID] = []
        for index in 0..<Int(count) {
            guard let pointer = domains?[index] else { continue }
            let domain = LibvirtDomain(owning: pointer)
            if let id = ServerID(domain: domain.pointer) { servers.append(id) }
        }
        return servers
    }

    /// - Returns: `nil` when the domain has gone.
    private static func definition(_ domain: OpaquePointer, flags: UInt32) throws(StatusError) -> String? {
        guard let text = virDomainGetXMLDesc(domain, flags) else {
            let failure = LibvirtFailure.last()
            if failure.isMissingDomain { return nil }
            throw failure.statusError(doing: "show the server", call: "virDomainGetXMLDesc")
        }
        defer { free(text) }
        return String(cString: text)
    }
}
