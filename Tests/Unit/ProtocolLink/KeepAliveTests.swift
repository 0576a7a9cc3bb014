import ProtocolLink
import Testing
import TestsSupportRandomness

@Suite("keep-alive, credit and backoff: values without a clock")
struct KeepAliveTests {
    @Test("an idle peer is pinged once an interval and given up after three")
    func silence() {
        var keepAlive = KeepAlive(interval: .seconds(5), now: .seconds(100))
        #expect(keepAlive.deadline == .seconds(105))
        #expect(keepAlive.tick(now: .seconds(104)) == nil)
        #expect(keepAlive.tick(now: .seconds(105)) == .ping(1))
        #expect(keepAlive.tick(now: .seconds(106)) == nil)
        #expect(keepAlive.tick(now: .seconds(110)) == .ping(2))
        #expect(keepAlive.tick(now: .seconds(115)) == .giveUp)
    }

    @Test("any frame is a sign of life, and a clock that jumps back is not held against the peer")
    func signs() {
        var keepAlive = KeepAlive(interval: .seconds(5), now: .zero)
        keepAlive.heard(now: .seconds(4))
        #expect(keepAlive.deadline == .seconds(9))
        #expect(keepAlive.tick(now: .seconds(5)) == nil)
        #expect(keepAlive.tick(now: .seconds(9)) == .ping(1))
        keepAlive.heard(now: .seconds(10))
        keepAlive.heard(now: .seconds(2))
        #expect(keepAlive.tick(now: .seconds(14)) == nil)
        #expect(keepAlive.tick(now: .seconds(15)) == .ping(2))
        #expect(keepAlive.tick(now: .seconds(24)) == .ping(3))
        #expect(keepAlive.tick(now: .seconds(30)) == .giveUp)
    }

    @Test("a process that itself stood still asks before it gives up")
    func ownSleep() {
        var keepAlive = KeepAlive(interval: .seconds(5), now: .zero)
        #expect(keepAlive.tick(now: .seconds(500)) == .ping(1))
        #expect(keepAlive.tick(now: .seconds(504)) == nil)
        #expect(keepAlive.tick(now: .seconds(505)) == .ping(2))
        #expect(keepAlive.tick(now: .seconds(510)) == .giveUp)
    }

    @Test("send credit is all or nothing for messages, what there is for streams, and has an upper bound")
    func sendCredit() throws {
        var credit = SendCredit(10)
        #expect(credit.take(11) == false)
        #expect(credit.take(10) == true)
        #expect(credit.takeUpTo(5) == 0)
        try credit.grow(by: 7)
        #expect(credit.takeUpTo(5) == 5)
        #expect(credit.available == 2)
        #expect(throws: LinkError.self) { try credit.grow(by: UInt32(SendCredit.limit)) }
        #expect(credit.available == 2)
    }

    @Test("a sender that ignores its credit is caught; grants come by quarters of the window")
    func receiveCredit() throws {
        var credit = ReceiveCredit(window: 100)
        try credit.receive(60)
        #expect(throws: LinkError.self) { try credit.receive(41) }
        #expect(credit.consume(24) == nil)
        #expect(credit.consume(36) == 60)
        try credit.receive(100)
        #expect(throws: LinkError.self) { try credit.receive(1) }
    }

    @Test(
        "backoff doubles up to its bound, spreads over the upper half, and starts afresh",
        arguments: 0..<20 as Range<UInt64>)
    func backoff(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var backoff = Backoff(initial: .milliseconds(100), maximum: .seconds(1))
        for ceiling in [100, 200, 400, 800, 1000, 1000, 1000] {
            let delay = backoff.next(using: &generator)
            #expect(delay >= .milliseconds(ceiling / 2))
            #expect(delay <= .milliseconds(ceiling))
        }
        backoff.reset()
        #expect(backoff.next(using: &generator) <= .milliseconds(100))
    }
}
