import CNetlink
import Glibc
import ProtocolModel

/// Making persistent taps. The calling thread's namespace gets them.
public enum TapDevice {
    /// Who may open the tap without privileges.
    public struct Owner: Hashable, Sendable {
        public var user: UInt32
        public var group: UInt32

        public init(user: UInt32, group: UInt32) {
            self.user = user
            self.group = group
        }
    }

    /// Makes a tap. It is named, owned and marked before it becomes persistent: a crash half-way leaves nothing, since
    /// until then the tap goes with the descriptor.
    /// - Parameter prepare: gets the new link's index while the tap is not persistent yet.
    public static func create(
        _ name: InterfaceName, owner: Owner?, socket: NetlinkSocket, prepare: (Int32) throws(NetlinkError) -> Void
    ) throws(NetlinkError) {
        let operation = "create tap \(name)"
        let descriptor = skerry_tap_open(name.text)
        guard descriptor >= 0 else { throw NetlinkError(operation: operation, errno: errno) }
        defer { close(descriptor) }
        if let owner {
            guard skerry_tap_set_owner(descriptor, owner.user) == 0,
                skerry_tap_set_group(descriptor, owner.group) == 0
            else { throw NetlinkError(operation: "set owner of tap \(name)", errno: errno) }
        }
        guard let index = try socket.index(of: name) else { throw NetlinkError(operation: operation, errno: ENODEV) }
        try prepare(index)
        guard skerry_tap_set_persistent(descriptor, 1) == 0 else {
            throw NetlinkError(operation: "keep tap \(name)", errno: errno)
        }
    }

    /// Opens a tap as a guest would: each read gives and each write takes one frame. The caller closes the descriptor.
    public static func open(_ name: InterfaceName) throws(NetlinkError) -> Int32 {
        let descriptor = skerry_tap_open(name.text)
        guard descriptor >= 0 else { throw NetlinkError(operation: "open tap \(name)", errno: errno) }
        return descriptor
    }
}
