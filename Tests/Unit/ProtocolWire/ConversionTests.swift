import NIOCore
import ProtocolModel
import ProtocolWire
import Testing

@Suite("conversions")
struct ConversionTests {
    /// Field 1000 with the varint 7, as a newer release might add it.
    static let newerField: [UInt8] = [0xC0, 0x3E, 0x07]

    @Test("fields of a newer release are skipped")
    func unknownFields() throws {
        for (_, message) in Samples.messages where message.kind != .streamData {
            var frame = try message.frame()
            frame.body.writeBytes(Self.newerField)
            #expect(try WireMessage.decode(frame) == message)
        }
    }

    @Test("values round-trip through their stored form, and equal values have equal bytes")
    func storedForm() throws {
        for entry in Samples.update.entries {
            #expect(try PlanEntry(wireBytes: entry.wireBytes) == entry)
            guard let spec = entry.spec else { continue }
            #expect(try ResourceSpec(wireBytes: spec.wireBytes) == spec)
        }
        #expect(try PlanUpdate(wireBytes: Samples.update.wireBytes) == Samples.update)
        #expect(try NodeReport(wireBytes: Samples.report.wireBytes) == Samples.report)
        #expect(try NodeHealth(wireBytes: Samples.health.wireBytes) == Samples.health)
        for status in Samples.statuses { #expect(try ResourceStatus(wireBytes: status.wireBytes) == status) }
        var other = Samples.server
        for seed in 0..<50 {
            other.metadata = Dictionary(uniqueKeysWithValues: (0..<20).map { ("key\(($0 * 7 + seed) % 20)", "v") })
            #expect(try ResourceSpec.server(other).wireBytes.count > 0)
            var twin = other
            twin.metadata = [:]
            for key in other.metadata.keys.sorted(by: >) { twin.metadata[key] = "v" }
            #expect(try ResourceSpec.server(twin).wireBytes == ResourceSpec.server(other).wireBytes)
        }
    }

    @Test("what a port's traffic is held to round-trips, and no limit stays none")
    func quality() throws {
        #expect(try ResourceSpec(wireBytes: ResourceSpec.port(Samples.port).wireBytes) == .port(Samples.port))
        var port = Samples.port
        port.dhcpOptions = [
            .init(family: .ipv4, name: "bootfile-name", value: "a b"), .init(family: .ipv6, name: "x", value: "")
        ]
        let limits: [PortSpec.RateLimit?] = [
            nil, .init(bitsPerSecond: 1, burstBytes: 0), .init(bitsPerSecond: .max, burstBytes: .max)
        ]
        for limit in limits {
            for dscp in [nil, 0, 63] {
                port.quality = .init(toGuest: limit, fromGuest: dscp == nil ? limit : nil, dscp: dscp)
                #expect(try ResourceSpec(wireBytes: ResourceSpec.port(port).wireBytes) == .port(port))
            }
        }
        // A limit of nothing, and a code point of seven bits.
        for hostile in [PortSpec.Quality(toGuest: .init(bitsPerSecond: 0, burstBytes: 1)), .init(dscp: 64)] {
            port.quality = hostile
            #expect(throws: WireError.self) { try ResourceSpec(wireBytes: ResourceSpec.port(port).wireBytes) }
        }
    }

    @Test("every value of every enumeration round-trips")
    func enumerations() throws {
        for phase in ResourceStatus.Phase.allCases {
            let status = ResourceStatus(key: .port(Samples.id(1)), generation: 1, phase: phase)
            #expect(try ResourceStatus(wireBytes: status.wireBytes) == status)
        }
        for code in StatusError.Code.allCases {
            let result = OperationResult(
                id: Samples.id(1), outcome: .failed(StatusError(code: code, message: "", detail: "")))
            #expect(try OperationResult(wireBytes: result.wireBytes) == result)
        }
        for power in [.none, .running, .paused, .shutdown, .crashed, .suspended] as [ServerDetails.PowerState] {
            let status = ResourceStatus(
                key: .port(Samples.id(1)), generation: 1, phase: .ready,
                details: .server(ServerDetails(power: power, domainName: "")))
            #expect(try ResourceStatus(wireBytes: status.wireBytes) == status)
        }
        for power in ServerSpec.Power.allCases {
            for format in ImageSpec.DiskFormat.allCases {
                var server = Samples.server
                server.power = power
                server.image?.format = format
                #expect(try ResourceSpec(wireBytes: ResourceSpec.server(server).wireBytes) == .server(server))
            }
        }
        for attachment in [.local, .flat(physicalNetwork: ""), .vlan(physicalNetwork: "p", tag: 1)]
            as [NetworkSpec.Attachment]
        {
            for mode in SubnetSpec.IPv6Mode.allCases {
                var network = Samples.network
                network.attachment = attachment
                network.subnets[0].ipv6RAMode = mode
                #expect(try ResourceSpec(wireBytes: ResourceSpec.network(network).wireBytes) == .network(network))
            }
        }
        for code in WireRefusal.Code.allCases {
            let message = WireMessage.refusal(WireRefusal(code: code, message: "m"))
            #expect(try WireMessage.decode(message.frame()) == message)
        }
        for reason in GoAwayReason.allCases {
            let message = WireMessage.goAway(reason, message: "m")
            #expect(try WireMessage.decode(message.frame()) == message)
        }
    }

    /// Bodies by hand: field number << 3 | wire type, then the value.
    @Test(
        "what is not a valid value names its field",
        arguments: [
            (MessageKind.planHeld, [0x08] as [UInt8], WireError.Code.malformedBody),
            (.operationAcknowledged, [], .invalidField),
            (.operationAcknowledged, [0x0A, 0x02, 1, 2], .invalidField),
            (.operation, [], .invalidField),
            (.welcome, [0x08, 1], .invalidField),
            (.welcome, [0x08, 1, 0x10, 9], .invalidField),
            (.report, [0x12, 0x01, 0x00], .invalidField),
            (.health, [0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], .invalidField),
            (.statuses, [0x0A, 0x00], .invalidField),
            (.statuses, [0x0A, 0x7F], .malformedBody),
            (.plan, [0x22, 0x02, 0x0A, 0x00], .invalidField),
            (.hello, [0x1A, 0x01, 0xFF], .invalidField),
            (.joinRequest, [0x2A, 0x02, 0xC3, 0x28], .malformedBody)
        ])
    func malformed(kind: MessageKind, body: [UInt8], code: WireError.Code) {
        let error = #expect(throws: WireError.self) {
            try WireMessage.decode(Frame(kind: kind.rawValue, body: ByteBuffer(bytes: body)))
        }
        #expect(error?.code == code)
    }

    @Test("an entry whose key is not its spec's is refused")
    func keyMismatch() throws {
        let entry = PlanEntry(key: .port(Samples.id(99)), generation: 1, spec: .port(Samples.port))
        #expect(throws: WireError.self) { try PlanEntry(wireBytes: entry.wireBytes) }
    }

    @Test("a digest that is none does not get through")
    func digest() throws {
        for text in [
            "", "0f", String(repeating: "0f", count: 63), String(repeating: "0f", count: 65),
            String(repeating: "zz", count: 64)
        ] {
            var server = Samples.server
            server.image?.sha512 = text
            #expect(throws: WireError.self) { try ResourceSpec(wireBytes: ResourceSpec.server(server).wireBytes) }
        }
    }

    @Test("numbers out of the field's range are refused")
    func ranges() throws {
        var network = Samples.network
        for tag in [0, 4095, -1, Int.max] {
            network.attachment = .vlan(physicalNetwork: "p", tag: tag)
            #expect(throws: WireError.self) { try ResourceSpec(wireBytes: ResourceSpec.network(network).wireBytes) }
        }
        network.attachment = .local
        for mtu in [0, 67, 65_536] {
            network.mtuBytes = mtu
            #expect(throws: WireError.self) { try ResourceSpec(wireBytes: ResourceSpec.network(network).wireBytes) }
        }
        var server = Samples.server
        server.memoryMiB = -1
        #expect(throws: WireError.self) { try ResourceSpec(wireBytes: ResourceSpec.server(server).wireBytes) }
    }

    @Test("stream messages need a stream")
    func streamZero() throws {
        for (_, message) in Samples.messages where message.kind.isStream {
            var frame = try message.frame()
            frame.stream = 0
            #expect(throws: WireError.self) { try WireMessage.decode(frame) }
        }
    }

    @Test("a source of a newer release comes through as such, so that it can be refused")
    func unknownSource() throws {
        let frame = Frame(
            kind: MessageKind.streamOpen.rawValue, stream: 1, body: ByteBuffer(bytes: [0x08, 5] + Self.newerField))
        #expect(
            try WireMessage.decode(frame)
                == .streamOpen(stream: 1, StreamOpening(initialCredit: 5, source: .unknown)))
    }

    @Test(
        "versions in common",
        arguments: [
            (1 as UInt32, 1 as UInt32, 1 as UInt32, 1 as UInt32, UInt32?.some(1)), (1, 3, 2, 5, 3), (2, 5, 1, 3, 3),
            (1, 1, 2, 2, nil),
            (3, 1, 1, 3, nil), (1, 3, 3, 1, nil), (0, .max, 7, 7, 7)
        ])
    func versions(oldest: UInt32, newest: UInt32, theirOldest: UInt32, theirNewest: UInt32, common: UInt32?) {
        let ours = ProtocolVersions(oldest: oldest, newest: newest)
        #expect(ours.common(with: ProtocolVersions(oldest: theirOldest, newest: theirNewest)) == common)
    }
}
