import AgentNetwork
import ProtocolModel
import Testing

@Suite struct ConnectionSharesTests {
    @Test("a guest that opens all it can leaves its neighbours theirs, and so do strangers together")
    func shares() {
        var shares = ConnectionShares()
        let (greedy, other) = (ServerID(high: 0, low: 1), ServerID(high: 0, low: 2))
        #expect((0..<200).count { _ in shares.admit(greedy) } == ConnectionShares.perGuest)
        #expect((0..<200).count { _ in shares.admit(nil) } == ConnectionShares.perGuest)
        #expect((0..<200).count { _ in shares.admit(other) } == ConnectionShares.perGuest)
        shares.leave(greedy)
        #expect(shares.admit(greedy) && !shares.admit(greedy))
    }

    @Test("all guests of a network together have a bound, and what is given back can be had again")
    func bound() {
        var shares = ConnectionShares()
        let guests = (0..<40).map { ServerID(high: 0, low: UInt64($0)) }
        let admitted = guests.reduce(into: [ServerID]()) { admitted, guest in
            while shares.admit(guest) { admitted.append(guest) }
        }
        #expect(admitted.count == ConnectionShares.perNetwork)
        for guest in admitted { shares.leave(guest) }
        #expect(guests.allSatisfy { shares.admit($0) })
    }
}
