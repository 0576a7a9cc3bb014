import ProtocolModel

/// Decides how taps are held to the limits of their ports. Pure.
///
/// What goes to a guest waits at its tap's own root. What comes from one cannot wait there: it is diverted through a
/// queue of its own, where it waits, and comes back as if it had just arrived, with all rules before it.
public enum ShapingPlanner {
    public enum Action: Hashable, Sendable {
        case setBucket(TokenBucket)
        case removeBucket
        case divert(through: Int32)
        case undivert
    }

    public struct Step: Hashable, Sendable {
        public var device: Int32
        public var port: PortID
        public var action: Action

        public init(_ device: Int32, _ port: PortID, _ action: Action) {
            self.device = device
            self.port = port
            self.action = action
        }
    }

    public struct Observed: Hashable, Sendable {
        public var links: [ObservedLink]
        public var queues: [Int32: LinkQueues]
        /// Where what a tap receives goes, of those whose guests are limited.
        public var diversions: [Int32: Int32]

        public init(links: [ObservedLink], queues: [Int32: LinkQueues], diversions: [Int32: Int32] = [:]) {
            self.links = links
            self.queues = queues
            self.diversions = diversions
        }
    }

    /// Taps whose guests are no longer limited, to be done before the queues go that frames are sent through: a frame
    /// that is diverted to nowhere is lost.
    public static func release(ports: [PortID: PortSpec], observed: Observed) -> [Step] {
        taps(observed).compactMap { port, tap in
            guard observed.queues[tap.index]?.hasFilters == true, ports[port]?.quality.fromGuest == nil else {
                return nil
            }
            return Step(tap.index, port, .undivert)
        }
    }

    /// - Parameter networks: For their MTU; ports of others are left alone.
    public static func plan(
        ports: [PortID: PortSpec], networks: [NetworkID: NetworkSpec], observed: Observed
    ) -> [Step] {
        var queueDevices: [PortID: Int32] = [:]
        for link in observed.links {
            if case .queue(let port)? = OwnershipMark(alias: link.alias) { queueDevices[port] = link.index }
        }
        var steps = release(ports: ports, observed: observed)
        for (id, tap) in taps(observed) {
            let port = ports[id]
            let mtuBytes = port.flatMap { networks[$0.network]?.mtuBytes } ?? tap.mtuBytes
            let present = observed.queues[tap.index] ?? LinkQueues()
            steps += hold(
                tap.index, id, to: port?.quality.toGuest.map { bucket(for: $0, mtuBytes: mtuBytes) }, present.bucket)
            guard let limit = port?.quality.fromGuest, let queue = queueDevices[id] else { continue }
            steps += hold(
                queue, id, to: bucket(for: limit, mtuBytes: mtuBytes), observed.queues[queue]?.bucket)
            guard observed.diversions[tap.index] != queue else { continue }
            if present.hasFilters { steps.append(Step(tap.index, id, .undivert)) }
            steps.append(Step(tap.index, id, .divert(through: queue)))
        }
        return steps
    }

    private static func taps(_ observed: Observed) -> [(PortID, ObservedLink)] {
        observed.links.compactMap { link in
            guard case .port(let id)? = OwnershipMark(alias: link.alias) else { return nil }
            return (id, link)
        }.sorted { $0.0 < $1.0 }
    }

    private static func hold(
        _ device: Int32, _ port: PortID, to wanted: TokenBucket?, _ present: TokenBucket?
    ) -> [Step] {
        guard let wanted else { return present == nil ? [] : [Step(device, port, .removeBucket)] }
        return present?.isSame(as: wanted) ?? false ? [] : [Step(device, port, .setBucket(wanted))]
    }

    /// What waits longer than this is lost, so that a limited guest's answers do not come ever later.
    private static let longestWait = UInt64(50)  // ms
    /// One frame of those that hold many segments has to fit (65,535 octets and what goes before them).
    private static let leastQueue = UInt64(80 << 10)
    private static let mostQueue = UInt64(256 << 20)

    /// A burst is at least two frames, and what comes in one tick of a slow clock (250 a second).
    public static func bucket(for limit: PortSpec.RateLimit, mtuBytes: Int) -> TokenBucket {
        let rate = max(1, UInt64(limit.bitsPerSecond) / 8)
        let burst = max(UInt64(limit.burstBytes), 2 * UInt64(mtuBytes + 18), rate / 250)
        let queue = min(max(rate / 1000 * longestWait, leastQueue), mostQueue)
        return TokenBucket(
            bytesPerSecond: rate, burstBytes: UInt32(min(burst, longestBurst(rate))), queueBytes: UInt32(queue))
    }

    /// The kernel counts a burst's time with 32 bits, in units of 64 ns.
    private static func longestBurst(_ rate: UInt64) -> UInt64 {
        min(UInt64(UInt32.max), rate.multipliedReportingOverflow(by: 270).overflow ? .max : rate * 270)
    }
}
