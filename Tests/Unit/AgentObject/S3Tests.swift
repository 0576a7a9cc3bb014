import AgentObject
import Crypto
import Foundation
import NIOHTTP1
import Testing

@Suite("S3: buckets and objects")
struct S3Tests {
    private func bucket() async throws -> (ObjectCloud, S3Client) {
        let cloud = try ObjectCloud()
        let client = S3Client(cloud: cloud)
        #expect(try await client.call("PUT", "/things").status == 200)
        return (cloud, client)
    }

    @Test("buckets are made, listed, looked at and removed")
    func buckets() async throws {
        let (cloud, client) = try await bucket()
        let again = try await client.call("PUT", "/things")
        #expect(again.status == 409 && again.code == "BucketAlreadyOwnedByYou")
        for name in ["ab", "Things", "a..b", "192.0.2.1", "-ab"] {
            #expect(try await client.call("PUT", "/\(name)").code == "InvalidBucketName")
        }
        let wish =
            "<CreateBucketConfiguration><LocationConstraint>us-east-1</LocationConstraint></CreateBucketConfiguration>"
        #expect(try await client.put("/here", wish).status == 200)
        #expect(try await client.put("/there", wish.replacing("us-", with: "eu-")).code == "InvalidLocationConstraint")
        #expect(try await client.call("GET", "/").elements("Name") == ["here", "things"])
        #expect(try await client.call("HEAD", "/things").status == 200)
        #expect(try await client.call("GET", "/things?location").text.contains("LocationConstraint"))
        #expect(try await client.call("GET", "/things?versioning").text.hasSuffix("</VersioningConfiguration>"))
        #expect(try await client.call("GET", "/things?acl").element("Permission") == "FULL_CONTROL")
        #expect(try await client.call("GET", "/missing").code == "NoSuchBucket")
        #expect(try await client.put("/things/o", "x").status == 200)
        #expect(try await client.call("DELETE", "/things").code == "BucketNotEmpty")
        #expect(try await client.call("DELETE", "/things/o").status == 204)
        #expect(try await client.call("DELETE", "/things").status == 204)
        #expect(try await client.call("HEAD", "/things").status == 404)
        // The other API sees the same.
        #expect(try await cloud.call("GET").text == "here\n")
    }

    @Test("what has no words here is refused, and changes nothing")
    func notImplemented() async throws {
        let (_, client) = try await bucket()
        _ = try await client.put("/things/o", "x")
        for (method, target) in [
            ("GET", "/things?policy"), ("PUT", "/things?policy"), ("PUT", "/things?versioning"),
            ("GET", "/things?cors"),
            ("GET", "/things?lifecycle"), ("GET", "/things?website"), ("GET", "/things?versions"),
            ("PUT", "/things?tagging"), ("GET", "/things/o?torrent"), ("GET", "/things/o?retention"),
            ("POST", "/things/o?restore"), ("GET", "/things/o?attributes"), ("GET", "/things/o?partNumber=1")
        ] {
            let answer = try await client.call(method, target)
            #expect(answer.status == 501 && answer.code == "NotImplemented", "\(method) \(target) \(answer.text)")
        }
        for header in [
            ("x-amz-server-side-encryption", "AES256"), ("x-amz-acl", "public-read"),
            ("x-amz-object-lock-mode", "GOVERNANCE"), ("x-amz-grant-read", "id=1"), ("x-amz-anything", "1"),
            ("x-amz-website-redirect-location", "/")
        ] { #expect(try await client.put("/things/o", "y", [header]).status == 501, "\(header)") }
        #expect(
            try await client.put("/things/o", "y", [("x-amz-storage-class", "GLACIER")]).code == "InvalidStorageClass")
        #expect(try await client.call("GET", "/things/o").text == "x")
        #expect(try await client.call("PUT", "/things?acl", [("x-amz-acl", "private")]).status == 200)
    }

    @Test("objects go in and out with what is said of them, through both APIs")
    func objects() async throws {
        let (cloud, client) = try await bucket()
        let made = try await client.put(
            "/things/a/b%20c", "hello",
            [
                ("content-type", "text/x-a"), ("x-amz-meta-colour", "red"), ("cache-control", "no-store"),
                ("x-amz-storage-class", "STANDARD"), ("content-encoding", "gzip")
            ])
        #expect(made.status == 200 && made["etag"] == "\"5d41402abc4b2a76b9719d911017c592\"")
        let got = try await client.call("GET", "/things/a/b%20c")
        #expect(got.text == "hello" && got["content-type"] == "text/x-a" && got["x-amz-meta-colour"] == "red")
        #expect(got["cache-control"] == "no-store" && got["content-encoding"] == "gzip")
        let swift = try await cloud.call("GET", "things/a/b%20c")
        #expect(swift.text == "hello" && swift["x-object-meta-colour"] == "red")
        _ = try await cloud.put("things/other", "by swift", ["X-Object-Meta-Size": "9"])
        #expect(try await client.call("HEAD", "/things/other")["x-amz-meta-size"] == "9")
        #expect(try await client.call("GET", "/things/other", [("range", "bytes=3-4")]).text == "sw")
        let beyond = try await client.call("GET", "/things/other", [("range", "bytes=99-")])
        #expect(beyond.status == 416 && beyond.code == "InvalidRange")
        let type = try await client.call("GET", "/things/other?response-content-type=a%2Fb")
        #expect(type["content-type"] == "a/b")
        #expect(try await client.call("GET", "/things/none").code == "NoSuchKey")
        #expect(try await client.call("HEAD", "/things/none").status == 404)
        #expect(try await client.call("DELETE", "/things/none").status == 204)
        let long = String(repeating: "k", count: 1025)
        #expect(try await client.put("/things/\(long)", "x").code == "KeyTooLongError")
        let heavy = String(repeating: "v", count: 2048)
        #expect(try await client.put("/things/h", "x", [("x-amz-meta-h", heavy)]).code == "MetadataTooLarge")
        #expect(try await cloud.counters().objects == 2)
    }

    @Test("conditions hold for reading and for writing")
    func conditions() async throws {
        let (_, client) = try await bucket()
        #expect(try await client.put("/things/o", "one", [("if-none-match", "*")]).status == 200)
        #expect(try await client.put("/things/o", "two", [("if-none-match", "*")]).code == "PreconditionFailed")
        let etag = try #require(try await client.call("HEAD", "/things/o")["etag"])
        #expect(try await client.put("/things/o", "two", [("if-match", "\"other\"")]).status == 412)
        #expect(try await client.put("/things/p", "two", [("if-match", etag)]).code == "NoSuchKey")
        #expect(try await client.call("GET", "/things/o", [("if-none-match", etag)]).status == 304)
        #expect(try await client.call("GET", "/things/o", [("if-match", "\"x\"")]).code == "PreconditionFailed")
        #expect(try await client.put("/things/o", "two", [("if-match", etag)]).status == 200)
        #expect(try await client.call("DELETE", "/things/o", [("if-match", etag)]).status == 412)
        #expect(try await client.call("GET", "/things/o").text == "two")
    }

    @Test("checksums are verified, kept and given back, however the body comes", arguments: [1, 100, 70_000])
    func checksums(size: Int) async throws {
        let (_, client) = try await bucket()
        let body = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
        for algorithm in S3ChecksumAlgorithm.allCases {
            var hash = S3ChecksumHash(algorithm)
            hash.update(body)
            let value = hash.finish(), name = "x-amz-checksum-\(algorithm.rawValue.lowercased())"
            let length = ("x-amz-decoded-content-length", String(size))
            let trailing = [length, ("x-amz-trailer", name), ("content-encoding", "aws-chunked")]
            let answers = [
                try await client.call("PUT", "/things/1", [(name, value)], body),
                try await client.call(
                    "PUT", "/things/2", trailing, body, payload: "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
                ) { body, _ in S3Client.chunked(body, 8192, trailer: "\(name):\(value)", signed: nil) },
                try await client.call(
                    "PUT", "/things/3", trailing, body, payload: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
                ) { S3Client.chunked($0, 8192, trailer: "\(name):\(value)", signed: $1) },
                try await client.call(
                    "PUT", "/things/4", [length, (name, value)], body, payload: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
                ) { S3Client.chunked($0, 8192, signed: $1) },
                try await client.call("PUT", "/things/5", [(name, value)], body, payload: "UNSIGNED-PAYLOAD")
            ]
            for (number, answer) in answers.enumerated() {
                #expect(answer.status == 200 && answer[name] == value, "\(algorithm) \(number) \(answer.text)")
                let got = try await client.call("GET", "/things/\(number + 1)", [("x-amz-checksum-mode", "ENABLED")])
                #expect(got.bytes == body && got[name] == value && got["x-amz-checksum-type"] == "FULL_OBJECT")
                #expect(got["content-encoding"] == nil)
            }
            let wrong = try await client.call(
                "PUT", "/things/6", [(name, Data([1, 2, 3, 4]).base64EncodedString())], body)
            #expect(wrong.code == "BadDigest")
            let cut = try await client.call(
                "PUT", "/things/6", trailing, body, payload: "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
            ) { body, _ in S3Client.chunked(Array(body.dropLast()), 8192, trailer: "\(name):\(value)", signed: nil) }
            #expect(cut.code == "IncompleteBody")
        }
        let md5 = Data(Insecure.MD5.hash(data: body)).base64EncodedString()
        #expect(try await client.call("PUT", "/things/6", [("content-md5", md5)], body).status == 200)
        let other = Data(Insecure.MD5.hash(data: body + [1])).base64EncodedString()
        #expect(try await client.call("PUT", "/things/7", [("content-md5", other)], body).code == "BadDigest")
        #expect(try await client.call("PUT", "/things/7", [("content-md5", "x")], body).code == "InvalidDigest")
        let swapped = try await client.call("PUT", "/things/7", [], body, wrap: { body, _ in body.reversed() + [] })
        #expect(size == 1 || swapped.code == "XAmzContentSHA256Mismatch")
        let missing = try await client.call("HEAD", "/things/7").status
        #expect(size == 1 || missing == 404)
    }

    @Test("pages of listings, in both forms")
    func listings() async throws {
        let (_, client) = try await bucket()
        for key in ["a", "b/1", "b/2", "c", "d/x/y", "%C3%A9"] { _ = try await client.put("/things/\(key)", "x") }
        #expect(try await client.call("GET", "/things").elements("Key") == ["a", "b/1", "b/2", "c", "d/x/y", "é"])
        let folders = try await client.call("GET", "/things?delimiter=%2F&list-type=2")
        #expect(folders.elements("Key") == ["a", "c", "é"])
        #expect(folders.text.contains("<CommonPrefixes><Prefix>b/</Prefix></CommonPrefixes>"))
        #expect(folders.element("KeyCount") == "5" && folders.element("IsTruncated") == "false")
        var seen: [String] = [], token: String?
        repeat {
            let more = token.map { "continuation-token=\($0)&" } ?? ""
            let page = try await client.call("GET", "/things?\(more)list-type=2&max-keys=2")
            seen += page.elements("Key")
            token = page.element("NextContinuationToken")
        } while token != nil
        #expect(seen == ["a", "b/1", "b/2", "c", "d/x/y", "é"])
        let first = try await client.call("GET", "/things?delimiter=%2F&encoding-type=url&max-keys=2")
        #expect(first.elements("Key") == ["a"] && first.element("NextMarker") == "b/")
        let second = try await client.call("GET", "/things?delimiter=%2F&encoding-type=url&marker=b%2F&max-keys=9")
        #expect(second.elements("Key") == ["c", "%C3%A9"] && second.element("IsTruncated") == "false")
        #expect(try await client.call("GET", "/things?list-type=2&start-after=b%2F1").element("KeyCount") == "4")
        #expect(try await client.call("GET", "/things?continuation-token=zz&list-type=2").code == "InvalidArgument")
        #expect(try await client.call("GET", "/things?max-keys=x").code == "InvalidArgument")
        let order =
            "<Delete><Object><Key>a</Key></Object><Object><Key>none</Key></Object><Object><Key>c</Key>"
            + "<VersionId>7</VersionId></Object></Delete>"
        let answer = try await client.call("POST", "/things?delete", [], Array(order.utf8))
        #expect(answer.elements("Key") == ["a", "none", "c"] && answer.element("Code") == "NoSuchVersion")
        #expect(try await client.call("HEAD", "/things/a").status == 404)
        #expect(try await client.call("HEAD", "/things/c").status == 200)
        #expect(try await client.call("POST", "/things?delete", [], Array("<Delete/>".utf8)).code == "MalformedXML")
    }

    @Test("copies, and words that are kept with objects")
    func copiesAndTags() async throws {
        let (_, client) = try await bucket()
        _ = try await client.put("/things/o", "hello", [("x-amz-meta-a", "1"), ("x-amz-tagging", "x=1&y=%202")])
        let source = ("x-amz-copy-source", "/things/o")
        #expect(
            try await client.call("PUT", "/things/p", [source]).element("ETag")
                == "&quot;5d41402abc4b2a76b9719d911017c592&quot;")
        let copy = try await client.call("GET", "/things/p")
        #expect(copy.text == "hello" && copy["x-amz-meta-a"] == "1" && copy["x-amz-tagging-count"] == "2")
        #expect(try await client.call("PUT", "/things/o", [source]).code == "InvalidRequest")
        let replace = [source, ("x-amz-metadata-directive", "REPLACE"), ("x-amz-meta-b", "2")]
        #expect(try await client.call("PUT", "/things/o", replace).status == 200)
        let replaced = try await client.call("HEAD", "/things/o")
        #expect(replaced["x-amz-meta-a"] == nil && replaced["x-amz-meta-b"] == "2")
        let none = ("x-amz-copy-source", "things/none")
        #expect(try await client.call("PUT", "/things/q", [none]).code == "NoSuchKey")
        let condition = ("x-amz-copy-source-if-none-match", "*")
        #expect(try await client.call("PUT", "/things/q", [source, condition]).status == 412)
        #expect(try await client.call("PUT", "/things/p", [source, ("if-none-match", "*")]).status == 412)
        #expect(try await client.call("GET", "/things/p?tagging").elements("Value") == ["1", " 2"])
        let tags = "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>"
        #expect(try await client.call("PUT", "/things/p?tagging", [], Array(tags.utf8)).status == 200)
        #expect(try await client.call("GET", "/things/p?tagging").elements("Key") == ["k"])
        #expect(try await client.call("DELETE", "/things/p?tagging").status == 204)
        #expect(try await client.call("GET", "/things/p?tagging").elements("Key") == [])
        let many = (0..<11).map { "k\($0)=v" }.joined(separator: "&")
        #expect(try await client.put("/things/p", "x", [("x-amz-tagging", many)]).status == 400)
        #expect(try await client.put("/things/p", "x", [("x-amz-tagging", "a=1&a=2")]).code == "InvalidTag")
    }
}
