import CoordinatorIdentity
import CoordinatorPlatform
import Testing

/// The signatures were made with keystoneclient's signer, and with Python's hmac for S3.
@Suite("signatures of Amazon's interfaces")
struct EC2SignatureTests {
    private static let secret = "66aaf9e49d5d4d8e8c9a6f4a6e2d5c1b"
    private static let date: JSON = "2026-01-01T00:00:00Z"
    private static let authorization =
        "AWS4-HMAC-SHA256 Credential=abc/20260101/us-east-1/ec2/aws4_request,"
        + "SignedHeaders=content-type;host;x-amz-date,Signature="

    private static let signed: [(name: String, request: JSON)] = [
        (
            "version 0",
            [
                "signature": "kyAYuJXqu6Z/9GR1dedOiy8y1ao=",
                "params": ["SignatureVersion": "0", "Action": "DescribeInstances", "Timestamp": date]
            ]
        ),
        (
            "version 1",
            [
                "signature": "V37GIBJxnNQgKnlX2kury8Fo/rQ=",
                "params": ["SignatureVersion": "1", "AWSAccessKeyId": "abc", "b": "x y", "A": "zä", "Timestamp": date]
            ]
        ),
        (
            "version 2",
            [
                "signature": "7ckw+KUsjW/R1gsHlCNCzLr+zhlfU4PamsE0gjNBqng=", "host": "cloud.test:8773", "verb": "GET",
                "path": "/services/Cloud",
                "params": ["SignatureVersion": "2", "AWSAccessKeyId": "abc", "b": "x y/~*", "Timestamp": date]
            ]
        ),
        (
            "version 4 in a header",
            [
                "signature": "e3ba430d55b836d6377a4b055fab791711609347903232196b7258c73a2756da", "host": "cloud.test",
                "verb": "GET", "path": "/", "params": ["Action": "DescribeInstances", "Version": "2015 01/01"],
                "headers": [
                    "Authorization": .string(authorization), "Host": "cloud.test", "X-Amz-Date": "20260101T000000Z",
                    "Content-Type": "application/x-www-form-urlencoded; charset=utf-8 "
                ],
                "body_hash": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
            ]
        ),
        (
            "version 4 in the query",
            [
                "signature": "8c5b7e8d388331fe2618df10b825300d500fbc96f41e475c650e2b1883aa8e44", "host": "cloud.test",
                "verb": "POST", "path": "/",
                "params": [
                    "Action": "X", "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Date": "20260101T000000Z",
                    "X-Amz-Credential": "abc/20260101/us-east-1/ec2/aws4_request", "X-Amz-SignedHeaders": "host"
                ],
                "headers": ["Host": "cloud.test"], "body_hash": "abc"
            ]
        )
    ]

    private static func request(_ body: JSON, changing: [String: JSON] = [:]) throws -> EC2Request {
        try EC2Request(.object((body.objectValue ?? [:]).merging(["access": "abc"]) { $1 }.merging(changing) { $1 }))
    }

    @Test("every version is known, and nothing of it may be changed", arguments: signed.indices)
    func versions(index: Int) throws {
        let (name, body) = Self.signed[index]
        let request = try Self.request(body)
        #expect(EC2Signature.isRight(request, secret: Self.secret), "\(name)")
        #expect(!EC2Signature.isRight(request, secret: Self.secret + "x"), "\(name)")
        var params = body["params"]?.objectValue ?? [:]
        params["Action"] = "TerminateInstances"
        if name != "version 4 in the query" {
            // A POST has its parameters in its body, whose hash is signed.
            let other = try Self.request(body, changing: ["params": .object(params)])
            #expect(!EC2Signature.isRight(other, secret: Self.secret), "\(name)")
        }
    }

    @Test("a client may sign the host without its port")
    func port() throws {
        let body = Self.signed[3].request
        let request = try Self.request(body, changing: ["host": "cloud.test:8773"])
        #expect(EC2Signature.isRight(request, secret: Self.secret))
    }

    @Test("unknown versions, wrong dates and missing parts are no signatures")
    func refusals() throws {
        let body = Self.signed[3].request
        let changes: [[String: JSON]] = [
            ["params": ["SignatureVersion": "3"]], ["headers": [:]], ["headers": ["Authorization": "Basic x"]],
            ["headers": ["Authorization": .string(Self.authorization), "X-Amz-Date": "20260102T000000Z"]],
            ["headers": ["Authorization": "AWS4-HMAC-SHA256 Credential=abc,SignedHeaders=host", "X-Amz-Date": "2026"]]
        ]
        for change in changes {
            #expect(!EC2Signature.isRight(try Self.request(body, changing: change), secret: Self.secret))
        }
        for broken: JSON in [[:], ["access": "abc"], ["signature": "x"], ["access": "abc", "signature": ""]] {
            #expect(throws: APIError.self) { try EC2Request(broken) }
        }
        #expect(throws: APIError.self) { try EC2Request(["access": "a", "signature": "b", "params": []]) }
    }

    @Test("the time of a request, in both forms")
    func times() throws {
        func time(_ change: [String: JSON]) throws -> Int64? {
            try Self.request(["signature": "x"], changing: change).signedAt()
        }
        #expect(try time([:]) == nil)
        #expect(
            try time(["params": ["Timestamp": "2026-01-01T00:00:00Z", "SignatureVersion": "2"]])
                == 1_767_225_600_000_000)
        #expect(try time(["headers": ["X-Amz-Date": "20260101T000000Z"]]) == 1_767_225_600_000_000)
        #expect(try time(["params": ["X-Amz-Date": "20260101T000001Z"]]) == 1_767_225_601_000_000)
        #expect(throws: APIError.self) {
            try time(["params": ["Timestamp": "yesterday", "SignatureVersion": "2"]])
        }
        // What the signature does not cover says nothing.
        let old: JSON = ["X-Amz-Date": "20260101T000000Z"]
        #expect(
            try time(["headers": old, "params": ["Timestamp": "2030-01-01T00:00:00Z"]]) == 1_767_225_600_000_000)
        #expect(try time(["headers": old, "params": ["SignatureVersion": "2", "Expires": "x"]]) == nil)
    }

    @Test("S3: HMAC-SHA1 and version 4, for S3's own services only")
    func s3() {
        let secret = Self.secret
        let version1 = Array("GET\n\n\nThu, 01 Jan 2026 00:00:00 +0000\n/bucket/object".utf8)
        #expect(EC2Signature.isRight("9Y7qBzsrMpHIZKIvgt3ellm30mY=", of: version1, secret: secret))
        #expect(!EC2Signature.isRight("9Y7qBzsrMpHIZKIvgt3ellm30mY=", of: version1 + [10], secret: secret))
        func version4(_ service: String) -> [UInt8] {
            let hash = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
            return Array(
                "AWS4-HMAC-SHA256\n20260101T000000Z\n20260101/us-east-1/\(service)/aws4_request\n\(hash)".utf8)
        }
        let signature = "095eb1ceb8e94515dfb76bf404c222a80114dee37a13a14987b8369ea75c9543"
        #expect(EC2Signature.isRight(signature, of: version4("s3"), secret: secret))
        #expect(!EC2Signature.isRight(signature, of: version4("ec2"), secret: secret))
        #expect(!EC2Signature.isRight(signature, of: Array("AWS4-HMAC-SHA256\n".utf8), secret: secret))
    }

    @Test("a credential is found by the hash of its access key")
    func key() {
        #expect(
            EC2Signature.credentialKey("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }
}
