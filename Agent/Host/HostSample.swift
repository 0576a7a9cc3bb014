/// What `/proc` shows of the host at one moment. Parsing is pure; ``HostProbe`` reads.
///
/// Source: `proc(5)`.
public struct HostSample: Equatable, Sendable {
    public var memory: MemoryInfo
    public var cpu: CPUInfo
    /// Thousandths of the one-minute load average.
    public var loadMilli: Int
    public var uptimeSeconds: Int64

    public init(memory: MemoryInfo, cpu: CPUInfo, loadMilli: Int, uptimeSeconds: Int64) {
        self.memory = memory
        self.cpu = cpu
        self.loadMilli = loadMilli
        self.uptimeSeconds = uptimeSeconds
    }
}

public struct MemoryInfo: Equatable, Sendable {
    public var totalMiB: Int
    /// What could be given away without swapping (`MemAvailable`).
    public var availableMiB: Int

    public init(totalMiB: Int, availableMiB: Int) {
        self.totalMiB = totalMiB
        self.availableMiB = availableMiB
    }

    /// - Parameter text: `/proc/meminfo`.
    /// - Returns: `nil` without a total.
    public init?(meminfo text: String) {
        var kibibytes: [Substring: Int] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, let number = parts[1].split(separator: " ").first else { continue }
            kibibytes[parts[0]] = Int(number)
        }
        guard let total = kibibytes["MemTotal"] else { return nil }
        // Kernels before 3.14 do not estimate it.
        let available = kibibytes["MemAvailable"] ?? kibibytes["MemFree"] ?? 0
        self.init(totalMiB: total / 1024, availableMiB: available / 1024)
    }
}

public struct CPUInfo: Equatable, Sendable {
    public var logicalProcessors: Int
    public var modelName: String

    public init(logicalProcessors: Int, modelName: String) {
        self.logicalProcessors = logicalProcessors
        self.modelName = modelName
    }

    /// - Parameter text: `/proc/cpuinfo`.
    public init(cpuinfo text: String) {
        var processors = 0
        var model = ""
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard let key = parts.first else { continue }
            if key.hasPrefix("processor") { processors += 1 }
            if key.hasPrefix("model name"), model.isEmpty, parts.count == 2 { model = String(parts[1].dropFirst()) }
        }
        self.init(logicalProcessors: max(1, processors), modelName: model)
    }
}

public enum ProcText {
    /// - Parameter text: `/proc/loadavg`.
    /// - Returns: Thousandths of the first number.
    public static func loadMilli(_ text: String) -> Int? {
        guard let first = text.split(separator: " ").first else { return nil }
        let parts = first.split(separator: ".")
        guard parts.count == 2, let whole = Int(parts[0]), let hundredths = Int(parts[1]), parts[1].utf8.count == 2
        else { return nil }
        return whole * 1000 + hundredths * 10
    }

    /// - Parameter text: `/proc/uptime`.
    public static func uptimeSeconds(_ text: String) -> Int64? {
        text.split(separator: ".").first.flatMap { Int64($0) }
    }
}
