import CNetlink
import Glibc

/// One rtnetlink request under construction; at most a page long, which no request here comes near.
final class NetlinkMessage {
    let pointer: OpaquePointer
    private let operation: String
    private var failure: Int32 = 0

    /// - Parameters:
    ///   - kind: `RTM_NEWLINK` and its like.
    ///   - operation: what an error message calls the request.
    init(kind: Int, flags: Int32, operation: String) throws(NetlinkError) {
        guard let pointer = nlmsg_alloc_simple(Int32(kind), flags) else {
            throw NetlinkError(operation: operation, errno: ENOMEM)
        }
        self.pointer = pointer
        self.operation = operation
    }

    deinit { nlmsg_free(pointer) }

    /// The fixed part that follows the netlink header.
    func append<Header: BitwiseCopyable>(_ header: Header) {
        var copy = header
        note(nlmsg_append(pointer, &copy, MemoryLayout<Header>.size, Int32(NLMSG_ALIGNTO)))
    }

    func put(_ attribute: Int, _ value: UInt8) { note(nla_put_u8(pointer, Int32(attribute), value)) }
    func put(_ attribute: Int, _ value: UInt16) { note(nla_put_u16(pointer, Int32(attribute), value)) }
    func put(_ attribute: Int, _ value: UInt32) { note(nla_put_u32(pointer, Int32(attribute), value)) }
    func put(_ attribute: Int, _ value: UInt64) { note(nla_put_u64(pointer, Int32(attribute), value)) }
    func put(_ attribute: Int, _ value: String) { note(nla_put_string(pointer, Int32(attribute), value)) }

    func put(_ attribute: Int, _ octets: [UInt8]) {
        note(nla_put(pointer, Int32(attribute), Int32(octets.count), octets))
    }

    /// A structure as the kernel's headers have it.
    func put<Structure: BitwiseCopyable>(_ attribute: Int, structure: Structure) {
        withUnsafeBytes(of: structure) { put(attribute, [UInt8]($0)) }
    }

    func nest(_ attribute: Int, _ body: () -> Void) {
        guard let start = nla_nest_start(pointer, Int32(attribute)) else { return note(-ENOMEM) }
        body()
        note(nla_nest_end(pointer, start))
    }

    /// Throws where a part did not fit.
    func finish() throws(NetlinkError) {
        if failure != 0 { throw NetlinkError(operation: operation, errno: EMSGSIZE) }
    }

    private func note(_ result: Int32) {
        if result < 0 { failure = result }
    }
}
