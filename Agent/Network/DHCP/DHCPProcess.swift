import Glibc
import ProtocolModel

/// Finds and signals the dnsmasq of one network, which outlives the agent. The calls block: only for the driver's own
/// thread.
struct DHCPProcess {
    let directory: String
    /// The namespace it is to run in.
    let namespace: String

    var configurationPath: String { directory + "/conf" }
    var configurationArgument: String { "--conf-file=" + configurationPath }

    /// The server's process, if it is the one that our folder belongs to and not another that got its number since.
    func running() -> Int32? {
        guard let text = HostFile.text(directory + "/pid"), let pid = Int32(text.filter { $0 != "\n" }), isOurs(pid)
        else {
            return find()
        }
        return pid
    }

    /// Whether the process lives in that namespace; one in a namespace whose name was taken away serves nobody.
    func isInside(_ pid: Int32) -> Bool {
        HostFile.identity("/proc/\(pid)/ns/net") == HostFile.identity(namespace)
    }

    func signal(_ pid: Int32, _ number: Int32) { kill(pid, number) }

    func isOurs(_ pid: Int32) -> Bool { Self.arguments(of: pid).contains(configurationArgument) }

    /// A server whose file with its number was lost. Of several with the same argument, as in a laboratory where each
    /// host has files of its own at the same place, only the one in our namespace is ours.
    private func find() -> Int32? {
        for name in HostFile.names(in: "/proc") {
            if let pid = Int32(name), isOurs(pid), isInside(pid) { return pid }
        }
        return nil
    }

    private static func arguments(of pid: Int32) -> [String] {
        let line = HostFile.read("/proc/\(pid)/cmdline", limit: 1 << 20) ?? []
        return line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}
