import NIOHTTP1
import ProtocolModel

/// One signed request on its way to its answer. What may be done, and what is there, the rules of the Swift API say. For
/// one task.
final class S3Call {
    let service: S3Service
    let request: ObjectRequest
    let target: S3Target
    let authorization: S3Authorization
    let holder: TokenVerdict
    let wrapping: S3Intake.Wrapping
    let signer: S3ChunkSigner?
    let swift: SwiftCall

    var store: any ObjectStore { service.store }
    var parts: any MultipartStore { service.parts }
    var query: QueryItems { request.query }
    var now: Int64 { swift.now }
    var account: String { swift.target.account }
    var isHead: Bool { request.method == "HEAD" }

    init(
        service: S3Service, request: ObjectRequest, target: S3Target, authorization: S3Authorization,
        holder: TokenVerdict, wrapping: S3Intake.Wrapping, signer: S3ChunkSigner?, swift: SwiftCall
    ) {
        self.service = service
        self.request = request
        self.target = target
        self.authorization = authorization
        self.holder = holder
        self.wrapping = wrapping
        self.signer = signer
        self.swift = swift
    }

    func header(_ name: String) -> String? { request.header(name) }

    // MARK: What is not there

    /// Parts of buckets and objects that S3 has and this store has not.
    private static let absent: Set<String> = [
        "accelerate", "analytics", "attributes", "cors", "encryption", "intelligent-tiering", "inventory", "legal-hold",
        "lifecycle", "logging", "metadataTable", "metrics", "notification", "object-lock", "ownershipControls",
        "policy",
        "policyStatus", "publicAccessBlock", "replication", "requestPayment", "restore", "retention", "select",
        "session",
        "torrent", "versions", "website", "append"
    ]
    private static let known: Set<String> = [
        "x-amz-acl", "x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type", "x-amz-content-sha256",
        "x-amz-copy-source", "x-amz-copy-source-if-match", "x-amz-copy-source-if-modified-since",
        "x-amz-copy-source-if-none-match", "x-amz-copy-source-if-unmodified-since", "x-amz-copy-source-range",
        "x-amz-date", "x-amz-decoded-content-length", "x-amz-expected-bucket-owner", "x-amz-metadata-directive",
        "x-amz-sdk-checksum-algorithm", "x-amz-source-expected-bucket-owner", "x-amz-storage-class", "x-amz-tagging",
        "x-amz-tagging-directive", "x-amz-trailer", "x-amz-user-agent"
    ]

    /// What would be forgotten is refused.
    private func refuseUnknown() throws {
        for name in Self.absent where query.has(name) { throw S3Refusal.notImplemented("?\(name)") }
        for (name, value) in request.headers {
            let name = name.lowercased()
            guard name.hasPrefix("x-amz-"), !name.hasPrefix("x-amz-meta-"), !Self.known.contains(name),
                S3ChecksumAlgorithm(header: name) == nil
            else { continue }
            if name == "x-amz-bucket-object-lock-enabled", value.lowercased() == "false" { continue }
            throw S3Refusal.notImplemented("The header \(name)")
        }
        if let acl = header("x-amz-acl"), !["private", "bucket-owner-full-control"].contains(acl) {
            throw S3Refusal.notImplemented("The canned ACL \(acl)")
        }
        if let storage = header("x-amz-storage-class"), storage != "STANDARD" {
            throw S3Refusal(400, "InvalidStorageClass", "The storage class you specified is not valid")
        }
        if let version = query["versionId"], version != "null" {
            throw S3Refusal.argument("Invalid version id specified", "versionId", version)
        }
        for name in ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"] {
            if let owner = header(name), owner != ownerID { throw S3Refusal.accessDenied() }
        }
    }

    // MARK: Routes

    func route() async throws -> ObjectResponse {
        try refuseUnknown()
        guard let bucket = target.bucket else {
            guard request.method == "GET" else { throw S3Refusal.methodNotAllowed }
            return try await listBuckets()
        }
        let container = ContainerName(account: account, name: bucket)
        guard let key = target.key else { return try await routeBucket(container) }
        guard key.utf8.count <= SwiftLimits.objectName else {
            throw S3Refusal(400, "KeyTooLongError", "Your key is too long")
        }
        return try await routeObject(ObjectName(container: container, name: key))
    }

    private func routeBucket(_ bucket: ContainerName) async throws -> ObjectResponse {
        switch (request.method, query.firstOf(["location", "acl", "versioning", "uploads", "delete", "tagging"])) {
        case ("GET", "location"): return try await getLocation(bucket)
        case ("GET", "acl"): return try await getACL(bucket)
        case ("GET", "versioning"): return try await getVersioning(bucket)
        case ("GET", "uploads"): return try await listUploads(bucket)
        case ("GET", nil): return try await listObjects(bucket)
        case ("HEAD", nil): return try await headBucket(bucket)
        case ("PUT", nil): return try await createBucket(bucket)
        case ("PUT", "acl"): return try await putACL(bucket, object: nil)
        case ("DELETE", nil): return try await deleteBucket(bucket)
        case ("POST", "delete"): return try await deleteObjects(bucket)
        case (_, let part?): throw S3Refusal.notImplemented("\(request.method) ?\(part) of buckets")
        default: throw S3Refusal.methodNotAllowed
        }
    }

    private func routeObject(_ object: ObjectName) async throws -> ObjectResponse {
        switch (request.method, query.firstOf(["acl", "tagging", "uploads", "uploadId", "partNumber"])) {
        case ("GET", nil), ("HEAD", nil): return try await getObject(object)
        case ("GET", "acl"): return try await getACL(object.container, object: object)
        case ("GET", "tagging"): return try await getTags(object)
        case ("GET", "uploadId"): return try await listParts(object)
        case ("PUT", nil) where request.headers.contains(name: "x-amz-copy-source"):
            return try await copyObject(to: object)
        case ("PUT", nil): return try await putObject(object)
        case ("PUT", "acl"): return try await putACL(object.container, object: object)
        case ("PUT", "tagging"): return try await putTags(object)
        case ("PUT", "uploadId"): return try await putPart(object)
        case ("DELETE", nil): return try await deleteObject(object)
        case ("DELETE", "tagging"): return try await deleteTags(object)
        case ("DELETE", "uploadId"): return try await abortUpload(object)
        case ("POST", "uploads"): return try await createUpload(object)
        case ("POST", "uploadId"): return try await completeUpload(object)
        case (_, let part?): throw S3Refusal.notImplemented("\(request.method) ?\(part) of objects")
        default: throw S3Refusal.methodNotAllowed
        }
    }

    // MARK: What is there, and who may

    /// Looks before anything is read of the body.
    func requireBucket(_ name: ContainerName) async throws -> ContainerRecord {
        guard let record = try await swift.container(name) else { throw S3Refusal.noSuchBucket(name.name) }
        return record
    }

    func requireObject(_ name: ObjectName, _ kind: AccessKind) async throws -> ObjectRecord {
        _ = try await requireBucket(name.container)
        try await swift.authorizeObject(kind, in: name.container)
        guard let record = try await swift.object(name) else { throw S3Refusal.noSuchKey(name.name) }
        return record
    }

    /// Whose all buckets are that a key opens.
    var ownerID: String { holder.project?.compact ?? "" }
    var owner: String {
        "<Owner>\(S3XML.element("ID", ownerID))\(S3XML.element("DisplayName", holder.projectName))</Owner>"
    }

    // MARK: Bodies

    func intake(_ algorithm: S3ChecksumAlgorithm? = nil) throws -> S3Intake {
        try S3Intake(request, wrapping, signer: signer, algorithm: algorithm)
    }

    /// A body that is a small document; `nil` where there is none.
    func document(limit: Int = 64 << 10) async throws -> XMLElement? {
        let bytes = try await intake().collect(limit: limit)
        guard !bytes.isEmpty else { return nil }
        do throws(XMLReader.Malformed) { return try XMLReader.read(bytes) } catch { throw S3Refusal.malformedXML }
    }

    /// Bodies that say nothing are still held to their hash.
    func refuseBody() async throws {
        guard try await intake().collect(limit: 64 << 10).isEmpty else { throw S3Refusal.malformedXML }
    }

    func number(_ name: String, _ range: ClosedRange<Int>, or usual: Int) throws -> Int {
        guard let text = query[name], !text.isEmpty else { return usual }
        guard let number = Int(text), number >= 0 else {
            throw S3Refusal.argument("Provided \(name) not an integer or within integer range", name, text)
        }
        return min(max(number, range.lowerBound), range.upperBound)
    }
}

extension QueryItems {
    /// The first of these names that the query has.
    func firstOf(_ names: [String]) -> String? { names.first { has($0) } }
}
