import AgentCore
import Glibc
import ProtocolModel

/// One server's disks in its folder. All that touches files blocks.
struct ServerDisks {
    static let configDriveName = "config.iso"

    let spec: ServerSpec
    let folder: String
    /// The cached image's path; `nil` for a server that starts from a volume.
    let image: String?
    /// The cached path of the image that it is rescued with.
    let rescueImage: String?

    private var rootName: String { "root.\(spec.rootDiskVersion).qcow2" }
    private var ephemeralName: String { "ephemeral.\(spec.rootDiskVersion).qcow2" }
    private var swapName: String { "swap.\(spec.rootDiskVersion).raw" }

    /// The version in a disk's file name, `nil` for any other file.
    /// - Parameter role: What the name begins with: `root`, `ephemeral`, `swap` or `rescue`.
    static func version(_ name: String, of role: String) -> Int? {
        let parts = name.split(separator: ".")
        guard parts.count == 3, parts[0] == role, parts[2] == (role == "swap" ? "raw" : "qcow2") else { return nil }
        return Int(parts[1])
    }

    static func rescueName(_ version: Int) -> String { "rescue.\(version).qcow2" }

    var domainDisks: [DomainDisk] {
        var disks: [DomainDisk] = []
        if let rescue = spec.rescue {
            disks.append(DomainDisk(role: .rescue, path: path(Self.rescueName(rescue.version)), format: .qcow2))
        }
        if image != nil { disks.append(DomainDisk(role: .root, path: path(rootName), format: .qcow2)) }
        if spec.ephemeralGiB > 0 {
            disks.append(DomainDisk(role: .ephemeral, path: path(ephemeralName), format: .qcow2))
        }
        if spec.swapMiB > 0 { disks.append(DomainDisk(role: .swap, path: path(swapName), format: .raw)) }
        if spec.hasConfigDrive {
            disks.append(DomainDisk(role: .configDrive, path: path(Self.configDriveName), format: .raw))
        }
        return disks
    }

    private func path(_ name: String) -> String { folder + "/" + name }

    func make() throws(StatusError) {
        // The root disk last: once it is there, all are.
        if spec.ephemeralGiB > 0, !Folder.exists(path(ephemeralName)) {
            try write(ephemeralName, virtualSize: ephemeralBytes, backing: nil)
        }
        try makeSwap()
        if let image = spec.image, let path = self.image, !Folder.exists(self.path(rootName)) {
            let size = try rootSize(image, at: path)
            try write(rootName, virtualSize: size, backing: Self.backing(image, at: path))
        }
        try removeEarlierVersions()
    }

    private var ephemeralBytes: Int64 { Int64(spec.ephemeralGiB) << 30 }

    /// Disks that are smaller than they shall be, and what they shall be.
    func outgrown() throws(StatusError) -> [(path: String, bytes: Int64)] {
        // A CD is as large as it is.
        let rootBytes = spec.image.map { $0.format != .iso } == true ? Int64(spec.rootGiB) << 30 : 0
        var found: [(path: String, bytes: Int64)] = []
        for (name, bytes) in [(rootName, rootBytes), (ephemeralName, ephemeralBytes)] where Folder.exists(path(name)) {
            if let size = try Self.virtualSize(of: path(name)), size < bytes { found.append((path(name), bytes)) }
        }
        return found
    }

    /// A clone of the rescue's image, as large as that is; what was used for an earlier rescue goes.
    func makeRescue() throws(StatusError) {
        guard let rescue = spec.rescue, let path = rescueImage else { return }
        let name = Self.rescueName(rescue.version)
        if !Folder.exists(self.path(name)) {
            let size = try virtualSize(rescue.image, at: path)
            try write(name, virtualSize: size, backing: Self.backing(rescue.image, at: path))
        }
        try Self.removeRescue(in: folder, besides: name)
    }

    static func removeRescue(in folder: String, besides kept: String? = nil) throws(StatusError) {
        for name in try Folder.names(folder) where version(name, of: "rescue") != nil && name != kept {
            try Folder.removeFile(folder + "/" + name)
        }
    }

    private static func backing(_ image: ImageSpec, at path: String) -> Qcow2Disk.Backing {
        .init(path: path, format: image.format == .qcow2 ? "qcow2" : "raw")
    }

    /// Swap holds nothing worth keeping: one of another size is made anew.
    private func makeSwap() throws(StatusError) {
        let bytes = Int64(spec.swapMiB) << 20
        if Folder.exists(path(swapName)), try OpenFile(path(swapName), O_RDONLY).size() == bytes { return }
        guard bytes > 0 else { return try Folder.removeFile(path(swapName)) }
        let header = SwapArea.header(sizeBytes: bytes, uuid: spec.id.octets)
        try Folder.write(header, size: bytes, as: swapName, in: folder, mode: 0o600)
    }

    /// As a guest sees a qcow2 disk; `nil` for a file that is none.
    static func virtualSize(of path: String) throws(StatusError) -> Int64? {
        Qcow2Disk.virtualSize(head: try OpenFile(path, O_RDONLY).read(at: 0, count: 32))
    }

    /// Of an image, as a guest sees it.
    private func virtualSize(_ image: ImageSpec, at path: String) throws(StatusError) -> Int64 {
        let file = try OpenFile(path, O_RDONLY)
        guard image.format == .qcow2 else { return try file.size() }
        let head = try file.read(at: 0, count: 65_536)
        do throws(Qcow2Header.Refusal) {
            return try Qcow2Header(head: head).virtualSize
        } catch {
            throw StatusError(
                code: .badImage, message: "Image \(image.id) cannot be used: \(error.reason).", detail: path)
        }
    }

    /// The image's own size, or the flavor's where that is larger.
    private func rootSize(_ image: ImageSpec, at path: String) throws(StatusError) -> Int64 {
        let size = try virtualSize(image, at: path)
        // A CD is as large as it is.
        guard spec.rootGiB > 0, image.format != .iso else { return size }
        let wanted = Int64(spec.rootGiB) << 30
        guard size <= wanted else {
            throw StatusError(
                code: .badImage,
                message: "The image needs a disk of \((size + (1 << 30) - 1) >> 30) GiB, and the flavor gives "
                    + "\(spec.rootGiB) GiB: use a larger flavor.",
                detail: "virtual size \(size) bytes of \(path)")
        }
        return wanted
    }

    private func write(_ name: String, virtualSize: Int64, backing: Qcow2Disk.Backing?) throws(StatusError) {
        guard let bytes = Qcow2Disk.bytes(virtualSize: virtualSize, backing: backing) else {
            throw StatusError(
                code: .unsupported,
                message: "No disk of \(virtualSize) bytes can be made: use another image or flavor.",
                detail: "\(folder)/\(name) on \(backing?.path ?? "nothing")")
        }
        try Folder.write(bytes, as: name, in: folder, mode: 0o600)
    }

    /// What a later plan made is not this one's to remove.
    private func removeEarlierVersions() throws(StatusError) {
        for name in try Folder.names(folder) {
            let versions = ["root", "ephemeral", "swap"].compactMap { Self.version(name, of: $0) }
            guard let version = versions.first, version < spec.rootDiskVersion else { continue }
            try Folder.removeFile(path(name))
        }
    }
}

extension Identifier {
    /// The 16 octets of the UUID.
    var octets: [UInt8] {
        (0..<16).map { UInt8(truncatingIfNeeded: ($0 < 8 ? high : low) >> UInt64(56 - ($0 % 8) * 8)) }
    }
}
