import NIOCore
import NIOHTTP1
import NIOSSL

/// A refusal in S3's words.
package struct S3Refusal: Error {
    package var status: Int
    package var code: String
    package var message: String
    /// Further elements of the error's document.
    package var details: [(String, String)]
    package var headers: HTTPHeaders

    package init(
        _ status: Int, _ code: String, _ message: String, details: [(String, String)] = [], headers: HTTPHeaders = [:]
    ) {
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.headers = headers
    }

    func response(resource: String, request: String) -> ObjectResponse {
        var headers = headers
        headers.replaceOrAdd(name: "Content-Type", value: "application/xml")
        let inner =
            ([("Code", code), ("Message", message)] + details + [("Resource", resource), ("RequestId", request)])
            .map { S3XML.element($0.0, $0.1) }.joined()
        return ObjectResponse(
            status, headers: headers, body: .bytes(Array((S3XML.head + "<Error>\(inner)</Error>").utf8)))
    }

    static func accessDenied(_ message: String = "Access Denied") -> Self { Self(403, "AccessDenied", message) }
    static func invalid(_ message: String) -> Self { Self(400, "InvalidRequest", message) }
    static func argument(_ message: String, _ name: String, _ value: String) -> Self {
        Self(400, "InvalidArgument", message, details: [("ArgumentName", name), ("ArgumentValue", value)])
    }
    static func noSuchBucket(_ name: String) -> Self {
        Self(404, "NoSuchBucket", "The specified bucket does not exist", details: [("BucketName", name)])
    }
    static func noSuchKey(_ key: String) -> Self {
        Self(404, "NoSuchKey", "The specified key does not exist.", details: [("Key", key)])
    }
    static let noSuchUpload = Self(
        404, "NoSuchUpload",
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
            + "completed.")
    static let invalidPart = Self(
        400, "InvalidPart",
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified "
            + "entity tag may not match the part's entity tag.")
    static func notImplemented(_ what: String) -> Self {
        Self(
            501, "NotImplemented", "\(what) is functionality that is not implemented.")
    }
    static let methodNotAllowed = Self(
        405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
    static let preconditionFailed = Self(
        412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
    static let malformedXML = Self(
        400, "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema")
    static let signatureDoesNotMatch = Self(
        403, "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your key and signing "
            + "method.")
    static let entityTooLarge = Self(
        400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
    static let incompleteBody = Self(
        400, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header")
    static let badDigest = Self(
        400, "BadDigest", "The Content-MD5 or checksum value that you specified did not match what the server received."
    )
}

extension S3Refusal {
    /// What S3 calls what the store and the rules that are Swift's too refuse.
    init(_ error: any Error, bucket: String?, key: String?) {
        switch error {
        case let refusal as S3Refusal: self = refusal
        case let refusal as SwiftRefusal: self.init(refusal, bucket: bucket, key: key)
        case StoreFailure.noSuchContainer: self = .noSuchBucket(bucket ?? "")
        case StoreFailure.noSuchObject, StoreFailure.gone: self = .noSuchKey(key ?? "")
        case StoreFailure.notEmpty:
            self.init(409, "BucketNotEmpty", "The bucket you tried to delete is not empty")
        case StoreFailure.exists, StoreFailure.changed: self = .preconditionFailed
        case StoreFailure.noSuchUpload: self = .noSuchUpload
        case StoreFailure.noSuchPart: self = .invalidPart
        case StoreFailure.tooManyUploads:
            self = .invalid("More uploads in parts are under way in this bucket than there may be: abort some.")
        case StoreFailure.accountQuota, StoreFailure.containerQuota:
            self.init(403, "QuotaExceeded", "The quota of the project or of the bucket would be exceeded.")
        case StoreFailure.diskFull:
            self.init(507, "InsufficientCapacity", "There is not enough space to save the object.")
        case TokenGate.Unavailable.coordinator, is CancellationError:
            self.init(503, "ServiceUnavailable", "Please try again later.", headers: ["Retry-After": "5"])
        case StoreFailure.damaged:
            self.init(503, "ServiceUnavailable", "The object cannot be read at the moment.")
        // Nobody hears it any more.
        case is ChannelError, is IOError, is HTTPParserError, is NIOSSLError: self = .incompleteBody
        default: self.init(500, "InternalError", "We encountered an internal error. Please try again.")
        }
    }

    private init(_ refusal: SwiftRefusal, bucket: String?, key: String?) {
        switch refusal.status {
        case 401, 403: self = .accessDenied()
        case 404: self = key.map { .noSuchKey($0) } ?? .noSuchBucket(bucket ?? "")
        case 409: self.init(409, "OperationAborted", refusal.message)
        case 412: self = .preconditionFailed
        case 413: self = .entityTooLarge
        case 503: self.init(503, "ServiceUnavailable", "Please try again later.")
        default: self.init(400, "InvalidRequest", refusal.message)
        }
    }
}
