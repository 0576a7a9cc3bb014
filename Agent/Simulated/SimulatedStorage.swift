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
        host.disks.withLock { disks in
            let configDrive = disks.files[spec.id]?.configDriveDigest
            disks.files[spec.id] = ServerFiles(rootDiskVersion: spec.rootDiskVersion, configDriveDigest: configDrive)
        }
    }

    public func makeConfigDrive(_ spec: ServerSpec, content: ConfigDriveContent) async throws(StatusError) {
        try await enter(.makeConfigDrive, spec.id)
        host.disks.withLock { disks in
            let version = disks.files[spec.id]?.rootDiskVersion
            disks.files[spec.id] = ServerFiles(rootDiskVersion: version, configDriveDigest: content.digest)
        }
    }

    public func disks(of spec: ServerSpec) -> [DomainDisk] {
        [DomainDisk(role: .root, path: "/simulated/\(spec.id)/root", format: .qcow2)]
    }

    public func consoleLogPath(of server: ServerID) -> String { "/simulated/\(server)/console.log" }

    /// One line for each time the guest was started or reset.
    public func consoleLog(of server: ServerID, maximumBytes: Int) async throws(StatusError) -> [UInt8] {
        try await enter(.readConsole, server)
        let boots = host.guests.withLock { $0[server]?.boots ?? 0 }
        let lines = (0..<boots).map { "simulated guest \(server) boot \($0 + 1)\n" }.joined()
        return [UInt8](lines.utf8.suffix(maximumBytes))
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
