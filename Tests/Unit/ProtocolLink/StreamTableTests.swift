import NIOCore
import ProtocolLink
import ProtocolModel
import ProtocolWire
import Testing

@Suite("streams within a session")
struct StreamTableTests {
    static let source = StreamOpening.Source.image(ImageID(high: 1, low: 1), sha512: "", offset: 0)

    static func data(_ stream: UInt32, _ count: Int) -> WireMessage {
        .streamData(stream: stream, ByteBuffer(repeating: 0, count: count))
    }

    @Test("the reader grants as it reads; a sender beyond its window is caught")
    func reading() throws {
        var table = StreamTable(window: 100, limit: 4)
        let (id, effects) = try table.open(Self.source)
        #expect(id == 1)
        #expect(effects == [.send(.streamOpen(stream: 1, StreamOpening(initialCredit: 100, source: Self.source)))])
        #expect(try table.receive(Self.data(1, 100), isAcceptor: false) == [.streamBytes(1, bytes: 100)])
        #expect(table.consumed(1, 20) == [])
        #expect(table.consumed(1, 30) == [.send(.streamCredit(stream: 1, bytes: 50))])
        #expect(try table.receive(Self.data(1, 50), isAcceptor: false) == [.streamBytes(1, bytes: 50)])
        #expect(throws: LinkError.self) { try table.receive(Self.data(1, 1), isAcceptor: false) }
        #expect(try table.receive(.streamEnd(stream: 1, nil), isAcceptor: false) == [.streamEnded(1, nil)])
        #expect(try table.open(Self.source).id == 3)
    }

    @Test("the writer sends what it has credit for")
    func writing() throws {
        var table = StreamTable(window: 100, limit: 4)
        let opening = StreamOpening(initialCredit: 70, source: Self.source)
        #expect(
            try table.receive(.streamOpen(stream: 5, opening), isAcceptor: true) == [.streamOpened(5, Self.source)])
        #expect(table.takeCredit(5, upTo: 50) == 50)
        #expect(table.takeCredit(5, upTo: 50) == 20)
        #expect(table.takeCredit(5, upTo: 50) == 0)
        #expect(
            try table.receive(.streamCredit(stream: 5, bytes: 9), isAcceptor: true) == [.streamCreditGrew(5)])
        #expect(table.takeCredit(5, upTo: 50) == 9)
        #expect(table.takeCredit(7, upTo: 50) == 0)
        #expect(table.end(5, nil) == [.send(.streamEnd(stream: 5, nil))])
        #expect(table.end(5, nil) == [])
    }

    @Test("an upload goes the other way: its opener sends what it is given credit for, and hears how it ended")
    func uploads() throws {
        let source = StreamOpening.Source.upload(
            OperationID(high: 2, low: 2), image: ImageID(high: 1, low: 1), size: 90)
        var agent = StreamTable(window: 100, limit: 4)
        let (id, effects) = try agent.open(source)
        #expect(effects == [.send(.streamOpen(stream: 1, StreamOpening(initialCredit: 0, source: source)))])
        #expect(agent.takeCredit(id, upTo: 50) == 0)
        var coordinator = StreamTable(window: 100, limit: 4)
        #expect(
            try coordinator.receive(
                .streamOpen(stream: 1, StreamOpening(initialCredit: 0, source: source)), isAcceptor: true)
                == [.streamOpened(1, source), .send(.streamCredit(stream: 1, bytes: 100))])
        #expect(try agent.receive(.streamCredit(stream: 1, bytes: 100), isAcceptor: false) == [.streamCreditGrew(1)])
        #expect(agent.takeCredit(id, upTo: 150) == 100)
        #expect(try coordinator.receive(Self.data(1, 100), isAcceptor: true) == [.streamBytes(1, bytes: 100)])
        #expect(throws: LinkError.self) { try coordinator.receive(Self.data(1, 1), isAcceptor: true) }
        #expect(coordinator.consumed(1, 60) == [.send(.streamCredit(stream: 1, bytes: 60))])
        #expect(coordinator.end(1, nil) == [.send(.streamEnd(stream: 1, nil))])
        #expect(try agent.receive(.streamEnd(stream: 1, nil), isAcceptor: false) == [.streamEnded(1, nil)])
    }

    @Test("a console goes both ways, each way within the credit that its reader gives, and ends both ways at once")
    func consoles() throws {
        let source = StreamOpening.Source.console(ConsoleID(high: 3, low: 3))
        var agent = StreamTable(window: 100, limit: 4)
        let opening = StreamOpening(initialCredit: 100, source: source)
        #expect(try agent.open(source).effects == [.send(.streamOpen(stream: 1, opening))])
        var coordinator = StreamTable(window: 100, limit: 4)
        #expect(
            try coordinator.receive(.streamOpen(stream: 1, opening), isAcceptor: true)
                == [.streamOpened(1, source), .send(.streamCredit(stream: 1, bytes: 100))])
        #expect(agent.takeCredit(1, upTo: 9) == 0)
        #expect(try agent.receive(.streamCredit(stream: 1, bytes: 100), isAcceptor: false) == [.streamCreditGrew(1)])
        #expect(agent.takeCredit(1, upTo: 150) == 100)
        #expect(coordinator.takeCredit(1, upTo: 150) == 100)
        #expect(try coordinator.receive(Self.data(1, 100), isAcceptor: true) == [.streamBytes(1, bytes: 100)])
        #expect(throws: LinkError.self) { try coordinator.receive(Self.data(1, 1), isAcceptor: true) }
        #expect(try agent.receive(Self.data(1, 60), isAcceptor: false) == [.streamBytes(1, bytes: 60)])
        #expect(agent.consumed(1, 60) == [.send(.streamCredit(stream: 1, bytes: 60))])
        #expect(coordinator.end(1, nil) == [.send(.streamEnd(stream: 1, nil))])
        #expect(try agent.receive(.streamEnd(stream: 1, nil), isAcceptor: false) == [.streamEnded(1, nil)])
        #expect(!agent.isWriting(1))
    }

    @Test("frames of a stream that has just ended are let pass, those of one never opened are not")
    func stragglers() throws {
        var table = StreamTable(window: 100, limit: 4)
        let id = try table.open(Self.source).id
        #expect(table.end(id, nil).count == 1)
        #expect(try table.receive(Self.data(id, 100), isAcceptor: false) == [])
        #expect(try table.receive(.streamEnd(stream: id, nil), isAcceptor: false) == [])
        for stranger in [2 as UInt32, 3, .max] {
            #expect(throws: LinkError.self) { try table.receive(Self.data(stranger, 1), isAcceptor: false) }
            #expect(throws: LinkError.self) {
                try table.receive(.streamCredit(stream: stranger, bytes: 1), isAcceptor: false)
            }
        }
    }

    @Test("streams open in order, from the dialling side only, and not beyond the limit")
    func opening() throws {
        var table = StreamTable(window: 100, limit: 2)
        let opening = StreamOpening(initialCredit: 1, source: Self.source)
        #expect(throws: LinkError.self) { try table.receive(.streamOpen(stream: 1, opening), isAcceptor: false) }
        #expect(throws: LinkError.self) { try table.receive(.streamOpen(stream: 2, opening), isAcceptor: true) }
        _ = try table.receive(.streamOpen(stream: 3, opening), isAcceptor: true)
        #expect(throws: LinkError.self) { try table.receive(.streamOpen(stream: 3, opening), isAcceptor: true) }
        #expect(throws: LinkError.self) { try table.receive(.streamOpen(stream: 1, opening), isAcceptor: true) }
        _ = try table.receive(.streamOpen(stream: 5, opening), isAcceptor: true)
        let busy = try table.receive(.streamOpen(stream: 7, opening), isAcceptor: true)
        guard case .send(.streamEnd(7, let error))? = busy.first else { return #expect(Bool(false)) }
        #expect(error?.code == .busy)
        #expect(table.count == 2)

        var reader = StreamTable(window: 100, limit: 2)
        _ = try reader.open(Self.source)
        _ = try reader.open(Self.source)
        #expect(throws: LinkError.self) { try reader.open(Self.source) }
    }

    @Test("a kind of stream from a newer release is refused, not stumbled over")
    func unknownSource() throws {
        var table = StreamTable(window: 100, limit: 2)
        let opening = StreamOpening(initialCredit: 1, source: .unknown)
        let effects = try table.receive(.streamOpen(stream: 1, opening), isAcceptor: true)
        guard case .send(.streamEnd(1, let error))? = effects.first else { return #expect(Bool(false)) }
        #expect(error?.code == .notFound)
        #expect(table.count == 0)
        #expect(throws: LinkError.self) {
            let greedy = StreamOpening(initialCredit: .max, source: Self.source)
            _ = try table.receive(.streamOpen(stream: 3, greedy), isAcceptor: true)
        }
    }
}
