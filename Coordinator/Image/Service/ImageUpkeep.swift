import CoordinatorPlatform
import Crypto
import Glibc
import NIOCore
import ProtocolModel

/// What the service does unasked: ends what a crash cut off, ends what nobody carries on, and reads contents again
/// before somebody needs them.
extension ImageService {
    /// Called once at start, before requests are taken.
    func recoverData() async throws {
        let now = clock.now()
        let requeued = try await database.write { [store] in
            try store.move(from: .saving, to: .queued, at: now, in: $0)
        }
        if requeued > 0 {
            logger.notice("uploads cut off by a crash are queued again", metadata: ["images": "\(requeued)"])
        }
        for part in try await database.read({ try ImagePart.table.all(in: $0) }) {
            try await tryRequeue(part, at: now)
        }
        await sweep()
        var present: [String] = []
        for content in try await database.read({ [contents] in try contents.contents(in: $0) }) {
            let sha512 = content.sha512
            do {
                let found = try await blobs.size(of: sha512)
                if found == content.sizeBytes {
                    present.append(sha512)
                } else {
                    await condemn(
                        sha512, reason: found == nil ? "its file is gone" : "its file has another length than it had")
                }
            } catch let error as BlobError {
                // Nothing is known of it; reading it will tell.
                logger.error(
                    "the file of an image's data cannot be looked at",
                    metadata: ["content": "\(sha512.prefix(16))...", "error": "\(error)"])
            }
        }
        // A disk that was not mounted at the last start takes nothing out of use for good.
        let back = present
        try await database.write { [contents] in try contents.checkDamagedFirst(of: back, in: $0) }
    }

    /// One file that the disk cannot tell anything of keeps neither the coordinator from starting nor upkeep from the
    /// rest.
    /// - Returns: Whether the image waits for data again.
    @discardableResult
    private func tryRequeue(_ part: ImagePart, at now: Int64) async throws -> Bool {
        do {
            return try await requeue(part, at: now)
        } catch let error as BlobError {
            logger.error(
                "an upload that was given up cannot be looked at, so its image does not wait for data again",
                metadata: ["image": "\(part.image)", "error": "\(error)"])
            return false
        }
    }

    /// The image of a part that nobody carries on waits for data again. Of the part, only what is known to have reached
    /// the disk counts; behind it may be anything, and whoever goes on with it cuts that off.
    /// - Parameter part: As it was read. Its upload may have ended, or be gone on with, since: then nothing happens.
    private func requeue(_ part: ImagePart, at now: Int64) async throws -> Bool {
        let file = try await blobs.status(of: part.file)
        let isThere = file.map { $0.sizeBytes >= part.sizeBytes } ?? false
        let isStaged = isThere && part.isComplete
        // What a crash cut off behind the naming of a content is an image's by now: nobody goes on in that.
        let canGoOn = isThere && part.kind != .converted && part.sizeBytes > 0 && file?.names == 1
        return try await database.write { [store, parts, blobs] transaction in
            // The pin goes after the last write of an upload, so without one the row says how that ended.
            guard !blobs.isPinned(part.file), try parts.part(of: part.image, part.kind, in: transaction) == part else {
                return false
            }
            if !isStaged && !canGoOn { try ImagePart.table.delete(part.file, in: transaction) }
            switch part.kind {
            case .upload: _ = try store.move(part.image, from: .saving, to: .queued, at: now, in: transaction)
            case .stage where !isStaged:
                _ = try store.move(part.image, from: .uploading, to: .queued, at: now, in: transaction)
            case .stage, .converted: break
            }
            return true
        }
    }

    /// How long a part may be nobody's before its upload counts as given up, seconds. Covers the moment between the
    /// first row of an upload and its pin.
    private static let abandonedSeconds: Int64 = 300

    /// Uploads whose end could not be recorded, as on a full disk: without their request nobody else would end them.
    private func requeueAbandoned(at now: Int64) async throws {
        var last = ""
        while true {
            let (limit, after) = (now - Self.abandonedSeconds * 1_000_000, last)
            let stale = try await database.read { [parts] in try parts.underWay(before: limit, after: after, in: $0) }
            guard let end = stale.last else { return }
            last = end.file
            for part in stale where !blobs.isPinned(part.file) {
                guard try await tryRequeue(part, at: now) else { continue }
                logger.notice("an upload that was given up is queued again", metadata: ["image": "\(part.image)"])
            }
        }
    }

    /// Ends uploads that nobody is at any more, and drops parts that nobody has carried on for a while and tasks that
    /// ended long ago.
    package func expire() async throws {
        let now = clock.now()
        try await requeueAbandoned(at: now)
        let limit = now - settings.partSeconds * 1_000_000
        let count = try await database.write { [store, parts, tasks, contents] transaction in
            let stale = try parts.stale(before: limit, in: transaction)
            for part in stale {
                try ImagePart.table.delete(part.file, in: transaction)
                if part.kind == .stage {
                    _ = try store.move(part.image, from: .uploading, to: .queued, at: now, in: transaction)
                }
            }
            try tendImports(at: now, in: transaction)
            try tasks.expire(at: now, in: transaction)
            try contents.forgetUnused(in: transaction)
            return stale.count
        }
        if count > 0 { logger.notice("image data that nobody carried on was dropped", metadata: ["parts": "\(count)"]) }
        await sweep()
    }

    /// Compares contents with their hashes, those first that were not looked at for the longest time.
    package func scrub() async throws {
        guard settings.scrubSeconds > 0 else { return }
        while !Task.isCancelled {
            let limit = clock.now() - settings.scrubSeconds * 1_000_000
            let due = try await database.read { [contents] in try contents.oldestCheck(before: limit, in: $0) }
            guard let due else { return }
            let sha512 = due.sha512
            let opened = clock.now()
            switch try await check(sha512, sizeBytes: due.sizeBytes) {
            case .whole:
                let now = clock.now()
                try await database.write { [contents] transaction in
                    // Damaged once, it may have been put back by hand.
                    if try contents.damage(of: sha512, in: transaction) != nil {
                        try contents.heal(sha512, at: now, in: transaction)
                    } else {
                        try contents.note(sha512, damage: nil, at: now, in: transaction)
                    }
                }
            case .damaged(let reason): await condemn(sha512, reason: reason, seen: opened)
            }
        }
    }

    private enum Verdict: Sendable {
        case whole
        case damaged(String)
    }

    private func check(_ sha512: String, sizeBytes: Int64) async throws -> Verdict {
        do {
            let reader = try await blobs.reader(sha512)
            guard await reader.sizeBytes == sizeBytes else {
                return .damaged("its file has another length than it had")
            }
            let hash = try await reader.sha512(bytesPerSecond: settings.scrubBytesPerSecond)
            return hash == sha512 ? .whole : .damaged("its file is not what was stored: the hash is wrong")
        } catch let error as BlobError where error.isMissing {
            return .damaged("its file is gone")
        } catch let error as BlobError where error.isBroken {
            return .damaged("the disk cannot read its file")
        }
    }

    /// Takes the images of a content out of use.
    /// - Parameter seen: When its file was opened, `nil` for just now.
    func condemn(_ sha512: String, reason: String, seen: Int64? = nil) async {
        let now = clock.now()
        do {
            let count = try await database.write { [contents] in
                try contents.condemn(sha512, reason: reason, seen: seen ?? now, at: now, in: $0)
            }
            logger.error(
                "the data of images is damaged",
                metadata: ["content": "\(sha512.prefix(16))...", "images": "\(count)", "reason": "\(reason)"])
        } catch {
            logger.error("damaged image data could not be recorded", metadata: ["error": "\(error)"])
        }
    }
}

extension BlobReader {
    /// Reads to the end, no faster than asked for.
    func sha512(bytesPerSecond: Int64) async throws -> String {
        var hash = SHA512()
        let started = ContinuousClock.now
        var count: Int64 = 0
        while true {
            let chunk = try next(1 << 20)
            if chunk.readableBytes == 0 { return Hexadecimal.text(hash.finalize()) }
            chunk.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
            count += Int64(chunk.readableBytes)
            try await Task.sleep(until: started + .seconds(Double(count) / Double(bytesPerSecond)), clock: .continuous)
        }
    }
}

extension BlobError {
    var isMissing: Bool { code == ENOENT }
    var isBroken: Bool { code == EIO }
}
