import NIOCore
import ProtocolModel
import ProtocolWire
import Testing

@Suite("messages in several frames")
struct DivisionTests {
    static func update(_ count: Int) -> PlanUpdate {
        PlanUpdate(
            epoch: 1, revision: 2, isSnapshot: true,
            entries: (0..<count).map { PlanEntry(key: .port(Samples.id(UInt64($0))), generation: Int64($0), spec: nil) }
        )
    }

    @Test("a plan is cut by size and put together in order", arguments: [0, 1, 2, 3, 100])
    func plan(count: Int) throws {
        let update = Self.update(count)
        let frames = try MessageDivision.frames(of: update, limit: 100)
        #expect(frames.count == max(1, (count + 3) / 4))
        var assembler = PlanAssembler()
        for (index, frame) in frames.enumerated() {
            guard case .plan(let part, let continues)? = try WireMessage.decode(frame) else {
                return #expect(Bool(false))
            }
            #expect(continues == (index < frames.count - 1))
            let whole = try assembler.add(part, continues: continues, bytes: frame.wireBytes)
            #expect(whole == (continues ? nil : update))
        }
    }

    @Test("an entry larger than the cut goes alone")
    func largeEntry() throws {
        var server = Samples.server
        server.userData = [UInt8](repeating: 1, count: 1000)
        let entry = PlanEntry(key: .server(server.id), generation: 1, spec: .server(server))
        let update = PlanUpdate(epoch: 1, revision: 1, isSnapshot: false, entries: [entry, entry, entry])
        #expect(try MessageDivision.frames(of: update, limit: 100).count == 3)
    }

    @Test("what cannot be divided and does not fit is refused")
    func tooLarge() throws {
        var server = Samples.server
        server.userData = [UInt8](repeating: 1, count: WireLimits.bodyBytes)
        let entry = PlanEntry(key: .server(server.id), generation: 1, spec: .server(server))
        let update = PlanUpdate(epoch: 1, revision: 1, isSnapshot: false, entries: [entry])
        let error = #expect(throws: WireError.self) { try MessageDivision.frames(of: update) }
        #expect(error?.code == .bodyTooLarge)
    }

    @Test("a console's last mebibyte with all its steps fits one frame")
    func console() throws {
        let output = [UInt8](repeating: 65, count: 1_048_576)
        let steps = (0..<32).map {
            StatusStep(
                name: "step \($0)", startedAt: .max, durationMicroseconds: .max,
                error: String(repeating: "e", count: 1000))
        }
        let result = OperationResult(id: Samples.id(1), outcome: .done(output: output), steps: steps)
        #expect(try WireMessage.operationResult(result).frame().body.readableBytes <= WireLimits.bodyBytes)
    }

    @Test("parts of two updates are not mixed, and a plan without end is cut off")
    func badBatches() throws {
        var assembler = PlanAssembler(limit: 1000)
        #expect(try assembler.add(Self.update(1), continues: true, bytes: 10) == nil)
        var other = Self.update(1)
        other.revision = 3
        let mixed = #expect(throws: WireError.self) { try assembler.add(other, continues: false, bytes: 10) }
        #expect(mixed?.code == .badBatch)
        var endless = PlanAssembler(limit: 1000)
        let error = #expect(throws: WireError.self) {
            while true { _ = try endless.add(Self.update(1), continues: true, bytes: 10) }
        }
        #expect(error?.code == .badBatch)
    }

    @Test("statuses are cut into messages of their own")
    func statuses() throws {
        let statuses = (0..<10).map {
            ResourceStatus(key: .port(Samples.id($0)), generation: 1, phase: .ready)
        }
        let frames = try MessageDivision.frames(of: statuses, limit: 60)
        #expect(frames.count > 1)
        var read: [ResourceStatus] = []
        for frame in frames {
            guard case .statuses(let part)? = try WireMessage.decode(frame) else { return #expect(Bool(false)) }
            read += part
        }
        #expect(read == statuses)
    }
}
