import Glibc

/// Settings below `/proc/sys/net`, which belong to the calling thread's network namespace.
public enum KernelSetting {
    /// - Parameter path: below `/proc/sys/net`, such as `bridge/bridge-nf-call-iptables`.
    /// - Returns: `nil` where the running kernel has no such setting.
    public static func read(_ path: String) -> String? {
        let descriptor = open("/proc/sys/net/" + path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        guard count >= 0 else { return nil }
        return String(decoding: buffer[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    /// Writes the value unless it is in force already.
    public static func write(_ path: String, _ value: String) throws(NetlinkError) {
        if read(path) == value { return }
        let operation = "set net/\(path) to \(value)"
        let descriptor = open("/proc/sys/net/" + path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw NetlinkError(operation: operation, errno: errno) }
        defer { close(descriptor) }
        let octets = Array(value.utf8)
        guard Glibc.write(descriptor, octets, octets.count) == octets.count else {
            throw NetlinkError(operation: operation, errno: errno)
        }
    }
}
