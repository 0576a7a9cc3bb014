import NIOCore
import ProtocolModel
import ProtocolWire

/// One message of every kind, each field with a value of its own.
enum Samples {
    static func id<Tag>(_ number: UInt64) -> Identifier<Tag> {
        Identifier(high: 0x0011_2233_4455_4677, low: 0x8899_AABB_CCDD_0000 + number)
    }

    static func address(_ text: String) -> IPAddress { IPAddress(text) ?? IPAddress(family: .ipv4, bits: 0) }
    static func prefix(_ text: String) -> IPPrefix {
        IPPrefix(text) ?? IPPrefix(IPAddress(family: .ipv4, bits: 0), length: 0)!
    }

    static let digest = String(repeating: "0f", count: 64)

    static let securityGroup = SecurityGroupSpec(
        id: id(1),
        rules: [
            SecurityGroupRuleSpec(
                id: id(2), direction: .ingress, family: .ipv4, protocolNumber: 6, portRangeMin: 22, portRangeMax: 22,
                remote: .prefix(prefix("192.0.2.0/24"))),
            SecurityGroupRuleSpec(
                id: id(3), direction: .egress, family: .ipv6, protocolNumber: nil, portRangeMin: nil, portRangeMax: nil,
                remote: .group(id(1))),
            SecurityGroupRuleSpec(
                id: id(4), direction: .ingress, family: .ipv4, protocolNumber: 0, portRangeMin: 0, portRangeMax: 0,
                remote: .anywhere)
        ],
        members: [address("192.0.2.5"), address("2001:db8::5")])

    static let network = NetworkSpec(
        id: id(10), project: id(11), attachment: .vlan(physicalNetwork: "physnet1", tag: 4094), mtuBytes: 1450,
        subnets: [
            SubnetSpec(
                id: id(12), prefix: prefix("192.0.2.0/24"), gateway: address("192.0.2.1"),
                dnsServers: [address("198.51.100.1")],
                hostRoutes: [HostRoute(destination: prefix("203.0.113.0/25"), nextHop: address("192.0.2.9"))],
                isDHCPEnabled: true, ipv6AddressMode: nil, ipv6RAMode: nil, serviceAddress: address("192.0.2.2")),
            SubnetSpec(
                id: id(13), prefix: prefix("2001:db8::/64"), gateway: nil, dnsServers: [], hostRoutes: [],
                isDHCPEnabled: false, ipv6AddressMode: .dhcpv6Stateless, ipv6RAMode: .slaac, serviceAddress: nil)
        ],
        dnsDomain: "example.org")

    static let overlay = NetworkSpec(
        id: id(14), project: id(11), attachment: .vxlan(vni: 16_777_215), mtuBytes: 1450, subnets: [], dnsDomain: "",
        remotePorts: [
            NetworkSpec.RemotePort(
                mac: MACAddress(bits: 0xFA16_3E00_0001), addresses: [address("192.0.2.7")],
                tunnel: address("192.0.2.200"))
        ])

    static let router = RouterSpec(
        id: id(40), project: id(11), isAdminUp: true,
        interfaces: [
            RouterSpec.Interface(
                port: id(41), network: id(10), mac: MACAddress(bits: 0xFA16_3E00_0002), mtuBytes: 1450,
                addresses: [
                    RouterSpec.Address(
                        subnet: id(13), address: address("2001:db8::1"), prefixLength: 64, raMode: .slaac,
                        dnsServers: [address("2001:db8::53")])
                ])
        ],
        gateway: RouterSpec.Gateway(
            interface: RouterSpec.Interface(
                port: id(42), network: id(43), mac: MACAddress(bits: 0xFA16_3E00_0003), mtuBytes: 1500,
                addresses: [RouterSpec.Address(subnet: id(44), address: address("203.0.113.7"), prefixLength: 24)]),
            nextHops: [address("203.0.113.1")], isSNATEnabled: true),
        floatingIPs: [
            RouterSpec.FloatingIP(id: id(45), address: address("203.0.113.8"), fixedAddress: address("192.0.2.5"))
        ],
        portForwardings: [
            RouterSpec.PortForwarding(
                id: id(46), protocolNumber: 6, externalAddress: address("203.0.113.9"), externalPorts: 8000...8001,
                internalAddress: address("192.0.2.5"), firstInternalPort: 80)
        ],
        routes: [HostRoute(destination: prefix("198.51.100.0/24"), nextHop: address("192.0.2.9"))])

    static let port = PortSpec(
        id: id(20), network: id(10), server: id(30), mac: MACAddress(bits: 0xFA16_3E01_0203),
        fixedIPs: [PortSpec.FixedIP(subnet: id(12), address: address("192.0.2.5"))], isAdminUp: true,
        isSecurityEnabled: true, securityGroups: [id(1)],
        allowedPairs: [
            PortSpec.AllowedPair(prefix: prefix("198.51.100.0/28"), mac: MACAddress(bits: 5)),
            PortSpec.AllowedPair(prefix: prefix("0.0.0.0/0"), mac: nil)
        ],
        hostname: "web-1")

    static let server = ServerSpec(
        id: id(30), project: id(11), user: id(31), name: "wéb 1", hostname: "web-1", number: 7, flavorName: "m1.nano",
        vcpus: 2, memoryMiB: 512, rootGiB: 3, ephemeralGiB: 4, swapMiB: 5,
        image: ImageSpec(id: id(32), sha512: digest, sizeBytes: 9_000_000_000, format: .qcow2), rootDiskVersion: 6,
        power: .suspended, firmware: .uefi, machineType: "q35", diskBus: "scsi",
        interfaces: [
            ServerSpec.Interface(
                port: id(20), network: id(10), mac: MACAddress(bits: 0xFA16_3E01_0203), mtuBytes: 1450, model: "virtio")
        ],
        hasConfigDrive: true, publicKeys: [ServerSpec.PublicKey(name: "k", key: "ssh-ed25519 AAAA")],
        userData: [0, 255, 10], metadata: ["b": "2", "a": "1", "c": ""], availabilityZone: "nova", launchIndex: 8,
        adminPassword: "secret", createdAt: 1_800_000_000_000_000)

    static let steps = [
        StatusStep(name: "define", startedAt: 5, durationMicroseconds: 6),
        StatusStep(name: "start", startedAt: 7, durationMicroseconds: 8, error: "no")
    ]

    static let statusError = StatusError(code: .noSpace, message: "full", detail: "/dev/sda")

    static let statuses = [
        ResourceStatus(
            key: .server(id(30)), generation: 4, phase: .failed,
            details: .server(ServerDetails(power: .crashed, domainName: "instance-00000007")), error: statusError,
            steps: steps),
        ResourceStatus(key: .port(id(20)), generation: 1, phase: .gone)
    ]

    static let report = NodeReport(
        hostname: "h1", roles: [.storage, .compute, .network], agentVersion: "1.2.3", availabilityZone: "az1",
        capacity: NodeCapacity(
            vcpus: 16, memoryMiB: 65_536, diskGiB: 900, reservedMemoryMiB: 512, reservedDiskGiB: 10,
            usedMemoryMiB: 1000, freeDiskGiB: 800),
        hypervisor: HypervisorReport(
            type: "QEMU", version: 7_002_000, virtType: "kvm", cpuModel: "EPYC", cpuVendor: "AMD",
            cpuArchitecture: "x86_64", cpuFeatures: ["aes", "avx2"], cpuSockets: 1, cpuCores: 8, cpuThreads: 2,
            machineTypes: ["q35", "pc"], hasUEFI: true),
        physicalNetworks: ["physnet1"], problems: ["no /dev/kvm"])

    static let health = NodeHealth(
        uptimeSeconds: 99, loadMilli: 1500, usedMemoryMiB: 3, freeDiskGiB: 4, runningGuests: 5, problems: ["hot"])

    static let update = PlanUpdate(
        epoch: 2, revision: 41, isSnapshot: true,
        entries: [
            PlanEntry(key: .securityGroup(id(1)), generation: 1, spec: .securityGroup(securityGroup)),
            PlanEntry(key: .network(id(10)), generation: 2, spec: .network(network)),
            PlanEntry(key: .port(id(20)), generation: 3, spec: .port(port)),
            PlanEntry(key: .server(id(30)), generation: 4, spec: .server(server)),
            PlanEntry(key: .server(id(33)), generation: 5, spec: nil)
        ])

    static let overlayUpdate = PlanUpdate(
        epoch: 2, revision: 42, isSnapshot: false,
        entries: [
            PlanEntry(key: .network(id(14)), generation: 2, spec: .network(overlay)),
            PlanEntry(key: .router(id(40)), generation: 3, spec: .router(router))
        ])

    static var scopedRouter: RouterSpec {
        var router = router
        router.interfaces[0].addresses[0].scope = id(47)
        return router
    }

    static let scopedUpdate = PlanUpdate(
        epoch: 2, revision: 44, isSnapshot: false,
        entries: [PlanEntry(key: .router(id(40)), generation: 4, spec: .router(scopedRouter))])

    static var namingGroup: SecurityGroupSpec {
        var group = securityGroup
        group.addressGroups = [
            .init(id: id(48), prefixes: ["192.0.2.0/24", "2001:db8::/32"].compactMap { IPPrefix($0) })
        ]
        return group
    }

    static let namingUpdate = PlanUpdate(
        epoch: 2, revision: 45, isSnapshot: false,
        entries: [PlanEntry(key: .securityGroup(id(1)), generation: 4, spec: .securityGroup(namingGroup))])

    static let volumeUpdate = PlanUpdate(
        epoch: 2, revision: 43, isSnapshot: false,
        entries: [
            PlanEntry(
                key: .volume(id(50)), generation: 1,
                spec: .volume(VolumeSpec(id: id(50), project: id(31), pool: "local", sizeGiB: 3))),
            PlanEntry(
                key: .volume(id(51)), generation: 2,
                spec: .volume(
                    VolumeSpec(
                        id: id(51), project: id(31), pool: "local", sizeGiB: 4, source: .snapshot(id(52), of: id(50)),
                        reversion: VolumeSpec.Reversion(version: 2, snapshot: id(53)), exportedTo: [id(60), id(61)]))),
            PlanEntry(
                key: .volumeSnapshot(id(53)), generation: 3,
                spec: .volumeSnapshot(
                    VolumeSnapshotSpec(id: id(53), volume: id(51), project: id(31), pool: "local"))),
            PlanEntry(key: .server(id(30)), generation: 4, spec: .server(volumeServer))
        ])

    static var volumeServer: ServerSpec {
        var server = server
        server.volumes = [
            ServerSpec.Volume(
                id: id(50), place: .pool("local"), device: "vdb", bootIndex: 0,
                limits: ["total_iops_sec": 100, "read_bytes_sec": 4096]),
            ServerSpec.Volume(
                id: id(51), place: .remote(id(60), address: address("192.0.2.9"), port: 8705), device: "sdb",
                bus: "scsi", isReadOnly: true, isShared: true)
        ]
        server.rescue = server.image.map { ServerSpec.Rescue(version: 1, image: $0, adminPassword: "pw") }
        server.image = nil
        return server
    }

    static let volumeStatuses = [
        ResourceStatus(
            key: .volume(id(50)), generation: 4, phase: .applying,
            details: .volume(VolumeDetails(sizeGiB: 3, allocatedBytes: 65_536, progressPercent: 40))),
        ResourceStatus(
            key: .server(id(30)), generation: 4, phase: .ready,
            details: .server(
                ServerDetails(
                    power: .running, domainName: "instance-00000007", interfaces: [id(20)], volumes: [id(50)])))
    ]

    static var poolReport: NodeReport {
        var report = report
        report.exportAddress = address("192.0.2.9")
        report.pools = [
            StoragePool(
                name: "local", backend: "file", totalGiB: 100, freeGiB: 40, provisionedGiB: 300, problem: "full")
        ]
        return report
    }

    static var tunnelReport: NodeReport {
        var report = report
        report.tunnelAddress = address("192.0.2.201")
        return report
    }

    static let messages: [(name: String, message: WireMessage)] = [
        (
            "hello",
            .hello(
                Hello(
                    versions: ProtocolVersions(oldest: 1, newest: 2), node: id(40), agentVersion: "1.2.3",
                    position: PlanPosition(epoch: 2, revision: 40), bootID: "b00t"))
        ),
        (
            "hello-capabilities",
            .hello(
                Hello(
                    versions: ProtocolVersions(oldest: 1, newest: 2), node: id(40), agentVersion: "1.2.3",
                    position: PlanPosition(epoch: 2, revision: 40), bootID: "b00t", capabilities: .unspoken))
        ),
        (
            "welcome",
            .welcome(
                WelcomeMessage(version: 1, keepAliveMilliseconds: 5000, serverTime: -1, willSendSnapshot: true))
        ),
        (
            "welcome-version",
            .welcome(
                WelcomeMessage(
                    version: 1, keepAliveMilliseconds: 5000, serverTime: -1, willSendSnapshot: true,
                    coordinatorVersion: "1.2.4"))
        ),
        (
            "join-request",
            .joinRequest(
                JoinRequestMessage(
                    versions: ProtocolVersions(oldest: 1, newest: 1), secret: [1, 2], certificateRequestDER: [0x30, 0],
                    hostname: "h1"))
        ),
        ("join-response", .joinResponse(GrantMessage(node: id(40), certificatePEM: "C", authorityPEM: "A"))),
        ("renew-request", .renewRequest(certificateRequestDER: [0x30, 1])),
        ("renew-response", .renewResponse(GrantMessage(node: id(40), certificatePEM: "D", authorityPEM: "A"))),
        ("refusal", .refusal(WireRefusal(code: .busy, message: "later"))),
        ("go-away", .goAway(.replaced, message: "another session")),
        ("ping", .ping(0x0102_0304_0506_0708)),
        ("pong", .pong(.max)),
        ("message-credit", .messageCredit(65_536)),
        ("plan", .plan(update, continues: false)),
        ("plan-continues", .plan(PlanUpdate(epoch: 2, revision: 41, isSnapshot: false, entries: []), continues: true)),
        ("plan-held", .planHeld(PlanPosition(epoch: 2, revision: 41))),
        ("plan-overlay", .plan(overlayUpdate, continues: false)),
        ("plan-scopes", .plan(scopedUpdate, continues: false)),
        ("plan-addresses", .plan(namingUpdate, continues: false)),
        ("report-tunnel", .report(tunnelReport)), ("report-pools", .report(poolReport)),
        ("plan-volumes", .plan(volumeUpdate, continues: false)), ("statuses-volumes", .statuses(volumeStatuses)),
        ("statuses", .statuses(statuses)),
        ("report", .report(report)),
        ("health", .health(health)),
        (
            "operation-soft-reboot",
            .operation(Operation(id: id(50), deadline: 1, action: .softReboot(id(30), graceSeconds: 60)))
        ),
        ("operation-hard-reboot", .operation(Operation(id: id(51), deadline: 2, action: .hardReboot(id(30))))),
        (
            "operation-console",
            .operation(Operation(id: id(52), deadline: 3, action: .consoleOutput(id(30), lines: 0)))
        ),
        (
            "operation-console-all",
            .operation(Operation(id: id(52), deadline: 3, action: .consoleOutput(id(30), lines: nil)))
        ),
        (
            "operation-snapshot",
            .operation(Operation(id: id(53), deadline: 4, action: .snapshot(id(30), image: id(32))))
        ),
        (
            "operation-password",
            .operation(
                Operation(id: id(54), deadline: 5, action: .changePassword(id(30), user: "root", password: "s3cret")))
        ),
        ("operation-nmi", .operation(Operation(id: id(55), deadline: 6, action: .injectNMI(id(30))))),
        ("operation-diagnostics", .operation(Operation(id: id(56), deadline: 7, action: .diagnostics(id(30))))),
        (
            "operation-upload-volume",
            .operation(
                Operation(id: id(57), deadline: 8, action: .uploadVolume(id(30), image: id(32), format: .raw)))
        ),
        (
            "operation-open-console",
            .operation(Operation(id: id(57), deadline: 8, action: .openConsole(id(30), .vnc, session: id(59))))
        ),
        (
            "operation-open-console-serial",
            .operation(Operation(id: id(58), deadline: 9, action: .openConsole(id(30), .serial, session: id(59))))
        ),
        (
            "result-done",
            .operationResult(OperationResult(id: id(50), outcome: .done(output: [104, 105]), steps: steps))
        ),
        ("result-failed", .operationResult(OperationResult(id: id(50), outcome: .failed(statusError)))),
        ("result-expired", .operationResult(OperationResult(id: id(50), outcome: .expired))),
        ("result-interrupted", .operationResult(OperationResult(id: id(50), outcome: .interrupted))),
        ("operation-acknowledged", .operationAcknowledged(id(50))),
        (
            "stream-open",
            .streamOpen(
                stream: 5,
                StreamOpening(initialCredit: 262_144, source: .image(id(32), sha512: digest, offset: 1_000_000)))
        ),
        (
            "stream-upload",
            .streamOpen(
                stream: 7, StreamOpening(initialCredit: 0, source: .upload(id(53), image: id(32), size: 70_000)))
        ),
        (
            "stream-open-token",
            .streamOpen(stream: 7, StreamOpening(initialCredit: 262_144, source: .token("gAAAA-secret")))
        ),
        (
            "stream-open-certificate",
            .streamOpen(stream: 9, StreamOpening(initialCredit: 262_144, source: .serverCertificate([48, 1, 2])))
        ),
        (
            "stream-open-signing",
            .streamOpen(
                stream: 11,
                StreamOpening(
                    initialCredit: 262_144,
                    source: .signing(SigningKeyRequest(access: "AK", date: "20260101", region: "here"))))
        ),
        (
            "stream-open-console",
            .streamOpen(stream: 13, StreamOpening(initialCredit: 262_144, source: .console(id(59))))
        ),
        ("stream-data", .streamData(stream: 5, ByteBuffer(bytes: [1, 2, 3]))),
        ("stream-credit", .streamCredit(stream: 5, bytes: 70_000)),
        ("stream-end", .streamEnd(stream: 5, nil)),
        ("stream-end-error", .streamEnd(stream: 5, WireRefusal(code: .notFound, message: "no such image")))
    ]
}

/// Everything a decoder makes of `chunks`, the end of the connection included.
func decode(_ chunks: [[UInt8]], bodyLimit: Int = WireLimits.bodyBytes) throws -> [Frame] {
    var frames: [Frame] = []
    let processor = NIOSingleStepByteToMessageProcessor(FrameDecoder(bodyLimit: bodyLimit))
    for chunk in chunks { try processor.process(buffer: ByteBuffer(bytes: chunk)) { frames.append($0) } }
    try processor.finishProcessing(seenEOF: true) { frames.append($0) }
    return frames
}

func bytes(_ message: WireMessage) throws -> [UInt8] {
    var buffer = ByteBuffer()
    try message.frame().write(to: &buffer)
    return Array(buffer.readableBytesView)
}
