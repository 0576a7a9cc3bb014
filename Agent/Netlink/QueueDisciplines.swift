import CNetlink
import Glibc

/// What a link sends is held to: a bucket that fills at a rate, and what waits for it (Linux `net/sched/sch_tbf.c`).
public struct TokenBucket: Hashable, Sendable {
    public var bytesPerSecond: UInt64
    /// Octets that may go at once.
    public var burstBytes: UInt32
    /// Octets that wait; what comes on top of them is lost.
    public var queueBytes: UInt32

    public init(bytesPerSecond: UInt64, burstBytes: UInt32, queueBytes: UInt32) {
        self.bytesPerSecond = bytesPerSecond
        self.burstBytes = burstBytes
        self.queueBytes = queueBytes
    }

    /// Whether this is what the kernel made of `wanted`. It keeps a burst as the time that it takes, in units of 64 ns.
    public func isSame(as wanted: Self) -> Bool {
        let burst = (Int64(burstBytes), Int64(wanted.burstBytes))
        return bytesPerSecond == wanted.bytesPerSecond && queueBytes == wanted.queueBytes
            && abs(burst.0 - burst.1) <= burst.1 / 64 + Int64(min(bytesPerSecond / 10_000_000, 1 << 32)) + 64
    }
}

/// What is done with the frames of a link, as far as this program knows of it.
public struct LinkQueues: Hashable, Sendable {
    /// What it sends, where this program has said so.
    public var bucket: TokenBucket?
    /// Whether what it receives passes filters first.
    public var hasFilters = false

    public init(bucket: TokenBucket? = nil, hasFilters: Bool = false) {
        self.bucket = bucket
        self.hasFilters = hasFilters
    }
}

extension NetlinkSocket {
    /// The number of our own discipline at a link's root ("SK"), by which it is told from others'.
    private static let root = UInt32(0x534B_0000)
    private static let ingress = UInt32(0xFFFF_0000)

    /// By the links' indices.
    public func queues() throws(NetlinkError) -> [Int32: LinkQueues] {
        var found: [Int32: LinkQueues] = [:]
        try dump(
            kind: Int(RTM_GETQDISC), header: tcmsg(), expecting: Int(RTM_NEWQDISC), operation: "list queues"
        ) { message in
            let header = nlmsg_hdr(message)
            guard let data = nlmsg_data(header) else { return }
            let info = data.load(as: tcmsg.self)
            let attributes = Self.attributes(header)
            switch attributes.string(TCA_KIND) {
            case "ingress": found[info.tcm_ifindex, default: LinkQueues()].hasFilters = true
            case "tbf" where info.tcm_handle == Self.root:
                found[info.tcm_ifindex, default: LinkQueues()].bucket =
                    attributes.nested(TCA_OPTIONS).flatMap(TokenBucket.init)
            default: break
            }
        }
        return found
    }

    /// Holds what the link sends to the bucket, in the place of whatever held it before.
    public func setBucket(_ bucket: TokenBucket, on device: Int32) throws(NetlinkError) {
        let operation = "limit link \(device)"
        let message = try NetlinkMessage(
            kind: Int(RTM_NEWQDISC), flags: Int32(NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE), operation: operation)
        message.append(Self.header(device, handle: Self.root, parent: TC_H_ROOT))
        message.put(TCA_KIND, "tbf")
        message.nest(TCA_OPTIONS) {
            var options = tc_tbf_qopt()
            options.rate.rate = UInt32(clamping: bucket.bytesPerSecond)
            options.rate.linklayer = UInt8(TC_LINKLAYER_ETHERNET.rawValue)
            options.limit = bucket.queueBytes
            message.put(TCA_TBF_PARMS, structure: options)
            message.put(TCA_TBF_BURST, bucket.burstBytes)
            if bucket.bytesPerSecond > UInt64(UInt32.max) {
                message.put(TCA_TBF_RATE64, bucket.bytesPerSecond)
            }
        }
        try request(message, operation: operation)
    }

    public func removeBucket(from device: Int32) throws(NetlinkError) {
        try removeQueue(device, handle: Self.root, parent: TC_H_ROOT)
    }

    /// Has all that the link receives go out of another link first; afterwards it goes on as if it had just come.
    public func divert(_ device: Int32, through queue: Int32) throws(NetlinkError) {
        let operation = "divert link \(device)"
        let discipline = try NetlinkMessage(
            kind: Int(RTM_NEWQDISC), flags: Int32(NLM_F_REQUEST | NLM_F_CREATE), operation: operation)
        discipline.append(Self.header(device, handle: Self.ingress, parent: TC_H_INGRESS))
        discipline.put(TCA_KIND, "ingress")
        try request(discipline, operation: operation)
        let filter = try NetlinkMessage(
            kind: Int(RTM_NEWTFILTER), flags: Int32(NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL), operation: operation)
        var header = Self.header(device, handle: 0, parent: Self.ingress)
        // The first filter, for frames of every kind (ETH_P_ALL).
        header.tcm_info = 1 << 16 | UInt32(UInt16(3).bigEndian)
        filter.append(header)
        filter.put(TCA_KIND, "u32")
        filter.nest(TCA_OPTIONS) {
            // A `tc_u32_sel` without keys, which every frame meets.
            filter.put(TCA_U32_SEL, [UInt8(TC_U32_TERMINAL)] + Array(repeating: 0, count: 15))
            filter.nest(TCA_U32_ACT) {
                filter.nest(1) {
                    filter.put(TCA_ACT_KIND, "mirred")
                    filter.nest(TCA_ACT_OPTIONS) {
                        var redirection = tc_mirred()
                        redirection.action = TC_ACT_STOLEN
                        redirection.eaction = TCA_EGRESS_REDIR
                        redirection.ifindex = UInt32(bitPattern: queue)
                        filter.put(TCA_MIRRED_PARMS, structure: redirection)
                    }
                }
            }
        }
        try request(filter, operation: operation)
    }

    /// Takes the filters away, whatever they did.
    public func undivert(_ device: Int32) throws(NetlinkError) {
        try removeQueue(device, handle: Self.ingress, parent: TC_H_INGRESS)
    }

    /// Where all that the link receives goes first, `nil` where it goes its usual way or somebody else's.
    public func diversion(of device: Int32) throws(NetlinkError) -> Int32? {
        var found: Int32?
        try dump(
            kind: Int(RTM_GETTFILTER), header: Self.header(device, handle: 0, parent: Self.ingress),
            expecting: Int(RTM_NEWTFILTER), operation: "list filters of link \(device)"
        ) { message in
            let actions = Self.attributes(nlmsg_hdr(message)).nested(TCA_OPTIONS)?
                .nested(TCA_U32_ACT)
            let redirection: tc_mirred? = actions?.nested(1)?.nested(TCA_ACT_OPTIONS)?
                .structure(TCA_MIRRED_PARMS)
            if let redirection { found = Int32(bitPattern: redirection.ifindex) }
        }
        return found
    }

    private func removeQueue(_ device: Int32, handle: UInt32, parent: UInt32) throws(NetlinkError) {
        let operation = "remove queue of link \(device)"
        let message = try NetlinkMessage(kind: Int(RTM_DELQDISC), flags: Int32(NLM_F_REQUEST), operation: operation)
        message.append(Self.header(device, handle: handle, parent: parent))
        do throws(NetlinkError) { try request(message, operation: operation) } catch {
            // Gone with its link, or never there: the kernel says EINVAL of a root that is its own.
            guard error.isMissing || error.errno == EINVAL else { throw error }
        }
    }

    private static func header(_ device: Int32, handle: UInt32, parent: UInt32) -> tcmsg {
        var header = tcmsg()
        header.tcm_ifindex = device
        header.tcm_handle = handle
        header.tcm_parent = parent
        return header
    }

    private static func attributes(_ header: UnsafeMutablePointer<nlmsghdr>?) -> Attributes {
        let size = Int32(MemoryLayout<tcmsg>.size)
        return Attributes(nlmsg_attrdata(header, size), nlmsg_attrlen(header, size))
    }
}

extension TokenBucket {
    fileprivate init?(_ attributes: Attributes) {
        guard let options: tc_tbf_qopt = attributes.structure(TCA_TBF_PARMS) else { return nil }
        let rate = attributes.uint64(TCA_TBF_RATE64) ?? UInt64(options.rate.rate)
        let burst = (rate.multipliedFullWidth(by: UInt64(options.buffer) * 64))
        let bytes = burst.high < 1_000_000_000 ? UInt64(1_000_000_000).dividingFullWidth(burst).quotient : .max
        self.init(bytesPerSecond: rate, burstBytes: UInt32(clamping: bytes), queueBytes: options.limit)
    }
}
