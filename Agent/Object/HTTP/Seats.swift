import NIOCore
import ProtocolModel
import Synchronization

/// A connection's place among those that there may be.
final class Seat: Sendable {
    let client: [UInt8]
    fileprivate let channel: any Channel
    private let idleSince = Mutex<NIODeadline?>(nil)

    fileprivate init(_ channel: any Channel, client: [UInt8]) {
        self.channel = channel
        self.client = client
    }

    /// No request of it is under way.
    var isIdle: Bool {
        get { since != nil }
        set { idleSince.withLock { $0 = newValue ? .now() : nil } }
    }

    fileprivate var since: NIODeadline? { idleSince.withLock { $0 } }
}

/// How many connections there may be, and how many of one client.
actor Seats {
    private let limit: Int
    private let perClient: Int
    private var taken: [ObjectIdentifier: Seat] = [:]
    private var counts: [[UInt8]: Int] = [:]
    /// The one loop that takes connections.
    private var waiting: CheckedContinuation<Void, Never>?

    init(_ limit: Int, perClient: Int) {
        self.limit = limit
        self.perClient = perClient
    }

    /// Waits for a place.
    /// - Returns: `nil` for a client that has its share already.
    func take(_ channel: any Channel) async -> Seat? {
        let client = Self.client(channel.remoteAddress?.ipAddress ?? "")
        guard counts[client, default: 0] < perClient else { return nil }
        while taken.count >= limit {
            let oldest = taken.values.compactMap { seat in seat.since.map { (seat, $0) } }.min { $0.1 < $1.1 }
            oldest?.0.channel.close(promise: nil)
            await withCheckedContinuation { waiting = $0 }
        }
        let seat = Seat(channel, client: client)
        taken[ObjectIdentifier(seat)] = seat
        counts[client, default: 0] += 1
        return seat
    }

    func leave(_ seat: Seat) {
        taken[ObjectIdentifier(seat)] = nil
        let left = counts[seat.client, default: 1] - 1
        counts[seat.client] = left == 0 ? nil : left
        waiting?.resume()
        waiting = nil
    }

    private static func client(_ address: String) -> [UInt8] {
        guard let octets = IPAddress(address)?.octets else { return Array(address.utf8) }
        // An address of IPv4 on a port of both families.
        if octets.count == 16, octets.prefix(12) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] {
            return octets.suffix(4)
        }
        // Whoever has one address of IPv6 has a network of them.
        return octets.count == 16 ? Array(octets.prefix(8)) : octets
    }
}
