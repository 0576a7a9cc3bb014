import AgentCompute
import AgentCore
import FoundationEssentials
import ProtocolModel
import Testing

@Suite("domain XML")
struct DomainXMLTests {
    @Test("a network card that is not on the list is refused, whatever QEMU makes of the name")
    func interfaceModels() {
        var definition = Self.definition()
        for (model, isListed) in [
            ("virtio", true), ("e1000e", true), ("rtl8139", true), ("", false), ("virtio,netdev=x", false),
            ("vmxnet3", false), ("sriov", false)
        ] {
            definition.spec.interfaces[0].model = model
            let xml = DomainXML(definition, settings: HypervisorSettings(virtType: .qemu))
            #expect((xml.refusal == nil) == isListed, "\(model)")
            #expect(xml.refusal?.isPermanent ?? true)
        }
    }

    static func definition(_ change: (inout DomainDefinition) -> Void = { _ in }) -> DomainDefinition {
        let id = ServerID("44444444-0000-4000-8000-000000000001")!
        let folder = "/var/lib/skerry/instances/\(id)"
        var definition = DomainDefinition(
            spec: ServerSpec(
                id: id, project: ProjectID("55555555000040008000000000000001")!, user: UserID(high: 1, low: 1),
                name: "web", hostname: "web", number: 26, flavorName: "m1.nano", vcpus: 1, memoryMiB: 128, rootGiB: 1,
                image: ImageSpec(id: ImageID(high: 1, low: 2), sha512: "", sizeBytes: 0, format: .qcow2),
                interfaces: [
                    .init(
                        port: PortID("33333333-0000-4000-8000-000000000001")!, network: NetworkID(high: 1, low: 3),
                        mac: MACAddress("fa:16:3e:00:00:01")!, mtuBytes: 1450, model: "virtio")
                ]),
            disks: [DomainDisk(role: .root, path: folder + "/root.0.qcow2", format: .qcow2)],
            consoleLogPath: folder + "/console.log")
        change(&definition)
        return definition
    }

    static let cases: [(String, DomainDefinition, HypervisorSettings)] = [
        ("q35-bios-qemu", definition(), HypervisorSettings(virtType: .qemu)),
        (
            "q35-uefi-kvm-all-disks",
            definition {
                $0.spec.firmware = .uefi
                $0.spec.vcpus = 4
                $0.disks += [
                    DomainDisk(role: .ephemeral, path: "/d/ephemeral.0.qcow2", format: .qcow2),
                    DomainDisk(role: .swap, path: "/d/swap.0.raw", format: .raw),
                    DomainDisk(role: .configDrive, path: "/d/config.iso", format: .raw)
                ]
            }, HypervisorSettings(virtType: .kvm)
        ),
        (
            "pc-ide-e1000-vnc",
            definition {
                $0.spec.machineType = "pc"
                $0.spec.diskBus = "ide"
                $0.spec.interfaces[0].model = "e1000"
                $0.disks.append(DomainDisk(role: .configDrive, path: "/d/config.iso", format: .raw))
            }, HypervisorSettings(virtType: .qemu, cpuModel: "maximum", vncListenAddress: "127.0.0.1")
        ),
        (
            "scsi-iso-image",
            definition {
                $0.spec.diskBus = "scsi"
                $0.spec.image?.format = .iso
                $0.disks.append(DomainDisk(role: .configDrive, path: "/d/config.iso", format: .raw))
            }, HypervisorSettings(virtType: .kvm, cpuModel: "host-passthrough")
        ),
        (
            "hostile-name",
            definition { $0.spec.name = "</skerry:name><x a='\"&\u{0}\u{1B}\n\u{FFFE}]]>é" },
            HypervisorSettings(virtType: .qemu)
        )
    ]

    @Test("definitions are as the golden files have them", arguments: cases.map(\.0))
    func golden(name: String) throws {
        let (_, definition, settings) = try #require(Self.cases.first { $0.0 == name })
        let text = DomainXML(definition, settings: settings).text
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/\(name).xml")
        if ProcessInfo.processInfo.environment["SKERRY_WRITE_GOLDEN"] != nil { try Data(text.utf8).write(to: file) }
        let golden = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        #expect(text == golden, "if the change is meant, run with SKERRY_WRITE_GOLDEN=1 and review the difference")
    }

    @Test("the digest follows what is defined, and nothing else")
    func digest() {
        let settings = HypervisorSettings(virtType: .qemu)
        let first = DomainXML(Self.definition(), settings: settings).digest
        #expect(first == DomainXML(Self.definition { $0.spec.power = .stopped }, settings: settings).digest)
        #expect(first != DomainXML(Self.definition { $0.spec.memoryMiB = 256 }, settings: settings).digest)
        #expect(first != DomainXML(Self.definition(), settings: HypervisorSettings(virtType: .kvm)).digest)
    }

    @Test("KVM is used only where it opens and the processor has the extensions")
    func virtType() {
        let plain = "processor : 0\nflags : fpu sse2\n"
        let capable = "processor : 0\nflags : fpu svm sse2\n"
        #expect(VirtTypeProbe.decide(.automatic, kvmError: nil, cpuInfo: capable).virtType == .kvm)
        #expect(VirtTypeProbe.decide(.automatic, kvmError: nil, cpuInfo: capable).warning == nil)
        #expect(VirtTypeProbe.decide(.automatic, kvmError: nil, cpuInfo: plain).virtType == .qemu)
        #expect(VirtTypeProbe.decide(.automatic, kvmError: "No such file", cpuInfo: capable).virtType == .qemu)
        #expect(VirtTypeProbe.decide(.automatic, kvmError: "No such file", cpuInfo: capable).warning != nil)
        #expect(VirtTypeProbe.decide(.kvm, kvmError: nil, cpuInfo: plain).virtType == .kvm)
        #expect(VirtTypeProbe.decide(.kvm, kvmError: nil, cpuInfo: plain).warning != nil)
        #expect(VirtTypeProbe.decide(.qemu, kvmError: nil, cpuInfo: capable).warning == nil)
    }
}
