import Glibc

/// What is known of a machine without asking anybody, and what its tools say of themselves.
public enum SupportFacts {
    /// - Parameter folder: Of whose file system the free space is told.
    public static func machine(folder: String) -> [String] {
        var name = utsname()
        uname(&name)
        func text<T>(_ field: T) -> String {
            withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        var lines = ["kernel: \(text(name.sysname)) \(text(name.release)) \(text(name.machine))"]
        lines += first("PRETTY_NAME=", in: "/etc/os-release").map { ["system: \($0)"] } ?? []
        lines.append("processors: \(sysconf(Int32(_SC_NPROCESSORS_ONLN)))")
        for key in ["MemTotal:", "MemAvailable:"] {
            lines += first(key, in: "/proc/meminfo").map { ["\(key) \($0)"] } ?? []
        }
        var status = statvfs()
        if statvfs(folder, &status) == 0 {
            let unit = UInt64(status.f_frsize)
            lines.append(
                "state's file system: \(UInt64(status.f_bavail) * unit >> 20) of \(UInt64(status.f_blocks) * unit >> 20) MiB free"
            )
        }
        return lines
    }

    /// - Parameter command: A fixed one of ours; the shell runs it for 20 s at most.
    /// - Returns: Its lines, so many at most.
    public static func output(_ command: String, lines limit: Int) -> [String] {
        guard let pipe = popen("exec 2>/dev/null; timeout 20 \(command)", "re") else { return [] }
        defer { pclose(pipe) }
        var lines: [String] = []
        var buffer = [CChar](repeating: 0, count: 65_536)
        while lines.count < limit, fgets(&buffer, Int32(buffer.count), pipe) != nil {
            let bytes = buffer.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init(bitPattern:))
            lines.append(String(decoding: bytes, as: UTF8.self))
        }
        return lines
    }

    /// A unit's state and the outline of its last log lines, where systemd is.
    public static func unit(_ name: String, into text: inout SupportText) {
        let properties = "ActiveState,SubState,Result,NRestarts,ExecMainStatus,MemoryCurrent,TasksCurrent,UnitFileState"
        text.add("unit", output("systemctl show \(name) --property=\(properties)", lines: 20))
        let log = output("journalctl --unit=\(name) --lines=5000 --no-pager --output=cat", lines: 5_000)
        text.add("log, without values", log.compactMap(LogOutline.line))
    }

    /// Writes a new file, its owner's alone.
    /// - Throws: ``Problem`` when there is one already, or it cannot be written.
    public static func write(_ text: SupportText, to path: String) throws(Problem) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Problem(path: path, code: errno) }
        defer { close(descriptor) }
        var rest = Array(text.text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Problem(path: path, code: errno) }
            rest = rest.dropFirst(count)
        }
    }

    public struct Problem: Error, CustomStringConvertible {
        var path: String
        var code: Int32
        public var description: String { "'\(path)' cannot be made: \(String(cString: strerror(code)))" }
    }

    /// What stands behind a word at a line's beginning.
    private static func first(_ key: String, in path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 4_096)
        while fgets(&buffer, Int32(buffer.count), file) != nil {
            let line = String(
                decoding: buffer.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            guard line.hasPrefix(key) else { continue }
            return String(line.dropFirst(key.count).drop { $0 == " " }.filter { $0 != "\"" })
        }
        return nil
    }
}
