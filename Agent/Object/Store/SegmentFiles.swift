import Glibc

/// Many small contents in few files. A record is a head of 32 octets (what it is, the content's number, its length) and
/// the bytes; it is written once, behind the others, and never changed.
struct SegmentFiles: Sendable {
    static let headSize = 32
    private static let mark: [UInt8] = Array("SKRYOBJ1".utf8)
    /// A segment of so many octets is full.
    static let fullSize: Int64 = 64 << 20

    let folder: String

    func path(_ segment: Int64) -> String { "\(folder)/\(segment).segment" }

    func all() -> [Int64] {
        DiskFile.names(in: folder).compactMap { name in
            name.hasSuffix(".segment") ? Int64(name.dropLast(8)) : nil
        }.sorted()
    }

    static func head(_ content: ContentReference) -> [UInt8] {
        var head = mark
        withUnsafeBytes(of: content.id.bigEndian) { head += $0 }
        withUnsafeBytes(of: content.size.bigEndian) { head += $0 }
        return head + [UInt8](repeating: 0, count: headSize - head.count)
    }

    /// - Throws: ``StoreFailure/damaged(_:)`` where there is something else than what was written.
    func read(_ content: ContentReference, at place: ContentPlace) throws(StoreFailure) -> [UInt8] {
        guard let segment = place.segment else { throw .damaged(content) }
        let file = try DiskFile(path(segment), O_RDONLY)
        let record = try file.read(at: place.offset, count: Self.headSize + Int(content.size))
        guard record.starts(with: Self.head(content)) else { throw .damaged(content) }
        let bytes = Array(record.dropFirst(Self.headSize))
        guard bytes.count == Int(content.size), BlockDigest.of(bytes) == place.digest else { throw .damaged(content) }
        return bytes
    }

    func remove(_ segment: Int64) { unlink(path(segment)) }
}

/// The end of the last segment. For the committer's thread.
struct SegmentWriter {
    private let files: SegmentFiles
    private var file: DiskFile?
    private(set) var segment: Int64
    private var end: Int64 = 0
    private var synced: Int64 = 0

    /// Never goes on in a segment of an earlier run, whose end a crash may have torn.
    init(_ files: SegmentFiles) {
        self.files = files
        segment = files.all().last ?? 0
    }

    mutating func append(_ bytes: [UInt8], of content: ContentReference) throws(StoreFailure) -> ContentPlace {
        try DiskFile.checkSpace(in: files.folder)
        if file == nil || end >= SegmentFiles.fullSize { try begin() }
        guard let file else { throw .failed("no segment is open") }
        let place = ContentPlace(segment: segment, offset: end, digest: BlockDigest.of(bytes))
        try file.write(SegmentFiles.head(content) + bytes, at: end)
        end += Int64(SegmentFiles.headSize + bytes.count)
        return place
    }

    private mutating func begin() throws(StoreFailure) {
        try sync()
        file = nil
        // What a failure or a hand left behind is nobody's; compaction takes it away.
        while access(files.path(segment + 1), F_OK) == 0 { segment += 1 }
        let next = try DiskFile(files.path(segment + 1), O_RDWR | O_CREAT | O_EXCL)
        // Counted at once: should the folder not reach the disk, the next one has a name of its own.
        segment += 1
        try DiskFile.syncFolder(files.folder)
        (file, end, synced) = (next, 0, 0)
    }

    mutating func sync() throws(StoreFailure) {
        guard let file, end > synced else { return }
        try file.sync()
        synced = end
    }

    /// Takes back what was not synced, after a failure to write it. A file that failed to sync is not written to again:
    /// what the kernel kept of it nobody knows.
    mutating func abandon() {
        file?.truncate(to: synced)
        file = nil
    }
}
