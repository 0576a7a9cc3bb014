import Logging
import NIOHTTP1
import ProtocolModel

/// Swift's API and S3's on one port: a request says which it speaks.
package struct ObjectFaces: ObjectResponder {
    private let swift: SwiftService
    private let s3: S3Service

    package init(swift: SwiftService, s3: S3Service) {
        self.swift = swift
        self.s3 = s3
    }

    package func respond(to request: ObjectRequest) async -> ObjectResponse {
        S3Authorization.isMeant(request) ? await s3.respond(to: request) : await swift.respond(to: request)
    }
}

/// The S3 API over the same store: buckets are the containers of the project that an access key is for.
package struct S3Service: ObjectResponder {
    let swift: SwiftService
    let parts: any MultipartStore
    let gate: SigningKeyGate

    var store: any ObjectStore { swift.store }

    package init(swift: SwiftService, parts: any MultipartStore, gate: SigningKeyGate) {
        self.swift = swift
        self.parts = parts
        self.gate = gate
    }

    package func respond(to request: ObjectRequest) async -> ObjectResponse {
        let now = swift.clock.now()
        let transaction = SwiftService.transactionID(at: now)
        var response: ObjectResponse
        let target = S3Target(request.path)
        do {
            let call = try await identify(request, target, now)
            response = try await call.route()
        } catch {
            let refusal = S3Refusal(error, bucket: target?.bucket, key: target?.key)
            if refusal.status == 500 || refusal.code == "IncompleteBody" {
                swift.logger.log(
                    level: refusal.status == 500 ? .error : .debug, "an S3 request failed",
                    metadata: ["error": "\(error)", "transaction": "\(transaction)"])
            }
            response = refusal.response(resource: request.path, request: transaction)
            if [304, 412].contains(refusal.status), request.method == "HEAD" { response.body = .none }
        }
        response.headers.replaceOrAdd(name: "X-Amz-Request-Id", value: transaction)
        response.headers.replaceOrAdd(name: "X-Amz-Id-2", value: transaction)
        response.headers.replaceOrAdd(name: "Date", value: HTTPDate.http(seconds: now / 1_000_000))
        return response
    }

    /// Finds out who signed the request.
    private func identify(_ request: ObjectRequest, _ target: S3Target?, _ now: Int64) async throws -> S3Call {
        let authorization = try S3Authorization(request)
        try authorization.checkTime(now)
        if request.query.has("X-Amz-Security-Token") || request.headers.contains(name: "x-amz-security-token") {
            throw S3Refusal(400, "InvalidToken", "The provided token is malformed or otherwise invalid.")
        }
        guard let payload = authorization.payload(request) else {
            throw S3Refusal.invalid("Missing required header for this request: x-amz-content-sha256")
        }
        let wrapping = try S3Intake.Wrapping(payload)
        let key = try await gate.key(
            SigningKeyRequest(access: authorization.access, date: authorization.date, region: authorization.region))
        guard let key else {
            throw S3Refusal(
                403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.",
                details: [("AWSAccessKeyId", authorization.access)])
        }
        try authorization.check(request, payload: payload, key: key.key)
        let request = authorization.lifetime == nil ? request : request.withFieldsOfQuery
        guard let project = key.holder.project else { throw S3Refusal.accessDenied() }
        guard let target else { throw S3Refusal(400, "InvalidURI", "Couldn't parse the specified URI.") }
        let account = Authorization.prefix + project.compact
        let swiftTarget = SwiftTarget(account: account, container: target.bucket ?? "", object: target.key ?? "")
        return S3Call(
            service: self, request: request, target: target, authorization: authorization, holder: key.holder,
            wrapping: wrapping, signer: wrapping.isSigned ? S3ChunkSigner(authorization, key: key.key) : nil,
            swift: SwiftCall(service: swift, request: request, target: swiftTarget, now: now, who: key.holder))
    }
}

/// What a path names: the bucket comes first.
struct S3Target: Hashable, Sendable {
    var bucket: String?
    var key: String?

    /// - Returns: `nil` for what is no path.
    init?(_ path: String) {
        guard let decoded = PercentText.decode(path) else { return nil }
        let parts = decoded.pathParts(atMost: 3)
        guard parts.count >= 2, parts[0].isEmpty else { return nil }
        bucket = parts[1].isEmpty ? nil : parts[1]
        key = parts.count > 2 && !parts[2].isEmpty ? parts[2] : nil
        guard bucket != nil || key == nil else { return nil }
    }
}
