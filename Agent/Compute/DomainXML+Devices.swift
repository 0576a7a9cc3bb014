import AgentCore
import ProtocolModel

/// The devices of a definition, and those that come to a guest while it runs.
extension DomainXML {
    /// For devices that come later: on a PCI Express machine each needs a port of its own, and ports cannot come later.
    /// Emulated, each makes a guest's boot longer by some hundredths.
    private var sparePorts: Int { settings.virtType == .kvm ? 16 : 6 }

    func devices(_ xml: inout XMLText) {
        xml.leaf("controller", ["type": "usb", "model": "none"])
        let layout = layout
        if layout.places.contains(where: { $0.bus == "scsi" }) || spec.diskBus == "scsi" {
            xml.leaf("controller", ["type": "scsi", "index": "0", "model": "virtio-scsi"])
        }
        if !hasEmulatedPC { rootPorts(&xml, layout) }
        for place in layout.places { disk(&xml, place) }
        for interface in spec.interfaces { network(&xml, interface) }
        xml.element("serial", ["type": "pty"]) { xml in
            // virtlogd writes and rotates it, so that no guest fills the host's disk.
            xml.leaf("log", ["file": definition.consoleLogPath, "append": "on"])
            xml.leaf("target", ["type": "isa-serial", "port": "0"])
        }
        xml.element("console", ["type": "pty"]) { $0.leaf("target", ["type": "serial", "port": "0"]) }
        if spec.hasGuestAgent {
            xml.element("channel", ["type": "unix"]) {
                $0.leaf("target", ["type": "virtio", "name": "org.qemu.guest_agent.0"])
            }
        }
        if settings.hasGraphics {
            xml.element("graphics", ["type": "vnc"]) { $0.leaf("listen", ["type": "none"]) }
            xml.element("video") { $0.leaf("model", ["type": "vga"]) }
        }
        xml.element("rng", ["model": "virtio"]) { $0.leaf("backend", ["model": "random"], text: "/dev/urandom") }
        xml.leaf("memballoon", ["model": "virtio"])
    }

    /// The document for `virDomainAttachDeviceFlags`; `nil` for what the definition lacks.
    package func attachment(of device: GuestDevice) -> String? {
        var xml = XMLText()
        switch device {
        case .interface(let port):
            guard let interface = spec.interfaces.first(where: { $0.port == port }) else { return nil }
            network(&xml, interface)
        case .volume(let volume):
            guard let place = layout.places.first(where: { $0.disk.volume?.id == volume }) else { return nil }
            disk(&xml, place)
        }
        return xml.text
    }

    private var layout: DiskLayout { DiskLayout(definition.disks, of: spec, hasIDE: hasEmulatedPC) }

    /// As many as the devices of the definition take, and the spare ones.
    private func rootPorts(_ xml: inout XMLText, _ layout: DiskLayout) {
        let disks = layout.places.count { $0.bus == "virtio" }
        let controllers = layout.places.contains { $0.bus == "scsi" } || spec.diskBus == "scsi" ? 1 : 0
        let entropyAndBalloon = 2
        let channels = spec.hasGuestAgent ? 1 : 0
        let count = disks + controllers + channels + spec.interfaces.count + entropyAndBalloon + sparePorts
        xml.leaf("controller", ["type": "pci", "index": "0", "model": "pcie-root"])
        for index in 1...count {
            xml.leaf("controller", ["type": "pci", "index": String(index), "model": "pcie-root-port"])
        }
    }

    private func disk(_ xml: inout XMLText, _ place: DiskLayout.Place) {
        let disk = place.disk
        let isReadOnly = place.isCDROM || disk.role == .configDrive || disk.volume?.isReadOnly == true
        xml.element("disk", ["type": disk.source.type, "device": place.isCDROM ? "cdrom" : "disk"]) { xml in
            if place.isCDROM || disk.role == .configDrive {
                xml.leaf("driver", ["name": "qemu", "type": disk.format.rawValue])
            } else {
                // What several guests have must not be cached for one of them.
                let cache = disk.volume?.isShared == true ? "none" : "writeback"
                xml.leaf(
                    "driver", ["name": "qemu", "type": disk.format.rawValue, "cache": cache, "discard": "unmap"])
            }
            source(&xml, disk.source)
            xml.leaf("target", ["dev": place.device, "bus": place.bus])
            if isReadOnly { xml.leaf("readonly") }
            if let volume = disk.volume {
                if volume.isShared { xml.leaf("shareable") }
                limits(&xml, volume)
                xml.leaf("serial", text: volume.id.text)
            }
            if let order = place.bootOrder { xml.leaf("boot", ["order": String(order)]) }
        }
    }

    private func source(_ xml: inout XMLText, _ source: DomainDisk.Source) {
        switch source {
        case .file(let path): xml.leaf("source", ["file": path])
        case .block(let path): xml.leaf("source", ["dev": path])
        case .nbd(let node, let address, let port, let export):
            xml.element(
                "source", ["protocol": "nbd", "name": export, "tls": "yes", "tlsHostname": node.text]
            ) { $0.leaf("host", ["name": address.description, "port": String(port)]) }
        }
    }

    private func limits(_ xml: inout XMLText, _ volume: ServerSpec.Volume) {
        guard !volume.limits.isEmpty else { return }
        xml.element("iotune") { xml in
            for (name, value) in volume.limits.sorted(by: { $0.key < $1.key }) { xml.leaf(name, text: String(value)) }
        }
    }

    private func network(_ xml: inout XMLText, _ interface: ServerSpec.Interface) {
        xml.element("interface", ["type": "ethernet"]) { xml in
            xml.leaf("mac", ["address": interface.mac.description])
            // The network driver made it, with its bridge and rules, and keeps it when the guest goes.
            xml.leaf("target", ["dev": InterfaceName.tap(interface.port).text, "managed": "no"])
            xml.leaf("model", ["type": interface.model])
            if interface.model == "virtio" { xml.leaf("mtu", ["size": String(interface.mtuBytes)]) }
            // Its boot ROM would search the network for a system before each start.
            xml.leaf("rom", ["enabled": "no"])
            xml.leaf("alias", ["name": DomainDevices.alias(of: interface.port)])
        }
    }
}

extension DomainDisk.Source {
    fileprivate var type: String {
        switch self {
        case .file: "file"
        case .block: "block"
        case .nbd: "network"
        }
    }
}

// MARK: What is not for a tenant's image or volume type to choose

extension DomainXML {
    /// The network cards that guests may have, of those that Nova knows: a tenant's image names one, and nothing else of
    /// QEMU's many devices is for it to choose.
    private static let interfaceModels: Set<String> = [
        "virtio", "ne2k_pci", "pcnet", "rtl8139", "e1000", "e1000e", "igb"
    ]
    private static let volumeBuses: Set<String> = ["virtio", "scsi", "sata", "ide"]
    private static let limitNames: Set<String> = {
        var names: Set<String> = ["size_iops_sec"]
        for kind in ["bytes", "iops"] {
            for direction in ["total", "read", "write"] {
                let name = "\(direction)_\(kind)_sec"
                names.formUnion([name, name + "_max", name + "_max_length"])
            }
        }
        return names
    }()

    /// Why the server cannot be defined as it is asked for; `nil` when it can.
    public var refusal: StatusError? {
        if let model = spec.interfaces.map(\.model).first(where: { !Self.interfaceModels.contains($0) }) {
            return unsupported(model, "hw_vif_model of image \(spec.image.map { $0.id.text } ?? "(none)")")
        }
        for volume in spec.volumes {
            if !Self.volumeBuses.contains(volume.bus) { return unsupported(volume.bus, "bus of volume \(volume.id)") }
            if let name = volume.limits.keys.sorted().first(where: { !Self.limitNames.contains($0) }) {
                return unsupported(name, "limits of volume \(volume.id)")
            }
        }
        return nil
    }

    /// Why a device cannot come to a guest that runs; `nil` when it can.
    package func refusal(of device: GuestDevice) -> StatusError? {
        if let refusal { return refusal }
        guard case .volume(let id) = device, let place = layout.places.first(where: { $0.disk.volume?.id == id }),
            place.bus == "sata" || place.bus == "ide"
        else { return nil }
        return StatusError(
            code: .unsupported,
            message: "A volume on the bus '\(place.bus)' cannot be attached while the server runs: stop the server "
                + "first, or use the bus 'virtio' or 'scsi'.",
            detail: "volume \(id)")
    }

    private func unsupported(_ name: String, _ detail: String) -> StatusError {
        StatusError(
            code: .unsupported,
            message: "Requested hardware '\(name)' is not supported by the '\(settings.virtType.rawValue)' virt driver",
            detail: detail)
    }
}
