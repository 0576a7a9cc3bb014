import CNetlink
import Glibc

/// What an interface leaves to hardware that a virtual one does not have.
public enum LinkFeatures {
    /// Has the kernel compute checksums before a frame leaves through the interface, instead of leaving them to the
    /// receiver. The interface is the calling thread's namespace's.
    public static func computeChecksums(_ interface: String) throws(NetlinkError) {
        guard skerry_disable_checksum_offload(interface) == 0 else {
            throw NetlinkError(operation: "turn off checksum offload of \(interface)", errno: errno)
        }
    }
}
