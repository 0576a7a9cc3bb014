import AgentObject
import NIOHTTP1
import Testing

@Suite("S3: signatures")
struct S3SignatureTests {
    /// Requests of Amazon's own documents, with the signatures that stand there.
    struct Vector: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var method = "GET"
        var target: String
        var headers: [String] = []
        var signed = "host;x-amz-content-sha256;x-amz-date"
        var payload = Self.empty
        var signature: String

        static let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

        var request: ObjectRequest {
            var fields: HTTPHeaders = [
                "x-amz-date": "20130524T000000Z", "x-amz-content-sha256": payload,
                "Authorization": "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                    + "SignedHeaders=\(signed),Signature=\(signature)"
            ]
            for header in headers {
                let pair = header.split(separator: ":", maxSplits: 1).map(String.init)
                fields.add(name: pair[0], value: pair[1])
            }
            if !fields.contains(name: "host") { fields.add(name: "Host", value: "examplebucket.s3.amazonaws.com") }
            return ObjectRequest(method: method, target: target, headers: fields, body: .empty)
        }
    }

    static let vectors = [
        Vector(
            testDescription: "GET of a range", target: "/test.txt", headers: ["Range:bytes=0-9"],
            signed: "host;range;x-amz-content-sha256;x-amz-date",
            signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        Vector(
            testDescription: "PUT", method: "PUT", target: "/test$file.text",
            headers: ["Date:Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class:  REDUCED_REDUNDANCY "],
            signed: "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
            payload: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
            signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
        Vector(
            testDescription: "a part of a bucket", target: "/?lifecycle",
            signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        Vector(
            testDescription: "a listing", target: "/?prefix=J&max-keys=2",
            signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
        Vector(
            testDescription: "a chunked body", method: "PUT", target: "/examplebucket/chunkObject.txt",
            headers: [
                "Host:s3.amazonaws.com", "Content-Encoding:aws-chunked", "Content-Length:66824",
                "x-amz-decoded-content-length:66560", "x-amz-storage-class:REDUCED_REDUNDANCY"
            ],
            signed: "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;"
                + "x-amz-decoded-content-length;x-amz-storage-class",
            payload: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            signature: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9")
    ]

    private static let key = FakeKeys.derive(date: "20130524", region: "us-east-1")

    @Test("those of Amazon's documents are right, and of no other request", arguments: vectors)
    func documented(_ vector: Vector) throws {
        let request = vector.request
        let authorization = try S3Authorization(request)
        try authorization.check(request, payload: vector.payload, key: Self.key)
        var other = request
        other.method = "DELETE"
        #expect(throws: S3Refusal.self) { try authorization.check(other, payload: vector.payload, key: Self.key) }
        var path = request
        path.path += "x"
        #expect(throws: S3Refusal.self) { try authorization.check(path, payload: vector.payload, key: Self.key) }
        #expect(throws: S3Refusal.self) { try authorization.check(request, payload: "UNSIGNED-PAYLOAD", key: Self.key) }
        // What is not signed is not to be there.
        var added = request
        added.headers.add(name: "x-amz-acl", value: "private")
        #expect(throws: S3Refusal.self) { try authorization.check(added, payload: vector.payload, key: Self.key) }
    }

    @Test("a signed URL of Amazon's documents, for a day")
    func url() throws {
        let request = ObjectRequest(
            method: "GET",
            target: "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F"
                + "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders="
                + "host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
            headers: ["Host": "examplebucket.s3.amazonaws.com"], body: .empty)
        let authorization = try S3Authorization(request)
        try authorization.check(request, payload: "UNSIGNED-PAYLOAD", key: Self.key)
        let begin: Int64 = 1_369_353_600
        for (seconds, isGood) in [(begin, true), (begin + 86_399, true), (begin + 86_400, false), (begin - 1000, false)]
        {
            let answer: Void? = try? authorization.checkTime(seconds * 1_000_000)
            #expect((answer != nil) == isGood)
        }
    }

    @Test("the chunks of Amazon's documents, with and without a trailer")
    func chunks() async throws {
        let body = [UInt8](repeating: UInt8(ascii: "a"), count: 66_560)
        func wrapped(_ signatures: [String], _ end: String) -> [UInt8] {
            var out = Array("10000;chunk-signature=\(signatures[0])\r\n".utf8) + body[..<65_536]
            out += Array("\r\n400;chunk-signature=\(signatures[1])\r\n".utf8) + body[65_536...]
            return out + Array("\r\n0;chunk-signature=\(signatures[2])\r\n\(end)\r\n".utf8)
        }
        let plain = wrapped(
            [
                "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
                "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
                "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"
            ], "")
        #expect(try await unwrap(plain, Self.vectors[4]) == body)
        let trailing = Vector(
            testDescription: "", method: "PUT", target: "/examplebucket/chunkObject.txt",
            headers: [
                "Host:s3.amazonaws.com", "Content-Encoding:aws-chunked", "x-amz-decoded-content-length:66560",
                "x-amz-storage-class:REDUCED_REDUNDANCY", "x-amz-trailer:x-amz-checksum-crc32c"
            ],
            signed: "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;"
                + "x-amz-storage-class;x-amz-trailer",
            payload: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            signature: "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e")
        let signatures = [
            "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
            "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
            "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"
        ]
        let end =
            "x-amz-checksum-crc32c:sOO8/Q==\r\n"
            + "x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n"
        #expect(try await unwrap(wrapped(signatures, end), trailing) == body)
        // One octet of the body, of a signature, of the trailer; the last chunk cut away.
        for position in [200, 30, plain.count - 20, 66_000] {
            var bad = plain
            bad[position] ^= 1
            let damaged = bad
            await #expect(throws: S3Refusal.self) { try await unwrap(damaged, Self.vectors[4]) }
        }
        for cut in [0, 10, 50_000, 66_700] {
            await #expect(throws: S3Refusal.self) {
                _ = try await unwrap(Array(plain[..<cut]), Self.vectors[4])
            }
        }
        for bad in ["", end.replacing("sOO8", with: "sOO9"), end.replacing("d81f", with: "d81e")] {
            let damaged = wrapped(signatures, bad)
            await #expect(throws: S3Refusal.self) { try await unwrap(damaged, trailing) }
        }
    }

    private func unwrap(_ bytes: [UInt8], _ vector: Vector) async throws -> [UInt8] {
        var request = vector.request
        let authorization = try S3Authorization(request)
        try authorization.check(request, payload: vector.payload, key: Self.key)
        var sent = 0
        request.body = RequestBody {
            guard sent < bytes.count else { return nil }
            defer { sent += 999 }
            return .init(bytes: bytes[sent..<min(sent + 999, bytes.count)])
        }
        let intake = try S3Intake(
            request, try S3Intake.Wrapping(vector.payload), signer: S3ChunkSigner(authorization, key: Self.key))
        return try await intake.collect(limit: 1 << 20)
    }

    @Test("checksums are those of everybody else, and parts' make the whole's")
    func checksums() {
        let text = Array("123456789".utf8)
        for (algorithm, value) in [
            (S3ChecksumAlgorithm.crc32, "y/Q5Jg=="), (.crc32c, "4waSgw=="), (.crc64nvme, "rosUhgp5mIg="),
            (.sha1, "98O8HYCOBHMq32eZZczDTKeuNEE="), (.sha256, "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=")
        ] {
            var hash = S3ChecksumHash(algorithm)
            hash.update(text)
            #expect(hash.finish() == value)
            guard algorithm.crc != nil else { continue }
            let long = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7) }
            func one(_ bytes: [UInt8]) -> String {
                var hash = S3ChecksumHash(algorithm)
                hash.update(bytes)
                return hash.finish()
            }
            for cuts in [[300, 700], [1, 999], [1000], [333, 0, 667]] {
                var start = 0
                let parts = cuts.map { size in
                    defer { start += size }
                    return (value: one(Array(long[start..<(start + size)])), size: Int64(size))
                }
                #expect(S3Checksum.joined(parts, algorithm, .full)?.value == one(long))
            }
        }
        #expect(S3Checksum.joined([("AAAAAA==", 1)], .sha256, .full) == nil)
    }

    @Test(
        "bodies that grow or nest are refused",
        arguments: [
            "<!DOCTYPE a [<!ENTITY b \"c\">]><Delete>&b;</Delete>", "<a>&b;</a>", "<a>", "<a></b>", "<a/><b/>", "",
            String(repeating: "<a>", count: 20) + String(repeating: "</a>", count: 20), "<a>\u{0}</a", "<a b=c/>",
            "<a>&#0;</a>"
        ])
    func hostileXML(_ text: String) {
        #expect(throws: XMLReader.Malformed.self) { try XMLReader.read(Array(text.utf8)) }
    }

    @Test("what clients send is read")
    func xml() throws {
        let text = """
            <?xml version="1.0" encoding="UTF-8"?>
            <!-- a word -->
            <s:Delete xmlns:s='http://s3.amazonaws.com/doc/2006-03-01/'><Quiet>true</Quiet>
             <Object><Key>a &amp; b&#x3c;&#233;</Key></Object><Object><Key/></Object></s:Delete>
            """
        let root = try XMLReader.read(Array(text.utf8))
        #expect(root.name == "Delete" && root["Quiet"] == "true")
        #expect(root.all("Object").map { $0["Key"] } == ["a & b<é", ""])
        let many = "<a>" + String(repeating: "<b/>", count: 80_001) + "</a>"
        #expect(throws: XMLReader.Malformed.self) { try XMLReader.read(Array(many.utf8)) }
    }
}
