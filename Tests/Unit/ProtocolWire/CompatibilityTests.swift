import NIOCore
import ProtocolModel
import ProtocolWire
import Testing

/// What a newer release may say, and what an older one reads of what this one says.
@Suite("releases side by side")
struct CompatibilityTests {
    /// A field with a length: key, length, octets.
    static func field(_ number: Int, _ octets: [UInt8]) -> [UInt8] {
        varint(number << 3 | 2) + varint(octets.count) + octets
    }

    static func number(_ field: Int, _ value: Int) -> [UInt8] { varint(field << 3) + varint(value) }

    private static func varint(_ value: Int) -> [UInt8] {
        var (rest, octets) = (UInt64(bitPattern: Int64(value)), [UInt8]())
        while rest > 0x7F {
            octets.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return octets + [UInt8(rest)]
    }

    static let id = [UInt8](1...16)
    /// Kind 77, with a spec in field 77 of ResourceSpec.
    static let volume =
        field(1, number(1, 77) + field(2, id)) + number(2, 9) + field(3, field(77, [1, 2, 3]))
    static let volumeKey = ResourceKey(
        kind: ResourceKind(rawValue: 77), id: AnyID(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C_0D0E_0F10))

    static func decode(_ kind: MessageKind, _ body: [UInt8]) throws -> WireMessage? {
        try WireMessage.decode(Frame(kind: kind.rawValue, body: ByteBuffer(bytes: body)))
    }

    @Test("an entry of an unknown kind is kept as it came, and the others with it")
    func unknownKind() throws {
        var known = PlanUpdate(epoch: 1, revision: 2, isSnapshot: true, entries: [])
        known.entries = Samples.update.entries
        let body = try known.wireBytes + Self.field(4, Self.volume)
        guard case .plan(let update, false)? = try Self.decode(.plan, body) else { return #expect(Bool(false)) }
        #expect(Array(update.entries.dropLast()) == known.entries)
        let entry = try #require(update.entries.last)
        #expect(entry.key == Self.volumeKey && entry.generation == 9)
        guard case .opaque(let spec)? = entry.spec else { return #expect(Bool(false)) }
        #expect(spec.bytes == Self.field(77, [1, 2, 3]))
        // On disk and back, and on to a peer, it is the same.
        #expect(try ResourceSpec(wireBytes: ResourceSpec.opaque(spec).wireBytes, of: entry.key) == .opaque(spec))
        #expect(try entry.wireBytes == Self.volume)
    }

    @Test("an entry of a known kind with values of a newer release costs that entry alone")
    func unknownValue() throws {
        let attachment = try ResourceSpec.network(Samples.network).wireBytes
        // Network (field 2 of the spec) without its attachment, as one of a new kind would look.
        var network = Samples.network
        network.attachment = .local
        let local = try ResourceSpec.network(network).wireBytes
        #expect(attachment != local)
        let inner = Self.field(1, [UInt8](1...16)) + Self.field(2, Self.id) + Self.field(99, []) + Self.number(6, 1500)
        let entry =
            Self.field(1, Self.number(1, 2) + Self.field(2, Self.id)) + Self.number(2, 5)
            + Self.field(3, Self.field(2, inner))
        let body = try Samples.update.wireBytes + Self.field(4, entry)
        guard case .plan(let update, _)? = try Self.decode(.plan, body),
            case .opaque(let spec)? = update.entries.last?.spec
        else { return #expect(Bool(false)) }
        #expect(spec.key.kind == .network && spec.problem.contains("network.attachment"))
        #expect(update.entries.count == Samples.update.entries.count + 1)
    }

    @Test("what the coordinator withholds comes with its reason, and takes little")
    func withheld() throws {
        let key = ResourceKey.securityGroup(Samples.id(1))
        let entry = PlanEntry(key: key, generation: 3, spec: .opaque(try .withheld(key, reason: "too large")))
        let read = try PlanEntry(wireBytes: entry.wireBytes)
        #expect(read == entry)
        guard case .opaque(let spec)? = read.spec else { return #expect(Bool(false)) }
        #expect(spec.isWithheld && spec.problem == "too large")
    }

    @Test("what can be read stays in force behind what cannot")
    func inForce() throws {
        let old = PlanEntry(key: .server(Samples.server.id), generation: 1, spec: .server(Samples.server))
        let opaque = OpaqueSpec(key: old.key, bytes: [1], problem: "new")
        let first = PlanEntry(key: old.key, generation: 2, spec: .opaque(opaque)).replacing(old)
        #expect(first.spec?.inForce == .server(Samples.server))
        let second = PlanEntry(key: old.key, generation: 3, spec: .opaque(opaque)).replacing(first)
        #expect(second.spec?.inForce == .server(Samples.server))
        let removal = PlanEntry(key: old.key, generation: 4, spec: nil)
        #expect(PlanEntry(key: old.key, generation: 5, spec: .opaque(opaque)).replacing(removal).spec?.inForce == nil)
    }

    @Test("a status with unknown phase, details, power or code is read as far as it goes")
    func statuses() throws {
        let key = Self.field(1, Self.number(1, 77) + Self.field(2, Self.id))
        let details = Self.field(4, Self.number(1, 99) + Self.field(2, Array("d".utf8)))
        let error = Self.field(5, Self.number(1, 99) + Self.field(2, Array("why".utf8)))
        let odd = key + Self.number(2, 3) + Self.number(3, 99) + details + error
        let other = key + Self.number(2, 3) + Self.number(3, 3) + Self.field(50, [1])
        let body = Self.field(1, odd) + Self.field(1, other)
        guard case .statuses(let statuses)? = try Self.decode(.statuses, body) else { return #expect(Bool(false)) }
        try #require(statuses.count == 2)
        #expect(statuses[0].key == Self.volumeKey && statuses[0].phase == .applying)
        #expect(statuses[0].details == .server(ServerDetails(power: .none, domainName: "d")))
        #expect(statuses[0].error == StatusError(code: .hostFailure, message: "why", detail: ""))
        #expect(statuses[1].phase == .ready && statuses[1].details == .none)
    }

    @Test("an unknown operation keeps its id, so that it can be refused; an unknown outcome is a failure")
    func operations() throws {
        let body = Self.field(1, Self.id) + Self.number(2, 5) + Self.field(77, [1])
        guard case .operation(let operation)? = try Self.decode(.operation, body) else { return #expect(Bool(false)) }
        #expect(operation.action.kind == nil && operation.action.resource == nil)
        #expect(operation.action.name == "operation-77")
        #expect(try operation.wireBytes == body)
        let answer = Self.field(1, Self.id) + Self.field(77, [1])
        guard case .operationResult(let result)? = try Self.decode(.operationResult, answer),
            case .failed(let error) = result.outcome
        else { return #expect(Bool(false)) }
        #expect(error.code == .unsupported)
    }

    @Test("a role that is not known is left out, the report stands")
    func roles() throws {
        let body = try Samples.report.wireBytes + Self.field(2, [0x63])
        guard case .report(let report)? = try Self.decode(.report, body) else { return #expect(Bool(false)) }
        #expect(report == Samples.report)
    }

    /// The release before knew all of the golden messages and skips fields beyond: so what this release sends has to
    /// begin with the same bytes.
    @Test(
        "what grew still begins with what the release before knows",
        arguments: [("hello", "hello-capabilities"), ("welcome", "welcome-version")])
    func grown(old: String, new: String) throws {
        func body(_ name: String) throws -> [UInt8] {
            let message = try #require(Samples.messages.first { $0.name == name }?.message)
            return Array(try message.frame().body.readableBytesView)
        }
        let (before, after) = (try body(old), try body(new))
        #expect(after.count > before.count && after.starts(with: before))
    }

    @Test("an agent that tells nothing of what it can, can what its release could")
    func unspoken() throws {
        let capabilities = AgentCapabilities.unspoken
        for kind in [ResourceKind.securityGroup, .network, .port, .server] { #expect(capabilities.knows(kind)) }
        #expect(!capabilities.knows(ResourceKind(rawValue: 5)))
        #expect(capabilities.knows(.hardReboot(Samples.id(1))))
        #expect(!capabilities.knows(.unknown(Operation.UnknownAction(number: 77, bytes: []))))
        let renamed = AgentCapabilities(kinds: [4: "something-else"], operations: [:])
        #expect(!renamed.knows(.server), "the same number, given away twice")
    }

    @Test("kinds are ordered by their table, and what is not known comes last")
    func order() {
        let kinds = [ResourceKind(rawValue: 77), .server, .port, ResourceKind(rawValue: 5), .network, .securityGroup]
        #expect(kinds.sorted().map(\.rawValue) == [1, 2, 3, 4, 5, 77])
        #expect(Set(ResourceKind.allCases.map(\.name)).count == ResourceKind.allCases.count)
    }

    @Test("a group's name comes over the wire, and is empty where the coordinator does not tell it")
    func groupName() throws {
        for name in ["web ☁", ""] {
            let spec = ResourceSpec.securityGroup(
                SecurityGroupSpec(id: Samples.id(1), name: name, rules: [], members: []))
            #expect(try ResourceSpec(wireBytes: spec.wireBytes) == spec)
        }
    }
}
