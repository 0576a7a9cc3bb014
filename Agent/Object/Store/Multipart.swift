/// Objects that come in parts, in any order, and become one at the end. Nobody sees the parts until then.
package protocol MultipartStore: Sendable {
    /// - Throws: ``StoreFailure/noSuchContainer``, ``StoreFailure/tooManyUploads``.
    func begin(_ upload: PendingUpload) async throws
    func pendingUpload(_ id: String, of object: ObjectName) async throws -> PendingUpload?
    /// Those of one container in order of names and then of ids, behind a name and an id.
    func pendingUploads(in container: ContainerName, _ query: UploadsQuery) async throws -> [PendingUpload]
    /// Takes the place of a part with the same number.
    /// - Throws: ``StoreFailure/noSuchUpload``, quotas.
    func put(
        _ part: StoredPart, _ content: UploadedContent, upload: String, of object: ObjectName, _ limits: StoreLimits)
        async throws
    /// In order of their numbers.
    func parts(of upload: String, after number: Int, limit: Int) async throws -> [StoredPart]
    /// Makes the object of the parts that are named and forgets the others, in one step.
    /// - Throws: ``StoreFailure/noSuchUpload``, ``StoreFailure/noSuchPart(_:)``, and as ``ObjectStore/put(_:_:)``.
    func complete(_ upload: String, of object: ObjectName, _ completion: Completion) async throws
    /// - Returns: Whether there was one.
    func abort(_ upload: String, of object: ObjectName) async throws -> Bool
    /// Ends uploads that began before that moment.
    /// - Returns: How many.
    func abortUploads(before moment: Int64, limit: Int) async throws -> Int
}

package struct PendingUpload: Hashable, Sendable {
    package var id: String
    package var object: ObjectName
    package var contentType: String
    package var metadata: Metadata
    /// Microseconds since 1970.
    package var created: Int64
}

package struct UploadsQuery: Hashable, Sendable {
    package var prefix = ""
    package var keyMarker = ""
    package var idMarker = ""
    package var limit = 1000
}

package struct StoredPart: Hashable, Sendable {
    package var number: Int
    package var size: Int64
    /// MD5, 32 hexadecimal digits.
    package var etag: String
    /// As the API that took it spells it; may be empty.
    package var checksum: String
    /// Microseconds since 1970.
    package var changed: Int64
}

package struct Completion: Sendable {
    package var parts: [(number: Int, etag: String)]
    package var etag: String
    package var attributes: ObjectAttributes
    package var limits: StoreLimits
    package var mayReplace = true
    package var seen: ObjectRecord?
    package var archive: ContainerName?
}

extension LocalObjectStore: MultipartStore {
    /// In one container.
    private static let uploadsLimit: Int64 = 1000

    package func begin(_ upload: PendingUpload) async throws {
        try await checkSpace()
        try await committer.commit { index, _ in
            let place = try ObjectChange(index: index).place(upload.object.container)
            guard try index.countUploads(in: place.container) < Self.uploadsLimit else {
                throw StoreFailure.tooManyUploads
            }
            try index.insert(upload, container: place.container)
        }
    }

    package func pendingUpload(_ id: String, of object: ObjectName) async throws -> PendingUpload? {
        try await lookup { index in
            guard let container = try index.container(object.container) else { return nil }
            return try index.upload(id, object, in: container.row.id)
        }
    }

    package func pendingUploads(in container: ContainerName, _ query: UploadsQuery) async throws -> [PendingUpload] {
        try await lookup { index in
            guard let found = try index.container(container) else { throw StoreFailure.noSuchContainer }
            return try index.uploads(of: container, in: found.row.id, query)
        }
    }

    package func put(
        _ part: StoredPart, _ content: UploadedContent, upload: String, of object: ObjectName, _ limits: StoreLimits
    ) async throws {
        try await keep(content) { index, content, place in
            let (container, account) = try Self.find(upload, object, index)
            let old = try index.part(part.number, of: upload)
            try Self.check(part.size - (old?.size ?? 0), container, account: account, limits, index)
            switch content.id {
            case 0: break
            default: try index.insertContent(content, at: place ?? ContentPlace())
            }
            if let old { try index.dropPart(part.number, of: upload, old) }
            try index.insert(part, content, upload: upload)
        }
    }

    private static func find(
        _ upload: String, _ object: ObjectName, _ index: ObjectIndex
    ) throws -> (ObjectChange.Place, account: Int64) {
        let place = try ObjectChange(index: index).place(object.container)
        guard try index.upload(upload, object, in: place.container) != nil else { throw StoreFailure.noSuchUpload }
        return (place, place.account)
    }

    /// Parts are held to the quotas of bytes as what they will be.
    private static func check(
        _ growth: Int64, _ place: ObjectChange.Place, account: Int64, _ limits: StoreLimits, _ index: ObjectIndex
    ) throws {
        guard growth > 0, limits.accountBytes != nil || limits.containerBytes != nil else { return }
        let pending = try index.pendingBytes(account: account, container: place.container)
        if let limit = limits.containerBytes, place.record.bytes + pending.container + growth > limit {
            throw StoreFailure.containerQuota
        }
        if let limit = limits.accountBytes, try index.bytes(account: account) + pending.account + growth > limit {
            throw StoreFailure.accountQuota
        }
    }

    package func parts(of upload: String, after number: Int, limit: Int) async throws -> [StoredPart] {
        try await lookup { try $0.parts(of: upload, after: number, limit: limit).map(\.part) }
    }

    package func complete(_ upload: String, of object: ObjectName, _ completion: Completion) async throws {
        try await checkSpace()
        let id = Self.newContent()
        try await committer.commit { index, _ in
            _ = try Self.find(upload, object, index)
            var there: [Int: (part: StoredPart, content: ContentReference)] = [:]
            for part in try index.parts(of: upload, after: 0, limit: .max) { there[part.part.number] = part }
            var pieces: [ContentReference] = []
            for chosen in completion.parts {
                guard let part = there.removeValue(forKey: chosen.number), part.part.etag == chosen.etag else {
                    throw StoreFailure.noSuchPart(chosen.number)
                }
                if part.content.size > 0 { pieces.append(part.content) }
            }
            var content = ContentReference.empty
            if !pieces.isEmpty {
                content = ContentReference(id: id, size: pieces.reduce(0) { $0 + $1.size })
                try index.insertComposed(content, of: pieces)
            }
            for part in there.values { try index.release(part.content) }
            try index.forget(upload: upload)
            var new = NewObject(
                content: .composed(content, etag: completion.etag), attributes: completion.attributes,
                limits: completion.limits, mayReplace: completion.mayReplace, archive: completion.archive)
            new.seen = completion.seen
            try ObjectChange(index: index).put(object, new, content, nil)
        }
    }

    package func abort(_ upload: String, of object: ObjectName) async throws -> Bool {
        try await committer.commit { index, _ in
            guard let container = try index.container(object.container),
                try index.upload(upload, object, in: container.row.id) != nil
            else { return false }
            try index.drop(upload: upload)
            return true
        }
    }

    package func abortUploads(before moment: Int64, limit: Int) async throws -> Int {
        let old = try await lookup { try $0.uploads(before: moment, limit: limit) }
        for id in old { try await committer.commit { index, _ in try index.drop(upload: id) } }
        return old.count
    }
}
