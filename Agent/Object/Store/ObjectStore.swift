/// Where objects are kept. One store serves all accounts of an agent; whoever calls has checked that the call may be made.
///
/// What a method acknowledges is on the disk. What it refuses, or what a crash cuts off, has not happened at all.
package protocol ObjectStore: Sendable {
    func account(_ account: String) async throws -> AccountRecord?
    func container(_ container: ContainerName) async throws -> ContainerRecord?
    func object(_ object: ObjectName) async throws -> ObjectRecord?
    func containers(of account: String, _ query: ListingQuery) async throws -> [ListedContainer]
    func objects(in container: ContainerName, _ query: ListingQuery) async throws -> [ListedObject]

    /// Makes the account when there is none.
    func change(account: String, _ metadata: MetadataChange, at now: Int64) async throws
    /// - Returns: Whether there was one.
    func remove(account: String) async throws -> Bool
    /// - Returns: Whether it was made; else what there is takes the change.
    func put(container: ContainerName, _ metadata: MetadataChange, at now: Int64) async throws -> Bool
    /// - Throws: ``StoreFailure/noSuchContainer``.
    func change(container: ContainerName, _ metadata: MetadataChange, at now: Int64) async throws
    /// - Throws: ``StoreFailure/noSuchContainer``, ``StoreFailure/notEmpty``.
    func remove(container: ContainerName) async throws

    /// Takes the bytes of a new object, which nobody sees before they are put somewhere.
    func upload() -> ObjectUpload
    /// Puts what was uploaded in place of what has this name, if anything.
    /// - Throws: ``StoreFailure``, where the container is gone or the object does not fit.
    func put(_ object: ObjectName, _ new: NewObject) async throws
    /// Replaces what the object says of itself.
    /// - Returns: `false` where the object is no longer the one that was read.
    func change(_ object: ObjectName, seen: ObjectRecord, to attributes: ObjectAttributes) async throws -> Bool
    /// Gives an object another name, in place of what has that one. Both containers have to be there.
    /// - Returns: `false` where there is no such object.
    func move(_ object: ObjectName, to name: ObjectName) async throws -> Bool
    /// Keeps the object as a version in another container, and a mark there that it was removed.
    /// - Returns: `false` where there is no such object.
    func archive(_ object: ObjectName, in container: ContainerName, at now: Int64) async throws -> Bool
    /// - Parameter seen: Remove only this one, and not what took its name since; `nil` for whatever has the name.
    /// - Returns: What was removed.
    func remove(_ object: ObjectName, seen: ObjectRecord?) async throws -> ObjectRecord?
    func open(_ content: ContentReference) async throws -> ContentReader
    /// The objects whose time was over at `now`, the oldest first.
    func expired(at now: Int64, limit: Int) async throws -> [(ObjectName, ObjectRecord)]
}

package struct ContainerName: Hashable, Sendable {
    package var account: String
    package var name: String

    package init(account: String, name: String) {
        self.account = account
        self.name = name
    }
}

package struct ObjectName: Hashable, Sendable {
    package var container: ContainerName
    package var name: String

    package init(container: ContainerName, name: String) {
        self.container = container
        self.name = name
    }

    package init(account: String, container: String, name: String) {
        self.init(container: ContainerName(account: account, name: container), name: name)
    }
}

/// Header fields that are kept with something: the name in lower case, and the value.
package typealias Metadata = [String: String]

/// What a request changes of the metadata; what it does not name stays.
package struct MetadataChange: Hashable, Sendable {
    /// `nil` removes.
    package var fields: [String: String?]

    package init(_ fields: [String: String?] = [:]) { self.fields = fields }

    package func applied(to old: Metadata) -> Metadata {
        var new = old
        for (name, value) in fields { new[name] = value }
        return new
    }
}

package struct AccountRecord: Hashable, Sendable {
    package var containers: Int64
    package var objects: Int64
    package var bytes: Int64
    package var metadata: Metadata
    /// Microseconds since 1970.
    package var created: Int64
}

package struct ContainerRecord: Hashable, Sendable {
    package var objects: Int64
    package var bytes: Int64
    package var metadata: Metadata
    package var created: Int64
    package var changed: Int64
}

/// Where the bytes of an object lie: several objects may have the same ones.
package struct ContentReference: Hashable, Sendable {
    package var id: Int64
    package var size: Int64

    package static let empty = Self(id: 0, size: 0)
}

/// What can be changed of an object without its bytes.
package struct ObjectAttributes: Hashable, Sendable {
    package var contentType: String
    package var metadata: Metadata
    /// Seconds since 1970 from which on the object is gone.
    package var expires: Int64?
    /// Microseconds since 1970.
    package var changed: Int64

    package init(contentType: String, metadata: Metadata, expires: Int64?, changed: Int64) {
        self.contentType = contentType
        self.metadata = metadata
        self.expires = expires
        self.changed = changed
    }

    package func isExpired(at now: Int64) -> Bool { expires.map { $0 <= now / 1_000_000 } ?? false }
}

package struct ObjectRecord: Hashable, Sendable {
    package var content: ContentReference
    /// MD5 of the bytes, 32 hexadecimal digits.
    package var etag: String
    package var attributes: ObjectAttributes
}

package struct NewObject: Sendable {
    package var content: UploadedContent
    package var attributes: ObjectAttributes
    package var limits: StoreLimits
    /// Whether it may take the place of another object (`If-None-Match: *`).
    package var mayReplace: Bool
    /// Where what has the name until then goes, under a name of its own.
    package var archive: ContainerName?
    /// What has the name, where it is to take the place of that one only.
    package var seen: ObjectRecord?

    package init(
        content: UploadedContent, attributes: ObjectAttributes, limits: StoreLimits = StoreLimits(),
        mayReplace: Bool = true, archive: ContainerName? = nil
    ) {
        self.content = content
        self.attributes = attributes
        self.limits = limits
        self.mayReplace = mayReplace
        self.archive = archive
    }
}

/// Quotas, held in the same transaction as the counters.
package struct StoreLimits: Hashable, Sendable {
    package var accountBytes: Int64?
    package var accountObjects: Int64?
    package var containerBytes: Int64?
    package var containerObjects: Int64?

    package init(
        accountBytes: Int64? = nil, accountObjects: Int64? = nil, containerBytes: Int64? = nil,
        containerObjects: Int64? = nil
    ) {
        self.accountObjects = accountObjects
        self.accountBytes = accountBytes
        self.containerBytes = containerBytes
        self.containerObjects = containerObjects
    }
}

/// The bytes of a new object: fresh ones, or those that another object has.
package enum UploadedContent: Sendable {
    /// Few enough to go into a segment.
    case packed(PackedContent)
    /// In a file of their own, which is on the disk.
    case file(id: Int64, size: Int64, etag: String)
    case shared(ContentReference, etag: String)
    /// Of parts that were uploaded one by one.
    case composed(ContentReference, etag: String)

    package var size: Int64 {
        switch self {
        case .packed(let packed): Int64(packed.bytes.count)
        case .file(_, let size, _): size
        case .shared(let content, _), .composed(let content, _): content.size
        }
    }

    package var etag: String {
        switch self {
        case .packed(let packed): packed.etag
        case .file(_, _, let etag), .shared(_, let etag), .composed(_, let etag): etag
        }
    }
}

package struct PackedContent: Sendable {
    package var bytes: [UInt8]
    package var etag: String
}

/// What is asked of a listing.
package struct ListingQuery: Hashable, Sendable {
    package var prefix = ""
    package var delimiter = ""
    package var marker = ""
    package var endMarker = ""
    package var isReversed = false
    package var limit = 10_000
    /// With a delimiter: list what lies below it once, by their common beginning.
    package var showsFolders = true

    package init() {}
}

package struct ListedContainer: Hashable, Sendable {
    package var name: String
    /// `nil` for a common beginning of several names.
    package var record: ContainerRecord?
}

package struct ListedObject: Hashable, Sendable {
    package var name: String
    /// `nil` for a common beginning of several names.
    package var record: ListedRecord?
}

/// What listings show of an object.
package struct ListedRecord: Hashable, Sendable {
    package var content: ContentReference
    package var etag: String
    package var contentType: String
    /// Seconds since 1970 from which on the object is gone.
    package var expires: Int64?
    /// Microseconds since 1970.
    package var changed: Int64
    /// Of a static manifest: the octets of the whole, and its checksum.
    package var whole: Int64?
    package var wholeETag: String?

    /// Octets that a client sees.
    var size: Int64 { whole ?? content.size }
    func isExpired(at now: Int64) -> Bool { expires.map { $0 <= now / 1_000_000 } ?? false }
}

package enum StoreFailure: Error, Hashable, Sendable {
    case noSuchContainer, noSuchObject, notEmpty
    /// There is an object of that name, and it was not to be replaced.
    case exists
    /// What has the name is no longer what was seen.
    case changed
    case noSuchUpload
    /// A part that is not there, or is another one by now.
    case noSuchPart(Int)
    /// More uploads are under way than there may be.
    case tooManyUploads
    case accountQuota, containerQuota
    case diskFull
    /// What lies on the disk is not what was written: it is never given out.
    case damaged(ContentReference)
    /// The bytes are gone because the object was replaced or removed meanwhile.
    case gone
    case failed(String)
}
