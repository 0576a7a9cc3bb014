import AgentCore
import Glibc
import Logging
import ProtocolSQLite

/// The store on this machine's disk: small contents packed into segments, large ones in files, and an index in SQLite.
///
/// Bytes are on the disk before the index names them, so that a crash leaves at worst bytes that nobody names: the next
/// start sweeps those.
package final class LocalObjectStore: ObjectStore {
    private let segments: SegmentFiles
    let files: LargeFiles
    let committer: Committer
    /// Single rows, and listings: the long ones do not hold up the short ones.
    private let lookups: SQLiteQueue
    private let listings: SQLiteQueue
    let workers: DiskWorkers
    private let held = HeldFiles()
    private let faults: StoreFaults
    private let logger: Logger

    /// - Parameter folder: Made when it is missing. Its calls block: made before anything is served.
    package init(folder: String, logger: Logger, faults: StoreFaults = StoreFaults()) throws {
        segments = SegmentFiles(folder: folder + "/segments")
        files = LargeFiles(folder: folder + "/large")
        for path in [folder, segments.folder, files.folder] { try DiskFile.makeFolder(path) }
        let path = folder + "/index.sqlite"
        // Bytes without the index that names them are somebody's still: they are not to be swept.
        let isBare = segments.all().isEmpty && files.all().isEmpty
        let sweeper = try IndexSchema.open(path, readOnly: false, mayBegin: isBare)
        try StoreSweep(index: ObjectIndex(database: sweeper), segments: segments, files: files).run()
        sweeper.close()
        committer = Committer(try IndexSchema.open(path, readOnly: false), segments, faults: faults)
        lookups = SQLiteQueue(try IndexSchema.open(path, readOnly: true), label: "skerry.objects.lookup")
        listings = SQLiteQueue(try IndexSchema.open(path, readOnly: true), label: "skerry.objects.list")
        workers = DiskWorkers(label: "skerry.objects.disk", count: 4)
        self.faults = faults
        self.logger = logger
    }

    package func close() {
        committer.close()
        lookups.close()
        listings.close()
    }

    // MARK: Looking

    func lookup<T: Sendable>(_ body: @escaping @Sendable (ObjectIndex) throws -> T) async throws -> T {
        do { return try await lookups.read { try body(ObjectIndex(database: $0)) } } catch {
            throw Committer.storeFailure(error)
        }
    }

    package func account(_ account: String) async throws -> AccountRecord? {
        try await lookup { try $0.account(account)?.record }
    }

    package func container(_ container: ContainerName) async throws -> ContainerRecord? {
        try await lookup { try $0.container(container)?.row.record }
    }

    package func object(_ object: ObjectName) async throws -> ObjectRecord? {
        try await lookup { index in
            guard let container = try index.container(object.container) else { return nil }
            return try index.object(object.name, in: container.row.id)
        }
    }

    package func containers(of account: String, _ query: ListingQuery) async throws -> [ListedContainer] {
        try await listings.read { database in
            let index = ObjectIndex(database: database)
            guard let row = try index.account(account) else { return [] }
            return try index.listContainers(account: row.id, query)
        }
    }

    package func objects(in container: ContainerName, _ query: ListingQuery) async throws -> [ListedObject] {
        try await listings.read { database in
            let index = ObjectIndex(database: database)
            guard let found = try index.container(container) else { throw StoreFailure.noSuchContainer }
            return try index.listObjects(container: found.row.id, query)
        }
    }

    package func expired(at now: Int64, limit: Int) async throws -> [(ObjectName, ObjectRecord)] {
        try await lookup { try $0.expired(at: now / 1_000_000, limit: limit) }
    }

    /// What makes the index longer is refused as early as bytes are: room stays for deletions.
    func checkSpace() async throws {
        try await workers.run { [segments] () throws(StoreFailure) in try DiskFile.checkSpace(in: segments.folder) }
    }

    // MARK: Accounts and containers

    package func change(account: String, _ metadata: MetadataChange, at now: Int64) async throws {
        try await checkSpace()
        try await committer.commit { index, _ in
            let row = try index.makeAccount(account, at: now)
            try index.setAccountMetadata(row.id, metadata.applied(to: row.record.metadata))
        }
    }

    package func remove(account: String) async throws -> Bool {
        try await committer.commit { index, _ in
            guard let row = try index.account(account) else { return false }
            try index.deleteAccount(row.id)
            return true
        }
    }

    package func put(container: ContainerName, _ metadata: MetadataChange, at now: Int64) async throws -> Bool {
        try await checkSpace()
        return try await committer.commit { index, _ in
            if let found = try index.container(container) {
                try index.setContainerMetadata(found.row.id, metadata.applied(to: found.row.record.metadata), at: now)
                return false
            }
            let account = try index.makeAccount(container.account, at: now)
            try index.insertContainer(container.name, account: account.id, metadata.applied(to: [:]), at: now)
            try index.count(account: account.id, containers: 1)
            return true
        }
    }

    package func change(container: ContainerName, _ metadata: MetadataChange, at now: Int64) async throws {
        try await checkSpace()
        try await committer.commit { index, _ in
            guard let found = try index.container(container) else { throw StoreFailure.noSuchContainer }
            try index.setContainerMetadata(found.row.id, metadata.applied(to: found.row.record.metadata), at: now)
        }
    }

    package func remove(container: ContainerName) async throws {
        try await committer.commit { index, _ in
            guard let found = try index.container(container) else { throw StoreFailure.noSuchContainer }
            guard found.row.record.objects == 0 else { throw StoreFailure.notEmpty }
            try index.dropUploads(of: found.row.id)
            try index.deleteContainer(found.row.id)
            try index.count(account: found.account, containers: -1)
        }
    }

    // MARK: Objects

    package func upload() -> ObjectUpload {
        ObjectUpload(files: files, workers: workers) { Self.newContent() }
    }

    /// Numbers are drawn and not counted, so that a file can be written before the index is asked.
    static func newContent() -> Int64 { Int64.random(in: 1...Int64.max) }

    package func put(_ object: ObjectName, _ new: NewObject) async throws {
        try await keep(new.content) { index, content, place in
            try ObjectChange(index: index).put(object, new, content, place)
        }
    }

    /// Writes where it has to what was uploaded, and what the index is to say of it; a file that nobody names then goes.
    func keep(
        _ uploaded: UploadedContent,
        _ change: @escaping @Sendable (ObjectIndex, ContentReference, ContentPlace?) throws -> Void
    ) async throws {
        let content: ContentReference
        var bytes: (content: ContentReference, bytes: [UInt8])?
        switch uploaded {
        case .packed(let packed) where packed.bytes.isEmpty: content = .empty
        case .packed(let packed):
            content = ContentReference(id: Self.newContent(), size: Int64(packed.bytes.count))
            bytes = (content, packed.bytes)
        case .file(let id, let size, _): content = ContentReference(id: id, size: size)
        case .shared(let there, _), .composed(let there, _): content = there
        }
        do {
            // The writer of segments looks itself.
            if bytes == nil { try await checkSpace() }
            try await committer.commit(bytes) { index, place in try change(index, content, place) }
        } catch {
            if case .file(let id, _, _) = uploaded { await workers.run { [files] in files.remove(id) } }
            throw error
        }
    }

    package func change(
        _ object: ObjectName, seen: ObjectRecord, to attributes: ObjectAttributes
    ) async throws -> Bool {
        try await checkSpace()
        return try await committer.commit { index, _ in
            try ObjectChange(index: index).change(object, seen: seen, to: attributes)
        }
    }

    package func move(_ object: ObjectName, to name: ObjectName) async throws -> Bool {
        try await committer.commit { index, _ in try ObjectChange(index: index).move(object, to: name) }
    }

    package func archive(_ object: ObjectName, in container: ContainerName, at now: Int64) async throws -> Bool {
        try await committer.commit { index, _ in
            try ObjectChange(index: index).archive(object, in: container, at: now)
        }
    }

    package func remove(_ object: ObjectName, seen: ObjectRecord?) async throws -> ObjectRecord? {
        try await committer.commit { index, _ in try ObjectChange(index: index).remove(object, seen: seen) }
    }

    package func open(_ content: ContentReference) async throws -> ContentReader {
        guard content.id != 0 else { return ContentReader(content, bytes: [], workers: workers) }
        // Compaction may move it between the two steps: then it is looked up again.
        for attempt in 1... {
            guard let place = try await lookup({ try $0.place(of: content.id) }) else { throw StoreFailure.gone }
            do {
                return try await open(content, at: place)
            } catch StoreFailure.gone where attempt < 3 {
                continue
            } catch StoreFailure.damaged(let content) {
                logger.error("an object's bytes are damaged on the disk", metadata: ["content": "\(content.id)"])
                throw StoreFailure.damaged(content)
            }
        }
        throw StoreFailure.gone
    }

    private func open(_ content: ContentReference, at place: ContentPlace) async throws -> ContentReader {
        if place.isComposed { return try await openComposed(content) }
        return try await workers.run { [segments, files, workers] () throws(StoreFailure) in
            guard place.segment != nil else {
                return ContentReader(
                    content, file: try DiskFile(files.path(content.id), O_RDONLY), workers: workers)
            }
            return ContentReader(content, bytes: try segments.read(content, at: place), workers: workers)
        }
    }

    /// What it is made of stays there until it is read, should the object be replaced meanwhile.
    private func openComposed(_ content: ContentReference) async throws -> ContentReader {
        let pieces = try await lookup { try $0.pieces(of: content.id) }
        guard !pieces.isEmpty else { throw StoreFailure.gone }
        // Those that lie in segments are few and small: all parts but the last are large.
        var small: [Int64: ContentReader] = [:]
        for piece in pieces where piece.size <= ObjectUpload.packedLimit { small[piece.id] = try await open(piece) }
        let reader = PieceReader(pieces, held) { [small, files, workers] piece in
            if let there = small[piece.id] { return there }
            return try await workers.run { () throws(StoreFailure) in
                ContentReader(piece, file: try DiskFile(files.path(piece.id), O_RDONLY), workers: workers)
            }
        }
        // Still named now that its files are held: none of them was garbage before.
        guard try await lookup({ try $0.place(of: content.id) }) != nil else { throw StoreFailure.gone }
        return ContentReader(content, pieces: reader, workers: workers)
    }

    // MARK: Keeping house

    /// Removes the files of contents that no object has any more.
    package func collectGarbage() async throws {
        var last: Int64 = 0
        while case let found = try await lookup({ [last] in try $0.garbage(after: last, limit: 256) }),
            let end = found.last
        {
            last = end
            // What is still read goes in a later pass.
            let ids = found.filter { !held.isHeld($0) }
            await workers.run { [files] in for id in ids { files.remove(id) } }
            try await committer.commit { index, _ in try index.forgetGarbage(ids) }
        }
    }

    /// Moves what is left in segments that are mostly garbage into the present one, and removes them.
    /// - Returns: How many segments were removed.
    @discardableResult
    package func compact() async throws -> Int {
        // In this order: the writer may begin segments meanwhile, and what was listed before it was asked and is not
        // the one it writes is finished, and counted in full.
        let listed = segments.all()
        let open = await committer.openSegment()
        let live = try await lookup { try $0.segments() }
        var removed = 0
        for segment in listed where segment < open {
            let path = segments.path(segment)
            let size = await workers.run { (try? DiskFile(path, O_RDONLY))?.size() ?? 0 }
            guard (live[segment] ?? 0) * 2 <= size else { continue }
            if try await empty(segment) { removed += 1 }
        }
        return removed
    }

    /// - Returns: `false` where something in it cannot be read: it stays, for somebody to look at.
    private func empty(_ segment: Int64) async throws -> Bool {
        while true {
            let contents = try await lookup { try $0.contents(of: segment, limit: 64) }
            if contents.isEmpty { break }
            for (content, place) in contents {
                let bytes: [UInt8]
                do {
                    bytes = try await workers.run { [segments] () throws(StoreFailure) in
                        try segments.read(content, at: place)
                    }
                } catch {
                    logger.error("a segment holds damaged bytes and is kept", metadata: ["segment": "\(segment)"])
                    return false
                }
                _ = try await committer.commit((content, bytes)) { index, new in
                    try new.map { try index.move(content, from: place, to: $0) } ?? false
                }
                faults.at(.segmentMoved)
            }
        }
        try await committer.commit { index, _ in try index.forget(segment: segment) }
        await workers.run { [segments] in segments.remove(segment) }
        return true
    }
}

/// What a crash left behind that the index does not name.
struct StoreSweep {
    let index: ObjectIndex
    let segments: SegmentFiles
    let files: LargeFiles

    func run() throws {
        for id in files.all() where try index.place(of: id) == nil { files.remove(id) }
        let garbage = try index.garbage(after: 0, limit: .max)
        for id in garbage { files.remove(id) }
        try index.forgetGarbage(garbage)
        for segment in segments.all() where try index.contents(of: segment, limit: 1).isEmpty {
            segments.remove(segment)
            try index.forget(segment: segment)
        }
    }
}
