import CoordinatorCompute
import ProtocolModel
import Testing

@Suite("compute: what becomes of a device's change")
struct ServerDeviceTests {
    static let cases: [(ServerDevice.Change?, ResourceStatus.Phase, Int64, Bool?, ServerDevice.Outcome)] = [
        (nil, .ready, 9, true, .pending), (.attach, .ready, 4, true, .pending), (.attach, .applying, 5, nil, .pending),
        (.attach, .ready, 5, true, .attached), (.attach, .ready, 5, nil, .attached),
        (.attach, .failed, 5, true, .attached),
        (.attach, .failed, 5, false, .doubtful), (.attach, .failed, 5, nil, .doubtful),
        (.detach, .ready, 5, true, .pending), (.detach, .ready, 5, false, .detached),
        (.detach, .ready, 6, nil, .detached),
        (.detach, .applying, 5, false, .pending), (.detach, .failed, 5, false, .detached),
        (.detach, .failed, 5, true, .kept), (.detach, .failed, 5, nil, .kept), (.detach, .ready, 4, false, .pending)
    ]

    @Test("decided by the change, the phase and what the guest has", arguments: cases.indices)
    func outcome(_ index: Int) {
        let (change, phase, generation, isPresent, expected) = Self.cases[index]
        var device = ServerDevice(
            server: ServerID(high: 1, low: 1), kind: .port, device: AnyID(high: 2, low: 2))
        device.change = change
        device.generation = 5
        #expect(device.outcome(phase, generation: generation, isPresent: isPresent) == expected)
    }

    @Test("what is overdue stays")
    func overdue() {
        var device = ServerDevice(server: ServerID(high: 1, low: 1), kind: .port, device: AnyID(high: 2, low: 2))
        device.change = .detach
        #expect(device.overdue == .kept)
        device.change = .attach
        #expect(device.overdue == .attached)
    }
}
