import CNetlink
import Glibc

/// What the kernel refused, and why.
public struct NetlinkError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was tried, with the object's name: `create bridge brq0a1b2c3d-4e`.
    public let operation: String
    /// The kernel's `errno`, positive.
    public let errno: Int32

    public init(operation: String, errno: Int32) {
        self.operation = operation
        self.errno = errno
    }

    /// Nothing of that name or index is there.
    public var isMissing: Bool { errno == ENODEV || errno == ENOENT || errno == EADDRNOTAVAIL || errno == ESRCH }
    /// Something of that name is there already.
    public var isDuplicate: Bool { errno == EEXIST }
    /// The running kernel has no such kind of link.
    public var isUnsupported: Bool { errno == EOPNOTSUPP || errno == EPROTONOSUPPORT || errno == EAFNOSUPPORT }

    public var description: String { "\(operation): \(String(cString: strerror(errno))) (errno \(errno))" }
}
