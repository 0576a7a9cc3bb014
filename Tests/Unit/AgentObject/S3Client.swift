import AgentObject
import Crypto
import NIOCore
import NIOHTTP1
import ProtocolModel
import Synchronization

/// Key pairs that people have, as the coordinator would know them.
final class FakeKeys: SigningKeyJudge {
    static let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    private let revoked = Mutex<Set<String>>([])

    func revoke(_ person: Person) { revoked.withLock { _ = $0.insert(person.rawValue) } }

    func key(_ request: SigningKeyRequest) async throws -> SigningKey? {
        guard !revoked.withLock({ $0.contains(request.access) }), let person = Person(rawValue: request.access) else {
            return nil
        }
        return SigningKey(holder: person.verdict, key: Self.derive(date: request.date, region: request.region))
    }

    static func derive(date: String, region: String, secret: String = secret) -> [UInt8] {
        [date, region, "s3", "aws4_request"].reduce(Array("AWS4\(secret)".utf8)) { hmac($0, $1) }
    }

    static func hmac(_ key: [UInt8], _ text: String) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: key)))
    }
}

func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

func sha256(_ bytes: [UInt8]) -> String { hex(SHA256.hash(data: bytes)) }

/// Signs requests as the protocol's document says, apart from the code that checks them.
struct S3Client {
    let cloud: ObjectCloud
    var access = Person.owner.rawValue
    var secret = FakeKeys.secret
    var region = "us-east-1"
    /// Seconds that its clock is wrong by.
    var skew: Int64 = 0

    private var seconds: Int64 { cloud.clock.now() / 1_000_000 + skew }

    static func stamp(_ seconds: Int64) -> String {
        let text = HTTPDate.listing(seconds * 1_000_000).prefix(19)
        return text.filter { $0 != "-" && $0 != ":" } + "Z"
    }

    struct Signed {
        var stamp: String, scope: String, key: [UInt8], signature: String
    }

    func sign(
        _ method: String, _ path: String, query: String, _ headers: [(String, String)], payload: String, stamp: String
    ) -> Signed {
        let date = String(stamp.prefix(8)), scope = "\(date)/\(region)/s3/aws4_request"
        let sorted = headers.map { ($0.0.lowercased(), $0.1) }.sorted { $0.0 < $1.0 }
        let canonical = [
            method, path,
            query.split(separator: "&").map { $0.contains("=") ? String($0) : "\($0)=" }.sorted()
                .joined(separator: "&"), sorted.map { "\($0.0):\($0.1)\n" }.joined(),
            sorted.map(\.0).joined(separator: ";"), payload
        ].joined(separator: "\n")
        let text = ["AWS4-HMAC-SHA256", stamp, scope, sha256(Array(canonical.utf8))].joined(separator: "\n")
        let key = FakeKeys.derive(date: date, region: region, secret: secret)
        return Signed(stamp: stamp, scope: scope, key: key, signature: hex(FakeKeys.hmac(key, text)))
    }

    /// - Parameter payload: `nil` for the body's own hash.
    func call(
        _ method: String, _ target: String, _ headers: [(String, String)] = [], _ body: [UInt8] = [],
        payload: String? = nil, unsigned: [(String, String)] = [],
        wrap: (([UInt8], Signed) -> [UInt8])? = nil
    ) async throws -> ObjectCloud.Answer {
        let parts = target.split(separator: "?", maxSplits: 1).map(String.init)
        let stamp = Self.stamp(seconds), payload = payload ?? sha256(body)
        let all =
            [("host", "objects.example:8704"), ("x-amz-date", stamp), ("x-amz-content-sha256", payload)] + headers
        let signed = sign(
            method, parts[0], query: parts.count > 1 ? parts[1] : "", all, payload: payload, stamp: stamp)
        let names = all.map { $0.0.lowercased() }.sorted().joined(separator: ";")
        let sent = wrap?(body, signed) ?? body
        var fields = HTTPHeaders(all + unsigned)
        fields.add(
            name: "Authorization",
            value: "AWS4-HMAC-SHA256 Credential=\(access)/\(signed.scope), SignedHeaders=\(names), "
                + "Signature=\(signed.signature)")
        return try await send(method, target, fields, sent)
    }

    func send(
        _ method: String, _ target: String, _ headers: HTTPHeaders, _ body: [UInt8] = []
    ) async throws -> ObjectCloud.Answer {
        var headers = headers
        if !headers.contains(name: "content-length") { headers.add(name: "Content-Length", value: String(body.count)) }
        var sent = 0
        let request = ObjectRequest(
            method: method, target: target, headers: headers,
            body: RequestBody {
                guard sent < body.count else { return nil }
                defer { sent += 10_007 }
                return ByteBuffer(bytes: body[sent..<min(sent + 10_007, body.count)])
            }, remoteAddress: "192.0.2.9")
        let faces = ObjectFaces(swift: cloud.service, s3: cloud.s3)
        return try await ObjectCloud.collect(await faces.respond(to: request), method)
    }

    func put(_ path: String, _ text: String, _ headers: [(String, String)] = []) async throws -> ObjectCloud.Answer {
        try await call("PUT", path, headers, Array(text.utf8))
    }

    /// A URL that is its own permission.
    func presigned(_ method: String, _ path: String, lifetime: Int64, more: String = "") -> String {
        let stamp = Self.stamp(seconds), date = stamp.prefix(8)
        let credential = "\(access)/\(date)/\(region)/s3/aws4_request".replacing("/", with: "%2F")
        let query =
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=\(credential)&X-Amz-Date=\(stamp)"
            + "&X-Amz-Expires=\(lifetime)&X-Amz-SignedHeaders=host\(more)"
        let signed = sign(
            method, path, query: query, [("host", "objects.example:8704")], payload: "UNSIGNED-PAYLOAD", stamp: stamp)
        return "\(path)?\(query)&X-Amz-Signature=\(signed.signature)"
    }

    static func chunked(_ body: [UInt8], _ size: Int, trailer: String? = nil, signed: Signed?) -> [UInt8] {
        var out: [UInt8] = []
        var previous = signed?.signature ?? ""
        let starts = Array(stride(from: 0, to: body.count, by: size)) + [body.count]
        for start in starts {
            let chunk = Array(body[start..<min(start + size, body.count)])
            var head = String(chunk.count, radix: 16)
            if let signed {
                let text =
                    "AWS4-HMAC-SHA256-PAYLOAD\n\(signed.stamp)\n\(signed.scope)\n\(previous)\n\(sha256([]))\n\(sha256(chunk))"
                previous = hex(FakeKeys.hmac(signed.key, text))
                head += ";chunk-signature=\(previous)"
            }
            out += Array("\(head)\r\n".utf8) + chunk
            if !chunk.isEmpty { out += Array("\r\n".utf8) }
        }
        if let trailer {
            out += Array("\(trailer)\r\n".utf8)
            if let signed {
                let text =
                    "AWS4-HMAC-SHA256-TRAILER\n\(signed.stamp)\n\(signed.scope)\n\(previous)\n\(sha256(Array("\(trailer)\n".utf8)))"
                out += Array("x-amz-trailer-signature:\(hex(FakeKeys.hmac(signed.key, text)))\r\n".utf8)
            }
        }
        return out + Array("\r\n".utf8)
    }
}

extension ObjectCloud.Answer {
    /// The code in an error's document.
    var code: String? { element("Code") }

    func element(_ name: String) -> String? {
        guard let start = text.firstRange(of: "<\(name)>"), let end = text.firstRange(of: "</\(name)>"),
            start.upperBound <= end.lowerBound
        else { return nil }
        return String(text[start.upperBound..<end.lowerBound])
    }

    func elements(_ name: String) -> [String] {
        text.split(separator: "<\(name)>").dropFirst().map { String($0.prefix { $0 != "<" }) }
    }
}
