import AgentCore
import Glibc
import ProtocolModel

/// The one folder in which a pool keeps everything, and what is done to files in it, each at once or not at all. All
/// calls block.
///
/// What volumes and snapshots are called are symbolic links to layers (``LinkName``), so that a change takes effect with
/// one rename. Layers name those below them relatively: the folder may be moved.
struct PoolFolder: Sendable {
    /// Absolute.
    let path: String
    /// Called before each change, with what is about to be done: tests break off there.
    var faults: (@Sendable (String) throws(StatusError) -> Void)?

    static let partSuffix = ".part"

    func path(of layer: LayerName) -> String { path + "/" + layer.text }

    func exists(_ layer: LayerName) -> Bool { Folder.exists(path(of: layer)) }

    func location(of volume: VolumeID) -> String { path + "/" + LinkName.volume(volume).text }

    /// - Parameter known: What layers are above, as far as it is known and cannot have changed.
    func map(_ known: [LayerName: LayerName?]) throws(StatusError) -> LayerMap {
        var map = LayerMap()
        for name in try Folder.names(path) {
            if let layer = LayerName(name) {
                if let below = known[layer] {
                    map.layers[layer] = .some(below)
                } else {
                    map.layers[layer] = .some(try backing(of: layer))
                }
            } else if let link = LinkName(name) {
                map.links[link] = try target(of: name)
            } else if name.hasSuffix(Self.partSuffix) {
                map.parts.append(name)
            }
        }
        return map
    }

    /// An image stands alone: that was made sure of before it came into the cache.
    private func backing(of layer: LayerName) throws(StatusError) -> LayerName? {
        guard !layer.isImage else { return nil }
        guard let path = Qcow2Disk.backingPath(head: try head(of: layer)) else { return nil }
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        guard let below = LayerName(name) else {
            throw Self.damaged("\(layer.text) is above '\(path)', which is no layer of the pool")
        }
        return below
    }

    private func target(of link: String) throws(StatusError) -> LayerName {
        var buffer = [CChar](repeating: 0, count: 512)
        let length = readlink(path + "/" + link, &buffer, buffer.count)
        guard length >= 0 else { throw FileFailure.last("readlink", path + "/" + link) }
        let text = String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard let layer = LayerName(text) else { throw Self.damaged("\(link) leads to '\(text)', which is no layer") }
        return layer
    }

    private static func damaged(_ detail: String) -> StatusError {
        StatusError(
            code: .hostFailure, message: "The host's storage pool is damaged: its operator must look at it.",
            detail: detail)
    }

    // MARK: Looking into layers

    private static let headBytes = 4096

    private func head(of layer: LayerName) throws(StatusError) -> [UInt8] {
        try OpenFile(path(of: layer), O_RDONLY).read(at: 0, count: Self.headBytes)
    }

    /// The size of the disk that a layer is.
    func size(of layer: LayerName) throws(StatusError) -> Int64 {
        if layer.format == .raw { return try OpenFile(path(of: layer), O_RDONLY).size() }
        guard let size = Qcow2Disk.virtualSize(head: try head(of: layer)) else {
            throw Self.damaged("\(layer.text) has no qcow2 header")
        }
        return size
    }

    /// What a layer takes of the disk.
    func allocated(_ layer: LayerName) throws(StatusError) -> Int64 {
        var status = stat()
        guard lstat(path(of: layer), &status) == 0 else { throw FileFailure.last("lstat", path(of: layer)) }
        return Int64(status.st_blocks) * 512
    }

    /// Whether nothing was ever written to a layer, which nobody has open.
    func isUntouched(_ layer: LayerName) throws(StatusError) -> Bool {
        guard !layer.isImage else { return false }
        let file = try OpenFile(path(of: layer), O_RDONLY)
        guard let table = Qcow2Disk.topTable(head: try file.read(at: 0, count: Self.headBytes)) else { return false }
        return try file.read(at: table.offset, count: table.bytes).allSatisfy { $0 == 0 }
    }

    /// Whether a program has the layer open for writing, by the lock that QEMU's programs hold then: on byte 101 for the
    /// permission to write (`RAW_LOCK_PERM_BASE` and `BLK_PERM_WRITE` in QEMU's `block/file-posix.c`).
    func isWritten(_ layer: LayerName) throws(StatusError) -> Bool {
        let file = try OpenFile(path(of: layer), O_RDWR)
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_start = 101
        lock.l_len = 1
        guard fcntl(file.descriptor, Self.getOpenFileLock, &lock) == 0 else {
            throw FileFailure.last("fcntl(F_OFD_GETLK)", path(of: layer))
        }
        return lock.l_type != Int16(F_UNLCK)
    }

    /// `F_OFD_GETLK` of Linux `include/uapi/asm-generic/fcntl.h`.
    private static let getOpenFileLock: Int32 = 36

    // MARK: Changing

    func make() throws(StatusError) {
        guard !Folder.exists(path) else { return }
        try Folder.make(path, mode: 0o711)
    }

    func write(_ bytes: [UInt8], as layer: LayerName) throws(StatusError) {
        try faults?("write \(layer.text)")
        try Folder.write(bytes, as: layer.text, in: path, mode: 0o600)
    }

    /// From now on, nothing is written to the layer. QEMU as an ordinary user is kept from it too, should it be told to.
    func freeze(_ layer: LayerName) throws(StatusError) {
        guard !layer.isImage else { return }
        try faults?("freeze \(layer.text)")
        guard chmod(path(of: layer), 0o400) == 0 else { throw FileFailure.last("chmod", path(of: layer)) }
    }

    /// Has a link lead to a layer, in place of what it led to.
    func link(_ link: LinkName, to layer: LayerName) throws(StatusError) {
        try faults?("link \(link.text)")
        let part = link.text + Self.partSuffix
        try Folder.removeFile(path + "/" + part)
        guard symlink(layer.text, path + "/" + part) == 0 else { throw FileFailure.last("symlink", path + "/" + part) }
        try Folder.rename(part, to: link.text, in: path)
    }

    func remove(_ link: LinkName) throws(StatusError) {
        try faults?("unlink \(link.text)")
        try Folder.removeFile(path + "/" + link.text)
        try Folder.sync(path)
    }

    /// - Parameter name: Of a layer that nothing leads to, or of what was never finished.
    func discard(_ name: String) throws(StatusError) {
        try faults?("discard \(name)")
        try Folder.removeFile(path + "/" + name)
    }

    /// Gives what was made beside it its name.
    func adopt(_ part: String, as layer: LayerName) throws(StatusError) {
        try faults?("adopt \(layer.text)")
        try Folder.rename(part, to: layer.text, in: path)
    }

    /// Takes a file into the pool: the same one under another name, or the same blocks.
    /// - Returns: `false` where the file system can do neither; nothing happened then.
    func takeAtOnce(_ source: String, as layer: LayerName) throws(StatusError) -> Bool {
        try faults?("take \(layer.text)")
        let part = layer.text + Self.partSuffix
        try Folder.removeFile(path + "/" + part)
        if Glibc.link(source, path + "/" + part) != 0 {
            guard try clone(source, to: part) else {
                try Folder.removeFile(path + "/" + part)
                return false
            }
        }
        try adopt(part, as: layer)
        return true
    }

    /// `FICLONE` of Linux `include/uapi/linux/fs.h`.
    private static let clone: UInt = 0x4004_9409

    private func clone(_ source: String, to part: String) throws(StatusError) -> Bool {
        let from = try OpenFile(source, O_RDONLY)
        let to = try OpenFile(path + "/" + part, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
        guard ioctl(to.descriptor, Self.clone, from.descriptor) == 0 else { return false }
        try to.setMode(0o444)
        try to.sync()
        return true
    }

    /// Copies a file to what has no name of its own yet: holes stay holes. Takes as long as it is large.
    func copy(_ source: String, to part: String, mode: mode_t) throws(StatusError) {
        try faults?("copy \(part)")
        let from = try OpenFile(source, O_RDONLY)
        let to = try OpenFile(path + "/" + part, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
        let size = try from.size()
        if ioctl(to.descriptor, Self.clone, from.descriptor) != 0 {
            var offset: Int64 = 0
            while offset < size {
                let chunk = try from.read(at: offset, count: 1 << 20)
                if chunk.isEmpty { break }
                if chunk.contains(where: { $0 != 0 }) { try to.write(chunk, at: offset) }
                offset += Int64(chunk.count)
            }
            try to.setSize(offset)
        }
        guard try to.size() == size else {
            throw StatusError(
                code: .hostFailure, message: "The image could not be copied whole: it is tried again.", detail: part)
        }
        try to.setMode(mode)
        try to.sync()
    }

    /// Makes an empty file for a program to write to, which nobody else may read.
    func begin(_ part: String) throws(StatusError) {
        try faults?("begin \(part)")
        _ = try OpenFile(path + "/" + part, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600).descriptor
    }

    /// Puts a layer into the place of one that holds the same, which is written to no more. Whoever has the old one open
    /// keeps it.
    func replace(_ layer: LayerName, by part: String) throws(StatusError) {
        try faults?("replace \(layer.text)")
        do {
            let file = try OpenFile(path + "/" + part, O_RDWR)
            try file.setMode(0o400)
            try file.sync()
        }
        try Folder.rename(part, to: layer.text, in: path)
    }

    /// Free space, in bytes.
    func freeBytes() throws(StatusError) -> Int64 {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw FileFailure.last("statvfs", path) }
        return Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
    }
}
