import AgentCore
import ProtocolModel

/// A domain's definition for libvirt, as a pure function of what is wanted.
///
/// Source: libvirt's "Domain XML format"; the SMBIOS strings and the defaults for guests are what OpenStack images
/// expect of Nova.
public struct DomainXML: Sendable {
    /// The namespace of our metadata element: a domain is ours if it carries the element for its own UUID.
    public static let metadataNamespace = "https://skerry.dev/xmlns/instance/1"

    private let definition: DomainDefinition
    private let settings: HypervisorSettings

    public init(_ definition: DomainDefinition, settings: HypervisorSettings) {
        self.definition = definition
        self.settings = settings
    }

    /// The network cards that guests may have, of those that Nova knows: a tenant's image names one, and nothing else of
    /// QEMU's many devices is for it to choose.
    private static let interfaceModels: Set<String> = [
        "virtio", "ne2k_pci", "pcnet", "rtl8139", "e1000", "e1000e", "igb"
    ]

    /// Why the server cannot be defined as it is asked for; `nil` when it can.
    public var refusal: StatusError? {
        guard let model = spec.interfaces.map(\.model).first(where: { !Self.interfaceModels.contains($0) }) else {
            return nil
        }
        return StatusError(
            code: .unsupported,
            message: "Requested hardware '\(model)' is not supported by the '\(settings.virtType.rawValue)' virt "
                + "driver",
            detail: "hw_vif_model of image \(spec.image.map { $0.id.text } ?? "(none)")")
    }

    /// Changes whenever any line of the definition does.
    public var digest: String {
        var digest = StableDigest()
        digest.combine(render(digest: "").utf8)
        return digest.text
    }

    /// The document for `virDomainDefineXML`.
    public var text: String { render(digest: digest) }

    private var spec: ServerSpec { definition.spec }
    private var hasEmulatedPC: Bool { spec.machineType.hasPrefix("pc") && !spec.machineType.hasPrefix("pc-q35") }

    private func render(digest: String) -> String {
        var xml = XMLText()
        xml.element("domain", ["type": settings.virtType.rawValue]) { xml in
            xml.leaf("name", text: spec.domainName)
            xml.leaf("uuid", text: spec.id.text)
            metadata(&xml, digest: digest)
            xml.leaf("memory", ["unit": "MiB"], text: String(spec.memoryMiB))
            xml.leaf("vcpu", ["placement": "static"], text: String(spec.vcpus))
            smbios(&xml)
            boot(&xml)
            processor(&xml)
            clock(&xml)
            xml.leaf("on_poweroff", text: "destroy")
            xml.leaf("on_reboot", text: "restart")
            xml.leaf("on_crash", text: "destroy")
            xml.element("devices") { devices(&$0) }
        }
        return xml.text
    }

    private func metadata(_ xml: inout XMLText, digest: String) {
        xml.element("metadata") { xml in
            xml.element("skerry:instance", ["xmlns:skerry": Self.metadataNamespace]) { xml in
                xml.leaf("skerry:server", text: spec.id.text)
                xml.leaf("skerry:name", text: spec.name)
                xml.leaf("skerry:project", text: spec.project.compact)
                xml.leaf("skerry:flavor", text: spec.flavorName)
                xml.leaf("skerry:digest", text: digest)
            }
        }
    }

    /// cloud-init takes a machine for an OpenStack guest by these strings, before it asks any service.
    private func smbios(_ xml: inout XMLText) {
        xml.element("sysinfo", ["type": "smbios"]) { xml in
            xml.element("system") { xml in
                xml.leaf("entry", ["name": "manufacturer"], text: "OpenStack Foundation")
                xml.leaf("entry", ["name": "product"], text: "OpenStack Compute")
                xml.leaf("entry", ["name": "version"], text: "Skerry")
                xml.leaf("entry", ["name": "serial"], text: spec.id.text)
                xml.leaf("entry", ["name": "uuid"], text: spec.id.text)
                xml.leaf("entry", ["name": "family"], text: "Virtual Machine")
            }
        }
    }

    private func boot(_ xml: inout XMLText) {
        switch spec.firmware {
        case .bios:
            xml.element("os") { operatingSystem(&$0) }
        case .uefi:
            xml.element("os", ["firmware": "efi"]) { xml in
                operatingSystem(&xml)
                xml.element("firmware") { $0.leaf("feature", ["enabled": "no", "name": "secure-boot"]) }
            }
        }
        xml.element("features") { xml in
            xml.leaf("acpi")
            xml.leaf("apic")
            if settings.virtType == .qemu {
                xml.element("tcg") {
                    $0.leaf("tb-cache", ["unit": "MiB"], text: String(Self.translationCacheMiB))
                }
            }
        }
    }

    /// What an emulated guest's translated code may take. QEMU's own default is 1 GiB a guest, and a reboot throws all
    /// that is cached away piece by piece, which makes it take several times as long as the first boot.
    private static let translationCacheMiB = 128

    private func operatingSystem(_ xml: inout XMLText) {
        xml.leaf("type", ["arch": "x86_64", "machine": spec.machineType], text: "hvm")
        xml.leaf("smbios", ["mode": "sysinfo"])
    }

    private func processor(_ xml: inout XMLText) {
        // Under emulation, the oldest model of the x86-64-v2 level: distributions ask for that level today, and what is
        // newer makes emulated guests slower (`max` takes a tenth longer to boot).
        let model = settings.cpuModel ?? (settings.virtType == .kvm ? "host-model" : "Nehalem")
        let topology: KeyValuePairs = ["sockets": String(spec.vcpus), "cores": "1", "threads": "1"]
        switch model {
        case "host-model":
            xml.element("cpu", ["mode": model, "check": "partial"]) { $0.leaf("topology", topology) }
        case "host-passthrough", "maximum":
            xml.element("cpu", ["mode": model, "check": "none"]) { $0.leaf("topology", topology) }
        default:
            xml.element("cpu", ["mode": "custom", "match": "exact", "check": "none"]) { xml in
                xml.leaf("model", ["fallback": "forbid"], text: model)
                xml.leaf("topology", topology)
            }
        }
    }

    private func clock(_ xml: inout XMLText) {
        xml.element("clock", ["offset": "utc"]) { xml in
            xml.leaf("timer", ["name": "pit", "tickpolicy": "delay"])
            xml.leaf("timer", ["name": "rtc", "tickpolicy": "catchup"])
            // Reading it costs a guest under KVM an exit each time, and Linux prefers it to the TSC if unsure.
            if settings.virtType == .kvm { xml.leaf("timer", ["name": "hpet", "present": "no"]) }
        }
    }

    private func devices(_ xml: inout XMLText) {
        xml.leaf("controller", ["type": "usb", "model": "none"])
        if spec.diskBus == "scsi" { xml.leaf("controller", ["type": "scsi", "index": "0", "model": "virtio-scsi"]) }
        let layout = DiskLayout(definition.disks, of: spec, hasIDE: hasEmulatedPC)
        for place in layout.places { disk(&xml, place) }
        for interface in spec.interfaces { network(&xml, interface) }
        xml.element("serial", ["type": "pty"]) { xml in
            // virtlogd writes and rotates it, so that no guest fills the host's disk.
            xml.leaf("log", ["file": definition.consoleLogPath, "append": "on"])
            xml.leaf("target", ["type": "isa-serial", "port": "0"])
        }
        xml.element("console", ["type": "pty"]) { $0.leaf("target", ["type": "serial", "port": "0"]) }
        if let address = settings.vncListenAddress {
            xml.leaf("graphics", ["type": "vnc", "port": "-1", "autoport": "yes", "listen": address])
            xml.element("video") { $0.leaf("model", ["type": "vga"]) }
        }
        xml.element("rng", ["model": "virtio"]) { $0.leaf("backend", ["model": "random"], text: "/dev/urandom") }
        xml.leaf("memballoon", ["model": "virtio"])
    }

    private func disk(_ xml: inout XMLText, _ place: DiskLayout.Place) {
        xml.element("disk", ["type": "file", "device": place.isCDROM ? "cdrom" : "disk"]) { xml in
            if place.isCDROM || place.disk.role == .configDrive {
                xml.leaf("driver", ["name": "qemu", "type": place.disk.format.rawValue])
            } else {
                xml.leaf(
                    "driver",
                    [
                        "name": "qemu", "type": place.disk.format.rawValue, "cache": "writeback", "discard": "unmap"
                    ])
            }
            xml.leaf("source", ["file": place.disk.path])
            xml.leaf("target", ["dev": place.device, "bus": place.bus])
            if place.isCDROM || place.disk.role == .configDrive { xml.leaf("readonly") }
            if place.disk.role == .root { xml.leaf("boot", ["order": "1"]) }
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
        }
    }
}
