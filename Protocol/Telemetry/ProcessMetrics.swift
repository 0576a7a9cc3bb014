import Glibc

/// What the kernel knows of this process (`proc(5)`). The files of `/proc` never block.
enum ProcessMetrics {
    static func read() -> [MetricsRegistry.Sample] {
        var samples: [MetricsRegistry.Sample] = []
        func add(_ name: String, _ help: String, _ value: Double?, _ kind: MetricFamily.Kind = .gauge) {
            if let value { samples.append(.init(name: name, help: help, kind: kind, value: value)) }
        }
        let stat = Stat(file("/proc/self/stat"))
        add("process_resident_memory_bytes", "Resident memory size in bytes.", residentBytes())
        add(
            "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", stat?.cpuSeconds, .counter)
        add(
            "process_start_time_seconds", "Start time of the process since unix epoch in seconds.",
            stat.flatMap { stat in bootTime(file("/proc/stat")).map { $0 + stat.startSeconds } })
        add("process_open_fds", "Number of open file descriptors.", openFiles())
        return samples
    }

    /// The fields of `/proc/self/stat` that matter here.
    struct Stat: Equatable {
        let cpuSeconds: Double
        /// After the boot.
        let startSeconds: Double

        /// - Parameter text: The second field is the program's name in parentheses, which may hold anything.
        init?(_ text: String, ticksPerSecond: Double = Double(sysconf(Int32(_SC_CLK_TCK)))) {
            guard let end = text.lastIndex(of: ")") else { return nil }
            let fields = text[text.index(after: end)...].split(separator: " ")
            // utime, stime and starttime are fields 14, 15 and 22; the first one here is field 3.
            guard fields.count > 19, let user = Double(fields[11]), let system = Double(fields[12]),
                let start = Double(fields[19]), ticksPerSecond > 0
            else { return nil }
            cpuSeconds = (user + system) / ticksPerSecond
            startSeconds = start / ticksPerSecond
        }
    }

    private static func residentBytes() -> Double? {
        let fields = file("/proc/self/statm").split(separator: " ")
        guard fields.count > 1, let pages = Double(fields[1]) else { return nil }
        return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    private static func bootTime(_ text: String) -> Double? {
        for line in text.split(separator: "\n") where line.hasPrefix("btime ") { return Double(line.dropFirst(6)) }
        return nil
    }

    private static func openFiles() -> Double? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Less ".", ".." and the folder itself.
        return Double(max(0, count - 3))
    }

    static func file(_ path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 8192)
        while bytes.count < 1_048_576 {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
