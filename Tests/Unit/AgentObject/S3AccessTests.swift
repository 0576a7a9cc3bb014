import AgentObject
import Crypto
import Foundation
import NIOHTTP1
import Testing

@Suite("S3: who may, and objects in parts")
struct S3AccessTests {
    private func bucket() async throws -> (ObjectCloud, S3Client) {
        let cloud = try ObjectCloud()
        let client = S3Client(cloud: cloud)
        #expect(try await client.call("PUT", "/things").status == 200)
        #expect(try await client.put("/things/o", "hello").status == 200)
        return (cloud, client)
    }

    @Test("a wrong key, a wrong secret, a wrong time, nothing at all")
    func refused() async throws {
        let (cloud, client) = try await bucket()
        func code(_ change: (inout S3Client) -> Void) async throws -> String? {
            var other = client
            change(&other)
            return try await other.call("GET", "/things/o").code
        }
        #expect(try await code { $0.access = "nobody" } == "InvalidAccessKeyId")
        #expect(try await code { $0.secret = "wrong" } == "SignatureDoesNotMatch")
        #expect(try await code { $0.skew = 901 } == "RequestTimeTooSkewed")
        #expect(try await code { $0.skew = -902 } == "RequestTimeTooSkewed")
        #expect(try await code { $0.skew = 890 } == nil)
        #expect(try await code { $0.region = "anywhere" } == nil)
        // Another project's bucket is not to be seen, and a reader writes nothing.
        #expect(try await code { $0.access = Person.otherOwner.rawValue } == "NoSuchBucket")
        #expect(try await code { $0.access = Person.reader.rawValue } == nil)
        for access in [Person.reader, .roleless] {
            var other = client
            other.access = access.rawValue
            #expect(try await other.put("/things/o", "x").code == "AccessDenied")
            #expect(try await other.call("DELETE", "/things/o").code == "AccessDenied")
            #expect(try await other.call("POST", "/things/p?uploads").code == "AccessDenied")
            #expect(try await other.call("PUT", "/more").code == "AccessDenied")
        }
        let unsigned = try await client.call("GET", "/things/o", unsigned: [("x-amz-acl", "private")])
        #expect(unsigned.code == "AccessDenied")
        for header in ["AWS owner:abc", "AWS4-HMAC-SHA256 x", "AWS4-ECDSA-P256-SHA256 Credential=a"] {
            #expect(try await client.send("GET", "/things/o", ["Authorization": header]).status == 400)
        }
        let token = try await client.call("GET", "/things/o", [("x-amz-security-token", "x")])
        #expect(token.code == "InvalidToken")
        #expect(try await client.call("GET", "/things/o", payload: "hash").code == "InvalidArgument")
        // Revoked, it holds no longer than it is remembered.
        cloud.keys.revoke(.owner)
        cloud.clock.advance(seconds: 31)
        #expect(try await client.call("GET", "/things/o").code == "InvalidAccessKeyId")
    }

    @Test("a signed URL is good for one method, one object and its time, and not behind a revocation")
    func presigned() async throws {
        let (cloud, client) = try await bucket()
        let url = client.presigned("GET", "/things/o", lifetime: 60)
        let host: HTTPHeaders = ["Host": "objects.example:8704"]
        #expect(try await client.send("GET", url, host).text == "hello")
        #expect(try await client.send("DELETE", url, host).code == "SignatureDoesNotMatch")
        #expect(try await client.send("GET", url.replacing("/o?", with: "/p?"), host).code == "SignatureDoesNotMatch")
        #expect(try await client.send("GET", url.replacing("Expires=60", with: "Expires=90"), host).status == 403)
        #expect(try await client.send("GET", url, ["Host": "other"]).status == 403)
        #expect(
            try await client.send("GET", client.presigned("GET", "/things/o", lifetime: 604_801), host).status == 400)
        let upload = client.presigned("PUT", "/things/up", lifetime: 60)
        #expect(try await client.send("PUT", upload, host, Array("sent".utf8)).status == 200)
        #expect(try await client.call("GET", "/things/up").text == "sent")
        // Some clients put into the URL what else are header fields.
        let tagged = client.presigned("PUT", "/things/t", lifetime: 60, more: "&x-amz-tagging=k%3Dv")
        #expect(try await client.send("PUT", tagged, host, [1]).status == 200)
        #expect(try await client.call("GET", "/things/t?tagging").elements("Key") == ["k"])
        let hidden = client.presigned("PUT", "/things/t", lifetime: 60, more: "&x-amz-acl=public-read")
        #expect(try await client.send("PUT", hidden, host, [1]).status == 501)
        cloud.clock.advance(seconds: 61)
        #expect(try await client.send("GET", url, host).code == "AccessDenied")
        let later = client.presigned("GET", "/things/o", lifetime: 3600)
        cloud.keys.revoke(.owner)
        cloud.clock.advance(seconds: 31)
        #expect(try await client.send("GET", later, host).code == "InvalidAccessKeyId")
    }

    private static let part = (0..<(5 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) }

    private func order(_ parts: [(Int, String)]) -> [UInt8] {
        let inner = parts.map { "<Part><PartNumber>\($0.0)</PartNumber><ETag>\($0.1)</ETag></Part>" }.joined()
        return Array("<CompleteMultipartUpload>\(inner)</CompleteMultipartUpload>".utf8)
    }

    @Test("parts in any order become one object, for both APIs, and go with it")
    func multipart() async throws {
        let (cloud, client) = try await bucket()
        let begun = try await client.call(
            "POST", "/things/big?uploads", [("content-type", "a/b"), ("x-amz-meta-a", "1")])
        let id = try #require(begun.element("UploadId"))
        func part(_ number: Int, _ bytes: [UInt8]) async throws -> String {
            let answer = try await client.call(
                "PUT", "/things/big?partNumber=\(number)&uploadId=\(id)", [], bytes, payload: "UNSIGNED-PAYLOAD")
            #expect(answer.status == 200)
            return answer["etag"] ?? ""
        }
        let third = try await part(3, [1, 2, 3]), second = try await part(2, Array("x".utf8))
        let first = try await part(1, Self.part)
        #expect(try await client.call("HEAD", "/things/big").status == 404)
        #expect(try await client.call("GET", "/things?uploads").elements("UploadId") == [id])
        #expect(try await client.call("GET", "/things/big?uploadId=\(id)").elements("PartNumber") == ["1", "2", "3"])
        let page = try await client.call("GET", "/things/big?max-parts=1&part-number-marker=1&uploadId=\(id)")
        #expect(page.elements("PartNumber") == ["2"] && page.element("NextPartNumberMarker") == "2")
        func complete(_ parts: [(Int, String)]) async throws -> ObjectCloud.Answer {
            try await client.call("POST", "/things/big?uploadId=\(id)", [], order(parts))
        }
        #expect(try await complete([(2, second), (1, first)]).code == "InvalidPartOrder")
        #expect(try await complete([(1, first), (2, second), (3, third)]).code == "EntityTooSmall")
        #expect(try await complete([(1, second)]).code == "InvalidPart")
        #expect(try await complete([(7, first)]).code == "InvalidPart")
        #expect(try await complete([]).code == "MalformedXML")
        let done = try await complete([(1, first), (3, third)])
        let digests = [Self.part, [1, 2, 3]].flatMap { Array(Insecure.MD5.hash(data: $0)) }
        let etag = "\"\(hex(Insecure.MD5.hash(data: digests)))-2\""
        #expect(done.status == 200 && done.element("ETag") == etag.replacing("\"", with: "&quot;"), "\(done.text)")
        #expect(try await complete([(1, first)]).code == "NoSuchUpload")
        let whole = try await client.call("GET", "/things/big")
        #expect(whole.bytes == Self.part + [1, 2, 3] && whole["etag"] == etag && whole["x-amz-meta-a"] == "1")
        let range = try await client.call(
            "GET", "/things/big", [("range", "bytes=\(Self.part.count - 2)-\(Self.part.count)")])
        #expect(range.bytes == Self.part.suffix(2) + [1])
        let swift = try await cloud.call("GET", "things/big")
        #expect(swift.bytes == whole.bytes && swift["content-type"] == "a/b")
        #expect(try await cloud.counters().bytes == Int64(Self.part.count + 3 + 5))
        // Whoever reads it when it is replaced reads it to its end.
        let name = ObjectName(
            account: "AUTH_" + Person.project.compact, container: "things", name: "big")
        let record = try #require(try await cloud.store.object(name))
        var reader: ContentReader? = try await cloud.store.open(record.content)
        var read = try await reader?.read(from: 0, upTo: record.content.size) ?? []
        // A copy has the same parts; the last of the two takes them along.
        _ = try await client.call("PUT", "/things/copy", [("x-amz-copy-source", "things/big")])
        #expect(try await client.call("DELETE", "/things/big").status == 204)
        #expect(try await client.call("GET", "/things/copy").bytes == whole.bytes)
        #expect(try await cloud.call("DELETE", "things/copy?multipart-manifest=delete").status == 200)
        try await cloud.store.collectGarbage()
        while let piece = try await reader?.read(from: Int64(read.count), upTo: record.content.size), !piece.isEmpty {
            read += piece
        }
        #expect(read == whole.bytes)
        reader = nil
        try await cloud.store.collectGarbage()
        let left = Folder.names(cloud.folder + "/large").flatMap { Folder.names("\(cloud.folder)/large/\($0)") }
        #expect(left == [])
        #expect(try await cloud.counters().bytes == 5)
    }

    @Test("uploads end: aborted, forgotten, or with their bucket")
    func uploadsEnd() async throws {
        let (cloud, client) = try await bucket()
        func begin() async throws -> String {
            let id = try #require(try await client.call("POST", "/things/big?uploads").element("UploadId"))
            let sent = try await client.call(
                "PUT", "/things/big?partNumber=1&uploadId=\(id)", [], Array(Self.part[..<100_000]),
                payload: "UNSIGNED-PAYLOAD")
            #expect(sent.status == 200)
            return id
        }
        let id = try await begin()
        #expect(try await client.call("DELETE", "/things/big?uploadId=\(id)").status == 204)
        #expect(try await client.call("DELETE", "/things/big?uploadId=\(id)").code == "NoSuchUpload")
        #expect(try await client.call("GET", "/things/other?uploadId=\(try await begin())").code == "NoSuchUpload")
        cloud.clock.advance(seconds: 8 * 86_400)
        _ = try await cloud.call("GET")
        try await ObjectHousekeeping(store: cloud.store, clock: cloud.clock).pass()
        #expect(try await client.call("GET", "/things?uploads").elements("UploadId") == [])
        _ = try await begin()
        #expect(try await client.call("DELETE", "/things/o").status == 204)
        #expect(try await client.call("DELETE", "/things").status == 204)
        try await ObjectHousekeeping(store: cloud.store, clock: cloud.clock).pass()
        let left = Folder.names(cloud.folder + "/large").flatMap { Folder.names("\(cloud.folder)/large/\($0)") }
        #expect(left == [])
    }

    @Test("parts may have checksums that the upload did not ask for, and are held to them at the end")
    func uninvited() async throws {
        let (_, client) = try await bucket()
        let id = try #require(try await client.call("POST", "/things/sum?uploads").element("UploadId"))
        var hash = S3ChecksumHash(.crc32)
        hash.update([1])
        let sum = hash.finish()
        let part = try await client.call(
            "PUT", "/things/sum?partNumber=1&uploadId=\(id)", [("x-amz-checksum-crc32", sum)], [1])
        #expect(part["x-amz-checksum-crc32"] == sum)
        func complete(_ sum: String) async throws -> Int {
            let inner =
                "<PartNumber>1</PartNumber><ETag>\(part["etag"] ?? "")</ETag><ChecksumCRC32>\(sum)</ChecksumCRC32>"
            return try await client.call(
                "POST", "/things/sum?uploadId=\(id)", [],
                Array("<CompleteMultipartUpload><Part>\(inner)</Part></CompleteMultipartUpload>".utf8)
            ).status
        }
        #expect(try await complete("AAAAAA==") == 400)
        #expect(try await complete(sum) == 200)
    }

    @Test("parts' checksums make the object's", arguments: ["COMPOSITE", "FULL_OBJECT"])
    func partChecksums(kind: String) async throws {
        let (_, client) = try await bucket()
        let begun = try await client.call(
            "POST", "/things/sum?uploads", [("x-amz-checksum-algorithm", "CRC32"), ("x-amz-checksum-type", kind)])
        let id = try #require(begun.element("UploadId"))
        var etags: [(Int, String)] = []
        for (number, bytes) in [(1, Self.part), (2, [9])] {
            let answer = try await client.call(
                "PUT", "/things/sum?partNumber=\(number)&uploadId=\(id)", [], bytes, payload: "UNSIGNED-PAYLOAD")
            #expect(answer["x-amz-checksum-crc32"]?.isEmpty == false)
            etags.append((number, answer["etag"] ?? ""))
        }
        let mismatch = try await client.call(
            "PUT", "/things/sum?partNumber=3&uploadId=\(id)", [("x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKeuNEE=")],
            Array("123456789".utf8))
        #expect(mismatch.code == "InvalidRequest")
        #expect(try await client.call("POST", "/things/sum?uploadId=\(id)", [], order(etags)).status == 200)
        let head = try await client.call("HEAD", "/things/sum", [("x-amz-checksum-mode", "ENABLED")])
        #expect(head["x-amz-checksum-type"] == kind)
        var hash = S3ChecksumHash(.crc32)
        hash.update(Self.part + [9])
        #expect(
            kind == "COMPOSITE"
                ? head["x-amz-checksum-crc32"]?.hasSuffix("-2") == true
                : head["x-amz-checksum-crc32"] == hash.finish())
        let wrong = try await client.call(
            "POST", "/things/x?uploads",
            [("x-amz-checksum-algorithm", "SHA256"), ("x-amz-checksum-type", "FULL_OBJECT")])
        #expect(wrong.code == "InvalidRequest")
    }
}
