import AgentCore
import ProtocolModel

/// A domain's definition for libvirt, as a pure function of what is wanted.
///
/// Source: libvirt's "Domain XML format"; the SMBIOS strings and the defaults for guests are what OpenStack images
/// expect of Nova.
public struct DomainXML: Sendable {
    /// The namespace of our metadata element: a domain is ours if it carries the element for its own UUID.
    public static let metadataNamespace = "https://skerry.dev/xmlns/instance/1"

    let definition: DomainDefinition
    let settings: HypervisorSettings

    public init(_ definition: DomainDefinition, settings: HypervisorSettings) {
        self.definition = definition
        self.settings = settings
    }

    /// Changes whenever any line of the definition does.
    public var digest: String {
        var digest = StableDigest()
        digest.combine(render(digest: "").utf8)
        return digest.text
    }

    /// The document for `virDomainDefineXML`.
    public var text: String { render(digest: digest) }

    var spec: ServerSpec { definition.spec }
    var hasEmulatedPC: Bool { spec.machineType.hasPrefix("pc") && !spec.machineType.hasPrefix("pc-q35") }

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
}
