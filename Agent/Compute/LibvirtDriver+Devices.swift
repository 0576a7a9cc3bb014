import AgentCore
import CLibvirt
import ProtocolModel

/// Devices that come and go while a guest runs. The definition is not touched here: it is made anew as a whole.
extension LibvirtDriver {
    public func attach(_ devices: [GuestDevice], of definition: DomainDefinition) async throws(StatusError) {
        let xml = DomainXML(definition, settings: settings)
        for device in devices { if let refusal = xml.refusal(of: device) { throw refusal } }
        let server = definition.spec.id
        try await changeDevices(devices, of: server, "attach") { device, domain, present in
            guard !present.has(device), let document = xml.attachment(of: device) else { return 0 }
            return virDomainAttachDeviceFlags(domain, document, VIR_DOMAIN_AFFECT_LIVE.rawValue)
        }
    }

    public func detach(_ devices: [GuestDevice], from server: ServerID) async throws(StatusError) {
        try await changeDevices(devices, of: server, "detach") { device, domain, present in
            guard let alias = present.alias(of: device),
                virDomainDetachDeviceAlias(domain, alias, VIR_DOMAIN_AFFECT_LIVE.rawValue) < 0
            else { return 0 }
            let failure = LibvirtFailure.last()
            // QEMU still waits for the guest to heed the last request; or the device went while we asked.
            let isUnderWay = failure.message.contains("already in the process of unplug")
            return isUnderWay || failure.code == VIR_ERR_DEVICE_MISSING.rawValue ? 0 : -1
        }
    }

    /// One call for each device of a guest that runs; what fails keeps the others from nothing.
    private func changeDevices(
        _ devices: [GuestDevice], of server: ServerID, _ verb: String,
        _ change: @escaping @Sendable (GuestDevice, OpaquePointer, DomainDevices) -> Int32
    ) async throws(StatusError) {
        try await perform { driver, connection throws(StatusError) in
            guard let domain = try driver.find(server, on: connection), virDomainIsActive(domain.pointer) == 1,
                let document = try Self.document(of: domain.pointer)
            else { return }
            defer { driver.ownership.invalidateDevices(of: server) }
            let present = DomainDevices(xml: document)
            var failure: StatusError?
            for device in devices where change(device, domain.pointer, present) < 0 {
                failure =
                    failure
                    ?? LibvirtFailure.last().statusError(
                        doing: "\(verb) \(device.name)", call: "\(verb)(\(server), \(device))")
            }
            if let failure { throw failure }
        }
    }
}
