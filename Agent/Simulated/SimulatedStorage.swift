import AgentCore
import ProtocolModel

/// Disks that are only remembered.
public struct SimulatedStorage: ServerStorage {
    private let host: SimulatedHost

    public init(_ host: SimulatedHost) { self.host = host }

    public func observe() async throws(StatusError) -> [ServerID: ServerFiles] {
        try await enter(.observeFiles)
        return host.disks.withLock { $0.files }
    }

    public func hasImage(_ image: ImageSpec) async -> Bool { host.disks.withLock { $0.images.contains(image.sha512) } }

    public func fetchImage(_ image: ImageSpec, from source: any ImageSource) async throws(StatusError) {
        try await enter(.fetchImage)
        if host.behavior.readsImages {
            let length = await length(of: image, from: source)
            guard length == image.sizeBytes else {
                throw StatusError(
                    code: .badImage, message: "The image could not be fetched whole: try again, or use another image.",
                    detail: "image=\(image.id) bytes=\(length ?? -1) of \(image.sizeBytes)")
            }
        }
        _ = host.disks.withLock { $0.images.insert(image.sha512) }
    }

    private func length(of image: ImageSpec, from source: any ImageSource) async -> Int64? {
        do {
            var length: Int64 = 0
            for try await chunk in try await source.read(image, from: 0) { length += Int64(chunk.count) }
            return length
        } catch {
            return nil
        }
    }

    public func makeDisks(_ spec: ServerSpec) async throws(StatusError) {
        try await enter(.makeDisks, spec.id)
        change(spec.id) { files in
            files.rootDiskVersion = spec.image == nil ? files.rootDiskVersion : spec.rootDiskVersion
            files.rootBytes = max(files.rootBytes ?? 0, Int64(spec.rootGiB) << 30)
            let ephemeralBytes = max(files.ephemeral?.bytes ?? 0, Int64(spec.ephemeralGiB) << 30)
            files.ephemeral = ephemeralBytes > 0 ? .init(version: spec.rootDiskVersion, bytes: ephemeralBytes) : nil
            let swapBytes = Int64(spec.swapMiB) << 20
            files.swap = swapBytes > 0 ? .init(version: spec.rootDiskVersion, bytes: swapBytes) : nil
        }
    }

    public func makeRescueDisk(_ spec: ServerSpec) async throws(StatusError) {
        try await enter(.makeRescueDisk, spec.id)
        change(spec.id) { $0.rescueVersion = spec.rescue?.version }
    }

    public func removeRescueDisk(_ server: ServerID) async throws(StatusError) {
        try await enter(.removeRescueDisk, server)
        change(server) { $0.rescueVersion = nil }
    }

    public func makeConfigDrive(_ spec: ServerSpec, content: ConfigDriveContent) async throws(StatusError) {
        try await enter(.makeConfigDrive, spec.id)
        change(spec.id) { $0.configDriveDigest = content.digest }
    }

    private func change(_ server: ServerID, _ body: (inout ServerFiles) -> Void) {
        host.disks.withLock {
            body(&$0.files[server, default: ServerFiles(rootDiskVersion: nil, configDriveDigest: nil)])
        }
    }

    public func disks(of spec: ServerSpec) -> [DomainDisk] {
        guard spec.image != nil else { return [] }
        return [DomainDisk(role: .root, path: "/simulated/\(spec.id)/root", format: .qcow2)]
    }

    public func consoleLogPath(of server: ServerID) -> String { "/simulated/\(server)/console.log" }

    /// One line for each time the guest was started or reset.
    public func consoleLog(of server: ServerID, maximumBytes: Int) async throws(StatusError) -> [UInt8] {
        try await enter(.readConsole, server)
        let boots = host.guests.withLock { $0[server]?.boots ?? 0 }
        let lines = (0..<boots).map { "simulated guest \(server) boot \($0 + 1)\n" }.joined()
        return [UInt8](lines.utf8.suffix(maximumBytes))
    }

    public func makeSnapshotTarget(
        of spec: ServerSpec, for operation: OperationID
    ) async throws(StatusError) -> String {
        _ = host.disks.withLock { $0.snapshots.insert(operation) }
        return "/simulated/snapshots/\(operation)"
    }

    public func makeSnapshot(
        of spec: ServerSpec, for operation: OperationID, within limit: Duration
    ) async throws(StatusError) -> any SnapshotFile {
        try await enter(.makeSnapshot, spec.id)
        _ = host.disks.withLock { $0.snapshots.insert(operation) }
        return SimulatedSnapshot(virtualBytes: Int64(max(1, spec.rootGiB)) << 30)
    }

    public func removeSnapshot(for operation: OperationID) async {
        _ = host.disks.withLock { $0.snapshots.remove(operation) }
    }

    public func remove(_ server: ServerID) async throws(StatusError) {
        try await enter(.removeFiles, server)
        _ = host.disks.withLock { $0.files.removeValue(forKey: server) }
    }

    public func sweepImages(keeping: Set<String>) async { host.disks.withLock { $0.images.formIntersection(keeping) } }

    public func capacity() async throws(StatusError) -> (totalGiB: Int, freeGiB: Int) {
        (host.capacity.diskGiB, host.capacity.diskGiB)
    }

    private func enter(_ action: SimulatedCall.Action, _ server: ServerID? = nil) async throws(StatusError) {
        try await host.behavior.enter(SimulatedCall(action, server), clock: host.clock)
    }
}

/// A qcow2 file with nothing in it: its header, the tables of reference counts, and a table of clusters that are not there.
struct SimulatedSnapshot: SnapshotFile {
    private let bytes: [UInt8]

    init(raw length: Int) { bytes = [UInt8](repeating: 0, count: length) }

    init(virtualBytes: Int64) {
        let cluster = 65_536
        // One entry speaks for 512 MiB.
        let entries = UInt32(clamping: (virtualBytes + (1 << 29) - 1) >> 29)
        var bytes = [UInt8](repeating: 0, count: 4 * cluster)
        func put<Number: FixedWidthInteger>(_ number: Number, at offset: Int) {
            for index in 0..<(Number.bitWidth / 8) {
                bytes[offset + index] = UInt8(truncatingIfNeeded: number >> (Number.bitWidth - 8 * (index + 1)))
            }
        }
        put(UInt32(0x5146_49FB), at: 0)
        put(UInt32(3), at: 4)
        put(UInt32(16), at: 20)
        put(UInt64(virtualBytes), at: 24)
        put(entries, at: 36)
        put(UInt64(3 * cluster), at: 40)
        put(UInt64(cluster), at: 48)
        put(UInt32(1), at: 56)
        put(UInt32(4), at: 96)
        put(UInt32(104), at: 100)
        put(UInt64(2 * cluster), at: cluster)
        for index in 0..<4 { put(UInt16(1), at: 2 * cluster + 2 * index) }
        self.bytes = bytes
    }

    var sizeBytes: Int64 { Int64(bytes.count) }

    func read(at offset: Int64, count: Int) async throws(StatusError) -> [UInt8] {
        Array(bytes.dropFirst(Int(offset)).prefix(count))
    }
}
