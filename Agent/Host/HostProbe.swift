import Glibc
import ProtocolModel

/// Reads the host's state. `/proc` answers from memory, so these calls do not block.
public struct HostProbe: Sendable {
    private static let longestFile = 1 << 20
    private let root: String

    /// - Parameter root: Where procfs is mounted.
    public init(root: String = "/proc") { self.root = root }

    public func sample() throws(StatusError) -> HostSample {
        guard let memory = MemoryInfo(meminfo: try text("meminfo")) else { throw Self.unreadable("meminfo") }
        guard let load = ProcText.loadMilli(try text("loadavg")) else { throw Self.unreadable("loadavg") }
        guard let uptime = ProcText.uptimeSeconds(try text("uptime")) else { throw Self.unreadable("uptime") }
        return HostSample(
            memory: memory, cpu: CPUInfo(cpuinfo: try text("cpuinfo")), loadMilli: load, uptimeSeconds: uptime)
    }

    /// Differs from boot to boot.
    public func bootID() throws(StatusError) -> String {
        let lines = try text("sys/kernel/random/boot_id").split(separator: "\n")
        guard let first = lines.first else { throw Self.unreadable("boot_id") }
        return String(first)
    }

    public func hostname() throws(StatusError) -> String {
        let lines = try text("sys/kernel/hostname").split(separator: "\n")
        guard let first = lines.first else { throw Self.unreadable("hostname") }
        return String(first)
    }

    private func text(_ name: String) throws(StatusError) -> String {
        let path = root + "/" + name
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.unreadable(path, String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while content.count < Self.longestFile {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.unreadable(path, String(cString: strerror(errno))) }
            if count == 0 { break }
            content += buffer[..<count]
        }
        return String(decoding: content, as: UTF8.self)
    }

    private static func unreadable(_ path: String, _ reason: String = "not understood") -> StatusError {
        StatusError(
            code: .hostFailure, message: "The host's own state could not be read: the agent's log there says why.",
            detail: "\(path): \(reason)")
    }
}
