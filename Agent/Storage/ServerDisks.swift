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

    private var rootName: String { "root.\(spec.rootDiskVersion).qcow2" }
    private var ephemeralName: String { "ephemeral.\(spec.rootDiskVersion).qcow2" }
    private var swapName: String { "swap.\(spec.rootDiskVersion).raw" }

    /// The version in a root disk's file name, `nil` for any other file.
    static func rootVersion(_ name: String) -> Int? {
        let parts = name.split(separator: ".")
        guard parts.count == 3, parts[0] == "root", parts[2] == "qcow2" else { return nil }
        return Int(parts[1])
    }

    var domainDisks: [DomainDisk] {
        var disks: [DomainDisk] = []
        if image != nil { disks.append(DomainDisk(role: .root, path: folder + "/" + rootName, format: .qcow2)) }
        if spec.ephemeralGiB > 0 {
            disks.append(DomainDisk(role: .ephemeral, path: folder + "/" + ephemeralName, format: .qcow2))
        }
        if spec.swapMiB > 0 { disks.append(DomainDisk(role: .swap, path: folder + "/" + swapName, format: .raw)) }
        if spec.hasConfigDrive {
            disks.append(DomainDisk(role: .configDrive, path: folder + "/" + Self.configDriveName, format: .raw))
        }
        return disks
    }

    func make() throws(StatusError) {
        // The root disk last: once it is there, all are.
        if spec.ephemeralGiB > 0, !Folder.exists(folder + "/" + ephemeralName) {
            try write(ephemeralName, virtualSize: Int64(spec.ephemeralGiB) << 30, backing: nil)
        }
        if spec.swapMiB > 0, !Folder.exists(folder + "/" + swapName) {
            let bytes = Int64(spec.swapMiB) << 20
            let header = SwapArea.header(sizeBytes: bytes, uuid: spec.id.octets)
            try Folder.write(header, size: bytes, as: swapName, in: folder, mode: 0o600)
        }
        if let image = spec.image, let path = self.image, !Folder.exists(folder + "/" + rootName) {
            let size = try rootSize(image, at: path)
            let format = image.format == .qcow2 ? "qcow2" : "raw"
            try write(rootName, virtualSize: size, backing: .init(path: path, format: format))
        }
        try removeOtherVersions()
    }

    /// The image's own size, or the flavor's where that is larger.
    private func rootSize(_ image: ImageSpec, at path: String) throws(StatusError) -> Int64 {
        let file = try OpenFile(path, O_RDONLY)
        var size = try file.size()
        if image.format == .qcow2 {
            let head = try file.read(at: 0, count: 65_536)
            do throws(Qcow2Header.Refusal) {
                size = try Qcow2Header(head: head).virtualSize
            } catch {
                throw StatusError(
                    code: .badImage, message: "Image \(image.id) cannot be used: \(error.reason).", detail: path)
            }
        }
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

    private func removeOtherVersions() throws(StatusError) {
        let present = Set(domainDisks.map { String($0.path.dropFirst(folder.utf8.count + 1)) })
        for name in try Folder.names(folder) where !present.contains(name) {
            let isDisk = ["root.", "ephemeral.", "swap."].contains { name.hasPrefix($0) }
            if isDisk { try Folder.removeFile(folder + "/" + name) }
        }
    }
}

extension Identifier {
    /// The 16 octets of the UUID.
    var octets: [UInt8] {
        (0..<16).map { UInt8(truncatingIfNeeded: ($0 < 8 ? high : low) >> UInt64(56 - ($0 % 8) * 8)) }
    }
}
