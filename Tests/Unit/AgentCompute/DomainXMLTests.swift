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

    static let volumes = [
        ServerSpec.Volume(
            id: VolumeID("66666666-0000-4000-8000-000000000001")!, place: .pool("fast"), device: "vda", bootIndex: 0,
            limits: ["total_iops_sec": 500, "read_bytes_sec": 1_048_576]),
        ServerSpec.Volume(
            id: VolumeID("66666666-0000-4000-8000-000000000002")!,
            place: .remote(NodeID(high: 9, low: 9), address: IPAddress("192.0.2.7")!, port: 10_809), device: "sda",
            bus: "scsi", isReadOnly: true),
        ServerSpec.Volume(
            id: VolumeID("66666666-0000-4000-8000-000000000003")!, place: .pool("lvm"), device: "vdc", isShared: true)
    ]

    /// As the host's storage would have them.
    static func disks(_ volumes: [ServerSpec.Volume]) -> [DomainDisk] {
        volumes.map { volume in
            let source: DomainDisk.Source =
                switch volume.place {
                case .pool("lvm"): .block("/dev/skerry/\(volume.id)")
                case .pool(let pool): .file("/v/\(pool)/\(volume.id)")
                case .remote(let node, let address, let port):
                    .nbd(node: node, address: address, port: port, export: volume.id.text)
                }
            if case .file = source { return DomainDisk(role: .volume(volume), source: source, format: .qcow2) }
            return DomainDisk(role: .volume(volume), source: source, format: .raw)
        }
    }

    static let cases: [(String, DomainDefinition, HypervisorSettings)] = [
        ("q35-bios-qemu", definition(), HypervisorSettings(virtType: .qemu)),
        (
            "q35-uefi-kvm-all-disks",
            definition {
                $0.spec.firmware = .uefi
                $0.spec.hasGuestAgent = true
                $0.spec.vcpus = 4
                $0.disks += [
                    DomainDisk(role: .ephemeral, path: "/d/ephemeral.0.qcow2", format: .qcow2),
                    DomainDisk(role: .swap, path: "/d/swap.0.raw", format: .raw),
                    DomainDisk(role: .configDrive, path: "/d/config.iso", format: .raw)
                ]
            }, HypervisorSettings(virtType: .kvm)
        ),
        (
            "pc-ide-e1000",
            definition {
                $0.spec.machineType = "pc"
                $0.spec.diskBus = "ide"
                $0.spec.interfaces[0].model = "e1000"
                $0.disks.append(DomainDisk(role: .configDrive, path: "/d/config.iso", format: .raw))
            }, HypervisorSettings(virtType: .qemu, cpuModel: "maximum")
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
            "volumes",
            definition {
                $0.spec.image = nil
                $0.spec.volumes = volumes
                $0.disks = disks(volumes) + [DomainDisk(role: .configDrive, path: "/d/config.iso", format: .raw)]
            }, HypervisorSettings(virtType: .kvm)
        ),
        (
            "rescue",
            definition {
                $0.spec.rescue = ServerSpec.Rescue(
                    version: 3,
                    image: ImageSpec(id: ImageID(high: 1, low: 5), sha512: "", sizeBytes: 0, format: .qcow2),
                    adminPassword: "")
                $0.spec.volumes = [volumes[0]]
                $0.disks =
                    [DomainDisk(role: .rescue, path: "/d/rescue.3.qcow2", format: .qcow2)] + $0.disks
                    + [DomainDisk(role: .swap, path: "/d/swap.0.raw", format: .raw)] + disks([volumes[0]])
            }, HypervisorSettings(virtType: .qemu)
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

    @Test("what comes to a running guest is what its definition has, with ports to spare on a PCI Express machine")
    func hotPlug() {
        let definition = Self.definition {
            $0.spec.volumes = Self.volumes
            $0.disks += Self.disks(Self.volumes)
        }
        let xml = DomainXML(definition, settings: HypervisorSettings(virtType: .qemu))
        for device in [GuestDevice.volume(Self.volumes[0].id), .interface(definition.spec.interfaces[0].port)] {
            let lines = (xml.attachment(of: device) ?? "none").split(separator: "\n").map { "    " + $0 }
            #expect(xml.text.contains(lines.joined(separator: "\n")))
        }
        #expect(xml.attachment(of: .volume(VolumeID(high: 1, low: 1))) == nil)
        // Two virtio disks of its own kind, one SCSI controller, one interface, entropy, balloon; and the root disk.
        #expect(xml.text.split(separator: "pcie-root-port").count - 1 == 3 + 1 + 1 + 2 + 6)
        var old = definition
        old.spec.machineType = "pc"
        let oldText = DomainXML(old, settings: HypervisorSettings(virtType: .qemu)).text
        #expect(!oldText.contains("pcie-root-port"))
    }

    @Test("a bus that takes nothing while it runs, and what a volume must not ask for, is refused in words")
    func volumeRefusals() {
        func xml(_ change: (inout ServerSpec.Volume) -> Void) -> (DomainXML, GuestDevice) {
            var volume = Self.volumes[0]
            change(&volume)
            let definition = Self.definition {
                $0.spec.volumes = [volume]
                $0.disks += Self.disks([volume])
            }
            return (DomainXML(definition, settings: HypervisorSettings(virtType: .qemu)), .volume(volume.id))
        }
        let (sata, device) = xml { $0.bus = "sata" }
        #expect(sata.refusal == nil && sata.refusal(of: device)?.message.contains("stop the server") == true)
        #expect(xml { _ in }.0.refusal(of: device) == nil)
        #expect(xml { $0.bus = "usb' x='" }.0.refusal?.isPermanent == true)
        #expect(xml { $0.limits = ["</iotune>": 1] }.0.refusal?.isPermanent == true)
    }

    @Test("disks have names that they keep when volumes come and go")
    func diskNames() {
        func names(_ volumes: [(String, String)], bus: String = "virtio") -> [String] {
            let all = volumes.enumerated().map { number, volume in
                ServerSpec.Volume(
                    id: VolumeID(high: 7, low: UInt64(number)), place: .pool("p"), device: volume.0, bus: volume.1)
            }
            let definition = Self.definition {
                $0.spec.diskBus = bus
                $0.spec.volumes = all
                $0.disks.append(DomainDisk(role: .swap, path: "/d/swap.0.raw", format: .raw))
                $0.disks.append(DomainDisk(role: .configDrive, path: "/d/config.iso", format: .raw))
                $0.disks += Self.disks(all)
            }
            let text = DomainXML(definition, settings: HypervisorSettings(virtType: .qemu)).text
            return text.split(separator: "<target dev='").dropFirst().filter { $0.contains("bus='") }
                .map { String($0.prefix { $0 != "'" }) }.filter { !$0.hasPrefix("tap") }
        }
        #expect(names([]) == ["vda", "vdb", "vdz"])
        #expect(names([("vdc", "virtio"), ("vdf", "virtio")]) == ["vda", "vdb", "vdz", "vdc", "vdf"])
        // What is no name, or somebody else's, gets another.
        #expect(names([("vda", "virtio"), ("../x", "virtio")]) == ["vda", "vdb", "vdz", "vdc", "vdd"])
        #expect(names([("sda", "scsi"), ("vdc", "virtio")]) == ["vda", "vdb", "vdz", "sda", "vdc"])
        #expect(names([("sdc", "scsi")], bus: "scsi") == ["sda", "sdb", "sdd", "sdc"])
    }

    @Test("a running domain's document tells its devices, those of an earlier release too")
    func liveDevices() {
        let volume = Self.volumes[0].id
        let port = Self.definition().spec.interfaces[0].port
        let document = """
            <domain type='kvm' id='3'><metadata><skerry:name>&lt;disk&gt;</skerry:name></metadata><devices>
            <disk type='file' device='disk'><driver name='qemu'/><source file='/i/rescue.4.qcow2' index='2'/>
            <backingStore type='file'><source file='/images/x'/></backingStore><target dev='vda' bus='virtio'/>
            <alias name='virtio-disk0'/></disk>
            <disk type='file' device='disk'><source file='/v/1' index='1'/><target dev='vdb' bus='virtio'/>
            <serial>\(volume)</serial><alias name='virtio-disk1'/></disk>
            <interface type='ethernet'><mac address='fa:16:3e:00:00:01'/><target dev='tap1' managed='no'/>
            <alias name='ua-\(port)'/></interface>
            <interface type='ethernet'><target dev='tap44444444-00' managed='no'/><alias name='net1'/></interface>
            <serial type='pty'><source path='/dev/pts/1'/><alias name='serial0'/></serial></devices></domain>
            """
        let found = DomainDevices(xml: document)
        #expect(found.devices.volumes == [volume] && found.devices.interfaces == [port])
        #expect(found.devices.rescueVersion == 4)
        #expect(found.devices.namelessTaps.map(\.text) == ["tap44444444-00"])
        #expect(found.aliases == [.volume(volume): "virtio-disk1", .interface(port): "ua-\(port)"])
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
