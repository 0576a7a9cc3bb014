import AgentCore
import CLibvirt
import ProtocolModel

/// libvirt's state of a domain with its reason, as the compute API sees it.
package struct DomainState: Equatable {
    package var power: ServerDetails.PowerState
    /// The end of a start is awaited: running or paused, as was asked for.
    package var isStarting: Bool

    /// - Parameter state: `virDomainState`.
    /// - Parameter reason: The reason enumeration that belongs to the state.
    package init(state: Int32, reason: Int32) {
        isStarting =
            UInt32(bitPattern: state) == VIR_DOMAIN_PAUSED.rawValue
            && UInt32(bitPattern: reason) == VIR_DOMAIN_PAUSED_STARTING_UP.rawValue
        switch UInt32(bitPattern: state) {
        case VIR_DOMAIN_RUNNING.rawValue, VIR_DOMAIN_BLOCKED.rawValue, VIR_DOMAIN_SHUTDOWN.rawValue: power = .running
        case VIR_DOMAIN_PAUSED.rawValue: power = Self.isInTransit(UInt32(bitPattern: reason)) ? .running : .paused
        case VIR_DOMAIN_SHUTOFF.rawValue: power = .shutdown
        case VIR_DOMAIN_CRASHED.rawValue: power = .crashed
        case VIR_DOMAIN_PMSUSPENDED.rawValue: power = .suspended
        default: power = .none
        }
    }

    init?(of domain: OpaquePointer) {
        var state: Int32 = 0
        var reason: Int32 = 0
        guard virDomainGetState(domain, &state, &reason, 0) == 0 else { return nil }
        self.init(state: state, reason: reason)
    }

    /// libvirt stops the processors for a moment while it starts, saves or copies a guest: nobody asked for that pause,
    /// and nobody must end it.
    private static func isInTransit(_ reason: UInt32) -> Bool {
        switch reason {
        case VIR_DOMAIN_PAUSED_STARTING_UP.rawValue, VIR_DOMAIN_PAUSED_SAVE.rawValue, VIR_DOMAIN_PAUSED_DUMP.rawValue,
            VIR_DOMAIN_PAUSED_FROM_SNAPSHOT.rawValue, VIR_DOMAIN_PAUSED_SNAPSHOT.rawValue,
            VIR_DOMAIN_PAUSED_MIGRATION.rawValue, VIR_DOMAIN_PAUSED_SHUTTING_DOWN.rawValue:
            true
        default: false
        }
    }
}

extension LibvirtDriver {
    /// Two calls, however many domains there are, and two more for each domain that changed since.
    func observe(on connection: LibvirtConnection) throws(StatusError) -> [ServerID: DomainObservation] {
        var records: UnsafeMutablePointer<virDomainStatsRecordPtr?>?
        let count = virConnectGetAllDomainStats(connection.pointer, VIR_DOMAIN_STATS_STATE.rawValue, &records, 0)
        guard count >= 0 else { throw Self.observeFailure("virConnectGetAllDomainStats") }
        defer { virDomainStatsRecordListFree(records) }
        let saved = try savedDomains(on: connection)
        var present: Set<ServerID> = []
        var observed: [ServerID: DomainObservation] = [:]
        for index in 0..<Int(count) {
            guard let record = records?[index]?.pointee, let domain = record.dom, let id = ServerID(domain: domain)
            else {
                continue
            }
            present.insert(id)
            guard case .ours(let digest) = try ownership(of: id, domain: domain) else { continue }
            let state = DomainState(state: record.integer("state.state"), reason: record.integer("state.reason"))
            observed[id] = DomainObservation(
                power: state.power, isStarting: state.isStarting, definitionDigest: digest,
                hasSavedState: saved.contains(id),
                name: virDomainGetName(domain).map { String(cString: $0) } ?? "",
                devices: try devices(of: id, domain: domain))
        }
        ownership.keep(present)
        return observed
    }

    /// The domain of a server, `nil` if there is none.
    /// - Throws: ``StatusError/Code/conflict`` if a domain has the server's UUID and is not ours.
    func find(_ server: ServerID, on connection: LibvirtConnection) throws(StatusError) -> LibvirtDomain? {
        guard let pointer = virDomainLookupByUUID(connection.pointer, server.octets) else {
            let failure = LibvirtFailure.last()
            if failure.isMissingDomain { return nil }
            throw failure.statusError(doing: "look the server up", call: "virDomainLookupByUUID(\(server))")
        }
        let domain = LibvirtDomain(owning: pointer)
        guard case .ours = try ownership(of: server, domain: domain.pointer) else {
            throw StatusError(
                code: .conflict,
                message: "The host has a machine with this server's ID that Skerry did not make. Ask the operator.",
                detail: "domain \(server) lacks our metadata element (\(DomainXML.metadataNamespace))")
        }
        return domain
    }

    /// Those of the guest while it runs, else those of the definition.
    private func devices(of id: ServerID, domain: OpaquePointer) throws(StatusError) -> GuestDevices {
        let run = virDomainGetID(domain)
        if let known = ownership.devices(of: id, run: run) { return known }
        let epoch = ownership.epoch
        guard let document = try Self.document(of: domain) else { return GuestDevices() }
        let found = DomainDevices(xml: document).devices
        ownership.store(found, of: id, run: run, readIn: epoch)
        return found
    }

    /// The domain's document, `nil` when it is no more.
    static func document(of domain: OpaquePointer) throws(StatusError) -> String? {
        guard let text = virDomainGetXMLDesc(domain, 0) else {
            let failure = LibvirtFailure.last()
            if failure.isMissingDomain { return nil }
            throw failure.statusError(doing: "show the server", call: "virDomainGetXMLDesc")
        }
        defer { free(text) }
        return String(cString: text)
    }

    private func ownership(of id: ServerID, domain: OpaquePointer) throws(StatusError) -> DomainOwnership {
        if let known = ownership[id] { return known }
        let epoch = ownership.epoch
        let found = DomainOwnership(metadata: try Self.metadata(of: domain), domain: id)
        ownership.store(found, for: id, readIn: epoch)
        return found
    }

    private static func metadata(of domain: OpaquePointer) throws(StatusError) -> String? {
        // The next start's definition counts; a domain that was undefined while it runs has only the present one.
        for scope in [VIR_DOMAIN_AFFECT_CONFIG, VIR_DOMAIN_AFFECT_LIVE] {
            let text = virDomainGetMetadata(
                domain, Int32(VIR_DOMAIN_METADATA_ELEMENT.rawValue), DomainXML.metadataNamespace, scope.rawValue)
            if let text {
                defer { free(text) }
                return String(cString: text)
            }
            let failure = LibvirtFailure.last()
            switch failure.code {
            case VIR_ERR_NO_DOMAIN_METADATA.rawValue, VIR_ERR_NO_DOMAIN.rawValue: return nil
            case VIR_ERR_OPERATION_INVALID.rawValue, VIR_ERR_INVALID_ARG.rawValue: continue
            default: throw failure.statusError(doing: "show the server", call: "virDomainGetMetadata")
            }
        }
        return nil
    }

    private func savedDomains(on connection: LibvirtConnection) throws(StatusError) -> Set<ServerID> {
        var domains: UnsafeMutablePointer<virDomainPtr?>?
        let count = virConnectListAllDomains(
            connection.pointer, &domains, VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE.rawValue)
        guard count >= 0 else { throw Self.observeFailure("virConnectListAllDomains") }
        defer { free(domains) }
        var saved: Set<ServerID> = []
        for index in 0..<Int(count) {
            guard let pointer = domains?[index] else { continue }
            let domain = LibvirtDomain(owning: pointer)
            if let id = ServerID(domain: domain.pointer) { saved.insert(id) }
        }
        return saved
    }

    private static func observeFailure(_ call: String) -> StatusError {
        LibvirtFailure.last().statusError(doing: "list its servers", call: call)
    }
}

extension virDomainStatsRecord {
    fileprivate func integer(_ name: String) -> Int32 {
        var value: Int32 = 0
        virTypedParamsGetInt(params, nparams, name, &value)
        return value
    }
}

extension LibvirtConnection {
    func report(virtType: HypervisorSettings.VirtType) throws(StatusError) -> HypervisorReport {
        var version: UInt = 0
        guard virConnectGetVersion(pointer, &version) == 0 else {
            throw LibvirtFailure.last().statusError(doing: "tell its version", call: "virConnectGetVersion")
        }
        guard let capabilities = virConnectGetCapabilities(pointer) else {
            throw LibvirtFailure.last().statusError(doing: "tell its abilities", call: "virConnectGetCapabilities")
        }
        defer { free(capabilities) }
        // Absent for a virt type that QEMU lacks here: then there is no UEFI to report either.
        let ofDomains = virConnectGetDomainCapabilities(pointer, nil, "x86_64", "q35", virtType.rawValue, 0)
        defer { free(ofDomains) }
        return CapabilitiesXML.report(
            capabilities: String(cString: capabilities),
            domainCapabilities: ofDomains.map { String(cString: $0) } ?? "",
            version: Int(version), virtType: virtType)
    }
}
