import AgentCore
import Glibc
import ProtocolModel
import Synchronization

/// Servers' disks as files below one folder:
///
/// ```text
/// images/SHA512.qcow2|raw     the cache, see ImageCache
/// instances/UUID/root.V.qcow2 an overlay of the cached image; V is the root disk's version
///                rescue.V.qcow2 likewise; V is the rescue's version
///                ephemeral.V.qcow2, swap.V.raw, config.iso, console.log (with .0, .1, ... rotated by virtlogd)
/// snapshots/OPERATION.copy    what the hypervisor copies out of a running guest; .qcow2: flat and compressed, to be sent
/// ```
///
/// A file under its final name is whole: it was written elsewhere, synced and renamed.
public final class FileServerStorage: ServerStorage, ImageFiles {
    public struct Settings: Sendable {
        /// Absolute. Every folder above it must let other users pass (`o+x`), since QEMU runs as one.
        public var folder: String
        /// What cached images may take before unused ones go.
        public var imageCacheLimitBytes: Int64
        /// How long a cached image must have gone unused before it may go.
        public var imageIdleSeconds: Int64

        public init(folder: String, imageCacheLimitBytes: Int64 = 20 << 30, imageIdleSeconds: Int64 = 86_400) {
            self.folder = folder
            self.imageCacheLimitBytes = imageCacheLimitBytes
            self.imageIdleSeconds = imageIdleSeconds
        }
    }

    let settings: Settings
    private let clock: any WallClock
    let workers: BlockingWorkers
    /// Operations whose snapshots are under way; files of others are left from an agent that is no more.
    let snapshots = Mutex<Set<OperationID>>([])
    private let cache: ImageCache
    private let instances: String

    public init(_ settings: Settings, clock: any WallClock, workers: Int = 4) {
        self.settings = settings
        self.clock = clock
        self.workers = BlockingWorkers(label: "skerry.storage", count: workers)
        cache = ImageCache(folder: settings.folder + "/images", workers: self.workers)
        instances = settings.folder + "/instances"
    }

    public func observe() async throws(StatusError) -> [ServerID: ServerFiles] {
        try await workers.run { () throws(StatusError) -> [ServerID: ServerFiles] in
            var found: [ServerID: ServerFiles] = [:]
            for name in try Folder.names(self.instances) {
                guard let server = ServerID(name), server.text == name else { continue }
                found[server] = try self.files(of: server)
            }
            return found
        }
    }

    public func hasImage(_ image: ImageSpec) async -> Bool { await workers.run { self.cache.holds(image) } }

    public func fetchImage(_ image: ImageSpec, from source: any ImageSource) async throws(StatusError) {
        try await workers.run { () throws(StatusError) in try Folder.make(self.settings.folder, mode: 0o711) }
        try await cache.fetch(image, from: source)
    }

    public func makeDisks(_ spec: ServerSpec) async throws(StatusError) {
        let outgrown = try await workers.run { () throws(StatusError) in
            let disks = self.serverDisks(spec, in: try self.makeFolder(of: spec.id))
            try disks.make()
            if let image = spec.image { self.cache.touch(image, now: self.clock.now()) }
            return try disks.outgrown()
        }
        for (path, bytes) in outgrown {
            try await DiskProgram.run(["resize", "-q", "-f", "qcow2", path, String(bytes)], timeLimit: .seconds(60))
        }
    }

    public func makeRescueDisk(_ spec: ServerSpec) async throws(StatusError) {
        try await workers.run { () throws(StatusError) in
            let folder = try self.makeFolder(of: spec.id)
            try self.serverDisks(spec, in: folder).makeRescue()
            if let image = spec.rescue?.image { self.cache.touch(image, now: self.clock.now()) }
        }
    }

    public func removeRescueDisk(_ server: ServerID) async throws(StatusError) {
        let folder = folder(of: server)
        try await workers.run { () throws(StatusError) in try ServerDisks.removeRescue(in: folder) }
    }

    public func makeConfigDrive(_ spec: ServerSpec, content: ConfigDriveContent) async throws(StatusError) {
        try await workers.run { () throws(StatusError) in
            let folder = try self.makeFolder(of: spec.id)
            guard try Self.configDriveDigest(in: folder) != content.digest else { return }
            let image = ISOImage.bytes(content, label: "config-2", secondsSinceEpoch: spec.createdAt / 1_000_000)
            guard let image else {
                throw StatusError(
                    code: .unsupported, message: "The config drive has a file name that no disk can hold.",
                    detail: "names over \(ISOImage.longestName) bytes, or a file where a folder is")
            }
            try Folder.write(image, as: ServerDisks.configDriveName, in: folder, mode: 0o600)
        }
    }

    public func disks(of spec: ServerSpec) -> [DomainDisk] {
        serverDisks(spec, in: folder(of: spec.id)).domainDisks
    }

    public func path(of image: ImageSpec) -> String { cache.path(of: image) }

    func serverDisks(_ spec: ServerSpec, in folder: String) -> ServerDisks {
        ServerDisks(
            spec: spec, folder: folder, image: spec.image.map(cache.path),
            rescueImage: spec.rescue.map { cache.path(of: $0.image) })
    }

    public func consoleLogPath(of server: ServerID) -> String { folder(of: server) + "/" + ConsoleLog.name }

    public func consoleLog(of server: ServerID, maximumBytes: Int) async throws(StatusError) -> [UInt8] {
        let folder = folder(of: server)
        return try await workers.run { () throws(StatusError) in
            try ConsoleLog.tail(in: folder, maximumBytes: maximumBytes)
        }
    }

    public func remove(_ server: ServerID) async throws(StatusError) {
        let folder = folder(of: server)
        try await workers.run { () throws(StatusError) in try Folder.remove(folder) }
    }

    public func sweepImages(keeping: Set<String>) async {
        await removeStraySnapshots()
        await workers.run {
            // If the disks cannot be looked at, nothing is known to be unused.
            guard let used = try? self.imagesOnDisk() else { return }
            self.cache.sweep(
                needed: keeping.union(used), now: self.clock.now(), limitBytes: self.settings.imageCacheLimitBytes,
                idleSeconds: self.settings.imageIdleSeconds)
        }
    }

    public func capacity() async throws(StatusError) -> (totalGiB: Int, freeGiB: Int) {
        let folder = settings.folder
        return try await workers.run { () throws(StatusError) in
            try Folder.make(folder, mode: 0o711)
            var status = statvfs()
            guard statvfs(folder, &status) == 0 else { throw FileFailure.last("statvfs", folder) }
            let block = UInt64(status.f_frsize)
            return (
                Int((UInt64(status.f_blocks) * block) >> 30), Int((UInt64(status.f_bavail) * block) >> 30)
            )
        }
    }

    func folder(of server: ServerID) -> String { instances + "/" + server.text }

    private func makeFolder(of server: ServerID) throws(StatusError) -> String {
        let folder = folder(of: server)
        guard !Folder.exists(folder) else { return folder }
        for path in [settings.folder, instances, folder] { try Folder.make(path, mode: 0o711) }
        return folder
    }

    private func files(of server: ServerID) throws(StatusError) -> ServerFiles {
        let folder = folder(of: server)
        let names = try Folder.names(folder)
        func latest(_ role: String) -> (name: String, version: Int)? {
            names.compactMap { name in ServerDisks.version(name, of: role).map { (name, $0) } }.max { $0.1 < $1.1 }
        }
        var files = ServerFiles(
            rootDiskVersion: nil, rescueVersion: latest("rescue")?.version,
            configDriveDigest: try Self.configDriveDigest(in: folder))
        if let root = latest("root") {
            files.rootDiskVersion = root.version
            files.rootBytes = try ServerDisks.virtualSize(of: folder + "/" + root.name)
        }
        if let disk = latest("ephemeral"), let size = try ServerDisks.virtualSize(of: folder + "/" + disk.name) {
            files.ephemeral = .init(version: disk.version, bytes: size)
        }
        if let disk = latest("swap") {
            files.swap = .init(
                version: disk.version, bytes: try OpenFile(folder + "/" + disk.name, O_RDONLY).size())
        }
        return files
    }

    private static func configDriveDigest(in folder: String) throws(StatusError) -> String? {
        let path = folder + "/" + ServerDisks.configDriveName
        guard Folder.exists(path) else { return nil }
        let descriptor = try OpenFile(path, O_RDONLY).read(at: ISOImage.descriptorOffset, count: ISOImage.sectorBytes)
        return ISOImage.digest(inDescriptor: descriptor)
    }

    /// The digests of the images that disks here are overlays of.
    private func imagesOnDisk() throws(StatusError) -> Set<String> {
        var digests: Set<String> = []
        for server in try Folder.names(instances) {
            let folder = instances + "/" + server
            for name in try Folder.names(folder) {
                guard ["root", "rescue"].contains(where: { ServerDisks.version(name, of: $0) != nil }) else { continue }
                let head = try OpenFile(folder + "/" + name, O_RDONLY).read(at: 0, count: 4096)
                guard let backing = Qcow2Disk.backingPath(head: head) else { continue }
                digests.insert(String(backing.split(separator: "/").last?.prefix { $0 != "." } ?? ""))
            }
        }
        return digests
    }
}
