import CNetlink
import Glibc

/// Named network namespaces, as `ip netns` knows them: files below `/run/netns` with a namespace mounted on each.
public enum NetworkNamespace {
    public static let directory = "/run/netns"

    public static func path(_ name: String) -> String { "\(directory)/\(name)" }

    /// The names that are there, sorted; among them files on which nothing is mounted any more.
    public static func list() -> [String] {
        guard let folder = opendir(directory) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Whether the name stands for a namespace and is not a mere file that a crash left.
    public static func exists(_ name: String) -> Bool {
        let descriptor = open(path(name), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return skerry_is_namespace(descriptor) == 1
    }

    /// Makes the namespace unless it is there.
    public static func create(_ name: String) throws(NetlinkError) {
        if exists(name) { return }
        let operation = "create namespace \(name)"
        try prepareDirectory()
        let target = path(name)
        let descriptor = open(target, O_RDONLY | O_CREAT | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw NetlinkError(operation: operation, errno: errno) }
        close(descriptor)
        do throws(NetlinkError) {
            try NamespaceThread.once(in: nil) { () throws(NetlinkError) in
                guard skerry_unshare_network() == 0,
                    mount("/proc/thread-self/ns/net", target, "none", UInt(MS_BIND), nil) == 0
                else { throw NetlinkError(operation: operation, errno: errno) }
            }
        } catch {
            unlink(target)
            throw error
        }
    }

    /// Takes the name away; the namespace itself goes with the last process or socket in it.
    public static func delete(_ name: String) throws(NetlinkError) {
        let target = path(name)
        umount2(target, Int32(MNT_DETACH))
        guard unlink(target) == 0 || errno == ENOENT else {
            throw NetlinkError(operation: "delete namespace \(name)", errno: errno)
        }
    }

    /// Makes the directory a shared mount of its own, so that a namespace deleted here is gone in every mount namespace
    /// that was split off meanwhile, instead of being kept alive there.
    private static func prepareDirectory() throws(NetlinkError) {
        let operation = "prepare \(directory)"
        guard mkdir(directory, 0o755) == 0 || errno == EEXIST else {
            throw NetlinkError(operation: operation, errno: errno)
        }
        let flags = UInt(MS_SHARED | MS_REC)
        if mount("", directory, "none", flags, nil) == 0 { return }
        guard errno == EINVAL,
            mount(directory, directory, "none", UInt(MS_BIND | MS_REC), nil) == 0,
            mount("", directory, "none", flags, nil) == 0
        else { throw NetlinkError(operation: operation, errno: errno) }
    }
}
