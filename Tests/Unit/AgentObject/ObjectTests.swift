import AgentObject
import NIOHTTP1
import Testing

@Suite("objects: PUT, GET, HEAD, POST, DELETE")
struct ObjectTests {
    @Test("what was put is there, with its checksum, type and metadata")
    func roundTrip() async throws {
        let cloud = try ObjectCloud()
        #expect(try await cloud.call("PUT", "photos").status == 201)
        #expect(try await cloud.call("PUT", "photos").status == 202)
        let put = try await cloud.put(
            "photos/a%20b/%C3%A9", "hello", ["X-Object-Meta-Colour": "red", "Content-Type": "text/plain"])
        #expect(put.status == 201)
        #expect(put["etag"] == "5d41402abc4b2a76b9719d911017c592")
        let got = try await cloud.call("GET", "photos/a%20b/%C3%A9")
        #expect(got.status == 200)
        #expect(got.text == "hello")
        #expect(got["etag"] == "5d41402abc4b2a76b9719d911017c592")
        #expect(got["x-object-meta-colour"] == "red")
        #expect(got["content-type"] == "text/plain")
        #expect(got["accept-ranges"] == "bytes")
        #expect(got["x-trans-id"]?.hasPrefix("tx") == true)
        let head = try await cloud.call("HEAD", "photos/a%20b/%C3%A9")
        #expect(head.status == 200)
        #expect(head.bytes.isEmpty)
    }

    @Test(
        "contents of all sizes come back byte for byte",
        arguments: [0, 1, 65_535, 65_536, 65_537, 262_144, 262_145, 1_000_000])
    func sizes(size: Int) async throws {
        let cloud = try ObjectCloud()
        _ = try await cloud.call("PUT", "c")
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
        let put = try await cloud.call("PUT", "c/o", [:], bytes, pieces: 10_007, isChunked: size % 2 == 1)
        #expect(put.status == 201)
        #expect(put["etag"] == ETagHash.of(bytes))
        let got = try await cloud.call("GET", "c/o")
        #expect(got.bytes == bytes)
        let counters = try await cloud.counters()
        #expect(counters.objects == 1 && counters.bytes == Int64(size) && counters.listedBytes == Int64(size))
    }

    @Test("a wrong ETag is refused and nothing is kept", arguments: [10, 300_000])
    func wrongETag(size: Int) async throws {
        let cloud = try ObjectCloud()
        _ = try await cloud.call("PUT", "c")
        let put = try await cloud.call(
            "PUT", "c/o", ["ETag": "00000000000000000000000000000000"], [UInt8](repeating: 7, count: size))
        #expect(put.status == 422)
        #expect(try await cloud.call("GET", "c/o").status == 404)
        #expect(try await cloud.counters().bytes == 0)
    }

    @Test("a body that is cut off makes no object")
    func cutOff() async throws {
        let cloud = try ObjectCloud()
        _ = try await cloud.call("PUT", "c")
        #expect(try await cloud.call("PUT", "c/o", ["Content-Length": "10"], [1, 2, 3]).status == 499)
        #expect(try await cloud.call("HEAD", "c/o").status == 404)
    }

    @Test("POST replaces the metadata, and DELETE removes the object")
    func postAndDelete() async throws {
        let cloud = try ObjectCloud()
        _ = try await cloud.call("PUT", "c")
        _ = try await cloud.put("c/o", "x", ["X-Object-Meta-One": "1", "Content-Type": "text/plain"])
        #expect(try await cloud.call("POST", "c/o", ["X-Object-Meta-Two": "2"]).status == 202)
        let head = try await cloud.call("HEAD", "c/o")
        #expect(head["x-object-meta-one"] == nil)
        #expect(head["x-object-meta-two"] == "2")
        #expect(head["content-type"] == "text/plain")
        #expect(try await cloud.call("DELETE", "c").status == 409)
        #expect(try await cloud.call("DELETE", "c/o").status == 204)
        #expect(try await cloud.call("DELETE", "c/o").status == 404)
        #expect(try await cloud.call("DELETE", "c").status == 204)
        #expect(try await cloud.call("DELETE", "c").status == 404)
    }
}
