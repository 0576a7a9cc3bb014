import CNetlink
import Glibc

/// A netlink socket. It belongs to the network namespace of the thread that opened it, for good, and is used from one
/// thread at a time.
public final class NetlinkSocket {
    private let socket: OpaquePointer
    private let context: Context

    /// What the library's callbacks write to.
    private final class Context {
        var errno: Int32 = 0
        var visit: ((OpaquePointer) -> Void)?
    }

    /// Opens a socket in the calling thread's network namespace.
    public convenience init() throws(NetlinkError) { try self.init(protocol: NETLINK_ROUTE) }

    /// - Parameter number: `NETLINK_ROUTE` or another of its kind.
    init(protocol number: Int32) throws(NetlinkError) {
        guard let socket = nl_socket_alloc() else {
            throw NetlinkError(operation: "open netlink socket", errno: ENOMEM)
        }
        guard nl_connect(socket, number) == 0 else {
            let failure = Glibc.errno
            nl_socket_free(socket)
            throw NetlinkError(operation: "open netlink socket", errno: failure == 0 ? EIO : failure)
        }
        self.socket = socket
        context = Context()
        nl_socket_disable_auto_ack(socket)
        // A dump of a thousand links outgrows the page that the library reads at a time by default.
        nl_socket_set_msg_buf_size(socket, 65536)
        let argument = Unmanaged.passUnretained(context).toOpaque()
        nl_socket_modify_err_cb(
            socket, NL_CB_CUSTOM,
            { _, failure, argument in
                guard let failure, let argument else { return Int32(NL_STOP.rawValue) }
                Unmanaged<Context>.fromOpaque(argument).takeUnretainedValue().errno = -failure.pointee.error
                return Int32(NL_STOP.rawValue)
            }, argument)
        nl_socket_modify_cb(
            socket, NL_CB_VALID, NL_CB_CUSTOM,
            { message, argument in
                guard let message, let argument else { return Int32(NL_OK.rawValue) }
                Unmanaged<Context>.fromOpaque(argument).takeUnretainedValue().visit?(message)
                return Int32(NL_OK.rawValue)
            }, argument)
    }

    /// Opens a socket in the namespace that a file such as `/run/netns/NAME` stands for.
    public static func opened(inNamespace path: String) throws(NetlinkError) -> NetlinkSocket {
        let box = try NamespaceThread.once(in: path) { () throws(NetlinkError) in SocketBox(try NetlinkSocket()) }
        return box.socket
    }

    deinit { nl_socket_free(socket) }

    /// Sends a request and waits for the kernel's acknowledgement.
    func request(_ message: NetlinkMessage, operation: String) throws(NetlinkError) {
        try message.finish()
        nlmsg_hdr(message.pointer).pointee.nlmsg_flags |= UInt16(NLM_F_ACK)
        context.errno = 0
        var result = nl_send_auto(socket, message.pointer)
        if result >= 0 { result = nl_wait_for_ack(socket) }
        guard result >= 0 else { throw failure(operation, result) }
    }

    /// Sends a dump request and shows each answer to `visit`. A dump that the kernel marks as torn is asked for again.
    func dump(
        kind: Int, family: UInt8, expecting: Int, operation: String, visit: (OpaquePointer) -> Void
    ) throws(NetlinkError) {
        var header = ifinfomsg()
        header.ifi_family = family
        try dump(kind: kind, header: header, expecting: expecting, operation: operation, visit: visit)
    }

    /// - Parameter header: the fixed part of the request, with the family in it.
    func dump<Header: BitwiseCopyable>(
        kind: Int, header: Header, expecting: Int, operation: String, visit: (OpaquePointer) -> Void
    ) throws(NetlinkError) {
        let message = try NetlinkMessage(
            kind: kind, flags: Int32(NLM_F_REQUEST | NLM_F_DUMP), operation: operation)
        message.append(header)
        try message.finish()
        context.errno = 0
        var result = nl_send_auto(socket, message.pointer)
        if result >= 0 {
            result = withoutActuallyEscaping(visit) { visit in
                context.visit = { answer in
                    if Int(nlmsg_hdr(answer).pointee.nlmsg_type) == expecting { visit(answer) }
                }
                defer { context.visit = nil }
                return nl_recvmsgs_default(socket)
            }
        }
        guard result >= 0 else { throw failure(operation, result) }
    }

    /// Sends a request that is answered by one message instead of an acknowledgement.
    func ask(_ message: NetlinkMessage, operation: String, visit: (OpaquePointer) -> Void) throws(NetlinkError) {
        try message.finish()
        context.errno = 0
        var result = nl_send_auto(socket, message.pointer)
        if result >= 0 {
            result = withoutActuallyEscaping(visit) { visit in
                context.visit = visit
                defer { context.visit = nil }
                return nl_recvmsgs_default(socket)
            }
        }
        guard result >= 0 else { throw failure(operation, result) }
    }

    private func failure(_ operation: String, _ result: Int32) -> NetlinkError {
        if context.errno != 0 { return NetlinkError(operation: operation, errno: context.errno) }
        // The library's own codes: only those that say something an errno says too.
        let code: Int32 =
            switch -result {
            case NLE_NOMEM: ENOMEM
            case NLE_DUMP_INTR: EINTR
            case NLE_PERM: EPERM
            default: EIO
            }
        return NetlinkError(operation: operation, errno: code)
    }
}

/// Carries a socket from the thread that opened it to the one that will use it.
///
/// Sendable without the compiler's proof: the opening thread ends before the receiver gets the box, so there is never more than one user.
private struct SocketBox: @unchecked Sendable {
    let socket: NetlinkSocket
    init(_ socket: NetlinkSocket) { self.socket = socket }
}
