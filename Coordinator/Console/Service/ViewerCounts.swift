import ProtocolModel
import Synchronization

/// How many look at each server.
final class ViewerCounts: Sendable {
    private let most: Int
    private let counts = Mutex<[ServerID: Int]>([:])

    init(most: Int) { self.most = most }

    func enter(_ server: ServerID) -> Bool {
        counts.withLock { counts in
            guard counts[server, default: 0] < most else { return false }
            counts[server, default: 0] += 1
            return true
        }
    }

    func leave(_ server: ServerID) {
        counts.withLock { counts in
            let left = counts[server, default: 0] - 1
            counts[server] = left > 0 ? left : nil
        }
    }
}

/// How many connections there are.
final class ConnectionCount: Sendable {
    private let most: Int
    private let count = Mutex(0)

    init(most: Int) { self.most = most }

    func enter() -> Bool {
        count.withLock { count in
            guard count < most else { return false }
            count += 1
            return true
        }
    }

    func leave() { count.withLock { $0 -= 1 } }
}
